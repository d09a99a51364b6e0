import {
  type CipherChaCha20Poly1305,
  createCipheriv,
  createDecipheriv,
  type DecipherChaCha20Poly1305,
} from 'node:crypto';
import { hchacha } from '@noble/ciphers/chacha.js';
import { utf8, wipe } from './bytes.ts';

export const TAG_LENGTH = 16;
export const NONCE_LENGTH = 12;
export const XNONCE_LENGTH = 24;

/** 16 KiB: what a cipher is given at a time. */
const PIECE = 2 ** 14;
/** The constants of ChaCha20 (RFC 8439 §2.3). */
const SIGMA = new Uint32Array(utf8('expand 32-byte k').slice().buffer);

/** ChaCha20-Poly1305 (RFC 8439 §2.8): 32-byte key, 12-byte nonce; gives ciphertext || 16-byte tag. */
export function seal(key: Uint8Array, nonce: Uint8Array, plaintext: Uint8Array, aad: Uint8Array): Uint8Array {
  const sealed = new Uint8Array(plaintext.length + TAG_LENGTH);
  sealInto(sealed, key, nonce, plaintext, aad);
  return sealed;
}

/** The same with the nonce in front. */
export function sealBehindNonce(
  key: Uint8Array,
  nonce: Uint8Array,
  plaintext: Uint8Array,
  aad: Uint8Array,
): Uint8Array {
  const sealed = new Uint8Array(NONCE_LENGTH + plaintext.length + TAG_LENGTH);
  sealed.set(nonce);
  sealInto(sealed.subarray(NONCE_LENGTH), key, nonce, plaintext, aad);
  return sealed;
}

/** The plaintext of `sealed` (ciphertext || tag), or `undefined` when it does not authenticate. */
export function open(key: Uint8Array, nonce: Uint8Array, sealed: Uint8Array, aad: Uint8Array): Uint8Array | undefined {
  if (sealed.length < TAG_LENGTH) return undefined;
  const end = sealed.length - TAG_LENGTH;
  const decipher = createDecipheriv('chacha20-poly1305', key, nonce, { authTagLength: TAG_LENGTH });
  decipher.setAAD(aad, { plaintextLength: end });
  decipher.setAuthTag(sealed.subarray(end));
  const plaintext = new Uint8Array(end);
  pour(sealed.subarray(0, end), decipher, plaintext);
  try {
    decipher.final();
  } catch {
    plaintext.fill(0);
    return undefined;
  }
  return plaintext;
}

function sealInto(
  sealed: Uint8Array,
  key: Uint8Array,
  nonce: Uint8Array,
  plaintext: Uint8Array,
  aad: Uint8Array,
): void {
  const cipher = createCipheriv('chacha20-poly1305', key, nonce, { authTagLength: TAG_LENGTH });
  cipher.setAAD(aad, { plaintextLength: plaintext.length });
  pour(plaintext, cipher, sealed);
  cipher.final();
  sealed.set(cipher.getAuthTag(), plaintext.length);
}

/**
 * Through the cipher in pieces: it gives a new buffer each time, and 16 MiB of new memory take longer to come by than to
 * encrypt.
 */
function pour(from: Uint8Array, through: CipherChaCha20Poly1305 | DecipherChaCha20Poly1305, into: Uint8Array): void {
  for (let at = 0; at < from.length; at += PIECE) {
    const piece = through.update(from.subarray(at, at + PIECE));
    into.set(piece, at);
    piece.fill(0);
  }
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
