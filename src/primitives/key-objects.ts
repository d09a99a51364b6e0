/**
 * Keys as node:crypto takes them, each in the form that is fastest in the version of Node that runs.
 * Knows no algorithm of the protocol, and keeps no key.
 */
import { createPrivateKey, createPublicKey, createSecretKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import { asUint8Array, wipe } from './bytes.ts';

export type Curve = 'X25519' | 'Ed25519';

/** How keys of 32 bytes (RFC 7748 §5, RFC 8032 §5.1.5) get into node:crypto, and public keys out of it. */
export interface KeyFormat {
  /** Imports a secret key. Computes its public key, which takes as long as a DH. */
  importSecret(curve: Curve, bytes: Uint8Array): KeyObject;
  importPublic(curve: Curve, bytes: Uint8Array): KeyObject;
  exportPublic(key: KeyObject): Uint8Array;
}

/** The bytes themselves: newer versions of Node take them, Node 20 and 22 do not. */
export const RAW: KeyFormat = {
  importSecret: (curve, key) => createPrivateKey({ format: 'raw-private', asymmetricKeyType: typeOf(curve), key }),
  importPublic: (curve, key) => createPublicKey({ format: 'raw-public', asymmetricKeyType: typeOf(curve), key }),
  exportPublic: (key) => asUint8Array(key.export({ format: 'raw-public' })),
};

/** What precedes the 32 bytes of an Ed25519 seed in PKCS #8 (RFC 8410 §7). */
const PKCS8 = new Uint8Array([48, 46, 2, 1, 0, 48, 5, 6, 3, 43, 101, 112, 4, 34, 4, 32]);

/**
 * JSON Web Keys (RFC 8037), which take a tenth to a fifth of the time that DER takes. With a secret key, a JWK has the
 * public key too: versions of Node that have no `RAW` compute it again and ignore this one. An Ed25519 seed does not
 * depend on that, since a signature with another public key gives the secret away: it is imported as DER.
 */
export const JWK: KeyFormat = {
  importSecret: (crv, bytes) => {
    if (crv === 'Ed25519') return importSeed(bytes);
    const key = { kty: 'OKP', crv, d: base64Url(bytes), x: base64Url(new Uint8Array(32)) };
    return createPrivateKey({ format: 'jwk', key });
  },
  importPublic: (crv, bytes) => createPublicKey({ format: 'jwk', key: { kty: 'OKP', crv, x: base64Url(bytes) } }),
  exportPublic: (key) => {
    const { x = '' }: JsonWebKey = key.export({ format: 'jwk' });
    return new Uint8Array(Buffer.from(x, 'base64url'));
  },
};

let chosen: KeyFormat | undefined;

/** The format that the version of Node that runs is fastest with. */
export function keyFormat(): KeyFormat {
  chosen ??= hasRawKeys() ? RAW : JWK;
  return chosen;
}

/** Whether node:crypto imports and exports raw keys. */
export function hasRawKeys(): boolean {
  try {
    return RAW.exportPublic(RAW.importPublic('X25519', new Uint8Array(32).fill(9))).length === 32;
  } catch {
    return false;
  }
}

// In Node 24 and 25, a keyed call takes 4 µs with a KeyObject, and 15 µs with the bytes of a key. In 20, 22 and 26 it takes
// 1 µs longer with a KeyObject.
const PREFERS_OBJECTS = /^v2[45]\./.test(process.version);

/** A symmetric key for an HMAC, an HKDF or a cipher. */
export function symmetricKey(bytes: Uint8Array): Uint8Array | KeyObject {
  return PREFERS_OBJECTS ? createSecretKey(bytes) : bytes;
}

function importSeed(seed: Uint8Array): KeyObject {
  const key = Buffer.concat([PKCS8, seed]);
  const imported = createPrivateKey({ format: 'der', type: 'pkcs8', key });
  wipe(key);
  return imported;
}

function typeOf(curve: Curve): 'x25519' | 'ed25519' {
  return curve === 'X25519' ? 'x25519' : 'ed25519';
}

function base64Url(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64url');
}
