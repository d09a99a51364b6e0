import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Content,
  decodeContent,
  decodeWhole,
  encodeContent,
  isFileName,
  largestSize,
  MAX_CONTENT,
} from '../../src/envelope/index.ts';
import { paddedLength } from '../../src/envelope/padding.ts';
import { PawlError } from '../../src/errors.ts';
import { utf8 } from '../../src/primitives/index.ts';
import { expectStrictAndTotal, known, nearly, same } from './samples.ts';

const anyName = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }).filter(isFileName);
const anyTime = fc.oneof(fc.nat(), fc.constantFrom(0, 8.64e15), fc.integer({ min: 0, max: 8.64e15 }));
const anyBytes = fc.uint8Array({ maxLength: 1500 });
const anyDescriptor: fc.Arbitrary<Content> = fc.integer({ min: 2 ** 16, max: 2 ** 24 }).chain((partSize) =>
  fc.record({
    type: fc.constant('descriptor' as const),
    name: fc.option(anyName, { nil: undefined }),
    sentAt: anyTime,
    size: fc.option(fc.integer({ min: 0, max: largestSize(partSize) }), { nil: undefined }),
    partSize: fc.constant(partSize),
    key: fc.uint8Array({ minLength: 32, maxLength: 32 }),
  }),
);
const anyContent: fc.Arbitrary<Content> = fc.oneof(
  anyDescriptor,
  fc.record({ type: fc.constant('text' as const), sentAt: anyTime, bytes: anyBytes }),
  fc.record({ type: fc.constant('file' as const), name: anyName, sentAt: anyTime, bytes: anyBytes }),
);
const FILE: Content = { type: 'file', name: 'ünï.txt', sentAt: 1_700_000_000_000, bytes: utf8('hello') };

/** A plaintext laid out by hand. */
function plaintext(type: number, sentAt: bigint, field: Uint8Array, length = field.length): Uint8Array {
  const bytes = Buffer.alloc(paddedLength(13 + field.length));
  bytes.writeUInt8(type, 0);
  bytes.writeBigUInt64BE(sentAt, 1);
  bytes.writeUInt32BE(length, 9);
  bytes.set(field, 13);
  return new Uint8Array(bytes);
}

function named(name: Uint8Array): Uint8Array {
  return plaintext(2, 0n, Uint8Array.from([name.length, ...name, 1, 2, 3]));
}

const refused = expect.objectContaining({ code: 'corrupt', detail: { what: 'message content' } });

