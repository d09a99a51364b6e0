/**
 * ML-KEM-768 (FIPS 203) by noble, with checked types for keys and ciphertexts.
 * Does not know when keys are exchanged.
 */
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js';
import { PawlError } from '../errors.ts';
import { type Branded, wipe } from './bytes.ts';
import type { Random } from './random.ts';

/** 64 bytes, d || z of FIPS 203: the stored form of a decapsulation key. */
export type KemSeed = Branded<'KEM seed'>;
/** 1,184 bytes that have passed the modulus check (FIPS 203 §7.2). */
export type EncapsulationKey = Branded<'KEM encapsulation key'>;
/** 1,088 bytes. */
export type KemCiphertext = Branded<'KEM ciphertext'>;
/** 32 bytes. */
export type KemSecret = Branded<'KEM secret'>;

export const KEM_SEED_LENGTH = 64;
export const ENCAPSULATION_KEY_LENGTH = 1184;
export const KEM_CIPHERTEXT_LENGTH = 1088;

const Q = 3329;
/** The 768 coefficients of an encapsulation key, at 12 bits each; 32 bytes of seed follow. */
const COEFFICIENTS_LENGTH = 1152;

/** Generates a key pair (FIPS 203 §7.1). The seed is its secret half. */
export function generateKemKey(random: Random): { seed: KemSeed; encapsulationKey: EncapsulationKey } {
  const seed = random(KEM_SEED_LENGTH) as KemSeed;
  const { publicKey, secretKey } = ml_kem768.keygen(seed);
  wipe(secretKey);
  return { seed, encapsulationKey: publicKey as EncapsulationKey };
}

/**
 * Admits an encapsulation key that came from outside.
 * @param bytes 1,184 bytes.
 * @throws `weak-key` when it fails the modulus check of FIPS 203 §7.2.
 */
export function readEncapsulationKey(bytes: Uint8Array): EncapsulationKey {
  if (bytes.length !== ENCAPSULATION_KEY_LENGTH || !isReduced(bytes.subarray(0, COEFFICIENTS_LENGTH))) {
    throw new PawlError('weak-key', { what: 'KEM encapsulation key' });
  }
  return bytes as EncapsulationKey;
}

/** Encapsulates 32 random bytes (FIPS 203 §7.2). */
export function encapsulate(key: EncapsulationKey, random: Random): { ciphertext: KemCiphertext; secret: KemSecret } {
  // The shared secret can be computed from these bytes and the public key.
  const message = random(32);
  const { cipherText, sharedSecret } = ml_kem768.encapsulate(key, message);
  wipe(message);
  return { ciphertext: cipherText as KemCiphertext, secret: sharedSecret as KemSecret };
}

/** Decapsulates a ciphertext (FIPS 203 §7.3). An altered ciphertext gives another secret and no error. */
export function decapsulate(seed: KemSeed, ciphertext: KemCiphertext): KemSecret {
  const { secretKey } = ml_kem768.keygen(seed);
  const secret = ml_kem768.decapsulate(ciphertext, secretKey) as KemSecret;
  wipe(secretKey);
  return secret;
}

/**
 * The modulus check: every coefficient, two of which are packed in three bytes, is below q. The library checks this
 * only when it encapsulates, which takes 30 times as long.
 */
function isReduced(coefficients: Uint8Array): boolean {
  for (let offset = 0; offset < coefficients.length; offset += 3) {
    const [a = 0, b = 0, c = 0] = coefficients.subarray(offset, offset + 3);
    if ((((b & 0x0f) << 8) | a) >= Q || ((c << 4) | (b >> 4)) >= Q) return false;
  }
  return true;
}
