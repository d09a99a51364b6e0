/**
 * Hash functions, MACs and key derivation: BLAKE2b, SHA-2, HMAC and HKDF.
 * Knows no labels: callers pass salt, info and personalization.
 */
import { createHash, createHmac, hash, hkdfSync } from 'node:crypto';
import { blake2b } from '@noble/hashes/blake2.js';
import { asUint8Array, concat, concatAll, wipe } from './bytes.ts';
import { symmetricKey } from './key-objects.ts';

const EMPTY = new Uint8Array(0);

/**
 * Hashes the joined parts with BLAKE2b-512 (RFC 7693) and truncates: H_L(x) in docs/PROTOCOL.md §1.
 * @param length 1 to 64 bytes.
 */
export function digest(length: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const blake = createHash('blake2b512');
  for (const part of parts) blake.update(part);
  return new Uint8Array(blake.digest().subarray(0, length));
}

/**
 * The same in hexadecimal digits. A list of contacts has a fingerprint for each: in one call and without arrays for the
 * result, they take a third of the time.
 */
export function hexDigest(length: number, ...parts: readonly Uint8Array[]): string {
  return hash('blake2b512', concatAll(parts), 'hex').slice(0, 2 * length);
}

/**
 * Derives a key by HKDF with BLAKE2b-512 (RFC 5869).
 * @param length bytes of output.
 */
export function hkdfBlake2b(salt: Uint8Array, ikm: Uint8Array, info: string, length: number): Uint8Array {
  return new Uint8Array(hkdfSync('blake2b512', symmetricKey(ikm), salt, info, length));
}

/**
 * Derives a key by HKDF with SHA-256 (RFC 5869).
 * @param length bytes of output.
 * @param salt empty unless given.
 */
export function hkdfSha256(ikm: Uint8Array, info: Uint8Array, length: number, salt: Uint8Array = EMPTY): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', symmetricKey(ikm), salt, info, length));
}

/**
 * Computes keyed BLAKE2b-256 of the empty message (RFC 7693 §2.5): 32 bytes.
 * @param key 32 bytes.
 * @param personalization at most 16 ASCII characters, padded with zeros.
 * @throws `RangeError` for a longer one.
 */
export function keyedBlake2b(key: Uint8Array, personalization: string): Uint8Array {
  // Runs twice per message. A TextEncoder would allocate its output outside of V8's heap.
  const person = new Uint8Array(16);
  if (personalization.length > person.length) throw new RangeError(`${personalization} is longer than 16`);
  for (let index = 0; index < personalization.length; index++) person[index] = personalization.charCodeAt(index);
  return blake2b(EMPTY, { key, dkLen: 32, personalization: person });
}

/** SHA-256 (FIPS 180-4) of the parts joined: 32 bytes. */
export function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  const sha = createHash('sha256');
  for (const part of parts) sha.update(part);
  return asUint8Array(sha.digest());
}

/** SHA-512 (FIPS 180-4) of the parts joined: 64 bytes. */
export function sha512(...parts: readonly Uint8Array[]): Uint8Array {
  // A safety number hashes 10,400 times. In one call this takes half the time, and leaves no objects to collect.
  const joined = concat(...parts);
  const digested = asUint8Array(hash('sha512', joined, 'buffer'));
  wipe(joined);
  return digested;
}

/** HMAC-SHA-256 (RFC 2104): 32 bytes. */
export function hmacSha256(key: Uint8Array, message: Uint8Array): Uint8Array {
  return asUint8Array(createHmac('sha256', symmetricKey(key)).update(message).digest());
}

/** HMAC-BLAKE2b-512 (RFC 2104) of the parts joined: 64 bytes. */
export function hmacBlake2b(key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array {
  const hmac = createHmac('blake2b512', symmetricKey(key));
  for (const part of parts) hmac.update(part);
  return asUint8Array(hmac.digest());
}
