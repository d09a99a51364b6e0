import { createHash } from 'node:crypto';
import { ed25519 } from '@noble/curves/ed25519.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type IdentityKey,
  type IdentitySeed,
  identityKeyOf,
  keyPairOf,
  readIdentityKey,
  readPublicKey,
  sharedSecret,
  sign,
  toX25519PublicKey,
  toX25519SecretKey,
  utf8,
  verify,
} from '../../src/primitives/index.ts';
import vectors from '../vectors/ed25519.json' with { type: 'json' };
import { hex, littleEndian, shifted, toHexText } from './hex.ts';
import { expectWeakKey } from './weak-key.ts';

const { Point } = ed25519;
type Point = InstanceType<typeof Point>;

const p = 2n ** 255n - 19n;
const L = Point.Fn.ORDER;
const signBit = 2n ** 255n;
const anySeed = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => bytes as IdentitySeed);
const anyMessage = fc.uint8Array({ maxLength: 200 });

const seed = new Uint8Array(32).fill(7) as IdentitySeed;
const honest = identityKeyOf(seed);
const message = utf8('pawl/1 invite');

/** The eight points of small order, the identity first: the multiples of one of order 8. */
const torsion = ((): Point[] => {
  for (let y = 2n; ; y++) {
    try {
      const point = Point.fromBytes(littleEndian(y));
      const part = point.multiplyUnsafe(L - 1n).add(point);
      if (part.double().double().is0()) continue;
      const points = [Point.ZERO];
      for (let multiple = part; !multiple.is0(); multiple = multiple.add(part)) points.push(multiple);
      return points;
    } catch {
      // Not the y of a point.
    }
  }
})();

function fromLittleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${toHexText(Uint8Array.from(bytes).reverse())}`);
}

/** A signature by the owner of `seed` with the R that is asked for: r·B + part, written as `encoded`. */
function signedWith(r: bigint, part: Point, encoded?: Uint8Array): Uint8Array {
  const R = encoded ?? (r === 0n ? part : Point.BASE.multiply(r).add(part)).toBytes();
  const { scalar } = ed25519.utils.getExtendedPublicKey(seed);
  const k = fromLittleEndian(createHash('sha512').update(R).update(honest).update(message).digest()) % L;
  return new Uint8Array([...R, ...littleEndian((r + k * scalar) % L)]);
}

function passesZip215(key: Uint8Array, signature: Uint8Array): boolean {
  return ed25519.verify(signature, message, key, { zip215: true });
}

describe('Ed25519', () => {
  it.each(vectors.rfc8032)('gives RFC 8032 §7.1 $name', (vector) => {
    const own = hex(vector.seed) as IdentitySeed;
    const text = hex(vector.message);
    expect(toHexText(identityKeyOf(own))).toBe(vector.publicKey);
    expect(toHexText(sign(own, text))).toBe(vector.signature);
    const key = readIdentityKey(hex(vector.publicKey), 'identity key');
    expect(verify(key, text, hex(vector.signature))).toBe(true);
    expect(verify(key, new Uint8Array([...text, 0]), hex(vector.signature))).toBe(false);
  });

  it('makes the keys and signatures that noble makes, byte for byte, and each verifies the other', () => {
    fc.assert(
      fc.property(anySeed, anyMessage, (own, text) => {
        const key = identityKeyOf(shifted(own) as IdentitySeed);
        expect(toHexText(key)).toBe(toHexText(ed25519.getPublicKey(own)));
        const signature = sign(shifted(own) as IdentitySeed, shifted(text));
        expect(toHexText(signature)).toBe(toHexText(ed25519.sign(text, own)));
        expect(ed25519.verify(signature, text, key, { zip215: false })).toBe(true);
        expect(verify(shifted(key) as IdentityKey, shifted(text), shifted(signature))).toBe(true);
      }),
      { numRuns: 50 },
    );
  });
});

describe('verify', () => {
  const signature = sign(seed, message);

  it('refuses a signature with any bit flipped', () => {
    for (let bit = 0; bit < 512; bit++) {
      const altered = Uint8Array.from(signature);
      altered[bit >> 3] = (altered[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(verify(honest, message, altered), `bit ${bit}`).toBe(false);
    }
  });

  it('refuses another message and another key', () => {
    expect(verify(honest, utf8('pawl/1 invitE'), signature)).toBe(false);
    expect(verify(honest, new Uint8Array(0), signature)).toBe(false);
    expect(verify(identityKeyOf(new Uint8Array(32) as IdentitySeed), message, signature)).toBe(false);
  });

  it('refuses S of L and above: no second signature is made from a first', () => {
    const S = fromLittleEndian(signature.subarray(32));
    for (let multiple = 1n; S + multiple * L < 2n ** 256n; multiple++) {
      const malleated = new Uint8Array([...signature.subarray(0, 32), ...littleEndian(S + multiple * L)]);
      expect(verify(honest, message, malleated), `S + ${multiple} L`).toBe(false);
    }
    for (const scalar of [L, L + 1n, 2n ** 253n, 2n ** 255n - 1n, 2n ** 256n - 1n]) {
      const out = new Uint8Array([...signature.subarray(0, 32), ...littleEndian(scalar)]);
      expect(verify(honest, message, out)).toBe(false);
    }
  });

  it('refuses keys of small order', () => {
    // With S = 0 and R = A, the equation [8][S]B = [8]R + [8][k]A holds for every message.
    for (const point of torsion) {
      const A = point.toBytes();
      const forged = new Uint8Array([...A, ...littleEndian(0n)]);
      expect(passesZip215(A, forged)).toBe(true);
      expect(verify(A as IdentityKey, message, forged), toHexText(A)).toBe(false);
      // And so it does with any honest r: R = rB, S = r.
      const [r, R] = [5n, Point.BASE.multiply(5n).toBytes()];
      const other = new Uint8Array([...R, ...littleEndian(r)]);
      expect(passesZip215(A, other)).toBe(true);
      expect(verify(A as IdentityKey, message, other), toHexText(A)).toBe(false);
    }
  });

  it('refuses R of small order, even from the owner of the key', () => {
    for (const [index, point] of torsion.entries()) {
      const odd = signedWith(0n, point);
      expect(passesZip215(honest, odd)).toBe(true);
      expect(verify(honest, message, odd), `R of small order, ${index}`).toBe(false);
    }
  });

  it('refuses R with a torsion part, even from the owner of the key', () => {
    expect(verify(honest, message, signedWith(5n, Point.ZERO))).toBe(true);
    for (const [index, point] of torsion.entries()) {
      if (index === 0) continue;
      const odd = signedWith(5n, point);
      expect(passesZip215(honest, odd)).toBe(true);
      expect(verify(honest, message, odd), `R = 5B + T, ${index}`).toBe(false);
    }
  });

  it('refuses R that is not canonical, even from the owner of the key', () => {
    let decodable = 0;
    for (let y = p; y < signBit; y++) {
      for (const encoded of [littleEndian(y), littleEndian(y + signBit)]) {
        try {
          Point.fromBytes(encoded, true);
          decodable++;
        } catch {
          continue;
        }
        expect(verify(honest, message, signedWith(0n, Point.ZERO, encoded)), toHexText(encoded)).toBe(false);
      }
    }
    expect(decodable).toBeGreaterThan(10);
    const negativeZero = littleEndian(1n + signBit);
    expect(passesZip215(honest, signedWith(0n, Point.ZERO, negativeZero))).toBe(true);
    expect(verify(honest, message, signedWith(0n, Point.ZERO, negativeZero))).toBe(false);
  });

  it.each(vectors.speccheck.map((vector, index) => ({ name: `${index}`, ...vector })))(
    'with the door to identities, refuses case $name of ed25519-speccheck',
    (vector) => {
      const admitted = (): boolean => {
        const key = readIdentityKey(hex(vector.pub_key), 'identity key');
        return verify(key, hex(vector.message), hex(vector.signature));
      };
      // Only the key of 9 and 10 (S of L and above) is of prime order.
      if (vector.name === '9' || vector.name === '10') expect(admitted()).toBe(false);
      else expectWeakKey(admitted, 'identity key', vector.pub_key);
    },
  );

  it('refuses by itself, without that door, small keys, S of L and above and what is not canonical', () => {
    const refused = [0, 1, 2, 3, 9, 10, 11, 12, 13, 14];
    const accepted = vectors.speccheck.flatMap((vector, index) =>
      verify(hex(vector.pub_key) as IdentityKey, hex(vector.message), hex(vector.signature)) ? [index] : [],
    );
    expect(accepted.filter((index) => refused.includes(index))).toEqual([]);
  });

  it('gives false, and throws nothing, at every other length of signature and key', () => {
    for (let length = 0; length <= 130; length++) {
      const wrong = new Uint8Array(length);
      wrong.set(signature.subarray(0, length));
      if (length !== 64) expect(verify(honest, message, wrong), `signature of ${length}`).toBe(false);
      if (length === 32) continue;
      const key = new Uint8Array(length);
      key.set(honest.subarray(0, length));
      expect(verify(key as IdentityKey, message, signature), `key of ${length}`).toBe(false);
    }
  });

  it('gives false, and throws nothing, on anything', () => {
    const anything = fc.uint8Array({ maxLength: 80 });
    fc.assert(
      fc.property(anything, anyMessage, anything, (key, text, junk) => {
        expect(verify(key as IdentityKey, text, junk)).toBe(false);
        expect(verify(honest, text, junk)).toBe(false);
      }),
    );
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 64, maxLength: 64 }), (junk) => {
        expect(verify(honest, message, junk)).toBe(false);
      }),
    );
  });
});

describe('readIdentityKey', () => {
  const read = (bytes: Uint8Array) => () => readIdentityKey(bytes, 'identity key of the invite');
  const refuse = (bytes: Uint8Array) => expectWeakKey(read(bytes), 'identity key of the invite', toHexText(bytes));

  it('admits honest keys, and gives the same bytes', () => {
    fc.assert(
      fc.property(anySeed, (own) => {
        const key = identityKeyOf(own);
        expect(readIdentityKey(key, 'key')).toBe(key);
        expect(readIdentityKey(shifted(key), 'key')).toEqual(key);
      }),
      { numRuns: 50 },
    );
  });

  it('refuses the eight points of small order, the identity among them', () => {
    const encodings = torsion.map((point) => toHexText(point.toBytes()));
    expect(new Set(encodings).size).toBe(8);
    // Two of them as ed25519-speccheck writes them: order 8, and order 2 (y = -1).
    expect(encodings).toContain('c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa');
    expect(encodings).toContain('ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f');
    expect(encodings[0]).toBe(`01${'00'.repeat(31)}`);
    for (const encoding of encodings) refuse(hex(encoding));
  });

  it('refuses points with a torsion part', () => {
    fc.assert(
      fc.property(anySeed, fc.integer({ min: 1, max: 7 }), (own, index) => {
        const key = identityKeyOf(own);
        const point = Point.fromBytes(key).add(torsion[index] ?? Point.ZERO);
        expect(toHexText(point.toBytes())).not.toBe(toHexText(key));
        refuse(point.toBytes());
      }),
      { numRuns: 40 },
    );
    for (const point of torsion.slice(1)) refuse(Point.BASE.add(point).toBytes());
  });

  it('refuses every y of p and above, with either sign', () => {
    for (let y = p; y < signBit; y++) {
      refuse(littleEndian(y));
      refuse(littleEndian(y + signBit));
    }
  });

  it('refuses x = 0 with the sign bit', () => {
    refuse(littleEndian(1n + signBit));
    refuse(littleEndian(p - 1n + signBit));
  });

  it('refuses every y that is no point', () => {
    const { Fp } = Point;
    const d = Fp.div(Fp.neg(121_665n), 121_666n);
    let seen = 0;
    for (let y = 2n; y < 60n; y++) {
      const square = Fp.div(Fp.sub(y * y, 1n), Fp.add(Fp.mul(d, y * y), 1n));
      if (Fp.pow(square, (p - 1n) / 2n) === 1n) continue;
      seen++;
      refuse(littleEndian(y));
      refuse(littleEndian(y + signBit));
    }
    expect(seen).toBeGreaterThan(15);
  });

  it('admits the other sign of an honest key: it is a key too', () => {
    const negated = Uint8Array.from(honest);
    negated[31] = (negated[31] ?? 0) ^ 0x80;
    expect(readIdentityKey(negated, 'key')).toEqual(Point.fromBytes(honest).negate().toBytes());
  });

  it('refuses every length but 32', () => {
    for (let length = 0; length <= 96; length++) {
      const bytes = new Uint8Array(length);
      bytes.set(honest.subarray(0, length));
      if (length !== 32) refuse(bytes);
    }
  });

  it('throws nothing but weak-key, on anything', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 30, maxLength: 34 }), (bytes) => {
        try {
          expect(readIdentityKey(bytes, 'key')).toBe(bytes);
        } catch {
          expectWeakKey(() => readIdentityKey(bytes, 'key'), 'key', toHexText(bytes));
        }
      }),
    );
  });
});

describe('the X25519 form of an identity', () => {
  it('is one key pair: the public key of the secret form is the form of the public key', () => {
    fc.assert(
      fc.property(anySeed, (own) => {
        const publicKey = toX25519PublicKey(identityKeyOf(own));
        expect(toHexText(keyPairOf(toX25519SecretKey(own)).publicKey)).toBe(toHexText(publicKey));
        expect(readPublicKey(publicKey, 'key')).toBe(publicKey);
      }),
      { numRuns: 50 },
    );
  });

  it('is the map of RFC 7748 §4.1, u = (1 + y) / (1 - y)', () => {
    const { Fp } = Point;
    const y = fromLittleEndian(honest) & (signBit - 1n);
    expect(fromLittleEndian(toX25519PublicKey(honest))).toBe(Fp.div(Fp.add(1n, y), Fp.sub(1n, y)));
  });

  it('is the scalar of RFC 8032 §5.1.5, the first half of SHA-512 of the seed', () => {
    fc.assert(
      fc.property(anySeed, (any) => {
        const hash = createHash('sha512').update(any).digest().subarray(0, 32);
        hash[0] = (hash[0] ?? 0) & 0xf8;
        hash[31] = ((hash[31] ?? 0) & 0x7f) | 0x40;
        expect(toHexText(toX25519SecretKey(any))).toBe(hash.toString('hex'));
        expect(toX25519SecretKey(any)).toEqual(ed25519.utils.toMontgomerySecret(any));
      }),
      { numRuns: 50 },
    );
  });

  it('agrees on one secret from both sides', () => {
    const bob = new Uint8Array(32).fill(8) as IdentitySeed;
    expect(sharedSecret(toX25519SecretKey(seed), toX25519PublicKey(identityKeyOf(bob)))).toEqual(
      sharedSecret(toX25519SecretKey(bob), toX25519PublicKey(honest)),
    );
  });
});