describe('content', () => {
  it('comes back as it went', () => {
    fc.assert(
      fc.property(anyContent, (content) => {
        const bytes = encodeContent(content);
        expect(paddedLength(bytes.length)).toBe(bytes.length);
        expect(decodeContent(bytes)).toEqual(content);
      }),
    );
  });

  it('is laid out as the specification says', () => {
    expect(encodeContent({ type: 'text', sentAt: 258, bytes: utf8('hi') })).toEqual(plaintext(1, 258n, utf8('hi')));
    const field = Uint8Array.from([9, ...utf8('ünï.txt'), ...utf8('hello')]);
    expect(encodeContent(FILE)).toEqual(plaintext(2, 1_700_000_000_000n, field));
  });

  it('may be empty', () => {
    const nothing: Content = { type: 'text', sentAt: 0, bytes: new Uint8Array(0) };
    expect(decodeContent(encodeContent(nothing))).toEqual(nothing);
    expect(decodeContent(encodeContent({ ...FILE, bytes: new Uint8Array(0) }))).toMatchObject({ name: 'ünï.txt' });
  });

  it('is at most 16 MiB, a file name included', () => {
    const most = new Uint8Array(MAX_CONTENT).fill(7);
    const decoded = decodeWhole(encodeContent({ type: 'text', sentAt: 0, bytes: most }));
    expect(same(decoded.bytes, most)).toBe(true);
    const over = { what: 'content', bytes: MAX_CONTENT + 2, limit: MAX_CONTENT };
    expect(known(() => encodeContent({ type: 'file', name: 'a', sentAt: 0, bytes: most }))).toMatchObject({
      code: 'too-large',
      detail: over,
    });
    const tooLong = plaintext(1, 0n, new Uint8Array(MAX_CONTENT + 1));
    expect(() => decodeContent(tooLong)).toThrow(refused);
  });

  it('is refused with an unknown type, a time past the last date, or a length that is not there', () => {
    for (const type of [0, 3, 255]) expect(() => decodeContent(plaintext(type, 0n, utf8('hi')))).toThrow(refused);
    expect(decodeContent(plaintext(1, 8_640_000_000_000_000n, utf8('hi'))).sentAt).toBe(8.64e15);
    for (const time of [8_640_000_000_000_001n, 2n ** 53n, 2n ** 64n - 1n]) {
      expect(() => decodeContent(plaintext(1, time, utf8('hi')))).toThrow(refused);
    }
    for (const length of [244, 2 ** 31, 2 ** 32 - 1]) {
      expect(() => decodeContent(plaintext(1, 0n, utf8('hi'), length))).toThrow(refused);
    }
  });

  it('is refused with padding that is not zero, too short or too long', () => {
    const bytes = encodeContent({ type: 'text', sentAt: 0, bytes: utf8('hi') });
    for (let offset = 15; offset < bytes.length; offset++) {
      expect(() => decodeContent(bytes.with(offset, 1))).toThrow(refused);
    }
    expect(() => decodeContent(Uint8Array.from([...bytes, 0]))).toThrow(refused);
    expect(() => decodeContent(Uint8Array.from([...bytes, ...new Uint8Array(256)]))).toThrow(refused);
  });

  it('is refused when a file has no name or one that reaches past its content', () => {
    expect(() => decodeContent(plaintext(2, 0n, new Uint8Array(0)))).toThrow(refused);
    expect(() => decodeContent(plaintext(2, 0n, Uint8Array.of(0)))).toThrow(refused);
    expect(() => decodeContent(plaintext(2, 0n, Uint8Array.of(2, 97)))).toThrow(refused);
  });

  const forbidden = [
    '',
    '.',
    '..',
    '/',
    'a/b',
    '../a',
    'a\\b',
    'a\0',
    'a\nb',
    '\x1b[2J',
    'a\x7f',
    'a\u0085',
    'ä'.repeat(128),
  ];
  it.each(forbidden)('refuses the file name %j both ways', (name) => {
    expect(isFileName(name)).toBe(false);
    expect(known(() => encodeContent({ ...FILE, name }))).toMatchObject({ code: 'usage' });
    if (utf8(name).length < 256) expect(() => decodeContent(named(utf8(name)))).toThrow(refused);
  });

  it('refuses file names that are not Unicode', () => {
    expect(isFileName('a\ud800')).toBe(false);
    for (const name of [[0xff], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xe2, 0x82]]) {
      expect(() => decodeContent(named(Uint8Array.from(name)))).toThrow(refused);
    }
  });

  it.each(['a', '...', '.bashrc', '-rf', 'a b', '\ufeffbom', '日本語.txt', 'a'.repeat(255)])('allows %j', (name) => {
    expect(decodeContent(encodeContent({ ...FILE, name }))).toEqual({ ...FILE, name });
  });

  it('is strict and total: random bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
        expectStrictAndTotal(decodeContent, encodeContent, bytes);
      }),
    );
  });

  it('is strict and total: nearly valid bytes', () => {
    fc.assert(
      fc.property(nearly(anyContent.map(encodeContent)), (bytes) => {
        expectStrictAndTotal(decodeContent, encodeContent, bytes);
      }),
      { numRuns: 500 },
    );
  });

  it('is strict and total: cut anywhere, any bit flipped', () => {
    const bytes = encodeContent(FILE);
    for (let offset = 0; offset < bytes.length; offset++) {
      expect(() => decodeContent(bytes.subarray(0, offset))).toThrow(PawlError);
      for (let bit = 1; bit < 256; bit *= 2) {
        expectStrictAndTotal(decodeContent, encodeContent, bytes.with(offset, (bytes[offset] ?? 0) ^ bit));
      }
    }
  });

  it('gives a view of its input, which may be large', () => {
    for (const content of [FILE, { ...FILE, type: 'text' } as const]) {
      const bytes = encodeContent(content);
      expect(decodeWhole(bytes).bytes.buffer).toBe(bytes.buffer);
    }
  });
});
