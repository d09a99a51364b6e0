import { createHash } from 'node:crypto';
import { ed25519 } from '@noble/curves/ed25519.js';
import { describe, expect, it } from 'vitest';
import { createInvite, INVITE_LENGTH, inviteId, LATEST_TIME, readInvite } from '../../src/handshake/index.ts';
import { concat, decapsulate, digest, encapsulate, keyPairOf, sign, uint64, utf8 } from '../../src/primitives/index.ts';
import { hex, littleEndian } from '../primitives/hex.ts';
import { flipped, refusal, repeatable } from '../ratchet/party.ts';
import { alice, bob, EXPIRES, fieldsOf, inviteOf, joinedFields, signedInvite } from './people.ts';

const { invite } = inviteOf(bob);
const fields = fieldsOf(invite);
const SIGNATURE = 1257;
const codeOf = (bytes: Uint8Array): string => refusal(() => readInvite(bytes)).code;

describe('an invite', () => {
  it.each([false, true])('is read as it was made, reusable: %s', (reusable) => {
    const { invite: made } = inviteOf(bob, 'invite', reusable);
    expect(made.bytes).toHaveLength(1321);
    expect(INVITE_LENGTH).toBe(1321);
    expect(readInvite(made.bytes)).toEqual(made);
    expect(made).toMatchObject({ reusable, identity: bob.key, expiresAt: EXPIRES });
  });

  it('is laid out and signed as the protocol says', () => {
    const expected = concat(Uint8Array.of(0), bob.key, invite.prekey, invite.encapsulationKey, hex('000000006b49d200'));
    expect(joinedFields(fields)).toEqual(expected);
    expect(invite.bytes).toEqual(concat(expected, sign(bob.seed, concat(utf8('pawl/1 invite'), expected))));
    expect(signedInvite(bob, fields)).toEqual(invite.bytes);
    expect(fieldsOf(inviteOf(bob, 'invite', true).invite).flags).toEqual(Uint8Array.of(1));
  });

  it('has secrets that belong to it', () => {
    const { secrets } = inviteOf(bob).answered;
    expect(keyPairOf(secrets.prekey.secretKey).publicKey).toEqual(invite.prekey);
    const { ciphertext, secret } = encapsulate(invite.encapsulationKey, repeatable('kem'));
    expect(decapsulate(secrets.kemSeed, ciphertext)).toEqual(secret);
  });

  it('expires on a whole second: the wire has no fractions', () => {
    const options = { reusable: false, expiresAt: EXPIRES + 999 };
    const { invite: made } = createInvite(bob, options, repeatable('rounded'));
    expect(made.expiresAt).toBe(EXPIRES);
    expect(readInvite(made.bytes)).toEqual(made);
  });

  it('has an id, and fresh keys, of its own', () => {
    const random = repeatable('random');
    const [one, two] = [1, 2].map(() => createInvite(bob, { reusable: false, expiresAt: EXPIRES }, random).invite);
    expect(one?.prekey).not.toEqual(two?.prekey);
    expect(one?.encapsulationKey).not.toEqual(two?.encapsulationKey);
    expect(inviteId(invite.bytes)).toEqual(digest(16, invite.bytes));
  });

  it('is read from the middle of a larger buffer', () => {
    const larger = concat(new Uint8Array(5), invite.bytes, new Uint8Array(5));
    expect(readInvite(larger.subarray(5, -5))).toEqual(invite);
  });
});

describe('an altered invite', () => {
  it('is refused with a bit of any byte flipped', () => {
    const codes = Array.from(invite.bytes, (_, position) =>
      codeOf(flipped(invite.bytes, 8 * position + (position % 8))),
    );
    const [flags, identity, prekey, encapsulationKey, expires, signature] = [
      codes.slice(0, 1),
      codes.slice(1, 33),
      codes.slice(33, 65),
      codes.slice(65, 1249),
      codes.slice(1249, SIGNATURE),
      codes.slice(SIGNATURE),
    ].map((part) => [...new Set(part)].sort());
    expect(codes).toHaveLength(INVITE_LENGTH);
    expect(flags).toEqual(['bad-signature']);
    // Half of all byte strings are no point of the curve, and hardly any other is of prime order.
    expect(identity).toEqual(['bad-signature', 'weak-key']);
    expect(prekey).toEqual(['bad-signature']);
    expect(encapsulationKey).toEqual(['bad-signature']);
    expect(expires).toEqual(['bad-signature', 'corrupt']);
    expect(signature).toEqual(['bad-signature']);
  }, 120_000);

  it('is refused with any bit of its flags or its expiry flipped', () => {
    const codes = (from: number, to: number) =>
      Array.from({ length: 8 * (to - from) }, (_, bit) => codeOf(flipped(invite.bytes, 8 * from + bit)));
    expect(codes(0, 1)).toEqual(['bad-signature', ...Array(7).fill('corrupt')]);
    expect(new Set(codes(1249, SIGNATURE))).toEqual(new Set(['bad-signature', 'corrupt']));
  });

  it.each([0, 1, 65, 1256, 1257, 1320, 1322, 2 * 1321])('is refused when it is %i bytes long', (length) => {
    const error = refusal(() => readInvite(concat(invite.bytes, invite.bytes).subarray(0, length)));
    expect(error).toMatchObject({ code: 'corrupt', detail: { what: 'invite' } });
  });
});

