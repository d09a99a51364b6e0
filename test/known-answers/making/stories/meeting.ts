import type { Names } from '../names.ts';
import { withoutPrefix, withPrefix } from '../on-the-way.ts';
import { NOW } from '../person.ts';
import { Telling } from '../telling.ts';

/** The first messages of a conversation. The very first is that of docs/PROTOCOL.md §11. */
export async function meeting(names: Names): Promise<Telling> {
  const story = new Telling(
    'meeting',
    'An invite; an opening, of which the second message arrives first; an answer; and what becomes of the prefix.',
    { names },
  );
  const alice = story.person('alice', [0xa0, 3, 4, 5, 6, 7]);
  const bob = story.person('bob', [0xb0, 1, 2]);
  bob.now += 2_500;
  const invite = await bob.invite('alice', 2_000_000_000);
  await alice.add('bob', invite);
  const first = await alice.say('bob', 'hi bob');
  const second = await alice.say('bob', 'are you there?');
  const bare = story.forge('bare', 'The second message, its prefix stripped on the way.', withoutPrefix(second));
  await bob.refuses(bare, 'not-for-you');
  await bob.reads(second);
  bob.check();
  await bob.reads(first);
  await bob.seesAgain(second);
  await bob.seesAgain(bare);

  const answer = await bob.say('alice', 'here I am');
  const more = await bob.say('alice', 'what is it?');
  const third = await alice.say('bob', 'anybody?');
  await alice.reads(more);
  await alice.reads(answer);
  alice.check();

  const file = { sentAt: NOW + 1, file: 'plan.txt', bytes: '6d65657420617420746865206272696467650a' };
  const fourth = await alice.send('bob', file);
  await bob.reads(fourth);
  bob.check();
  await bob.reads(third);
  const dressed = story.forge(
    'dressed',
    'The fourth message behind the prefix, put there on the way.',
    withPrefix(first, fourth),
  );
  await bob.seesAgain(dressed);
  await alice.reads(await bob.say('alice', 'all right'));
  alice.check();
  bob.check();
  return story;
}
