/**
 * Ed25519 identity keys: keys and signatures by node:crypto; strict checks, and the X25519 form of a public key, by noble.
 * Does not know what is signed.
 */
import { createPublicKey, sign as signWith, verify as verifyWith } from 'node:crypto';
import { ed25519 } from '@noble/curves/ed25519.js';
import { PawlError } from '../errors.ts';
import { asUint8Array, type Branded, wipe } from './bytes.ts';
import { sha512 } from './kdf.ts';
import { keyFormat } from './key-objects.ts';
import type { X25519PublicKey, X25519SecretKey } from './x25519.ts';

/** 32 bytes: the seed of an Ed25519 key pair (RFC 8032 §5.1.5). */
export type IdentitySeed = Branded<'identity seed'>;
/** 32 bytes: an Ed25519 public key, canonical, torsion-free and not the identity point. */
export type IdentityKey = Branded<'identity key'>;

/** Computes the public key of a seed. */
export function identityKeyOf(seed: IdentitySeed): IdentityKey {
  return keyFormat().exportPublic(createPublicKey(keyFormat().importSecret('Ed25519', seed))) as IdentityKey;
}

/**
 * Admits an identity key that came from outside.
 * @param bytes 32 bytes.
 * @param what the key's name in the error.
 * @throws `weak-key` when it is not canonical, not on the curve, has a torsion part or is the identity point.
 */
export function readIdentityKey(bytes: Uint8Array, what: string): IdentityKey {
  if (!isPrimeOrder(bytes)) throw new PawlError('weak-key', { what });
  return bytes as IdentityKey;
}

/** Signs a message (RFC 8032 §5.1.6): 64 bytes. */
export function sign(seed: IdentitySeed, message: Uint8Array): Uint8Array {
  return asUint8Array(signWith(undefined, message, keyFormat().importSecret('Ed25519', seed)));
}

/**
 * Verifies a signature strictly (RFC 8032 §5.1.7), so that all implementations agree: encodings must be canonical, and
 * neither the key nor the signature may have a part of small order. Never throws.
 * @param signature 64 bytes; any other length is false.
 */
export function verify(key: IdentityKey, message: Uint8Array, signature: Uint8Array): boolean {
  try {
    // OpenSSL checks all but the parts of small order.
    const keyObject = keyFormat().importPublic('Ed25519', key);
    return [key, signature.subarray(0, 32)].every(isPrimeOrder) && verifyWith(undefined, message, keyObject, signature);
  } catch {
    return false;
  }
}

/** The X25519 form of an identity key: the birational image (RFC 7748 §4.1). */
export function toX25519PublicKey(key: IdentityKey): X25519PublicKey {
  return ed25519.utils.toMontgomery(key) as X25519PublicKey;
}

/** The X25519 secret key of an identity: the scalar that RFC 8032 §5.1.5 derives from the seed, pruned as there. */
export function toX25519SecretKey(seed: IdentitySeed): X25519SecretKey {
  const hash = sha512(seed);
  const secretKey = hash.slice(0, 32) as X25519SecretKey;
  wipe(hash);
  secretKey[0] = (secretKey[0] ?? 0) & 0xf8;
  secretKey[31] = ((secretKey[31] ?? 0) & 0x7f) | 0x40;
  return secretKey;
}

function isPrimeOrder(bytes: Uint8Array): boolean {
  try {
    const point = ed25519.Point.fromBytes(bytes, false);
    return !point.is0() && point.isTorsionFree();
  } catch {
    return false;
  }
}
