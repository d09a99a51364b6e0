import { createHash } from 'node:crypto';
import { ed25519 } from '@noble/curves/ed25519.js';
import { inviteId, type OwnIdentity, readInvite } from '../../../../src/handshake/index.ts';
import { concat, sign, toHex, uint64, utf8 } from '../../../../src/primitives/index.ts';
import { littleEndian, toHexText } from '../../../primitives/hex.ts';
import { joined, type Named, slice } from '../../bytes.ts';
import type { Bytes, Part, Vectors } from '../../format.ts';
import { expectRefusal } from '../../refused.ts';
import type { Names } from '../names.ts';
import { firstCoefficient, ORDER_8, WITH_TORSION } from './public-keys.ts';

const { Point } = ed25519;
const L = Point.Fn.ORDER;
const SIGNED = utf8('pawl/1 invite');
const SIGNATURE = 1257;

/** Invites as `add` reads them, and what it refuses of them before it looks at the time (docs/PROTOCOL.md §3). */
export function invites(names: Names, maker: OwnIdentity, base: Named): Vectors['invites'] {
  /** The base invite with other bytes in one place, and a signature that fits. */
  const signed = (at: number, bytes: Uint8Array | string): Bytes => {
    const put = typeof bytes === 'string' ? bytes : toHex(bytes);
    const fields: Part[] = [...slice(base, 0, at), put, ...slice(base, at + put.length / 2, SIGNATURE)];
    return [...fields, toHex(sign(maker.seed, concat(SIGNED, joined(fields, names.bytes))))];
  };
  /** The base invite with another signature. */
  const withSignature = (other: Uint8Array): Bytes => [...slice(base, 0, SIGNATURE), toHex(other)];
  const fields = base.bytes.subarray(0, SIGNATURE);
  /** A signature whose R is r B + part: it fits, by the equation that has a cofactor. */
  const signedWith = (r: bigint, part = Point.ZERO): Uint8Array => {
    const R = (r === 0n ? part : Point.BASE.multiply(r).add(part)).toBytes();
    const hash = createHash('sha512').update(R).update(maker.key).update(SIGNED).update(fields).digest();
    const { scalar } = ed25519.utils.getExtendedPublicKey(maker.seed);
    return concat(R, littleEndian((r + (fromLittleEndian(hash) % L) * scalar) % L));
  };
  const signature = base.bytes.subarray(SIGNATURE);
  const tooLargeS = concat(signature.subarray(0, 32), littleEndian(fromLittleEndian(signature.subarray(32)) + L));

  const read: readonly Bytes[] = [
    slice(base, 0, base.bytes.length),
    signed(0, '01'),
    signed(1249, uint64(8.64e12)),
    withSignature(signedWith(5n)),
  ];
  const refused = [
    ['a byte is missing', 'corrupt', slice(base, 0, base.bytes.length - 1)],
    ['a byte follows', 'corrupt', [...slice(base, 0, base.bytes.length), '00']],
    ['an unknown flag', 'corrupt', signed(0, '02')],
    ['an unknown flag, and a signature that does not fit', 'corrupt', ['02', ...slice(base, 1, base.bytes.length)]],
    ['the expiry is 8.64 × 10^12 + 1', 'corrupt', signed(1249, uint64(8.64e12 + 1))],
    ['the identity is of order 8', 'weak-key', signed(1, ORDER_8.toBytes())],
    ['the identity has a torsion part', 'weak-key', signed(1, WITH_TORSION.toBytes())],
    ['another identity than that of the signature', 'bad-signature', signed(1, Point.BASE.toBytes())],
    ['a bit of R is flipped', 'bad-signature', withSignature(xor(signature, 0))],
    ['a bit of S is flipped', 'bad-signature', withSignature(xor(signature, 32))],
    ['S is not below the group order', 'bad-signature', withSignature(tooLargeS)],
    ['R is the identity point', 'bad-signature', withSignature(signedWith(0n))],
    ['R is of order 8, and fits with a cofactor', 'bad-signature', withSignature(signedWith(0n, ORDER_8))],
    ['R has a torsion part, and fits with a cofactor', 'bad-signature', withSignature(signedWith(5n, ORDER_8))],
    ['the prekey is 1', 'weak-key', signed(33, littleEndian(1n))],
    ['the prekey is p', 'weak-key', signed(33, littleEndian(2n ** 255n - 19n))],
    ['the first coefficient of the KEM key is 3,329', 'weak-key', signed(65, firstCoefficient(base, 3329))],
    [
      'a weak prekey, and a signature that does not fit',
      'bad-signature',
      [...slice(base, 0, 33), ['00', 32], ...slice(base, 65, base.bytes.length)],
    ],
  ] as const satisfies readonly (readonly [string, string, Bytes])[];

  for (const [why, code, bytes] of refused) expectRefusal(why, code, () => readInvite(joined(bytes, names.bytes)));
  return {
    maker: toHex(maker.seed),
    read: read.map((bytes) => {
      const invite = readInvite(joined(bytes, names.bytes));
      const { reusable, identity, prekey, expiresAt } = invite;
      const id = toHex(inviteId(invite.bytes));
      return { bytes, id, reusable, identity: toHex(identity), prekey: toHex(prekey), expires: expiresAt / 1_000 };
    }),
    refused: refused.map(([why, code, bytes]) => ({ why, code, bytes })),
  };
}

function xor(bytes: Uint8Array, at: number): Uint8Array {
  return bytes.with(at, (bytes[at] ?? 0) ^ 1);
}

function fromLittleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${toHexText(Uint8Array.from(bytes).reverse())}`);
}
