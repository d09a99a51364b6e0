import { createDecipheriv, createHash, createHmac, hkdfSync } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openPart, sealPart } from '../../fuzz/one-part.ts';
import { decodeEnvelope, encodeEnvelope, PART_SIZES, partHead, type SealedPart } from '../../src/envelope/index.ts';
import {
  cipherOf,
  FIRST_LINK,
  isOf,
  type Link,
  nextLink,
  type Part,
  PartCipher,
  type PartKeys,
  partBox,
  partDigest,
} from '../../src/parts/index.ts';
import { concat, hkdfSha256, type Random, seal, toHex, uint, utf8 } from '../../src/primitives/index.ts';
import { expectRefusal } from '../known-answers/refused.ts';
import { flipped, repeatable } from '../ratchet/party.ts';
import { bytesOf } from '../storage/fixtures.ts';
import { constant, keysOf, partsOf, SMALL } from './parts.ts';

const keys = keysOf();
const random = repeatable('sealing parts');
const sealed = (part: Part, partSize = SMALL, from: Random = random): SealedPart =>
  sealPart(keys, part, { partSize, random: from }).sealed;

const anyLink = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => bytes as Link);

/** Any part that an honest sender may make. */
const anyPart: fc.Arbitrary<Part> = fc
  .record({
    index: fc.oneof(fc.nat(3), fc.constantFrom(4_096, 2 ** 31, 2 ** 32 - 1)),
    isLast: fc.boolean(),
    link: anyLink,
    bytes: fc.uint8Array({ minLength: SMALL, maxLength: SMALL, size: 'max' }),
    length: fc.integer({ min: 1, max: SMALL }),
  })
  .map(({ bytes, length, ...part }) => ({ ...part, data: part.isLast ? bytes.subarray(0, length) : bytes }));

/** Seals a plaintext as anybody can who has the key of the content. */
function sealAny(plaintext: Uint8Array, partSize = SMALL): SealedPart {
  const salt = repeatable(toHex(plaintext))(16);
  const tag = new Uint8Array(createHmac('sha256', keys.find).update(salt).digest().subarray(0, 8));
  const key = hkdfSha256(keys.content, utf8('pawl/1 part key'), 32, salt);
  return { salt, tag, sealed: seal(key, new Uint8Array(12), plaintext, partHead({ salt, tag }, partSize)) };
}

/** The plaintext of a part, whatever its fields say. */
function plaintextOf(fields: { index: number; last: number; length: number; data: Uint8Array; zeros?: Uint8Array }) {
  const { index, last, length, data, zeros = new Uint8Array(SMALL - data.length) } = fields;
  return concat(uint(index, 4), uint(last, 1), uint(length, 4), FIRST_LINK, data, zeros);
}

const refused = (part: SealedPart, partSize = SMALL, by: PartKeys = keys): void =>
  expectRefusal('a part', 'corrupt', () => openPart(by, part, partSize));

describe('the box of the parts', () => {
  it('is named by the key of the content, and by nothing that a part shows', () => {
    const expected = createHmac('sha256', keys.find).update('pawl/1 part box').digest().subarray(0, 16);
    expect(toHex(partBox(keys))).toBe(toHex(new Uint8Array(expected)));
    expect(toHex(partBox(keysOf('another')))).not.toBe(toHex(partBox(keys)));
    // What wipes the keys does not wipe the name.
    const other = keysOf('wiped');
    const box = partBox(other);
    const name = toHex(box);
    new PartCipher(other, SMALL).wipe();
    expect(toHex(box)).toBe(name);
  });
});

