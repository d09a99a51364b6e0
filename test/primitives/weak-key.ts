import { expect } from 'vitest';
import { isPawlError } from '../../src/errors.ts';

/** Expects the typed refusal `weak-key`, and that it names `what`. */
export function expectWeakKey(run: () => unknown, what: string, about: string): void {
  let thrown: unknown;
  try {
    run();
  } catch (error) {
    thrown = error;
  }
  expect(isPawlError(thrown, 'weak-key'), `${about}: ${String(thrown)}`).toBe(true);
  if (isPawlError(thrown, 'weak-key')) expect(thrown.detail.what).toBe(what);
}

/** A KEM encapsulation key with its coefficient `index` (of 768, twelve bits each, FIPS 203 §4.2.1) set to `value`. */
export function withCoefficient(key: Uint8Array, index: number, value: number): Uint8Array {
  const altered = Uint8Array.from(key);
  const at = 3 * (index >> 1);
  if (index % 2 === 0) {
    altered[at] = value & 0xff;
    altered[at + 1] = ((altered[at + 1] ?? 0) & 0xf0) | (value >> 8);
  } else {
    altered[at + 1] = ((altered[at + 1] ?? 0) & 0x0f) | ((value & 0x0f) << 4);
    altered[at + 2] = value >> 4;
  }
  return altered;
}
