/**
 * Safety numbers: Signal's numeric fingerprint of two identity keys (docs/PROTOCOL.md §2).
 * Knows nothing of contacts or of how the digits are compared.
 */
import { concat, type IdentityKey, sha512 } from '../primitives/index.ts';

const VERSION = new Uint8Array(2);
const ITERATIONS = 5_200;

/**
 * Computes the number that two people compare to verify each other. Both sides compute the same.
 * @returns 60 digits in 12 groups of 5, separated by spaces.
 */
export function safetyNumber(ours: IdentityKey, theirs: IdentityKey): string {
  const digits = numericFingerprint(ours, ours, theirs, theirs);
  return digits.replaceAll(/\d{5}(?=\d)/g, '$& ');
}

/**
 * Computes Signal's numeric fingerprint, version 0.
 * @returns 60 digits: 30 for each side, the smaller number first.
 */
export function numericFingerprint(
  ourKey: Uint8Array,
  ourIdentifier: Uint8Array,
  theirKey: Uint8Array,
  theirIdentifier: Uint8Array,
): string {
  return [oneSide(ourKey, ourIdentifier), oneSide(theirKey, theirIdentifier)].sort().join('');
}

function oneSide(key: Uint8Array, identifier: Uint8Array): string {
  let hash = concat(VERSION, key, identifier);
  for (let i = 0; i < ITERATIONS; i++) hash = sha512(hash, key);
  const view = Buffer.from(hash);
  return [0, 5, 10, 15, 20, 25].map((at) => String(view.readUIntBE(at, 5) % 100_000).padStart(5, '0')).join('');
}
