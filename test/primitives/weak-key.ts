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
