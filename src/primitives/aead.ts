/**
 * Authenticated encryption: ChaCha20-Poly1305 by node:crypto, and XChaCha20-Poly1305 from it and noble's HChaCha20.
 * Chooses no keys or nonces. Wipes the keys it derives and the buffers of plaintext that it does not return.
 */
import {
  type CipherChaCha20Poly1305,
  createCipheriv,
  createDecipheriv,
  type DecipherChaCha20Poly1305,
} from 'node:crypto';
import { hchacha } from '@noble/ciphers/chacha.js';
import { utf8, wipe } from './bytes.ts';
import { symmetricKey } from './key-objects.ts';

export const TAG_LENGTH = 16;
export const NONCE_LENGTH = 12;
export const XNONCE_LENGTH = 24;

/** Bytes passed to a cipher in one call: 16 KiB. */
const PIECE = 2 ** 14;
/** The constants of ChaCha20 (RFC 8439 §2.3). */
const SIGMA = new Uint32Array(utf8('expand 32-byte k').slice().buffer);

interface SealingInput {
  readonly key: Uint8Array;
  readonly nonce: Uint8Array;
  readonly plaintext: Uint8Array;
  readonly aad: Uint8Array;
}

interface OpeningInput {
  readonly key: Uint8Array;
  readonly nonce: Uint8Array;
  readonly sealed: Uint8Array;
  readonly aad: Uint8Array;
}

/**
 * Seals with ChaCha20-Poly1305 (RFC 8439 §2.8).
 * @param key 32 bytes.
 * @param nonce 12 bytes.
 * @returns ciphertext || 16-byte tag.
 */
export function seal(key: Uint8Array, nonce: Uint8Array, plaintext: Uint8Array, aad: Uint8Array): Uint8Array {
  const sealed = new Uint8Array(plaintext.length + TAG_LENGTH);
  sealInto(sealed, { key, nonce, plaintext, aad });
  return sealed;
}

/**
 * Does the same as {@link seal}, in one buffer with the nonce.
 * @returns 12-byte nonce || ciphertext || 16-byte tag.
 */
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

/**
 * Opens what {@link seal} sealed.
 * @param sealed ciphertext || 16-byte tag.
 * @returns the plaintext, or `undefined` when it does not authenticate.
 */
export function open(key: Uint8Array, nonce: Uint8Array, sealed: Uint8Array, aad: Uint8Array): Uint8Array | undefined {
  if (sealed.length < TAG_LENGTH) return undefined;
  const plaintext = new Uint8Array(sealed.length - TAG_LENGTH);
  return openInto(plaintext, { key, nonce, sealed, aad }) ? plaintext : undefined;
}

/**
 * Does the same into a buffer of the caller's, which may hold many plaintexts one after the other.
 * @param plaintext 16 bytes less than `sealed`. Zeros where it returns `false`.
 * @returns whether it authenticates.
 */
export function openInto(plaintext: Uint8Array, { key, nonce, sealed, aad }: OpeningInput): boolean {
  const end = sealed.length - TAG_LENGTH;
  if (plaintext.length !== end) throw new RangeError(`${plaintext.length} bytes are not ${end}`);
  const decipher = createDecipheriv('chacha20-poly1305', symmetricKey(key), nonce, { authTagLength: TAG_LENGTH });
  decipher.setAAD(aad, { plaintextLength: end });
  decipher.setAuthTag(sealed.subarray(end));
  pour(sealed.subarray(0, end), decipher, plaintext);
  try {
    decipher.final();
    return true;
  } catch {
    plaintext.fill(0);
    return false;
  }
}

/** Does what {@link seal} does into a buffer of the caller's: 16 bytes longer than the plaintext. */
export function sealInto(sealed: Uint8Array, { key, nonce, plaintext, aad }: SealingInput): void {
  const cipher = createCipheriv('chacha20-poly1305', symmetricKey(key), nonce, { authTagLength: TAG_LENGTH });
  cipher.setAAD(aad, { plaintextLength: plaintext.length });
  pour(plaintext, cipher, sealed);
  cipher.final();
  sealed.set(cipher.getAuthTag(), plaintext.length);
}

/**
 * Passes the input through the cipher in pieces. `update` allocates a buffer of the input's length, and allocating 16
 * MiB can take longer than encrypting them.
 */
function pour(from: Uint8Array, through: CipherChaCha20Poly1305 | DecipherChaCha20Poly1305, into: Uint8Array): void {
  for (let at = 0; at < from.length; at += PIECE) {
    const piece = through.update(from.subarray(at, at + PIECE));
    into.set(piece, at);
    piece.fill(0);
  }
}

/**
 * Seals with XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03 §2).
 * @param key 32 bytes.
 * @param nonce 24 bytes.
 * @returns ciphertext || 16-byte tag.
 */
export function xseal(key: Uint8Array, nonce: Uint8Array, plaintext: Uint8Array, aad: Uint8Array): Uint8Array {
  const { subkey, subnonce } = deriveSubkey(key, nonce);
  const sealed = seal(subkey, subnonce, plaintext, aad);
  wipe(subkey);
  return sealed;
}

/**
 * Opens what {@link xseal} sealed.
 * @param sealed ciphertext || 16-byte tag.
 * @returns the plaintext, or `undefined` when it does not authenticate.
 */
export function xopen(key: Uint8Array, nonce: Uint8Array, sealed: Uint8Array, aad: Uint8Array): Uint8Array | undefined {
  const { subkey, subnonce } = deriveSubkey(key, nonce);
  const plaintext = open(subkey, subnonce, sealed, aad);
  wipe(subkey);
  return plaintext;
}

/**
 * Derives what ChaCha20-Poly1305 is used with (draft-irtf-cfrg-xchacha-03 §2.2 and §2.3). The subkey is HChaCha20 of
 * the key and the first 16 bytes of the nonce. The subnonce is four zeros and the last 8 bytes.
 */
function deriveSubkey(key: Uint8Array, nonce: Uint8Array): { subkey: Uint8Array; subnonce: Uint8Array } {
  // One aligned allocation: key (8 words), nonce (4), subkey (8), subnonce (3).
  const words = new Uint32Array(23);
  const bytes = new Uint8Array(words.buffer);
  bytes.set(key);
  bytes.set(nonce.slice(0, 16), 32);
  bytes.set(nonce.slice(16), 84);
  hchacha(SIGMA, words.subarray(0, 8), words.subarray(8, 12), words.subarray(12, 20));
  wipe(bytes.subarray(0, 32));
  return { subkey: bytes.subarray(48, 80), subnonce: bytes.subarray(80) };
}