describe('an invite that is correctly signed', () => {
  const signedWith = (changed: Partial<typeof fields>) => signedInvite(bob, { ...fields, ...changed });

  it.each([2, 3, 4, 128, 255])('is refused with flags that are unknown: %i', (flags) => {
    expect(codeOf(signedWith({ flags: Uint8Array.of(flags) }))).toBe('corrupt');
  });

  it.each([0, 1_000, EXPIRES, LATEST_TIME])('is read with an expiry of %i milliseconds', (expiresAt) => {
    expect(readInvite(signedWith({ expires: uint64(expiresAt / 1_000) })).expiresAt).toBe(expiresAt);
  });

  it.each(['000007dba8218001', '0001000000000000', '7fffffffffffffff', 'ffffffffffffffff'])(
    'is refused with an expiry that no date can name: %s',
    (expires) => {
      expect(BigInt(`0x${expires}`)).toBeGreaterThan(LATEST_TIME / 1_000);
      expect(codeOf(signedWith({ expires: hex(expires) }))).toBe('corrupt');
    },
  );

  it.each([
    ['0', '0000000000000000000000000000000000000000000000000000000000000000'],
    ['1', '0100000000000000000000000000000000000000000000000000000000000000'],
    ['p - 1', 'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f'],
    ['of order 8', 'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800'],
    ['of order 8 too', '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157'],
    ['p, not canonical', 'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f'],
    ['9 with bit 255 set, not canonical', '0900000000000000000000000000000000000000000000000000000000000080'],
  ])('is refused with a weak prekey: %s', (_what, prekey) => {
    const error = refusal(() => readInvite(signedWith({ prekey: hex(prekey) })));
    expect(error).toMatchObject({ code: 'weak-key', detail: { what: 'prekey of the invite' } });
  });

  it.each([
    ['the first', 0],
    ['the last', 1149],
  ])('is refused with a KEM key whose modulus overflows in %s coefficients', (_which, at) => {
    const encapsulationKey = Uint8Array.from(fields.encapsulationKey);
    encapsulationKey.set([0xff, 0xff, 0xff], at);
    const error = refusal(() => readInvite(signedWith({ encapsulationKey })));
    expect(error).toMatchObject({ code: 'weak-key', detail: { what: 'KEM encapsulation key' } });
  });
});

describe('an invite of a weak identity', () => {
  const { Point } = ed25519;
  const torsion = Point.fromHex('c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a');
  const notCanonical = hex(`ee${'ff'.repeat(30)}7f`);

  it.each([
    ['the identity point', Point.ZERO.toBytes(), 0n],
    ['the identity point, not canonical', notCanonical, 0n],
    ['of order 2', torsion.multiplyUnsafe(4n).toBytes(), 0n],
    ['of order 4', torsion.multiplyUnsafe(2n).toBytes(), 0n],
    ['of order 8', torsion.toBytes(), 0n],
    ['with a torsion part', Point.BASE.multiply(7n).add(torsion).toBytes(), 7n],
  ])('is refused, though the signature equation holds: %s', (_what, identity, scalar) => {
    const signed = joinedFields({ ...fields, identity });
    const bytes = concat(signed, weakSignature(identity, scalar, concat(utf8('pawl/1 invite'), signed)));
    const error = refusal(() => readInvite(bytes));
    expect(error).toMatchObject({ code: 'weak-key', detail: { what: 'identity key of the invite' } });
  });

  it('is refused when it is no point of the curve', () => {
    expect(codeOf(signedInvite(bob, { ...fields, identity: littleEndian(2n) }))).toBe('weak-key');
  });

  /** A signature that lenient verifiers accept: S·B = R + k·A holds where k is a multiple of A's cofactor. */
  function weakSignature(key: Uint8Array, scalar: bigint, message: Uint8Array): Uint8Array {
    for (let nonce = 1n; ; nonce++) {
      const r = Point.BASE.multiply(nonce).toBytes();
      const k = challenge(r, key, message);
      if (k % 8n !== 0n) continue;
      const signature = concat(r, littleEndian((nonce + k * scalar) % Point.Fn.ORDER));
      expect(ed25519.verify(signature, message, key, { zip215: true })).toBe(true);
      return signature;
    }
  }
});

describe('the signature of an invite', () => {
  const signed = joinedFields(fields);
  const message = concat(utf8('pawl/1 invite'), signed);
  const [r, s] = [invite.bytes.subarray(SIGNATURE, SIGNATURE + 32), invite.bytes.subarray(SIGNATURE + 32)];
  const { ORDER } = ed25519.Point.Fn;
  const integer = (bytes: Uint8Array) => BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`);

  it.each([
    ['of somebody else', sign(alice.seed, message)],
    ['of other bytes', sign(bob.seed, concat(message, new Uint8Array(1)))],
    ['without the label', sign(bob.seed, signed)],
    ['of zeros', new Uint8Array(64)],
    ['with S + L, which some take for S', concat(r, littleEndian(integer(s) + ORDER))],
  ])('is refused: %s', (_what, signature) => {
    expect(codeOf(concat(signed, signature))).toBe('bad-signature');
  });

  it.each([
    ['the identity point', `01${'00'.repeat(31)}`],
    ['the identity point, not canonical', `ee${'ff'.repeat(30)}7f`],
    ['a point of order 8', 'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a'],
  ])('is refused where R is %s, though the signature equation holds', (_what, encoded) => {
    const weak = hex(encoded);
    const { scalar } = ed25519.utils.getExtendedPublicKey(bob.seed);
    const signature = concat(weak, littleEndian((challenge(weak, bob.key, message) * scalar) % ORDER));
    expect(ed25519.verify(signature, message, bob.key, { zip215: true })).toBe(true);
    expect(codeOf(concat(signed, signature))).toBe('bad-signature');
  });
});

/** k of RFC 8032 §5.1.7. */
function challenge(r: Uint8Array, key: Uint8Array, message: Uint8Array): bigint {
  const hash = createHash('sha512').update(r).update(key).update(message).digest();
  return BigInt(`0x${hash.reverse().toString('hex')}`) % ed25519.Point.Fn.ORDER;
}
