/**
 * X25519 (RFC 7748) by node:crypto: key pairs, the check of public keys, Diffie-Hellman.
 * Does not know which keys are agreed with which.
 */
import { createPublicKey, diffieHellman, type KeyObject } from 'node:crypto';
import { PawlError } from '../errors.ts';
import { asUint8Array, type Branded } from './bytes.ts';
import { keyFormat } from './key-objects.ts';
import type { Random } from './random.ts';

/** 32 bytes: the u-coordinate, canonical and not of low order (RFC 7748 §5). */
export type X25519PublicKey = Branded<'X25519 public key'>;
/** 32 bytes, clamped where it is used (RFC 7748 §5). */
export type X25519SecretKey = Branded<'X25519 secret key'>;
/** 32 bytes, never all zero. */
export type SharedSecret = Branded<'shared secret'>;

export interface KeyPair {
  readonly publicKey: X25519PublicKey;
  readonly secretKey: X25519SecretKey;
}

/** The canonical encodings of the points of low order (orders 1, 2, 4 and 8, on the curve and on its twist). */
const LOW_ORDER = new Set([
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
  '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
]);

/**
 * Admits a public key that came from outside.
 * @param bytes 32 bytes.
 * @param what the key's name in the error.
 * @throws `weak-key` when it is not canonical (bit 255 set, or not below 2^255 - 19) or of low order.
 */
export function readPublicKey(bytes: Uint8Array, what: string): X25519PublicKey {
  if (bytes.length !== 32 || !isCanonical(bytes) || LOW_ORDER.has(Buffer.from(bytes).toString('hex'))) {
    throw new PawlError('weak-key', { what });
  }
  return bytes as X25519PublicKey;
}

/** Generates a key pair from 32 random bytes. */
export function generateKeyPair(random: Random): KeyPair {
  return keyPairOf(random(32) as X25519SecretKey);
}

/** Computes the key pair of a secret key. */
export function keyPairOf(secretKey: X25519SecretKey): KeyPair {
  return { publicKey: publicHalfOf(importSecretKey(secretKey)), secretKey };
}

/**
 * Generates a key pair from 32 random bytes and its shared secret with a public key. Does the same as
 * {@link generateKeyPair} and {@link sharedSecret}, but imports the secret key only once: an import takes as long as a
 * DH.
 * @throws `weak-key` as `sharedSecret` does.
 */
export function agreeAfresh(random: Random, remote: X25519PublicKey): { pair: KeyPair; secret: SharedSecret } {
  const secretKey = random(32) as X25519SecretKey;
  const imported = importSecretKey(secretKey);
  return { pair: { publicKey: publicHalfOf(imported), secretKey }, secret: agree(imported, remote) };
}

/**
 * Computes the DH output (RFC 7748 §6.1): 32 bytes.
 * @throws `weak-key` when the result is all zero, as it is for a public key of low order.
 */
export function sharedSecret(secretKey: X25519SecretKey, publicKey: X25519PublicKey): SharedSecret {
  return agree(importSecretKey(secretKey), publicKey);
}

function agree(privateKey: KeyObject, publicKey: X25519PublicKey): SharedSecret {
  try {
    const publicObject = keyFormat().importPublic('X25519', publicKey);
    return asUint8Array(diffieHellman({ privateKey, publicKey: publicObject })) as SharedSecret;
  } catch (cause) {
    throw new PawlError('weak-key', { what: 'public key' }, { cause });
  }
}

/** Whether a little-endian number is below p = 2^255 - 19, whose bytes are ed ff … ff 7f. */
function isCanonical(bytes: Uint8Array): boolean {
  const [first = 0] = bytes;
  const last = bytes[31] ?? 0;
  if (last !== 0x7f) return last < 0x7f;
  return first < 0xed || bytes.subarray(1, 31).some((byte) => byte !== 0xff);
}

// Does not use generateKeyPairSync, because exporting its keys can deadlock in Node 20.
function publicHalfOf(privateKey: KeyObject): X25519PublicKey {
  return keyFormat().exportPublic(createPublicKey(privateKey)) as X25519PublicKey;
}

function importSecretKey(secretKey: X25519SecretKey): KeyObject {
  return keyFormat().importSecret('X25519', secretKey);
}
