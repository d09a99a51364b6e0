import { toHex } from '../../../../src/primitives/index.ts';
import type { Bytes, DescriptorFields } from '../../format.ts';
import type { Names } from '../names.ts';
import { type Mail, NOW, type Person } from '../person.ts';
import { drawing, Telling } from '../telling.ts';

/** The least part size. */
const S = 65_536;
const FULL: Bytes = [['61', S]];
const OTHER: Bytes = [['62', S]];
const SHORT: Bytes = '6869626f62';

/** Contents in parts on the way from one to another: what each keeps of them, and when no more (docs/PROTOCOL.md §7.1). */
export async function large(names: Names, after: Telling): Promise<Telling> {
  const story = new Telling(
    'large',
    'A descriptor is a message like any; its parts stand beside it. They come before it, out of order, twice, changed, too late; of a content that is complete, or of somebody who is forgotten, nothing is known any more.',
    { names, after },
  );
  const alice = story.person('alice');
  const bob = story.person('bob');
  const random = drawing('large');
  const key = () => toHex(random(32));
  const describes = (by: Person, to: string, fields: Partial<DescriptorFields>): Promise<Mail> =>
    by.send(to, { sentAt: NOW, descriptor: { name: null, size: null, partSize: S, key: key(), ...fields } });

  const film = await describes(alice, 'bob', { name: 'film.mkv', size: S + 5 });
  const [f0, f1] = twoParts(alice, film);
  const text = await alice.say('bob', 'this comes before the film');
  await bob.takes(f0, 'unknown-part');
  await bob.reads(text);
  await bob.reads(film);
  await bob.takes(f1, 'new');
  await bob.takes(alice.seals(film, { data: OTHER }), 'parts-contradict');
  await bob.takes(f1, 'duplicate');
  await bob.takes(f0, 'new');
  await bob.takes(f0, 'unknown-part');
  await bob.seesAgain(film);
  await bob.takes(f1, 'unknown-part');

  const empty = await describes(bob, 'alice', { name: 'empty', size: 0 });
  await alice.reads(empty);
  await alice.takes(bob.seals(empty, { data: [], last: 1 }), 'new');

  const stream = await describes(alice, 'bob', {});
  const [s0, s1] = twoParts(alice, stream);
  await bob.reads(stream);
  await bob.takes(s0, 'new');
  const { content } = stream;
  if (content === undefined || !('descriptor' in content)) throw new Error('a descriptor was sent');
  await bob.refuses(await describes(alice, 'bob', { key: content.descriptor.key }), 'corrupt');
  const others: Mail[] = [];
  for (let n = 0; n < 4; n++) others.push(await describes(alice, 'bob', { size: n }));
  for (const one of others.slice(0, 3)) await bob.reads(one);
  const [waiting, , , fifth] = others as [Mail, Mail, Mail, Mail];
  await bob.refuses(fifth, 'too-many-incoming');
  await bob.takes(s1, 'new');
  await bob.reads(fifth);
  await bob.forget('alice');
  await bob.takes(alice.seals(waiting, { data: [], last: 1 }), 'unknown-part');
  return story;
}

/** A full part and a short one. */
function twoParts(by: Person, of: Mail) {
  const first = by.seals(of, { data: FULL });
  return [first, by.seals(of, { data: SHORT, last: 1, after: first })] as const;
}
