import { ed25519, x25519 } from '@noble/curves/ed25519.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  agreeAfresh,
  generateKeyPair,
  keyPairOf,
  readPublicKey,
  sharedSecret,
  type X25519PublicKey,
  type X25519SecretKey,
} from '../../src/primitives/index.ts';
import libchat from '../vectors/libchat.json' with { type: 'json' };
import { hex, littleEndian, shifted, toHexText } from './hex.ts';
import { expectWeakKey } from './weak-key.ts';

const p = 2n ** 255n - 19n;
const anyKey = fc.uint8Array({ minLength: 32, maxLength: 32 });

/** The function itself, on what no door has looked at. */
function multiply(scalar: Uint8Array, u: Uint8Array): Uint8Array {
  return sharedSecret(scalar as X25519SecretKey, u as X25519PublicKey);
}

/**
 * Every u of low order, found without the list in src: the images (1 + y) / (1 - y) of the eight torsion points of
 * the Edwards form, and -1, which lies on the twist (RFC 7748 §4.1; the identity has no u).
 */
function lowOrderCoordinates(): bigint[] {
  const { Point } = ed25519;
  const { Fp } = Point;
  const found = new Set([p - 1n]);
  for (let y = 2n; found.size < 5; y++) {
    let torsion = Point.ZERO;
    try {
      const point = Point.fromBytes(littleEndian(y));
      torsion = point.multiplyUnsafe(Point.Fn.ORDER - 1n).add(point);
    } catch {
      continue;
    }
    for (let point = torsion; !point.is0(); point = point.add(torsion)) {
      found.add(Fp.div(Fp.add(1n, point.y), Fp.sub(1n, point.y)));
    }
  }
  return [...found];
}

const lowOrder = lowOrderCoordinates();
const bit255 = 2n ** 255n;
/** Every 32-byte string that X25519 would decode to a u of low order. */
const lowOrderEncodings = lowOrder
  .flatMap((u) => [u, u + p].filter((value) => value < bit255))
  .flatMap((value) => [value, value + bit255]);

