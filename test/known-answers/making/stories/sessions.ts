import type { Names } from '../names.ts';
import { withoutPrefix } from '../on-the-way.ts';
import { NOW } from '../person.ts';
import { Telling } from '../telling.ts';

const EXPIRES = NOW / 1_000 + 30 * 86_400;

/** How many sessions of one contact are kept, and which (docs/PROTOCOL.md §4). */
export async function sessions(names: Names, after: Telling): Promise<Telling> {
  const story = new Telling(
    'sessions',
    'Alice opens one session after the other. Of those that are not sent on, three are kept: the least idle, and of equally idle ones the later made; and none with 64 idle messages.',
    { names, after },
  );
  const [alice, bob] = [story.person('alice'), story.person('bob')];
  const invite = await bob.invite('again', EXPIRES, { reusable: true });
  const open = async (text: string) => {
    await alice.add('bob', invite);
    await bob.reads(await alice.say('bob', text));
  };

  const onTheFirst = await alice.say('bob', 'on the first session, and it comes too late');
  await open('the second session');
  const held = await alice.say('bob', 'on the second session, and it comes later');
  await open('the third session');
  const onTheThird = await alice.say('bob', 'on the third session, and it comes too late');
  await open('the fourth session');
  await bob.checkSessions('alice');
  await open('the fifth: all others are equally idle, so the first goes');
  await bob.checkSessions('alice');
  await alice.checkSessions('bob');
  await bob.refuses(onTheFirst, 'not-for-you');

  await bob.reads(held);
  await bob.checkSessions('alice');
  await open('the sixth: the second is less idle than the others, of which the third goes');
  await bob.checkSessions('alice');
  await alice.checkSessions('bob');
  await bob.hasForgotten(onTheThird);
  const bare = story.forge(
    'bare',
    'The message on the third session, its prefix removed on the way.',
    withoutPrefix(onTheThird),
  );
  await bob.refuses(bare, 'not-for-you');

  const many = await alice.sayMany('bob', 'on the sixth', 127);
  await bob.readsMany(many, 1, 62);
  await bob.checkSessions('alice');
  await bob.readsMany(many, 63, 63);
  await bob.checkSessions('alice');
  await open('the seventh');
  await bob.readsMany(many, 64, 64);
  await bob.checkSessions('alice');
  await bob.readsMany(many, 65, 127);
  await bob.checkSessions('alice');
  await open('the eighth: the seventh is not sent on any more');
  await bob.checkSessions('alice');
  await alice.reads(await bob.say('alice', 'the first answer since the first session'));
  await alice.checkSessions('bob');
  bob.check();
  return story;
}
