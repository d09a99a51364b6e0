import {
  concat,
  hmacBlake2b,
  keyedBlake2b,
  NONCE_LENGTH,
  open,
  type Random,
  seal,
  TAG_LENGTH,
} from '../primitives/index.ts';
import type { MessageKey } from './keys.ts';

/** Seals a body: nonce || ciphertext || tag, as libchat does (docs/PROTOCOL.md §1, message AEAD). */
export function sealBody(key: MessageKey, nonce: Uint8Array, plaintext: Uint8Array, aad: Uint8Array): Uint8Array {
  return concat(nonce, seal(key, nonce, plaintext, aad));
}

/** The plaintext of a body, or `undefined` when it does not authenticate. */
export function openBody(key: MessageKey, body: Uint8Array, aad: Uint8Array): Uint8Array | undefined {
  if (body.length < NONCE_LENGTH + TAG_LENGTH) return undefined;
  return open(key, body.subarray(0, NONCE_LENGTH), body.subarray(NONCE_LENGTH), aad);
}

/**
 * The hedged nonce of a body (docs/PROTOCOL.md §5): 12 bytes that differ wherever key, header or plaintext differ, even
 * if the random source repeats itself; and that differ wherever the random bytes do, even if an old copy of the identity
 * file uses a position twice.
 */
export function hedgedNonce(key: MessageKey, random: Random, header: Uint8Array, plaintext: Uint8Array): Uint8Array {
  const nonceKey = keyedBlake2b(key, 'nonce');
  return hmacBlake2b(nonceKey, random(32), header, plaintext).subarray(0, NONCE_LENGTH);
}
