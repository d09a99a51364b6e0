import type { Names } from '../names.ts';
import { Telling } from '../telling.ts';

const DAY = 86_400_000;

/** Missing messages, up to each of the limits of docs/PROTOCOL.md §5.5 and over it. */
export async function gaps(names: Names, after: Telling): Promise<Telling> {
  const story = new Telling(
    'gaps',
    'Missing messages: 2,000 and one more, before a message and at the end of a chain; and kept keys that grow old.',
    { names, after },
  );
  const [alice, bob] = [story.person('alice'), story.person('bob')];

  await bob.lose('alice', 2_000);
  const first = await alice.say('bob', 'n = 0');
  const second = await alice.say('bob', 'n = 1');
  await alice.lose('bob', 1_999);
  const far = await alice.say('bob', 'n = 2,001');
  await bob.refuses(far, 'gap-too-large');
  await bob.reads(first);
  await bob.reads(far);
  const late = await alice.say('bob', 'n = 2,002');
  await bob.reads(await alice.say('bob', 'n = 2,003: one skipped key more than are kept'));
  await bob.getsTooLate(second);
  await bob.reads(late);
  await alice.lose('bob', 2_001);
  const farther = await alice.say('bob', 'n = 4,005');
  await bob.refuses(farther, 'gap-too-large');
  await bob.reads(farther, { gap: 3_000 });

  await alice.lose('bob', 2_001);
  await alice.reads(await bob.say('alice', 'where were you?'));
  bob.now += 1_000;
  await bob.reads(await alice.say('bob', 'the end of my last chain is lost'));
  const kept = await alice.say('bob', 'thirty days late');
  const old = await alice.say('bob', 'later than that');
  bob.now += 1_000;
  await bob.reads(await alice.say('bob', 'two are missing'));
  bob.now += 30 * DAY;
  await bob.reads(kept);
  bob.now += 1;
  await bob.getsTooLate(old);
  bob.check();
  return story;
}
