/**
 * The type of a source of random bytes, and the source that the program uses.
 * Functions that need randomness take a source as a parameter, so that tests can replay it.
 */
import { randomBytes } from 'node:crypto';

/** Returns `length` random bytes in a new array, which the caller owns. */
export type Random = (length: number) => Uint8Array;

/** The operating system's generator. */
export const systemRandom: Random = (length) => new Uint8Array(randomBytes(length));
