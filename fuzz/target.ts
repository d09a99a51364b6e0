/** What the fuzzer needs to know of a target, and helpers that targets share. */
import { PawlError } from '../src/errors.ts';
import type { Dice } from './dice.ts';

/** Code that takes bytes from strangers. */
export interface Target {
  readonly name: string;
  /** The number of inputs out of about a million: more for cheap targets. */
  readonly share: number;
  prepare(dice: Dice): Prepared | Promise<Prepared>;
}

export interface Prepared {
  make(dice: Dice): Uint8Array;
  /** @returns `accepted`, or why the input was refused. Throws where a property is violated. */
  run(input: Uint8Array): Verdicts | Promise<Verdicts>;
  close?(): void;
}

export type Verdicts = readonly string[];

/** The verdict of a decoder: the code of a known error. Other errors are thrown. */
export function verdictOf(decode: () => void): Verdicts {
  try {
    decode();
    return ['accepted'];
  } catch (error) {
    if (error instanceof PawlError) return [error.code];
    throw error;
  }
}

export function demand(holds: boolean, property: string): void {
  if (!holds) throw new Error(`violated: ${property}`);
}