describe('a sealed part', () => {
  it('opens to what was sealed, whatever that is', () => {
    fc.assert(
      fc.property(anyPart, (part) => {
        const { sealed: one, digest } = sealPart(keys, part, { partSize: SMALL, random });
        expect(isOf(keys, one)).toBe(true);
        const { digest: opened, ...rest } = openPart(keys, one, SMALL);
        expect({ ...rest, data: Uint8Array.from(rest.data) }).toEqual({ ...part, data: Uint8Array.from(part.data) });
        expect(opened).toEqual(digest);
        expect(opened).toEqual(partDigest(part));
      }),
    );
  });

  it('is put together as the protocol says', () => {
    const [, part] = partsOf(repeatable('content')(2 * SMALL + 1)) as [Part, Part];
    const { salt, tag, sealed: bytes } = sealed(part, SMALL, constant);
    const hkdf = (info: string, with_: Uint8Array = new Uint8Array(0)) =>
      new Uint8Array(hkdfSync('sha256', keys.content, with_, info, 32));
    const hmac = (key: Uint8Array, ...of: readonly Uint8Array[]) =>
      new Uint8Array(
        createHmac('sha256', key)
          .update(concat(...of))
          .digest(),
      );
    const sha = (...of: readonly Uint8Array[]) =>
      new Uint8Array(
        createHash('sha256')
          .update(concat(...of))
          .digest(),
      );
    const digest = sha(uint(1, 4), uint(0, 1), part.data);
    expect(partDigest(part)).toEqual(digest);
    expect(nextLink(part.link, digest)).toEqual(sha(part.link, digest));
    expect(salt).toEqual(hmac(hkdf('pawl/1 part salt'), constant(32), digest).slice(0, 16));
    expect(tag).toEqual(hmac(hkdf('pawl/1 part find'), salt).slice(0, 8));

    const envelope = encodeEnvelope({ kind: 'part', part: { salt, tag, sealed: bytes } });
    const head = concat(utf8('pawl'), Uint8Array.of(1, 3), uint(81 + SMALL, 4), salt, tag);
    expect(head).toHaveLength(34);
    expect(envelope.slice(0, 34)).toEqual(head);
    const opening = createDecipheriv('chacha20-poly1305', hkdf('pawl/1 part key', salt), new Uint8Array(12), {
      authTagLength: 16,
    });
    opening.setAAD(head, { plaintextLength: bytes.length - 16 });
    opening.setAuthTag(bytes.subarray(-16));
    const plaintext = concat(opening.update(bytes.subarray(0, -16)), opening.final());
    expect(plaintext).toEqual(concat(uint(1, 4), uint(0, 1), uint(SMALL, 4), part.link, part.data));
  });

  it('is refused with any one bit flipped', () => {
    const [part] = partsOf(utf8('less than all')) as [Part];
    const whole = sealed(part);
    openPart(keys, whole, SMALL);
    let flips = 0;
    for (const field of ['salt', 'tag', 'sealed'] as const) {
      for (let bit = 0; bit < 8 * whole[field].length; bit++, flips++) {
        const altered = { ...whole, [field]: flipped(whole[field], bit) };
        refused(altered);
        expect(isOf(keys, altered)).toBe(field === 'sealed');
      }
    }
    expect(flips).toBe(8 * (16 + 8 + 41 + SMALL + 16));
  });

  it('is refused with any one bit of its envelope flipped, whichever reader that reaches', () => {
    const size = PART_SIZES.least;
    const [part] = partsOf(bytesOf('content', size), size) as [Part];
    const envelope = encodeEnvelope({ kind: 'part', part: sealed(part, size) });
    expect(envelope).toHaveLength(91 + size);
    const read = (bytes: Uint8Array) => {
      const decoded = decodeEnvelope(bytes);
      return decoded.kind === 'part' ? openPart(keys, decoded.part, size) : undefined;
    };
    expect(read(envelope)?.data).toHaveLength(size);
    const inFront = Array.from({ length: 8 * 34 }, (_, bit) => bit);
    const elsewhere = fc.sample(fc.integer({ min: 8 * 34, max: 8 * envelope.length - 1 }), 200);
    for (const bit of [...inFront, ...elsewhere]) expect(() => read(flipped(envelope, bit)), `bit ${bit}`).toThrow();
  });

  it('has all that stands before what is sealed as associated data', () => {
    const { salt, tag, sealed: bytes } = sealed(partsOf(utf8('text'))[0] as Part);
    const key = hkdfSha256(keys.content, utf8('pawl/1 part key'), 32, salt);
    const opens = (aad: Uint8Array) => {
      const opening = createDecipheriv('chacha20-poly1305', key, new Uint8Array(12), { authTagLength: 16 });
      opening.setAAD(aad, { plaintextLength: bytes.length - 16 });
      opening.setAuthTag(bytes.subarray(-16));
      opening.update(bytes.subarray(0, -16));
      try {
        opening.final();
        return true;
      } catch {
        return false;
      }
    };
    const head = partHead({ salt, tag }, SMALL);
    expect(opens(head)).toBe(true);
    for (let bit = 0; bit < 8 * 34; bit++) expect(opens(flipped(head, bit)), `bit ${bit}`).toBe(false);
  });

  it('is refused where the part size is another, and with the keys of another content', () => {
    fc.assert(
      fc.property(anyPart, fc.integer({ min: 0, max: 3 * SMALL }), (part, partSize) => {
        const one = sealed(part);
        if (partSize !== SMALL) refused(one, partSize);
        refused(one, SMALL, keysOf('another content'));
        expect(isOf(keysOf('another content'), one)).toBe(false);
      }),
    );
    for (const bytes of [new Uint8Array(0), new Uint8Array(15), new Uint8Array(16)]) {
      refused({ ...sealed(partsOf(utf8('text'))[0] as Part), sealed: bytes });
    }
  });

  it('has one length, however much is in it', () => {
    const lengths = [0, 1, SMALL - 1, SMALL].map((length) => {
      const [part] = partsOf(new Uint8Array(length)) as [Part];
      return encodeEnvelope({ kind: 'part', part: sealed(part) }).length;
    });
    expect(new Set(lengths)).toEqual(new Set([91 + SMALL]));
  });
});

