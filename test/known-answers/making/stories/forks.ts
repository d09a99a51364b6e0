import type { Names } from '../names.ts';
import { Telling } from '../telling.ts';

/** Copies of identity files that go on beside the originals: forks by honest means (docs/PROTOCOL.md §5.4, §5.6). */
export async function forks(names: Names, after: Telling): Promise<Telling> {
  const story = new Telling(
    'forks',
    'Copies of identity files go on beside the originals. Whoever sees a fork changes nothing but the mark, and the conversation goes on.',
    { names, after },
  );
  const [alice, bob] = [story.person('alice'), story.person('bob')];

  await bob.reads(await alice.say('bob', 'a new chain'));
  const copy = story.copy(alice, 'copy of alice');
  await bob.reads(await alice.say('bob', 'one text'));
  await bob.seesFork(await copy.say('bob', 'another text'), 'two-texts-at-one-position');
  bob.check();

  const own = story.copy(bob, 'copy of bob');
  await own.say('alice', 'another answer, which nobody reads');
  await alice.reads(await bob.say('alice', 'over to you'));
  const due = story.copy(alice, 'second copy of alice');
  const next = await alice.say('bob', 'my chain');
  await own.seesFork(next, 'body-does-not-authenticate');
  own.check();
  await bob.reads(next);
  await bob.seesFork(await copy.say('bob', 'in the old chain'), 'past-the-end-of-a-chain');
  await bob.seesFork(await due.say('bob', 'my chain too'), 'two-texts-at-one-position');
  await bob.seesFork(await due.say('bob', 'and on'), 'two-keys-in-one-chain');

  const shorter = story.copy(alice, 'third copy of alice');
  await bob.reads(await alice.say('bob', 'the copy does not know of this one'));
  const answer = await bob.say('alice', 'an answer for both');
  await shorter.reads(answer);
  await bob.reads(await shorter.say('bob', 'of a restored file'), { fork: 'chain-shorter-than-received' });
  bob.check();
  return story;
}
