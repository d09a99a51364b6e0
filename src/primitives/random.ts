import { randomBytes } from 'node:crypto';

/** A source of random bytes. It is handed in wherever randomness is used, so that tests can replay it. */
export type Random = (length: number) => Uint8Array;

/** The operating system's generator. */
export const systemRandom: Random = (length) => new Uint8Array(randomBytes(length));