describe('a part of somebody who has the key, but not the rules', () => {
  const data = repeatable('data')(SMALL);
  const some = data.subarray(0, 5);
  const rows: readonly (readonly [why: string, fields: Parameters<typeof plaintextOf>[0]])[] = [
    ['last is 2', { index: 0, last: 2, length: SMALL, data }],
    ['last is 255', { index: 0, last: 255, length: SMALL, data }],
    ['a part that is not the last has a byte less', { index: 0, last: 0, length: SMALL - 1, data: data.subarray(1) }],
    ['a part that is not the last has nothing', { index: 0, last: 0, length: 0, data: data.subarray(0, 0) }],
    ['it says that it has more than there is', { index: 0, last: 1, length: SMALL + 1, data }],
    ['the same, of one that is not the last', { index: 0, last: 0, length: SMALL + 1, data }],
    ['it says that it has 4 GiB', { index: 0, last: 1, length: 2 ** 32 - 1, data }],
    ['a last part behind others has nothing', { index: 1, last: 1, length: 0, data: data.subarray(0, 0) }],
    ['the first byte behind the data is no zero', { index: 0, last: 1, length: 4, data: some }],
    [
      'the last byte is no zero',
      { index: 0, last: 1, length: 5, data: some, zeros: concat(new Uint8Array(10), uint(1, 1)) },
    ],
  ];

  it.each(rows)('is refused: %s', (_why, fields) => refused(sealAny(plaintextOf(fields))));

  it('is refused where the plaintext is longer or shorter than the part size makes it', () => {
    const plaintext = plaintextOf({ index: 0, last: 1, length: 5, data: some });
    openPart(keys, sealAny(plaintext), SMALL);
    for (const wrong of [
      plaintext.subarray(0, -1),
      concat(plaintext, uint(0, 1)),
      plaintext.subarray(0, 40),
      data.subarray(0, 0),
    ]) {
      refused(sealAny(wrong));
    }
  });

  it('is one where it keeps them: a content that is empty, and one whose last part is full', () => {
    const empty = openPart(
      keys,
      sealAny(plaintextOf({ index: 0, last: 1, length: 0, data: data.subarray(0, 0) })),
      SMALL,
    );
    expect([empty.index, empty.isLast, empty.data.length]).toEqual([0, true, 0]);
    const full = openPart(keys, sealAny(plaintextOf({ index: 7, last: 1, length: SMALL, data })), SMALL);
    expect([full.index, full.isLast, full.data.length]).toEqual([7, true, SMALL]);
  });
});

