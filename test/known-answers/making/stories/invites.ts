import type { Names } from '../names.ts';
import { NOW } from '../person.ts';
import { Telling } from '../telling.ts';

const SECOND = 1_000;
const DAY = 86_400 * SECOND;

/** What becomes of invites, and of the names they are made for (docs/PROTOCOL.md §3). */
export async function invites(names: Names, after: Telling): Promise<Telling> {
  const story = new Telling(
    'invites',
    'Invites that are used twice, expire, or are for somebody else; the names that they give; and for how long it is known what became of them.',
    { names, after },
  );
  const alice = story.person('alice');
  const bob = story.person('bob');
  const mallory = story.person('mallory');
  await mallory.add('bob', story.named('meeting/bob 1'));
  const copy = await mallory.say('bob', 'hi, this is alice');
  await bob.refuses(copy, 'invite-spent');

  const expires = NOW / SECOND + 86_400;
  const invite = await bob.invite('carol', expires);
  await bob.add('me', invite, 'self');
  const carol = story.person('carol');
  await carol.add('bob', invite);
  const slow = await carol.say('bob', 'hi bob');
  await alice.refuses(slow, 'not-for-you');
  const punctual = story.copy(bob, 'copy of bob');

  const other = await mallory.invite('bob', expires);
  await carol.add('bob', other, 'identity-changed');
  await bob.add('carol', other);
  await bob.refuses(slow, 'identity-changed');

  punctual.now = expires * SECOND + 7 * DAY - 1;
  await punctual.reads(slow);
  bob.now = expires * SECOND + 7 * DAY;
  await bob.refuses(slow, 'invite-expired');
  bob.now = expires * SECOND + 91 * DAY;
  await bob.refuses(slow, 'unknown-invite');
  await bob.refuses(copy, 'unknown-invite');
  await bob.cannotSend('carol', 'invite-expired');

  alice.now = expires * SECOND;
  await alice.add('mallory', other, 'invite-expired');
  alice.now -= 1;
  await alice.add('mallory', other);
  return story;
}
