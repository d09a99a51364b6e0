import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bytesTyped, TypedKeys } from '../../../src/cli/terminal/typed-keys.ts';
import { concatAll } from '../../../src/primitives/index.ts';

const ENTER = 13;

/** The text of bytes that come in these pieces. */
function textOf(pieces: readonly Uint8Array[]): string {
  const keys = new TypedKeys();
  return pieces.map((piece) => keys.textOf(Uint8Array.from(piece))).join('');
}

/** Bytes that often begin a character of UTF-8, or look as if they did. */
const anyPieces = fc.array(
  fc.uint8Array({ maxLength: 6 }).map((bytes) => bytes.map((byte, i) => (i % 2 === 0 ? byte | 0x80 : byte))),
  { maxLength: 6 },
);

describe('what is typed', () => {
  it('is the bytes that came, whatever they are and however they came', () => {
    fc.assert(
      fc.property(anyPieces, (given) => {
        const text = textOf([...given, Uint8Array.of(ENTER)]);
        expect(bytesTyped(text)).toEqual(concatAll([...given, Uint8Array.of(ENTER)]));
      }),
      { numRuns: 2_000 },
    );
  });

  it('is its text, where it is UTF-8, however its characters are cut', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 1, max: 3 }), (text, length) => {
        const bytes = Buffer.from(`${text}\r`);
        const cut = Array.from({ length: Math.ceil(bytes.length / length) }, (_, i) =>
          bytes.subarray(i * length, (i + 1) * length),
        );
        expect(textOf(cut)).toBe(`${text}\r`);
      }),
    );
  });

  it('is one character for each byte that is no UTF-8, so that one key takes it back', () => {
    expect(Array.from(textOf([Buffer.from('caf\xe9\r', 'latin1')]))).toHaveLength(5);
    // A surrogate, and a letter in more bytes than it needs.
    expect(Array.from(textOf([Uint8Array.of(0xed, 0xa0, 0x80, 0xe0, 0x81, 0x81)]))).toHaveLength(6);
  });

  it('is overwritten where it came', () => {
    const bytes = Uint8Array.from(Buffer.from('secret'));
    new TypedKeys().textOf(bytes);
    expect(bytes).toEqual(new Uint8Array(6));
  });
});
