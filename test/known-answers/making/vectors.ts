import type { Vectors } from '../format.ts';
import { META } from './meta.ts';
import { Names } from './names.ts';
import { derivations, identities, safetyNumbers } from './sections/derivations.ts';
import { invites } from './sections/invites.ts';
import { marks } from './sections/marks.ts';
import { parts } from './sections/parts.ts';
import { publicKeys } from './sections/public-keys.ts';
import { armored, contents, envelopes, padding } from './sections/wire.ts';
import { both } from './stories/both.ts';
import { boundaries } from './stories/boundaries.ts';
import { forks } from './stories/forks.ts';
import { gaps } from './stories/gaps.ts';
import { invites as livesOfInvites } from './stories/invites.ts';
import { kem } from './stories/kem.ts';
import { large } from './stories/large.ts';
import { meeting } from './stories/meeting.ts';
import { refusals } from './stories/refusals.ts';
import { reusable } from './stories/reusable.ts';
import { sessions } from './stories/sessions.ts';
import { ties } from './stories/ties.ts';
import { turns } from './stories/turns.ts';

/** Computes all of test/vectors/pawl-1.json: the same in every run. */
export async function vectors(): Promise<Vectors> {
  const names = new Names();
  const first = await meeting(names);
  const others = [];
  // In this order, because later stories are spelled in parts of earlier ones: new ones come last.
  const tellers = [
    turns,
    kem,
    refusals,
    gaps,
    forks,
    both,
    livesOfInvites,
    reusable,
    sessions,
    ties,
    boundaries,
    large,
  ];
  for (const tell of tellers) others.push(await tell(names, first));
  const bob = first.known('bob');
  if (bob === undefined) throw new Error('bob made the invite');
  const invite = first.named('meeting/bob 1');
  const opening = first.named('meeting/alice 1');
  const message = first.named('meeting/bob 2');
  return {
    meta: META,
    derivations: derivations(),
    identities: identities(),
    safetyNumbers: safetyNumbers(),
    marks: marks(),
    publicKeys: publicKeys(names, invite),
    invites: invites(names, bob.identity, invite),
    padding: padding(),
    contents: contents(),
    envelopes: envelopes(names, opening, message),
    armor: armored(message, invite),
    parts: parts(names),
    stories: [first, ...others].map((story) => story.told()),
  };
}
