import { sealPart } from '../../../../fuzz/one-part.ts';
import { encodeEnvelope, partHead, type SealedPart } from '../../../../src/envelope/index.ts';
import {
  type Part as ContentPart,
  deriveKeys,
  FIRST_LINK,
  type Link,
  nextLink,
  type PartKeys,
} from '../../../../src/parts/index.ts';
import { concat, digest, hkdfSha256, hmacSha256, seal, toHex, uint, utf8 } from '../../../../src/primitives/index.ts';
import { hex } from '../../../primitives/hex.ts';
import { joined, type Named, slice } from '../../bytes.ts';
import type { Bytes, ForgedPart, InParts, PartsReceived, RefusedPart, SealedInPart, Vectors } from '../../format.ts';
import { logFor, openedPart, take } from '../../parts.ts';
import { expectRefusal } from '../../refused.ts';
import type { Names } from '../names.ts';
import { flipped } from '../on-the-way.ts';
import { drawing } from '../telling.ts';

/** The least part size: what is more takes a reader longer, and shows nothing else. */
const S = 65_536;
const FULL: Bytes = [['61', S]];
const OTHER: Bytes = [['62', S]];
const FIVE = '6869626f62';

/** Contents in parts: what is sealed, opened, refused, and what becomes of parts in what order (docs/PROTOCOL.md §7.1). */
export function parts(names: Names): Vectors['parts'] {
  const maker = new Maker(names);
  const film = maker.content('parts/film', 2 * S + 5);
  const stream = maker.content('parts/stream', null);
  const empty = maker.content('parts/empty', 0);
  // One r for all three: their salts differ all the same.
  const r = toHex(maker.random(32));
  const f0 = maker.seal(film, 'f0', { index: 0, data: FULL, r });
  const f1 = maker.seal(film, 'f1', { index: 1, data: FULL, link: f0.next, r });
  const f2 = maker.seal(film, 'f2', { index: 2, last: 1, data: FIVE, link: f1.next, r });
  maker.seal(film, 'f0 again', { index: 0, data: FULL });
  const g1 = maker.seal(film, 'f1 changed', { index: 1, data: OTHER, link: f0.next });
  maker.seal(film, 'f2 after f1 changed', { index: 2, last: 1, data: FIVE, link: g1.next });
  maker.seal(film, 'f0 with a link', { index: 0, data: FULL, link: f2.next });
  maker.seal(film, 'f1 as the last', { index: 1, last: 1, data: FULL, link: f0.next });
  maker.seal(film, 'f2 one byte short', { index: 2, last: 1, data: FIVE.slice(2), link: f1.next });
  maker.seal(film, 'f3', { index: 3, last: 1, data: FIVE, link: f2.next });
  const s0 = maker.seal(stream, 's0', { index: 0, data: FULL });
  const s1 = maker.seal(stream, 's1', { index: 1, data: FULL, link: s0.next });
  maker.seal(stream, 's1 as the last', { index: 1, last: 1, data: FULL, link: s0.next });
  maker.seal(stream, 's2', { index: 2, last: 1, data: '00', link: s1.next });
  const s4096 = maker.seal(stream, 's4096', { index: 4_096, data: OTHER, link: f1.next });
  maker.seal(stream, 's4097', { index: 4_097, data: OTHER, link: s4096.next });
  maker.seal(empty, 'e0', { index: 0, last: 1, data: [] });
  return {
    contents: maker.contents,
    sealed: maker.sealed,
    forged: forgedBy(maker, film),
    refused: refusals(maker, names, film, stream),
    received: receptions(maker, film, stream, empty),
  };
}

interface Fields {
  readonly index: number;
  readonly last?: 0 | 1;
  readonly data: Bytes;
  readonly link?: string;
  readonly r?: string;
}

class Maker {
  readonly contents: InParts[] = [];
  readonly sealed: SealedInPart[] = [];
  readonly random = drawing('parts');
  readonly names: Names;

  constructor(names: Names) {
    this.names = names;
  }

  content(as: string, size: number | null): InParts {
    const { content, find, salt } = deriveKeys(this.random(32));
    const one = { as, key: toHex(content), findKey: toHex(find), saltKey: toHex(salt), size, partSize: S };
    this.contents.push(one);
    return one;
  }

  seal(of: InParts, name: string, { index, last = 0, data, link = toHex(FIRST_LINK), r }: Fields): SealedInPart {
    const drawn = r ?? toHex(this.random(32));
    const part: ContentPart = {
      index,
      isLast: last === 1,
      link: hex(link) as Link,
      data: joined(data, this.names.bytes),
    };
    const keys = deriveKeys(hex(of.key));
    const { sealed, digest: d } = sealPart(keys, part, { partSize: S, random: () => hex(drawn) });
    const envelope = this.names.add(`parts/${name}`, encodeEnvelope({ kind: 'part', part: sealed }));
    const row = {
      as: envelope.name,
      of: of.as,
      index,
      last,
      data,
      link,
      r: drawn,
      digest: toHex(d),
      next: toHex(nextLink(part.link, d)),
      salt: toHex(sealed.salt),
      tag: toHex(sealed.tag),
      partKey: toHex(partKeyOf(keys, sealed)),
      length: envelope.bytes.length,
      is: toHex(digest(16, envelope.bytes)),
    };
    this.sealed.push(row);
    return row;
  }
}

