import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  concat,
  equal,
  fromUtf8,
  systemRandom,
  toBase64,
  toHex,
  uint,
  uint64,
  utf8,
  wipe,
} from '../../src/primitives/index.ts';
import { hex, shifted, toHexText } from './hex.ts';

const anyBytes = fc.uint8Array({ maxLength: 60 });

describe('concat', () => {
  it('joins in order, into memory of its own', () => {
    fc.assert(
      fc.property(fc.array(anyBytes, { maxLength: 6 }), (parts) => {
        const joined = concat(...parts.map(shifted));
        expect(toHexText(joined)).toBe(parts.map(toHexText).join(''));
        expect(joined.constructor).toBe(Uint8Array);
        expect(joined.buffer.byteLength).toBe(joined.length);
      }),
    );
  });

  it('shares nothing with its parts, not even with a single one', () => {
    const part = Uint8Array.of(1, 2, 3);
    const joined = concat(part);
    joined.fill(9);
    expect(part).toEqual(Uint8Array.of(1, 2, 3));
  });
});

describe('equal', () => {
  it('holds for equal bytes only', () => {
    fc.assert(
      fc.property(anyBytes, anyBytes, (a, b) => {
        expect(equal(a, shifted(a))).toBe(true);
        expect(equal(a, b)).toBe(toHexText(a) === toHexText(b));
      }),
    );
  });

  it('sees every single bit, and a length', () => {
    const a = new Uint8Array(32).fill(0x33);
    for (let bit = 0; bit < 256; bit++) {
      const b = Uint8Array.from(a);
      b[bit >> 3] = (b[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(equal(a, b)).toBe(false);
    }
    for (let length = 0; length < 32; length++) {
      expect(equal(a, a.subarray(0, length))).toBe(false);
      expect(equal(a.subarray(0, length), a)).toBe(false);
    }
    expect(equal(new Uint8Array(0), new Uint8Array(0))).toBe(true);
  });
});

describe('wipe', () => {
  it('leaves zeros, and nothing beside a view untouched', () => {
    const larger = new Uint8Array(12).fill(7);
    const other = Uint8Array.of(1, 2);
    wipe(larger.subarray(4, 8), other);
    expect([...larger]).toEqual([7, 7, 7, 7, 0, 0, 0, 0, 7, 7, 7, 7]);
    expect([...other]).toEqual([0, 0]);
    expect(() => wipe()).not.toThrow();
  });
});

describe('toHex and toBase64', () => {
  it('spell the bytes of a view and no others', () => {
    fc.assert(
      fc.property(anyBytes, (bytes) => {
        expect(toHex(shifted(bytes))).toBe(toHexText(bytes));
        expect(hex(toHex(bytes))).toEqual(bytes);
        expect(new Uint8Array(Buffer.from(toBase64(shifted(bytes)), 'base64'))).toEqual(bytes);
      }),
    );
  });

  it('are lower case, and standard with padding (RFC 4648 §10)', () => {
    expect(toHex(Uint8Array.of(0xab, 0x0f))).toBe('ab0f');
    expect(['', 'f', 'fo', 'foo', 'foob', 'fooba', 'foobar'].map((text) => toBase64(utf8(text)))).toEqual([
      '',
      'Zg==',
      'Zm8=',
      'Zm9v',
      'Zm9vYg==',
      'Zm9vYmE=',
      'Zm9vYmFy',
    ]);
    expect(toBase64(Uint8Array.of(0xfb, 0xff, 0xbf))).toBe('+/+/');
  });
});

describe('UTF-8', () => {
  it('round-trips every well-formed text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(fromUtf8(shifted(utf8(text)))).toBe(text);
        expect(toHexText(utf8(text))).toBe(Buffer.from(text, 'utf8').toString('hex'));
      }),
    );
  });

  it('reads a text from one spelling only: what decodes, encodes to the same bytes', () => {
    const pieces = fc.constantFrom(
      ...['61', 'c3a9', 'e282ac', 'f09f9880', 'efbbbf', 'efbfbd', 'c0', '80', 'e2', 'f0', 'eda080', 'f48fbfbf', '00'],
    );
    const anything = fc.oneof(
      anyBytes,
      fc.array(pieces, { maxLength: 8 }).map((parts) => hex(parts.join(''))),
    );
    fc.assert(
      fc.property(anything, (bytes) => {
        const text = fromUtf8(bytes);
        if (text !== undefined) expect(toHexText(utf8(text))).toBe(toHexText(bytes));
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    ['overlong NUL', 'c080'],
    ['overlong, two bytes', 'c1bf'],
    ['overlong, three bytes', 'e09fbf'],
    ['overlong, four bytes', 'f08fbfbf'],
    ['high surrogate', 'eda080'],
    ['low surrogate', 'edbfbf'],
    ['surrogate pair', 'eda0bdedb880'],
    ['above U+10FFFF', 'f4908080'],
    ['lead byte f5', 'f5808080'],
    ['five bytes', 'f888808080'],
    ['ff', 'ff'],
    ['lone continuation', '80'],
    ['cut, two bytes', 'c3'],
    ['cut, three bytes', 'e282'],
    ['cut, four bytes', 'f09f98'],
    ['cut in the middle', 'e28261'],
    ['Latin-1', '636166e9'],
  ])('reads nothing from %s', (_what, bytes) => {
    expect(fromUtf8(hex(bytes))).toBeUndefined();
    expect(fromUtf8(hex(`61${bytes}`))).toBeUndefined();
    expect(fromUtf8(hex(`${bytes}61`))).toBeUndefined();
    expect(fromUtf8(hex('61'.repeat(200) + bytes))).toBeUndefined();
  });

  it('reads on after a refusal as if nothing had been', () => {
    expect(fromUtf8(hex('e282'))).toBeUndefined();
    expect(fromUtf8(hex('ac61'))).toBeUndefined();
    expect(fromUtf8(hex('61'))).toBe('a');
  });

  it('keeps a byte-order mark, and NUL, and the noncharacters', () => {
    expect(fromUtf8(hex('efbbbf61'))).toBe('\ufeffa');
    expect(fromUtf8(hex('efbbbfefbbbf'))).toBe('\ufeff\ufeff');
    expect(fromUtf8(hex('610062'))).toBe('a\0b');
    expect(fromUtf8(hex('efbfbeefbfbff48fbfbf'))).toBe('\ufffe\uffff\u{10ffff}');
    expect(fromUtf8(new Uint8Array(0))).toBe('');
  });
});

describe('uint and uint64', () => {
  const lengths = [1, 2, 3, 4, 5, 6] as const;

  it.each(lengths)('write %i bytes, the greatest first', (length) => {
    const limit = 2 ** (8 * length);
    fc.assert(
      fc.property(
        fc.maxSafeInteger().map((value) => Math.abs(value) % limit),
        (value) => {
          expect(toHexText(uint(value, length))).toBe(value.toString(16).padStart(2 * length, '0'));
        },
      ),
      { examples: [[0], [1], [limit - 1]] },
    );
  });

  it.each(lengths)('write nothing that does not fit %i bytes', (length) => {
    for (const value of [-1, 2 ** (8 * length), 2 ** (8 * length) + 1, Number.POSITIVE_INFINITY]) {
      expect(() => uint(value, length), `${value}`).toThrow(RangeError);
    }
  });

  it('write 8 bytes of any safe integer', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (value) => {
        expect(toHexText(uint64(value))).toBe(value.toString(16).padStart(16, '0'));
      }),
      { examples: [[0], [2 ** 32 - 1], [2 ** 32], [8.64e15], [Number.MAX_SAFE_INTEGER]] },
    );
    expect(toHexText(uint64(2 ** 63))).toBe('8000000000000000');
    for (const value of [-1, 0.5, 2 ** 64, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => uint64(value), `${value}`).toThrow(RangeError);
    }
  });
});

describe('systemRandom', () => {
  it('gives as many bytes as asked for, of their own memory, never the same', () => {
    for (const length of [0, 1, 16, 32, 64, 1000]) {
      const bytes = systemRandom(length);
      expect(bytes).toHaveLength(length);
      expect(bytes.constructor).toBe(Uint8Array);
      expect(bytes.buffer.byteLength).toBe(length);
    }
    const seen = new Set(Array.from({ length: 1000 }, () => toHexText(systemRandom(16))));
    expect(seen.size).toBe(1000);
  });
});
