import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Reader, uint, uint64 } from '../../src/primitives/index.ts';
import { hex, shifted, toHexText } from './hex.ts';

class Refused extends Error {}

const refuse = (): never => {
  throw new Refused();
};
const reader = (bytes: Uint8Array) => new Reader(bytes, refuse);
const anyBytes = fc.uint8Array({ maxLength: 40 });

type Step =
  | { readonly read: 'take'; readonly length: number }
  | { readonly read: 'uint'; readonly length: 1 | 2 | 3 | 4 }
  | { readonly read: 'uint64'; readonly max: number }
  | { readonly read: 'rest' }
  | { readonly read: 'end' };

const anyStep: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ read: fc.constant('take' as const), length: fc.nat({ max: 45 }) }),
  fc.record({ read: fc.constant('uint' as const), length: fc.constantFrom(1, 2, 3, 4) }),
  fc.record({ read: fc.constant('uint64' as const), max: fc.maxSafeNat() }),
  fc.record({ read: fc.constant('rest' as const) }),
  fc.record({ read: fc.constant('end' as const) }),
);

/** The model: what a step gives in hex or as a number, and how much it uses; `undefined` where it must refuse. */
function expected(left: string, step: Step): { value: unknown; used: number } | undefined {
  switch (step.read) {
    case 'take':
      return 2 * step.length > left.length ? undefined : { value: left.slice(0, 2 * step.length), used: step.length };
    case 'uint': {
      const digits = left.slice(0, 2 * step.length);
      return digits.length < 2 * step.length ? undefined : { value: Number.parseInt(digits, 16), used: step.length };
    }
    case 'uint64': {
      if (left.length < 16) return undefined;
      const value = BigInt(`0x${left.slice(0, 16)}`);
      return value > BigInt(step.max) ? undefined : { value: Number(value), used: 8 };
    }
    case 'rest':
      return { value: left, used: left.length / 2 };
    case 'end':
      return left === '' ? { value: undefined, used: 0 } : undefined;
  }
}

function taken(from: Reader, step: Step): unknown {
  switch (step.read) {
    case 'take':
      return toHexText(from.take(step.length));
    case 'uint':
      return from.uint(step.length);
    case 'uint64':
      return from.uint64(step.max);
    case 'rest':
      return toHexText(from.rest());
    case 'end':
      return from.end();
  }
}

describe('Reader', () => {
  it('is total: any steps over any bytes give what they must or call fail, and nothing else is thrown', () => {
    fc.assert(
      fc.property(anyBytes, fc.array(anyStep, { maxLength: 12 }), (bytes, steps) => {
        const from = reader(shifted(bytes));
        let left = toHexText(bytes);
        for (const step of steps) {
          const must = expected(left, step);
          if (must === undefined) {
            expect(() => taken(from, step)).toThrow(Refused);
            return;
          }
          expect(taken(from, step)).toBe(must.value);
          left = left.slice(2 * must.used);
          expect(from.left).toBe(left.length / 2);
        }
        expect(toHexText(from.rest())).toBe(left);
        from.end();
      }),
      { numRuns: 1000 },
    );
  });

  it('reads back what uint and uint64 wrote', () => {
    fc.assert(
      fc.property(fc.nat({ max: 255 }), fc.nat({ max: 65_535 }), fc.nat(), fc.maxSafeNat(), (a, b, c, d) => {
        const written = [uint(a, 1), uint(b, 2), uint(b, 3), uint(c, 4), uint64(d)];
        const from = reader(new Uint8Array(Buffer.concat(written)));
        expect([from.uint(1), from.uint(2), from.uint(3), from.uint(4)]).toEqual([a, b, b, c]);
        expect(from.uint64(Number.MAX_SAFE_INTEGER)).toBe(d);
        from.end();
      }),
    );
    expect(reader(hex('ffffffff')).uint(4)).toBe(2 ** 32 - 1);
  });

  it('admits a uint64 up to its limit and not above, to the last bit', () => {
    for (const max of [0, 1, 255, 2 ** 32 - 1, 2 ** 32, 2 ** 48 - 1, 8.64e15, Number.MAX_SAFE_INTEGER - 1]) {
      expect(reader(uint64(max)).uint64(max)).toBe(max);
      expect(() => reader(uint64(max + 1)).uint64(max), `${max} + 1`).toThrow(Refused);
    }
    for (const huge of ['0020000000000000', '0020000000000001', '7fffffffffffffff', 'ffffffffffffffff']) {
      expect(() => reader(hex(huge)).uint64(Number.MAX_SAFE_INTEGER), huge).toThrow(Refused);
    }
  });

  it('gives copies: the input may change or be wiped afterwards, and the other way round', () => {
    for (const input of [Uint8Array.of(1, 2, 3, 4), Buffer.from([1, 2, 3, 4])]) {
      const from = reader(input);
      const [one, two] = [from.take(2), from.rest()];
      for (const field of [one, two]) expect(field.buffer.byteLength).toBe(2);
      input.fill(9);
      expect([...one, ...two]).toEqual([1, 2, 3, 4]);
      one.fill(7);
      expect([...input]).toEqual([9, 9, 9, 9]);
    }
  });

  it('gives plain byte arrays, be the input a Buffer', () => {
    expect(reader(Uint8Array.of(1, 2)).take(1).constructor).toBe(Uint8Array);
    expect(Buffer.isBuffer(reader(Buffer.from([1, 2])).take(1))).toBe(false);
  });

  it('calls fail for a length that is no length: nothing moves backwards', () => {
    for (const length of [-1, -3, 0.5, Number.NaN, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]) {
      const from = reader(hex('0102030405'));
      from.take(3);
      expect(() => from.take(length), `${length}`).toThrow(Refused);
      expect(from.left, `${length}`).toBe(2);
    }
  });

  it('refuses what follows, and a field that is cut short by one', () => {
    const from = reader(hex('0102'));
    expect(() => from.end()).toThrow(Refused);
    expect(() => from.take(3)).toThrow(Refused);
    expect(() => from.uint(3)).toThrow(Refused);
    expect(() => from.uint64(1)).toThrow(Refused);
    expect(from.uint(2)).toBe(0x0102);
    from.end();
    expect(from.left).toBe(0);
    expect(from.rest()).toEqual(new Uint8Array(0));
    expect(from.take(0)).toEqual(new Uint8Array(0));
    expect(() => from.take(1)).toThrow(Refused);
  });
});
