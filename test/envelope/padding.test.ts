import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { paddedLength } from '../../src/envelope/padding.ts';

const LARGEST = 13 + 16 * 2 ** 20;

/** Padmé as its paper writes it (PURBs, 2019, algorithm 1), in big integers. */
function padme(length: number): number {
  const log2 = (value: number) => value.toString(2).length - 1;
  const zeroBits = BigInt(log2(length) - (log2(log2(length)) + 1));
  const mask = (1n << zeroBits) - 1n;
  return Number((BigInt(length) + mask) & ~mask);
}

describe('paddedLength', () => {
  it('rounds short lengths up to one of three', () => {
    const steps = [0, 1, 13, 255, 256, 257, 512, 513, 1023, 1024].map(paddedLength);
    expect(steps).toEqual([256, 256, 256, 256, 256, 512, 512, 1024, 1024, 1024]);
  });

  it('goes on with Padmé above 1,024', () => {
    expect([1025, 1088, 1089, 2048, 2049, 65_536, 65_537].map(paddedLength)).toEqual([
      1088, 1088, 1152, 2048, 2176, 65_536, 67_584,
    ]);
    expect(paddedLength(LARGEST)).toBe(16.5 * 2 ** 20);
  });

  it('agrees with the paper for every length up to 70,000 and any up to the largest', () => {
    for (let length = 1025; length <= 70_000; length++) {
      if (paddedLength(length) !== padme(length)) expect.fail(`differs at ${length}`);
    }
    fc.assert(
      fc.property(fc.integer({ min: 1025, max: LARGEST }), (length) => {
        expect(paddedLength(length)).toBe(padme(length));
      }),
    );
  });

  it('never shrinks, costs under 6.25 % above 1,024, grows with the length, and leaves a padded length alone', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: LARGEST }), (length) => {
        const padded = paddedLength(length);
        expect(padded).toBeGreaterThanOrEqual(length);
        if (length > 1024) expect(padded / length).toBeLessThan(1.0625);
        expect(paddedLength(length + 1)).toBeGreaterThanOrEqual(padded);
        expect(paddedLength(padded)).toBe(padded);
      }),
    );
  });
});
