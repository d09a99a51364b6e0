/**
 * Seals and opens message bodies, and derives the nonces of a message (docs/PROTOCOL.md §5).
 * Knows nothing of chains or of the content.
 */
import {
  hmacBlake2b,
  NONCE_LENGTH,
  open,
  type Random,
  sealBehindNonce,
  TAG_LENGTH,
  uint,
  utf8,
} from '../primitives/index.ts';
import type { MessageKey } from './kdf.ts';

/**
 * Seals a body, as libchat does (docs/PROTOCOL.md §1, message AEAD).
 * @param nonce 12 bytes.
 * @returns nonce || ciphertext || tag.
 */
export function sealBody(key: MessageKey, nonce: Uint8Array, plaintext: Uint8Array, aad: Uint8Array): Uint8Array {
  return sealBehindNonce(key, nonce, plaintext, aad);
}

/**
 * Opens a body.
 * @returns the plaintext, or `undefined` when the body does not authenticate.
 */
export function openBody(key: MessageKey, body: Uint8Array, aad: Uint8Array): Uint8Array | undefined {
  if (body.length < NONCE_LENGTH + TAG_LENGTH) return undefined;
  return open(key, body.subarray(0, NONCE_LENGTH), body.subarray(NONCE_LENGTH), aad);
}

/** Length of the salt, the first part of a header nonce; the rest is the find tag. */
export const SALT_LENGTH = 16;
const NONCES = utf8('pawl/1 nonces');

/**
 * Derives the hedged nonces of a message from its key, random bytes, header and plaintext. They differ if any of these
 * differs: if the random source repeats itself, and also if a restored identity file uses a message key twice.
 * @returns the body's nonce of 12 bytes and the header's salt of 16.
 */
export function hedgedNonces(
  key: MessageKey,
  random: Random,
  header: Uint8Array,
  plaintext: Uint8Array,
): { nonce: Uint8Array; salt: Uint8Array } {
  const hedged = hmacBlake2b(key, NONCES, random(32), uint(header.length, 2), header, plaintext);
  return {
    nonce: hedged.subarray(0, NONCE_LENGTH),
    salt: hedged.subarray(NONCE_LENGTH, NONCE_LENGTH + SALT_LENGTH),
  };
}
