import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { boxOf, indexOfPart, isBox, nameOfEnvelope, nameOfPart } from '../../src/places/index.ts';

/** The 16 bytes that 26 characters of base32 stand for; the last two bits are none. */
function bytesOf(text: string): Uint8Array {
  const bits = [...text].map((one) => 'abcdefghijklmnopqrstuvwxyz234567'.indexOf(one).toString(2).padStart(5, '0'));
  return Uint8Array.from(bits.join('').match(/.{8}/g) ?? [], (byte) => Number.parseInt(byte, 2));
}

describe('the name of a box', () => {
  it('is base32 of RFC 4648 in lower case, without padding', () => {
    // By Python: base64.b32encode(bytes).decode().rstrip('=').lower()
    expect(boxOf(new Uint8Array(16))).toBe('aaaaaaaaaaaaaaaaaaaaaaaaaa');
    expect(boxOf(new Uint8Array(16).fill(0xff))).toBe('77777777777777777777777774');
    expect(boxOf(Uint8Array.from({ length: 16 }, (_, index) => index))).toBe('aaaqeayeaudaocajbifqydiob4');
    expect(() => boxOf(new Uint8Array(15))).toThrow(RangeError);
    expect(() => boxOf(new Uint8Array(17))).toThrow(RangeError);
  });

  it('has one form for each 16 bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (bytes) => {
        const box = boxOf(bytes);
        expect(box).toMatch(/^[a-z2-7]{26}$/);
        expect(isBox(box)).toBe(true);
        expect(bytesOf(box)).toEqual(bytes);
      }),
    );
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z2-7]{26}$/), (text) => {
        expect(isBox(text)).toBe(boxOf(bytesOf(text)) === text);
      }),
    );
  });

  it('is nothing else', () => {
    const box = boxOf(new Uint8Array(16));
    for (const text of [
      '',
      box.slice(1),
      `${box}a`,
      box.toUpperCase(),
      `${box}\n`,
      `../${box.slice(3)}`,
      `${box.slice(1)}1`,
    ]) {
      expect(isBox(text), text).toBe(false);
    }
  });
});

describe('the name of an envelope', () => {
  it('is of its bytes, or of the index of a part', () => {
    expect(nameOfEnvelope(new Uint8Array(0))).toBe('e3b0c44298fc1c149afbf4c8996fb924');
    expect(nameOfPart(255)).toBe('000000000000000000000000000000ff');
    expect(nameOfPart(2 ** 32 - 1)).toHaveLength(32);
  });

  it('tells the index of a part, with whatever a place has behind it, and of nothing else', () => {
    for (const index of [0, 255, 2 ** 32 - 1]) {
      expect(indexOfPart(nameOfPart(index))).toBe(index);
      expect(indexOfPart(`${nameOfPart(index)}.17`)).toBe(index);
    }
    const name = nameOfPart(7);
    for (const other of [nameOfEnvelope(new Uint8Array(0)), `${name}0`, name.slice(1), `1${name.slice(1)}`, '17', '']) {
      expect(indexOfPart(other), other).toBeUndefined();
    }
  });
});
