import type { Names } from '../names.ts';
import { NOW } from '../person.ts';
import { Telling } from '../telling.ts';

const SECOND = 1_000;
const DAY = 86_400 * SECOND;
const EXPIRES = NOW / SECOND + 86_400;

/** A reusable invite: its numbers, its names and its ledger (docs/PROTOCOL.md §3). */
export async function reusable(names: Names, after: Telling): Promise<Telling> {
  const story = new Telling(
    'reusable',
    'A reusable invite and its users: who takes which number, which numbers are passed over, what the ledger refuses, the last number, and the end of the invite.',
    { names, after },
  );
  const [alice, bob, carol] = [story.person('alice'), story.person('bob'), story.person('carol')];
  const [dave, erin, frank] = [story.person('dave'), story.person('erin'), story.person('frank')];
  const [mallory, peggy] = [story.person('mallory'), story.person('peggy')];

  const invite = await bob.invite('guest', EXPIRES, { reusable: true });
  await carol.add('bob', invite);
  const first = await carol.say('bob', 'the first user: guest-1');
  await bob.reads(first);
  await bob.add('guest-2', await mallory.invite('bob', EXPIRES));
  const promised = await bob.invite('guest-3', EXPIRES);
  await dave.add('bob', invite);
  await bob.reads(await dave.say('bob', 'guest-2 is a contact, guest-3 is promised: guest-4'));
  await alice.add('bob', invite);
  await bob.reads(await alice.say('bob', 'known already, so that the name stays; the fifth number is taken'));
  await bob.seesAgain(first);

  await bob.forget('guest-1');
  await bob.hasForgotten(first);
  await carol.add('bob', invite);
  await bob.reads(await carol.say('bob', 'another opening, of an identity that was forgotten: guest-6'));
  await erin.add('bob', promised);
  await bob.reads(await erin.say('bob', 'the promised name: guest-3'));

  await bob.takeNumbers(invite, 997);
  await bob.add('guest-998', await peggy.invite('bob', EXPIRES));
  await frank.add('bob', invite);
  await bob.reads(await frank.say('bob', 'guest-998 is a contact: guest-999'));
  await alice.add('bob', invite);
  await bob.reads(await alice.say('bob', 'the last number is taken'));
  await peggy.add('bob', invite);
  const late = await peggy.say('bob', 'a known identity, but no number is left');
  await bob.refuses(late, 'invite-used-up');
  await bob.hasForgotten(first);

  const few = await bob.invite('few', EXPIRES, { reusable: true });
  await bob.takeNumbers(few, 999);
  await bob.invite('few-1000', EXPIRES);
  await mallory.add('bob', few);
  await bob.refuses(await mallory.say('bob', 'the last number is passed over'), 'invite-used-up');

  bob.now = EXPIRES * SECOND + 7 * DAY - 1;
  await bob.hasForgotten(first);
  await bob.refuses(late, 'invite-used-up');
  bob.now += 1;
  await bob.refuses(first, 'invite-expired');
  await bob.refuses(late, 'invite-expired');
  return story;
}
