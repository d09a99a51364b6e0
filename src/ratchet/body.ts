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

/** Seals a body: nonce || ciphertext || tag, as libchat does (docs/PROTOCOL.md §1, message AEAD). */
export function sealBody(key: MessageKey, nonce: Uint8Array, plaintext: Uint8Array, aad: Uint8Array): Uint8Array {
  return sealBehindNonce(key, nonce, plaintext, aad);
}

/** The plaintext of a body, or `undefined` when it does not authenticate. */
export function openBody(key: MessageKey, body: Uint8Array, aad: Uint8Array): Uint8Array | undefined {
  if (body.length < NONCE_LENGTH + TAG_LENGTH) return undefined;
  return open(key, body.subarray(0, NONCE_LENGTH), body.subarray(NONCE_LENGTH), aad);
}

/** The 16 bytes of a header nonce that look random; the rest of it is the find tag. */
export const SALT_LENGTH = 16;
const NONCES = utf8('pawl/1 nonces');

/**
 * The hedged nonces of a message (docs/PROTOCOL.md §5): 12 bytes for the body and 16 for the header that differ wherever
 * key, header or plaintext differ, even if the random source repeats itself; and that differ wherever the random bytes
 * do, even if an old copy of the identity file uses a position twice.
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