function partKeyOf({ content }: PartKeys, { salt }: Pick<SealedPart, 'salt'>): Uint8Array {
  return hkdfSha256(content, utf8('pawl/1 part key'), 32, salt);
}

/** Parts by somebody who has K, and seals a plaintext that breaks a rule. */
function forgedBy(maker: Maker, of: InParts): readonly ForgedPart[] {
  const fields = (index: number, last: number, length: number): string =>
    toHex(concat(uint(index, 4), uint(last, 1), uint(length, 4), FIRST_LINK));
  const rows: readonly (readonly [why: string, plaintext: Bytes])[] = [
    ['last is 2', [fields(0, 2, S), ['61', S]]],
    ['a part that is not the last has a byte less', [fields(0, 0, S - 1), ['61', S - 1], '00']],
    ['a part that is not the last has nothing', [fields(0, 0, 0), ['00', S]]],
    ['it says that it has a byte more than S', [fields(0, 1, S + 1), ['61', S]]],
    ['a last part behind another has nothing', [fields(1, 1, 0), ['00', S]]],
    ['the first byte behind the data is 1', [fields(0, 1, 5), FIVE, '01', ['00', S - 6]]],
    ['the last byte is 1', [fields(0, 1, 5), FIVE, ['00', S - 6], '01']],
  ];
  const keys = deriveKeys(hex(of.key));
  return rows.map(([why, plaintext]) => {
    const salt = maker.random(16);
    const tag = hmacSha256(keys.find, salt).slice(0, 8);
    const bytes = joined(plaintext, maker.names.bytes);
    const sealed = seal(partKeyOf(keys, { salt }), new Uint8Array(12), bytes, partHead({ salt, tag }, S));
    const envelope = encodeEnvelope({ kind: 'part', part: { salt, tag, sealed } });
    expectRefusal(why, 'corrupt', () => openedPart(of, envelope));
    return { why, code: 'corrupt' as const, of: of.as, salt: toHex(salt), plaintext, is: toHex(digest(16, envelope)) };
  });
}

function refusals(maker: Maker, names: Names, film: InParts, stream: InParts): readonly RefusedPart[] {
  const name = 'parts/f2';
  const f2: Named = { name, bytes: names.bytes(name) };
  const { length } = f2.bytes;
  const longer: Bytes = ['7061776c0103', toHex(uint(length - 9, 4)), ...slice(f2, 10, length), '00'];
  const cut: Bytes = slice(f2, 0, length - 1);
  const rows: readonly (readonly [why: string, code: RefusedPart['code'], of: InParts, bytes: Bytes])[] = [
    ['of another content', 'unknown-part', stream, slice(f2, 0, length)],
    ['a bit of the salt', 'unknown-part', film, flipped(f2, 10)],
    ['a bit of the tag', 'unknown-part', film, flipped(f2, 33, 0x80)],
    ['a bit of the index', 'corrupt', film, flipped(f2, 34)],
    ['a bit of the zeros', 'corrupt', film, flipped(f2, length - 17)],
    ['the last bit', 'corrupt', film, flipped(f2, length - 1)],
    ['a byte longer, as parts of another content are', 'corrupt', film, longer],
    ['the last byte is missing', 'corrupt', film, cut],
  ];
  for (const [why, code, of, bytes] of rows) {
    expectRefusal(why, code, () => openedPart(of, joined(bytes, maker.names.bytes)));
  }
  return rows.map(([why, code, of, bytes]) => ({ why, code, of: of.as, bytes }));
}

function receptions(maker: Maker, film: InParts, stream: InParts, empty: InParts): readonly PartsReceived[] {
  const stories: readonly (readonly [tells: string, of: InParts, names: readonly string[]])[] = [
    ['all, in order, and then again', film, ['f0', 'f1', 'f2', 'f0 again', 'f2']],
    ['the last first', film, ['f2', 'f0', 'f0 again', 'f1']],
    ['one is missing', film, ['f0', 'f2']],
    ['a source that changed: seen by the link of the part behind', film, ['f0', 'f1', 'f2 after f1 changed', 'f2']],
    ['seen by the link of the part before', film, ['f2', 'f1 changed', 'f1', 'f0']],
    ['seen by the data', film, ['f1 changed', 'f1', 'f2', 'f2 after f1 changed', 'f0']],
    ['what the size forbids', film, ['f1 as the last', 'f2 one byte short', 'f3', 'f0 with a link']],
    ['a stream', stream, ['s2', 's1', 's0']],
    ['a stream that ends twice', stream, ['s2', 's1 as the last', 's1', 's1 as the last', 's0']],
    ['a part behind the last', stream, ['s1 as the last', 's2', 's4096', 's0']],
    ['a last part before one that is there', stream, ['s2', 's0', 's1 as the last']],
    ['a part that is too far', stream, ['s4097', 's4096', 's0', 's4097', 's2']],
    ['nothing at all', empty, ['e0', 'e0']],
  ];
  return stories.map(([tells, of, names]) => {
    const log = logFor(of);
    const steps = names.map(
      (name) => [`parts/${name}`, take(log, openedPart(of, maker.names.bytes(`parts/${name}`)))] as const,
    );
    return { tells, of: of.as, steps, missing: log.firstMissing, bytes: log.bytes, complete: log.isComplete };
  });
}
