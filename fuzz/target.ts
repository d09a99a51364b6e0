import { PawlError } from '../src/errors.ts';
import type { Dice } from './dice.ts';

/** Something that takes bytes from strangers. */
export interface Target {
  readonly name: string;
  /** Inputs of a million; what is cheap gets more. */
  readonly share: number;
  prepare(dice: Dice): Prepared | Promise<Prepared>;
}

export interface Prepared {
  make(dice: Dice): Uint8Array;
  /** What became of the input: `accepted` or the words for why not. Throws where a property does not hold. */
  run(input: Uint8Array): Verdicts | Promise<Verdicts>;
  close?(): void;
}

export type Verdicts = readonly string[];

/** The verdict of a decoder: a known error is one, every other error goes through. */
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