describe('X25519', () => {
  it('gives the products of RFC 7748 §5.2', () => {
    expect(
      toHexText(
        multiply(
          hex('a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4'),
          hex('e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c'),
        ),
      ),
    ).toBe('c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552');
    // The u of the second has bit 255 set, which the function must ignore; the door refuses it (below).
    expect(
      toHexText(
        multiply(
          hex('4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d'),
          hex('e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493'),
        ),
      ),
    ).toBe('95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957');
  });

  it('gives the iterations of RFC 7748 §5.2', () => {
    let scalar = littleEndian(9n);
    let u = littleEndian(9n);
    for (let round = 1; round <= 1000; round++) {
      [scalar, u] = [multiply(scalar, u), scalar];
      if (round === 1) {
        expect(toHexText(scalar)).toBe('422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079');
      }
    }
    expect(toHexText(scalar)).toBe('684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51');
  });

  it('gives the exchange of RFC 7748 §6.1', () => {
    const alice = keyPairOf(hex('77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a') as X25519SecretKey);
    const bob = keyPairOf(hex('5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb') as X25519SecretKey);
    const secret = '4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742';
    expect(toHexText(alice.publicKey)).toBe('8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a');
    expect(toHexText(bob.publicKey)).toBe('de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f');
    expect(toHexText(sharedSecret(alice.secretKey, bob.publicKey))).toBe(secret);
    expect(toHexText(sharedSecret(bob.secretKey, alice.publicKey))).toBe(secret);
  });

  it.each(libchat.x25519)("agrees with libchat's x25519-dalek on $public", (vector) => {
    const own = keyPairOf(hex(vector.secret) as X25519SecretKey);
    const peer = keyPairOf(hex(vector.peer_secret) as X25519SecretKey);
    expect(toHexText(own.publicKey)).toBe(vector.public);
    expect(toHexText(peer.publicKey)).toBe(vector.peer_public);
    expect(toHexText(sharedSecret(own.secretKey, readPublicKey(peer.publicKey, 'peer')))).toBe(vector.shared);
    expect(toHexText(sharedSecret(peer.secretKey, readPublicKey(own.publicKey, 'own')))).toBe(vector.shared);
  });

  it.each(libchat.x25519_special)('refuses what libchat accepts: $public', (vector) => {
    expectWeakKey(() => readPublicKey(hex(vector.public), 'key'), 'key', vector.note);
    if (vector.shared === '00'.repeat(32)) {
      expectWeakKey(() => multiply(hex(vector.secret), hex(vector.public)), 'public key', vector.note);
    } else {
      expect(toHexText(multiply(hex(vector.secret), hex(vector.public)))).toBe(vector.shared);
    }
  });

  it('agrees with noble on random keys', () => {
    fc.assert(
      fc.property(anyKey, anyKey, (own, other) => {
        const pair = keyPairOf(shifted(own) as X25519SecretKey);
        expect(toHexText(pair.publicKey)).toBe(toHexText(x25519.getPublicKey(own)));
        expect(toHexText(multiply(shifted(own), shifted(other)))).toBe(toHexText(x25519.getSharedSecret(own, other)));
      }),
      { numRuns: 300, examples: [[new Uint8Array(32), littleEndian(9n)]] },
    );
  });

  it('agrees with noble on edge keys', () => {
    const scalars = [0n, 1n, 7n, 8n, 2n ** 254n, bit255 - 1n, bit255, 2n ** 256n - 1n, ed25519.Point.Fn.ORDER];
    const coordinates = [
      ...[2n, 3n, 4n, 9n, 2n ** 51n, 2n ** 102n, 2n ** 254n, p - 2n, p - 3n, p - 9n, (p - 1n) / 2n],
      ...lowOrder.flatMap((u) => [u - 1n, u + 1n]).filter((u) => u > 0n && u < p && !lowOrder.includes(u)),
    ];
    for (const scalar of scalars) {
      for (const u of coordinates) {
        const expected = x25519.getSharedSecret(littleEndian(scalar), littleEndian(u));
        expect(toHexText(multiply(littleEndian(scalar), littleEndian(u)))).toBe(toHexText(expected));
      }
    }
  });

  it('clamps: the bits that RFC 7748 §5 overwrites do not count', () => {
    fc.assert(
      fc.property(anyKey, fc.integer({ min: 0, max: 7 }), fc.integer({ min: 0, max: 3 }), (secret, low, high) => {
        const other = Uint8Array.from(secret);
        other[0] = ((other[0] ?? 0) & 0xf8) | low;
        other[31] = ((other[31] ?? 0) & 0x3f) | (high << 6);
        const pair = keyPairOf(other as X25519SecretKey);
        expect(pair.publicKey).toEqual(keyPairOf(secret as X25519SecretKey).publicKey);
        expect(pair.secretKey).toBe(other);
      }),
      { numRuns: 50 },
    );
  });

  it('gives plain byte arrays of their own memory', () => {
    const pair = keyPairOf(littleEndian(5n) as X25519SecretKey);
    for (const bytes of [pair.publicKey, sharedSecret(pair.secretKey, pair.publicKey)]) {
      expect(bytes.constructor).toBe(Uint8Array);
      expect(bytes.buffer.byteLength).toBe(32);
    }
  });

  it('makes a key pair of the 32 bytes that the random source gives', () => {
    const asked: number[] = [];
    const pair = generateKeyPair((length) => {
      asked.push(length);
      return new Uint8Array(length).fill(0x42);
    });
    expect(asked).toEqual([32]);
    expect(pair.secretKey).toEqual(new Uint8Array(32).fill(0x42));
    expect(toHexText(pair.publicKey)).toBe(toHexText(x25519.getPublicKey(new Uint8Array(32).fill(0x42))));
  });

  it('makes a fresh pair and agrees with it in one, as the two do by themselves', () => {
    fc.assert(
      fc.property(anyKey, anyKey, (own, other) => {
        const remote = keyPairOf(other as X25519SecretKey).publicKey;
        const { pair, secret } = agreeAfresh((length) => own.slice(0, length), remote);
        expect(pair).toEqual(keyPairOf(own as X25519SecretKey));
        expect(secret).toEqual(sharedSecret(pair.secretKey, remote));
      }),
      { numRuns: 50 },
    );
    for (const value of lowOrderEncodings) {
      const weak = littleEndian(value) as X25519PublicKey;
      expectWeakKey(() => agreeAfresh(() => littleEndian(5n), weak), 'public key', toHexText(weak));
    }
  });

  it('makes public keys that its own door admits, and two sides agree', () => {
    fc.assert(
      fc.property(anyKey, anyKey, (one, two) => {
        const [alice, bob] = [keyPairOf(one as X25519SecretKey), keyPairOf(two as X25519SecretKey)];
        expect(sharedSecret(alice.secretKey, readPublicKey(bob.publicKey, 'bob'))).toEqual(
          sharedSecret(bob.secretKey, readPublicKey(alice.publicKey, 'alice')),
        );
      }),
      { numRuns: 50 },
    );
  });
});

