/**
 * ML-KEM-768 (FIPS 203) by node:crypto where it has it, else by noble, with checked types for keys and ciphertexts.
 * Does not know when keys are exchanged.
 */
import {
  createPrivateKey,
  createPublicKey,
  decapsulate as decapsulateWith,
  encapsulate as encapsulateWith,
  type KeyObject,
} from 'node:crypto';
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js';
import { PawlError } from '../errors.ts';
import { asUint8Array, type Branded, wipe } from './bytes.ts';
import { type Random, systemRandom } from './random.ts';

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

/** One implementation of ML-KEM-768. */
export interface MlKem {
  /** @param seed 64 bytes. @returns 1,184 bytes. */
  encapsulationKeyOf(seed: Uint8Array): Uint8Array;
  /** @returns a ciphertext of 1,088 bytes and a secret of 32. */
  encapsulate(key: Uint8Array, random: Random): { ciphertext: Uint8Array; secret: Uint8Array };
  decapsulate(seed: Uint8Array, ciphertext: Uint8Array): Uint8Array;
}

export const NOBLE_KEM: MlKem = {
  encapsulationKeyOf(seed) {
    const { publicKey, secretKey } = ml_kem768.keygen(seed);
    wipe(secretKey);
    return publicKey;
  },
  encapsulate(key, random) {
    // The shared secret can be computed from these bytes and the public key.
    const message = random(32);
    const { cipherText, sharedSecret } = ml_kem768.encapsulate(key, message);
    wipe(message);
    return { ciphertext: cipherText, secret: sharedSecret };
  },
  decapsulate(seed, ciphertext) {
    const { secretKey } = ml_kem768.keygen(seed);
    const secret = ml_kem768.decapsulate(ciphertext, secretKey);
    wipe(secretKey);
    return secret;
  },
};

/** Node's own: OpenSSL's, about ten times as fast. `encapsulate` draws its own random bytes. */
export const NODE_KEM: MlKem = {
  encapsulationKeyOf: (seed) => asUint8Array(createPublicKey(importSeed(seed)).export({ format: 'raw-public' })),
  encapsulate(key) {
    const { ciphertext, sharedKey } = encapsulateWith(
      createPublicKey({ format: 'raw-public', asymmetricKeyType: 'ml-kem-768', key }),
    );
    return { ciphertext: asUint8Array(ciphertext), secret: asUint8Array(sharedKey) };
  },
  decapsulate: (seed, ciphertext) => asUint8Array(decapsulateWith(importSeed(seed), ciphertext)),
};

function importSeed(key: Uint8Array): KeyObject {
  return createPrivateKey({ format: 'raw-seed', asymmetricKeyType: 'ml-kem-768', key });
}

let chosen: MlKem | undefined;

function kem(): MlKem {
  chosen ??= hasNodeKem() ? NODE_KEM : NOBLE_KEM;
  return chosen;
}

/** Whether node:crypto has ML-KEM-768, and takes and gives its keys as bytes. */
export function hasNodeKem(): boolean {
  try {
    const key = NODE_KEM.encapsulationKeyOf(new Uint8Array(KEM_SEED_LENGTH));
    return key.length === ENCAPSULATION_KEY_LENGTH && typeof encapsulateWith === 'function';
  } catch {
    return false;
  }
}

/** Generates a key pair (FIPS 203 §7.1). The seed is its secret half. */
export function generateKemKey(random: Random): { seed: KemSeed; encapsulationKey: EncapsulationKey } {
  const seed = random(KEM_SEED_LENGTH) as KemSeed;
  return { seed, encapsulationKey: kem().encapsulationKeyOf(seed) as EncapsulationKey };
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
  // Node's takes no randomness from outside: given bytes go to noble.
  const { ciphertext, secret } = (random === systemRandom ? kem() : NOBLE_KEM).encapsulate(key, random);
  return { ciphertext: ciphertext as KemCiphertext, secret: secret as KemSecret };
}

/** Decapsulates a ciphertext (FIPS 203 §7.3). An altered ciphertext gives another secret and no error. */
export function decapsulate(seed: KemSeed, ciphertext: KemCiphertext): KemSecret {
  return kem().decapsulate(seed, ciphertext) as KemSecret;
}

/**
 * The modulus check: every coefficient, two of which are packed in three bytes, is below q. Noble checks this only
 * when it encapsulates, which takes 30 times as long.
 */
function isReduced(coefficients: Uint8Array): boolean {
  for (let offset = 0; offset < coefficients.length; offset += 3) {
    const [a = 0, b = 0, c = 0] = coefficients.subarray(offset, offset + 3);
    if ((((b & 0x0f) << 8) | a) >= Q || ((c << 4) | (b >> 4)) >= Q) return false;
  }
  return true;
}
