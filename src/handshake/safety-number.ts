import { concat, type IdentityKey, sha512 } from '../primitives/index.ts';

const VERSION = new Uint8Array(2);
const ITERATIONS = 5_200;

/** 60 digits in 12 groups of 5, the same on both sides: what two people read to each other (docs/PROTOCOL.md §2). */
export function safetyNumber(ours: IdentityKey, theirs: IdentityKey): string {
  const digits = numericFingerprint(ours, ours, theirs, theirs);
  return digits.replaceAll(/\d{5}(?=\d)/g, '$& ');
}

/** Signal's numeric fingerprint, version 0: 30 digits for each side, the smaller first. */
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