describe('readPublicKey', () => {
  it('knows that there are five coordinates of low order', () => {
    expect(lowOrder.map((u) => toHexText(littleEndian(u))).sort()).toEqual(
      [
        '0000000000000000000000000000000000000000000000000000000000000000',
        '0100000000000000000000000000000000000000000000000000000000000000',
        '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
        'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
        'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
      ].sort(),
    );
  });

  it('refuses every encoding of a coordinate of low order, and so do both implementations of X25519', () => {
    expect(lowOrderEncodings).toHaveLength(14);
    for (const value of lowOrderEncodings) {
      const bytes = littleEndian(value);
      const about = toHexText(bytes);
      expectWeakKey(() => readPublicKey(bytes, 'prekey'), 'prekey', about);
      for (const secret of [littleEndian(0n), new Uint8Array(32).fill(0xff), littleEndian(0x1234567890n)]) {
        expectWeakKey(() => multiply(secret, bytes), 'public key', about);
        expect(() => x25519.getSharedSecret(secret, bytes), about).toThrow();
      }
    }
  });

  it('refuses the list of cr.yp.to/ecdh.html: low order modulo p, up to 2^256', () => {
    const [e0 = 0n, f5 = 0n] = lowOrder.filter((u) => u > 1n && u < p - 1n);
    for (const value of [0n, 1n, e0, f5, p - 1n, p, p + 1n, p + e0, p + f5, 2n * p - 1n, 2n * p, 2n * p + 1n]) {
      expectWeakKey(() => readPublicKey(littleEndian(value), 'key'), 'key', value.toString());
    }
  });

  it('refuses every value from p to 2^255 - 1, with bit 255 clear and set', () => {
    for (let value = p; value < bit255; value++) {
      expectWeakKey(() => readPublicKey(littleEndian(value), 'key'), 'key', `p + ${value - p}`);
      expectWeakKey(() => readPublicKey(littleEndian(value + bit255), 'key'), 'key', `p + ${value - p}, bit 255`);
    }
  });

  it('admits the values just below p, but for p - 1, which is of low order', () => {
    for (let value = p - 300n; value < p - 1n; value++) {
      const bytes = littleEndian(value);
      expect(readPublicKey(bytes, 'key')).toBe(bytes);
    }
  });

  it('admits values that differ from p and above in any one byte', () => {
    for (let index = 1; index < 31; index++) {
      const bytes = new Uint8Array(32).fill(0xff);
      bytes[31] = 0x7f;
      bytes[index] = 0xfe;
      expect(readPublicKey(bytes, 'key')).toBe(bytes);
    }
  });

  it('admits exactly the canonical values that are not of low order', () => {
    const anyValue = fc.oneof(
      fc.bigInt({ min: 0n, max: 2n ** 256n - 1n }),
      fc.bigInt({ min: p - 40n, max: p + 40n }),
      fc.bigInt({ min: 0n, max: 40n }),
      fc
        .tuple(fc.constantFrom(...lowOrder), fc.bigInt({ min: -2n, max: 2n }))
        .map(([u, d]) => (u + d < 0n ? u : u + d)),
    );
    fc.assert(
      fc.property(anyValue, (value) => {
        const bytes = shifted(littleEndian(value));
        if (value < p && !lowOrder.includes(value)) expect(readPublicKey(bytes, 'key')).toBe(bytes);
        else expectWeakKey(() => readPublicKey(bytes, 'key'), 'key', value.toString(16));
      }),
      { numRuns: 2000 },
    );
  });

  it('refuses bit 255 on any key', () => {
    fc.assert(
      fc.property(anyKey, (key) => {
        key[31] = (key[31] ?? 0) | 0x80;
        expectWeakKey(() => readPublicKey(key, 'key'), 'key', toHexText(key));
      }),
    );
  });

  it('refuses every length but 32', () => {
    for (let length = 0; length <= 96; length++) {
      const bytes = new Uint8Array(length).fill(0x55);
      if (length === 32) expect(readPublicKey(bytes, 'key')).toBe(bytes);
      else expectWeakKey(() => readPublicKey(bytes, 'key'), 'key', `${length} bytes`);
    }
  });
});
