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

interface SealingInput {
  readonly key: Uint8Array;
  readonly nonce: Uint8Array;
  readonly plaintext: Uint8Array;
  readonly aad: Uint8Array;
}

/** ChaCha20-Poly1305 (RFC 8439 §2.8): 32-byte key, 12-byte nonce; gives ciphertext || 16-byte tag. */
export function seal(key: Uint8Array, nonce: Uint8Array, plaintext: Uint8Array, aad: Uint8Array): Uint8Array {
  const sealed = new Uint8Array(plaintext.length + TAG_LENGTH);
  sealInto(sealed, { key, nonce, plaintext, aad });
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
  sealInto(sealed.subarray(NONCE_LENGTH), { key, nonce, plaintext, aad });
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

function sealInto(sealed: Uint8Array, { key, nonce, plaintext, aad }: SealingInput): void {
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
  const { subkey, subnonce } = derive(key, nonce);
  const sealed = seal(subkey, subnonce, plaintext, aad);
  wipe(subkey);
  return sealed;
}

/** The plaintext of `sealed` (ciphertext || tag), or `undefined` when it does not authenticate. */
export function xopen(key: Uint8Array, nonce: Uint8Array, sealed: Uint8Array, aad: Uint8Array): Uint8Array | undefined {
  const { subkey, subnonce } = derive(key, nonce);
  const plaintext = open(subkey, subnonce, sealed, aad);
  wipe(subkey);
  return plaintext;
}

/**
 * HChaCha20 of the key and the first 16 bytes of the nonce; and four zeros and the last 8 bytes, for a nonce to use it
 * with (draft-irtf-cfrg-xchacha-03 §2.2 and §2.3).
 */
function derive(key: Uint8Array, nonce: Uint8Array): { subkey: Uint8Array; subnonce: Uint8Array } {
  // One memory for all: key (8 words), nonce (4), subkey (8), subnonce (3). Words have to be aligned.
  const words = new Uint32Array(23);
  const bytes = new Uint8Array(words.buffer);
  bytes.set(key);
  bytes.set(nonce.slice(0, 16), 32);
  bytes.set(nonce.slice(16), 84);
  hchacha(SIGMA, words.subarray(0, 8), words.subarray(8, 12), words.subarray(12, 20));
  wipe(bytes.subarray(0, 32));
  return { subkey: bytes.subarray(48, 80), subnonce: bytes.subarray(80) };
}
