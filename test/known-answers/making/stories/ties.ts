import type { Names } from '../names.ts';
import { NOW } from '../person.ts';
import { Telling } from '../telling.ts';

const EXPIRES = NOW / 1_000 + 30 * 86_400;

/** Two sessions that were opened in the same millisecond (docs/PROTOCOL.md §4). */
export async function ties(names: Names): Promise<Telling> {
  const story = new Telling(
    'ties',
    'Two who invited each other open a session each in the same millisecond. Once both are answered, both sides send on the one with the larger T.',
    { names },
  );
  const [alice, bob] = [story.person('alice'), story.person('bob')];
  await alice.add('bob', await bob.invite('alice', EXPIRES));
  await bob.add('alice', await alice.invite('bob', EXPIRES));
  const hers = await alice.say('bob', 'opened now');
  const his = await bob.say('alice', 'opened now');
  await alice.reads(his);
  await bob.reads(hers);
  await alice.checkSessions('bob');
  await bob.checkSessions('alice');
  const onHis = await alice.say('bob', 'on yours, as mine has no answer yet');
  const onHers = await bob.say('alice', 'and I on yours');
  await alice.reads(onHers);
  await bob.reads(onHis);
  await alice.checkSessions('bob');
  await bob.checkSessions('alice');
  await bob.reads(await alice.say('bob', 'on the one with the larger T'));
  await alice.reads(await bob.say('alice', 'so do I'));
  await alice.checkSessions('bob');
  return story;
}
