import type { Names } from '../names.ts';
import { NOW } from '../person.ts';
import { Telling } from '../telling.ts';

const SECOND = 1_000;
const DAY = 86_400 * SECOND;

/** The instants at which invites change what they are good for (docs/PROTOCOL.md §3). */
export async function boundaries(names: Names, after: Telling): Promise<Telling> {
  const story = new Telling(
    'boundaries',
    'The last instant at which something holds, and the next: for how long it is known what became of an invite; when an invite that waits has expired; when a session drops it. And invites of a known identity, answered and not.',
    { names, after },
  );
  const [alice, bob, mallory] = [story.person('alice'), story.person('bob'), story.person('mallory')];
  const expires = NOW / SECOND + 86_400;

  // Added under another name, and added again after it was answered.
  await alice.addKnown('robert', story.named('meeting/bob 1'), { keeps: 'bob', answered: true });
  await bob.reads(await alice.say('bob', 'on the same session, as the invite is answered'));
  const waiting = await bob.invite('alice', expires);
  await alice.addKnown('robert', waiting, { keeps: 'bob' });

  const punctual = story.copy(alice, 'copy of alice');
  punctual.now = expires * SECOND - 1;
  await punctual.say('bob', 'the invite that waits is good for another millisecond: a new session');
  alice.now = expires * SECOND;
  await alice.say('bob', 'it has expired: the session that there is');
  alice.now -= 1;
  await alice.say('bob', 'and it was dropped, whatever the clock shows now');

  // An invite of hers that bob adds at `added`, and sessions of hers that are opened then and a millisecond later.
  const added = bob.now + 10_000;
  const hers = await alice.invite('bob', expires + 86_400);
  const his = await bob.invite('alice', expires + 86_400);
  bob.now = added;
  await bob.addKnown('alice', hers, { keeps: 'alice' });
  const other = story.copy(bob, 'copy of bob');
  other.now = added;
  const later = story.copy(alice, 'second copy of alice');
  alice.now = added;
  await alice.addKnown('bob', his, { keeps: 'bob' });
  await bob.reads(await alice.say('bob', 'opened when you added my invite'));
  await bob.say('alice', 'your invite still waits: a new session');
  later.now = added + 1;
  await later.addKnown('bob', his, { keeps: 'bob' });
  await other.reads(await later.say('bob', 'opened a millisecond after you added my invite'));
  await other.say('alice', 'your invite was dropped: on your session');

  // What became of invites is known for 90 days, counted in whole seconds.
  const spentAt = NOW + 2_500;
  await mallory.add('bob', story.named('meeting/bob 1'));
  const spent = await mallory.say('bob', 'that invite is spent');
  const unused = await bob.invite('mallory', expires);
  await mallory.addKnown('bob', unused, { keeps: 'bob' });
  const expired = await mallory.say('bob', 'and that one will expire');
  bob.now = spentAt + 90 * DAY + 499;
  await bob.refuses(spent, 'invite-spent');
  bob.now += 1;
  await bob.refuses(spent, 'unknown-invite');
  bob.now = (expires + 1) * SECOND + 90 * DAY - 1;
  await bob.refuses(expired, 'invite-expired');
  bob.now += 1;
  await bob.refuses(expired, 'unknown-invite');
  return story;
}
