import type { Names } from '../names.ts';
import { NOW } from '../person.ts';
import { Telling } from '../telling.ts';

const EXPIRES = NOW / 1_000 + 30 * 86_400;

/** Several sessions of one pair: on which each side sends (docs/PROTOCOL.md §4). */
export async function both(names: Names, after: Telling): Promise<Telling> {
  const story = new Telling(
    'both',
    'Two who have a session invite each other, open another at once, and come to send on the same one again. The clock of one is behind.',
    { names, after },
  );
  const alice = story.person('alice');
  const bob = story.person('bob');
  await alice.add('bob', await bob.invite('alice', EXPIRES));
  await bob.add('alice', await alice.invite('bob', EXPIRES));
  alice.now = NOW - 10_000;
  const hers = await alice.say('bob', 'opened a millisecond after our first, whatever my clock shows');
  const his = await bob.say('alice', 'opened by my clock');
  await alice.reads(his);
  await bob.reads(hers);
  const onHis = await alice.say('bob', 'on yours, as mine has no answer yet');
  const onHers = await bob.say('alice', 'and I on yours');
  await alice.reads(onHers);
  await bob.reads(onHis);
  await bob.reads(await alice.say('bob', 'on the one that was opened last'));
  await alice.reads(await bob.say('alice', 'so do I'));
  alice.check();
  bob.check();
  return story;
}
