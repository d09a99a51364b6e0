import fc from 'fast-check';
import { expect } from 'vitest';
import { type Envelope, encodeEnvelope } from '../../src/envelope/index.ts';
import { PawlError } from '../../src/errors.ts';
import type { SealedMessage } from '../../src/ratchet/header.ts';

/** `length` bytes that differ from one `seed` to the next. */
export function filled(length: number, seed = 1): Uint8Array {
  let state = seed;
  return Uint8Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 24;
  });
}

const HEADER_LENGTHS = [72, 72 + 1184, 72 + 1088];
const PADDED_LENGTHS = [256, 512, 1024, 1088];

export function message(header = 72, padded = 256, seed = 1): Envelope {
  return { kind: 'message', message: sealed(header, padded, seed) };
}

export function opening(header = 72, padded = 256, seed = 1): Envelope {
  return { kind: 'opening', prefix: filled(1208, seed + 7), message: sealed(header, padded, seed) };
}

export function invite(seed = 1): Envelope {
  return { kind: 'invite', invite: filled(1321, seed) };
}

/** The fields of {@link message}. */
export function sealed(header = 72, padded = 256, seed = 1): SealedMessage {
  return {
    headerNonce: filled(24, seed + 1),
    sealedHeader: filled(header, seed + 2),
    body: filled(12 + padded + 16, seed + 3),
  };
}

/** Every kind of envelope in every shape of header. */
export const anyEnvelope: fc.Arbitrary<Envelope> = fc
  .record({
    make: fc.constantFrom(message, opening, (_header: number, _padded: number, seed: number) => invite(seed)),
    header: fc.constantFrom(...HEADER_LENGTHS),
    padded: fc.constantFrom(...PADDED_LENGTHS),
    seed: fc.nat(),
  })
  .map(({ make, header, padded, seed }) => make(header, padded, seed));

export const anyEncoded: fc.Arbitrary<Uint8Array> = anyEnvelope.map(encodeEnvelope);

/** Bytes that are nearly what a decoder wants: cut, grown, or with some bytes changed. */
export function nearly(valid: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> {
  const edits = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })), { maxLength: 4 });
  // Most of what can go wrong stands in front, so half of the edits go there.
  const spots = fc.boolean();
  return fc
    .tuple(valid, edits, spots, fc.option(fc.nat()), fc.uint8Array({ maxLength: 3 }))
    .map(([bytes, changes, inFront, cut, more]) => {
      const changed = Uint8Array.from(bytes);
      for (const [offset, change] of changes) {
        const at = offset % (inFront ? Math.min(16, bytes.length) : bytes.length);
        changed[at] = (changed[at] ?? 0) ^ change;
      }
      const kept = cut === null ? changed : changed.subarray(0, cut % (bytes.length + 1));
      return Uint8Array.from([...kept, ...more]);
    });
}

/** The law of every format: what a decoder takes, the encoder gives back; what it refuses, it refuses by a known error. */
export function expectStrictAndTotal<Value, Wire extends Uint8Array | string>(
  decode: (wire: Wire) => Value,
  encode: (value: Value) => Wire,
  wire: Wire,
): void {
  const decoded = known(() => decode(wire));
  if (decoded instanceof PawlError) return;
  expect(same(encode(decoded), wire)).toBe(true);
}

/** The value of `work`, or the known error that it throws. Any other error goes through. */
export function known<Value>(work: () => Value): Value | PawlError {
  try {
    return work();
  } catch (error) {
    if (error instanceof PawlError) return error;
    throw error;
  }
}

export function same(a: Uint8Array | string, b: Uint8Array | string): boolean {
  return typeof a === 'string' || typeof b === 'string' ? a === b : Buffer.compare(a, b) === 0;
}

/** A block that ends in `x=`, with the lowest of the two spare bits of `x` set. */
export function withSpareBits(block: string): string {
  const spoilt = block.replace(/(.)=\n/, (_all, last: string) => `${String.fromCharCode(last.charCodeAt(0) + 1)}=\n`);
  expect(spoilt).not.toBe(block);
  return spoilt;
}
