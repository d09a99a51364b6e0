import { createCipheriv, createDecipheriv } from 'node:crypto';
import { hchacha } from '@noble/ciphers/chacha.js';
import { concat, utf8, wipe } from './bytes.ts';

export const TAG_LENGTH = 16;
export const NONCE_LENGTH = 12;
export const XNONCE_LENGTH = 24;

/** The constants of ChaCha20 (RFC 8439 §2.3). */
const SIGMA = new Uint32Array(utf8('expand 32-byte k').slice().buffer);

/** ChaCha20-Poly1305 (RFC 8439 §2.8): 32-byte key, 12-byte nonce; gives ciphertext || 16-byte tag. */
export function seal(key: Uint8Array, nonce: Uint8Array, plaintext: Uint8Array, aad: Uint8Array): Uint8Array {
  return concat(...encrypt(key, nonce, plaintext, aad));
}

/** The same with the nonce in front; joined once, because a message may be 16 MiB long. */
export function sealBehindNonce(
  key: Uint8Array,
  nonce: Uint8Array,
  plaintext: Uint8Array,
  aad: Uint8Array,
): Uint8Array {
  return concat(nonce, ...encrypt(key, nonce, plaintext, aad));
}

function encrypt(
  key: Uint8Array,
  nonce: Uint8Array,
  plaintext: Uint8Array,
  aad: Uint8Array,
): [ciphertext: Uint8Array, tag: Uint8Array] {
  const cipher = createCipheriv('chacha20-poly1305', key, nonce, { authTagLength: TAG_LENGTH });
  cipher.setAAD(aad, { plaintextLength: plaintext.length });
  const ciphertext = cipher.update(plaintext);
  cipher.final();
  return [ciphertext, cipher.getAuthTag()];
}

/** The plaintext of `sealed` (ciphertext || tag), or `undefined` when it does not authenticate. */
export function open(key: Uint8Array, nonce: Uint8Array, sealed: Uint8Array, aad: Uint8Array): Uint8Array | undefined {
  if (sealed.length < TAG_LENGTH) return undefined;
  const end = sealed.length - TAG_LENGTH;
  const decipher = createDecipheriv('chacha20-poly1305', key, nonce, { authTagLength: TAG_LENGTH });
  decipher.setAAD(aad, { plaintextLength: end });
  decipher.setAuthTag(sealed.subarray(end));
  const plaintext = decipher.update(sealed.subarray(0, end));
  try {
    decipher.final();
  } catch {
    plaintext.fill(0);
    return undefined;
  }
  return new Uint8Array(plaintext.buffer, plaintext.byteOffset, plaintext.length);
}

/** XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03 §2): 32-byte key, 24-byte nonce; gives ciphertext || 16-byte tag. */
export function xseal(key: Uint8Array, nonce: Uint8Array, plaintext: Uint8Array, aad: Uint8Array): Uint8Array {
  const subkey = subkeyOf(key, nonce);
  const sealed = seal(subkey, subnonceOf(nonce), plaintext, aad);
  wipe(subkey);
  return sealed;
}

/** The plaintext of `sealed` (ciphertext || tag), or `undefined` when it does not authenticate. */
export function xopen(key: Uint8Array, nonce: Uint8Array, sealed: Uint8Array, aad: Uint8Array): Uint8Array | undefined {
  const subkey = subkeyOf(key, nonce);
  const plaintext = open(subkey, subnonceOf(nonce), sealed, aad);
  wipe(subkey);
  return plaintext;
}

/** HChaCha20 of the key and the first 16 bytes of the nonce (draft-irtf-cfrg-xchacha-03 §2.2). */
function subkeyOf(key: Uint8Array, nonce: Uint8Array): Uint8Array {
  // Copied, because words have to be aligned.
  const input = new Uint32Array(12);
  const bytes = new Uint8Array(input.buffer);
  bytes.set(key);
  bytes.set(nonce.subarray(0, 16), 32);
  const subkey = new Uint32Array(8);
  hchacha(SIGMA, input, input.subarray(8), subkey);
  input.fill(0);
  return new Uint8Array(subkey.buffer);
}

/** Four zeros and the last 8 bytes of the nonce (§2.3). */
function subnonceOf(nonce: Uint8Array): Uint8Array {
  const subnonce = new Uint8Array(NONCE_LENGTH);
  subnonce.set(nonce.subarray(16), 4);
  return subnonce;
}
