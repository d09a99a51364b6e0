import fc from 'fast-check';
import { expect, it } from 'vitest';
import { decodeValues, encodeValues, type Value } from '../../../src/storage/postgres/row-codec.ts';
import { hex, toHexText } from '../../primitives/hex.ts';

const values: fc.Arbitrary<readonly Value[]> = fc.array(
  fc.oneof(
    fc.constant(null),
    fc.maxSafeInteger(),
    fc.integer({ min: -300, max: 300 }),
    fc.string({ unit: 'grapheme' }),
    fc.uint8Array({ maxLength: 300 }).map((bytes) => new Uint8Array(bytes)),
  ),
);

// What is stored. Computed with other code, from docs/PROTOCOL.md §8.1.
it('writes the bytes that it has always written', () => {
  const all = [null, 0, 127, 128, 300, Number.MAX_SAFE_INTEGER, -1, -129, '', 'é', hex(''), hex('00ff')];
  expect(toHexText(encodeValues(all))).toBe(
    '000100017f01800101ac0201ffffffffffffff0f020002800103000302c3a90400040200ff',
  );
});

class Refused extends Error {}
const fail = (): never => {
  throw new Refused();
};

it('gives back the values that it was given', () => {
  fc.assert(
    fc.property(values, (row) => {
      expect(decodeValues(encodeValues(row), fail)).toEqual(row);
    }),
  );
  const extremes = [0, -1, 127, 128, -128, -129, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER];
  expect(decodeValues(encodeValues(extremes), fail)).toEqual(extremes);
});

it('reads nothing but what it writes, and throws nothing of its own', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      try {
        const decoded = decodeValues(bytes, fail);
        expect(encodeValues(decoded)).toEqual(new Uint8Array(bytes));
      } catch (error) {
        expect(error).toBeInstanceOf(Refused);
      }
    }),
    { numRuns: 2_000 },
  );
  // A length that is not the shortest; one beyond the end; an integer that is not safe; no type; no UTF-8.
  for (const bytes of [[1, 128, 0], [4, 2, 1], [1, 255, 255, 255, 255, 255, 255, 255, 127], [5], [3, 1, 255], [1]]) {
    expect(() => decodeValues(new Uint8Array(bytes), fail)).toThrow(Refused);
  }
});

it('takes no number that is no safe integer', () => {
  for (const number of [0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53]) {
    expect(() => encodeValues([number])).toThrow(RangeError);
  }
});
