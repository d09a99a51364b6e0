import { createHash, createHmac, hkdfSync } from 'node:crypto';
import { blake2b } from '@noble/hashes/blake2.js';

const EMPTY = new Uint8Array(0);

/** H_L(x): the first `length` bytes (at most 64) of BLAKE2b-512 of the parts joined (RFC 7693). */
export function digest(length: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const hash = createHash('blake2b512');
  for (const part of parts) hash.update(part);
  return new Uint8Array(hash.digest().subarray(0, length));
}

/** HKDF with BLAKE2b-512 (RFC 5869). */
export function hkdfBlake2b(salt: Uint8Array, ikm: Uint8Array, info: string, length: number): Uint8Array {
  return new Uint8Array(hkdfSync('blake2b512', ikm, salt, info, length));
}

/** HKDF with SHA-256 and no salt (RFC 5869). */
export function hkdfSha256(ikm: Uint8Array, info: Uint8Array, length: number): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', ikm, EMPTY, info, length));
}

/**
 * Keyed BLAKE2b-256 of the empty message, told apart by its personalization (RFC 7693 §2.5): 32 bytes.
 * @param key 32 bytes. @param personalization at most 16 ASCII characters, padded with zeros.
 */
export function keyedBlake2b(key: Uint8Array, personalization: string): Uint8Array {
  // By hand, because a TextEncoder's output is memory from outside of V8's heap: this runs twice a message.
  const person = new Uint8Array(16);
  if (personalization.length > person.length) throw new RangeError(`${personalization} is longer than 16`);
  for (let index = 0; index < personalization.length; index++) person[index] = personalization.charCodeAt(index);
  return blake2b(EMPTY, { key, dkLen: 32, personalization: person });
}

/** SHA-512 (FIPS 180-4) of the parts joined: 64 bytes. */
export function sha512(...parts: readonly Uint8Array[]): Uint8Array {
  const hash = createHash('sha512');
  for (const part of parts) hash.update(part);
  return plain(hash.digest());
}

/** HMAC-SHA-256 (RFC 2104): 32 bytes. */
export function hmacSha256(key: Uint8Array, message: Uint8Array): Uint8Array {
  return plain(createHmac('sha256', key).update(message).digest());
}

/** HMAC-BLAKE2b-512 (RFC 2104) of the parts joined: 64 bytes. */
export function hmacBlake2b(key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array {
  const hmac = createHmac('blake2b512', key);
  for (const part of parts) hmac.update(part);
  return plain(hmac.digest());
}

/** The same memory as a plain array. */
function plain(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length);
}
