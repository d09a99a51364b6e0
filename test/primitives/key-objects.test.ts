import { createPublicKey, diffieHellman, sign } from 'node:crypto';
import { ed25519, x25519 } from '@noble/curves/ed25519.js';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { hasRawKeys, JWK, type KeyFormat, keyFormat, RAW } from '../../src/primitives/key-objects.ts';
import { hex, toHexText } from './hex.ts';

const imported: unknown[] = [];
vi.mock(import('node:crypto'), async (importOriginal) => {
  const original = await importOriginal();
  const createPrivateKey = (key: object) => {
    imported.push(key);
    return original.createPrivateKey(key as never);
  };
  return { ...original, createPrivateKey: createPrivateKey as typeof original.createPrivateKey };
});

const anyKey = fc.uint8Array({ minLength: 32, maxLength: 32 });

/** Whether this version of Node takes a JWK of a secret key with a public key that is not its own. */
function takesJwk(): boolean {
  try {
    return JWK.importSecret('X25519', new Uint8Array(32)).type === 'private';
  } catch {
    return false;
  }
}

const formats: [name: string, format: KeyFormat][] = [];
if (takesJwk()) formats.push(['JWK', JWK]);
if (hasRawKeys()) formats.push(['RAW', RAW]);

it('this version of Node has the format that is chosen', () => {
  expect(formats.map(([, format]) => format)).toContain(keyFormat());
  expect(keyFormat()).toBe(hasRawKeys() ? RAW : JWK);
});

describe.each(formats)('%s', (_, format) => {
  function publicKeyOf(curve: 'X25519' | 'Ed25519', secret: Uint8Array): Uint8Array {
    return format.exportPublic(createPublicKey(format.importSecret(curve, secret)));
  }

  it('makes the public keys and the secret of RFC 7748 §6.1', () => {
    const alice = hex('77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a');
    const bob = hex('de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f');
    expect(toHexText(publicKeyOf('X25519', alice))).toBe(
      '8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a',
    );
    const secret = diffieHellman({
      privateKey: format.importSecret('X25519', alice),
      publicKey: format.importPublic('X25519', bob),
    });
    expect(toHexText(secret)).toBe('4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742');
  });

  it('makes the public key and the signature of RFC 8032 §7.1 TEST 2', () => {
    const seed = hex('4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb');
    expect(toHexText(publicKeyOf('Ed25519', seed))).toBe(
      '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
    );
    expect(toHexText(sign(undefined, hex('72'), format.importSecret('Ed25519', seed)))).toBe(
      '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
    );
  });

  it('makes the public keys that noble makes, and gives public keys back as they were', () => {
    fc.assert(
      fc.property(anyKey, (secret) => {
        const keys = [publicKeyOf('X25519', secret), publicKeyOf('Ed25519', secret)];
        expect(keys.map(toHexText)).toEqual([x25519, ed25519].map((curve) => toHexText(curve.getPublicKey(secret))));
        expect(format.exportPublic(format.importPublic('X25519', keys[0] ?? secret))).toEqual(keys[0]);
      }),
      { numRuns: 100 },
    );
  });

  it('refuses every other length', () => {
    for (const length of [0, 31, 33, 64]) {
      expect(() => format.importSecret('X25519', new Uint8Array(length)), `${length}`).toThrow();
      expect(() => format.importPublic('Ed25519', new Uint8Array(length)), `${length}`).toThrow();
    }
  });
});

it('imports no Ed25519 seed as a JWK, which names a public key', () => {
  imported.length = 0;
  for (const [, format] of formats) format.importSecret('Ed25519', new Uint8Array(32));
  expect(imported).toHaveLength(formats.length);
  for (const key of imported) expect(key).not.toMatchObject({ format: 'jwk' });
});