describe('the salt of a part', () => {
  const saltOf = (part: Part, from: Random): string => toHex(sealed(part, SMALL, from).salt);

  it('differs with the data, the index and `last`, even if the random source gives the same bytes for ever', () => {
    fc.assert(
      fc.property(fc.array(anyPart, { minLength: 2, maxLength: 8 }), (parts) => {
        const digests = new Set(parts.map((one) => toHex(partDigest(one))));
        expect(new Set(parts.map((one) => saltOf(one, constant))).size).toBe(digests.size);
      }),
    );
    const [part] = partsOf(utf8('text')) as [Part];
    const others = [part, { ...part, index: 1 }, { ...part, isLast: false }, { ...part, data: utf8('texT') }];
    expect(new Set(others.map((one) => saltOf(one, constant))).size).toBe(4);
  });

  it('differs where only the randomness does, as when a part is sealed again', () => {
    const [part] = partsOf(utf8('text')) as [Part];
    const again = repeatable('again');
    const salts = Array.from({ length: 8 }, () => saltOf(part, again));
    expect(new Set(salts).size).toBe(8);
  });

  it('differs from content to content, and so do the tag and all that is sealed', () => {
    const [part] = partsOf(utf8('text')) as [Part];
    const [one, other] = ['one', 'other'].map(
      (name) => sealPart(keysOf(name), part, { partSize: SMALL, random: constant }).sealed,
    ) as [SealedPart, SealedPart];
    for (const field of ['salt', 'tag', 'sealed'] as const) expect(one[field]).not.toEqual(other[field]);
  });

  it('and all else is the same for the same part and randomness: sealing is a function', () => {
    const [part] = partsOf(utf8('text')) as [Part];
    expect(sealed(part, SMALL, constant)).toEqual(sealed(part, SMALL, constant));
  });

  it('draws 32 bytes, and no others', () => {
    const drawn: number[] = [];
    const counting: Random = (length) => {
      drawn.push(length);
      return constant(length);
    };
    sealed(partsOf(utf8('text'))[0] as Part, SMALL, counting);
    expect(drawn).toEqual([32]);
  });
});

describe('a link', () => {
  it('says what all parts before it were', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 3 * SMALL, maxLength: 5 * SMALL, size: 'max' }),
        fc.nat(),
        (content, at) => {
          const changed = Uint8Array.from(content);
          const place = at % content.length;
          changed[place] = (changed[place] ?? 0) ^ 1;
          const links = (of: Uint8Array) => partsOf(of).map(({ link }) => toHex(link));
          const [before, after] = [links(content), links(changed)];
          const differ = before.map((link, index) => link !== after[index]);
          expect(differ).toEqual(before.map((_, index) => index > Math.floor(place / SMALL)));
        },
      ),
    );
    expect(partsOf(new Uint8Array(0))[0]?.link).toEqual(new Uint8Array(32));
  });
});

it('the keys of a content are three, and can be overwritten, with the last data', () => {
  const content = repeatable('K')(32);
  const cipher = cipherOf({ key: content, partSize: SMALL });
  const { content: K, find, salt } = cipher.keys;
  expect(new Set([K, find, salt].map(toHex)).size).toBe(3);
  const part = { index: 0, isLast: true, link: FIRST_LINK, data: bytesOf('data', 9) };
  const { data } = cipher.open(cipher.seal(part, random).sealed);
  expect(data).toEqual(part.data);
  cipher.wipe();
  for (const key of [content, find, salt]) expect(key).toEqual(new Uint8Array(32));
  expect(data).toEqual(new Uint8Array(9));
});

it('what was opened last goes with the buffers, and the next part opens in others', () => {
  const cipher = cipherOf({ key: repeatable('K')(32), partSize: SMALL });
  const data = bytesOf('data', 9);
  const { sealed: envelope } = cipher.seal({ index: 0, isLast: true, link: FIRST_LINK, data }, random);
  const part = { ...envelope, sealed: envelope.sealed.slice() };
  const before = cipher.open(part);
  cipher.rest();
  expect(before.data).toEqual(new Uint8Array(9));
  expect(cipher.open(part).data).toEqual(data);
  expect(before.data).toEqual(new Uint8Array(9));
  cipher.rest();
  cipher.rest();
  expect(cipher.seal({ index: 0, isLast: true, link: FIRST_LINK, data }, random).sealed.sealed).toHaveLength(
    part.sealed.length,
  );
});
