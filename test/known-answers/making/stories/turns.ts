import type { Names } from '../names.ts';
import { Telling } from '../telling.ts';

const DAY = 86_400_000;

/** A longer conversation, and both ways to come to an exchange of KEM keys. */
export async function turns(names: Names, after: Telling): Promise<Telling> {
  const story = new Telling(
    'turns',
    'Sixteen root steps. At the ninth it is time for an offer, by the count; at the fourteenth, by the clock of the other side. The second message of a chain with a KEM field arrives first. Chains that ended long ago are not kept.',
    { names, after },
  );
  const alice = story.person('alice');
  const bob = story.person('bob');
  const fifth = await alice.say('bob', 'root step 5');
  await bob.reads(fifth);
  await alice.reads(await bob.say('alice', 'root step 6'));
  const seventh = await alice.say('bob', 'root step 7');
  await bob.reads(seventh);
  await alice.reads(await bob.say('alice', 'root step 8'));

  const ninth = await alice.say('bob', 'root step 9: an offer');
  alice.check();
  await bob.reads(await alice.say('bob', 'an offer, too'));
  bob.check();
  await bob.reads(ninth);
  const tenth = await bob.say('alice', 'root step 10: an answer');
  bob.check();
  await alice.reads(await bob.say('alice', 'an answer, too'));
  alice.check();
  await alice.reads(tenth);

  await bob.reads(await alice.say('bob', 'root step 11'));
  alice.now += DAY - 1;
  bob.now += DAY - 1;
  await alice.reads(await bob.say('alice', 'root step 12: a millisecond less than a day after the last mix'));
  await bob.reads(await alice.say('bob', 'root step 13'));
  bob.now += 1;
  await alice.reads(await bob.say('alice', 'root step 14: a day after the last mix'));
  await bob.seesAgain(fifth);
  await bob.reads(await alice.say('bob', 'root step 15'));
  await alice.reads(await bob.say('alice', 'root step 16'));
  await bob.reads(await alice.say('bob', 'root step 17'));
  await bob.refuses(fifth, 'not-for-you');
  await bob.seesAgain(seventh);
  alice.check();
  bob.check();
  return story;
}
