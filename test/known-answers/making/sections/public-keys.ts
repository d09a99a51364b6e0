import { ed25519 } from '@noble/curves/ed25519.js';
import { readEncapsulationKey, readIdentityKey, readPublicKey, toHex } from '../../../../src/primitives/index.ts';
import { littleEndian } from '../../../primitives/hex.ts';
import { joined, type Named, slice } from '../../bytes.ts';
import type { Bytes, Keys } from '../../format.ts';
import { expectRefusal } from '../../refused.ts';
import type { Names } from '../names.ts';

const { Point } = ed25519;
const p = 2n ** 255n - 19n;
const HIGH_BIT = 2n ** 255n;

/** A point of order 8 on Edwards' curve. */
export const ORDER_8 = Point.fromHex('c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a');
export const WITH_TORSION = Point.BASE.multiply(7n).add(ORDER_8);
const KEM_KEY = 65;

type Row = readonly [why: string, bytes: Bytes];

/** Keys from outside: which are admitted, and which are `weak-key` (docs/PROTOCOL.md §1, §2; FIPS 203 §7.2). */
export function publicKeys(names: Names, invite: Named): Keys {
  const list = (read: (bytes: Uint8Array) => unknown, admitted: readonly Row[], refused: readonly Row[]) => {
    for (const [, bytes] of admitted) read(joined(bytes, names.bytes));
    for (const [why, bytes] of refused) expectRefusal(why, 'weak-key', () => read(joined(bytes, names.bytes)));
    const told = (rows: readonly Row[]) => rows.map(([why, bytes]) => ({ why, bytes }));
    return { admitted: told(admitted), refused: told(refused) };
  };
  return {
    x25519: list(
      (bytes) => readPublicKey(bytes, 'key'),
      [
        ['the base point', number(9n)],
        ['the largest: p - 2', number(p - 2n)],
        ['on the twist', number(2n)],
        ['with a torsion part', toHex(ed25519.utils.toMontgomery(WITH_TORSION.toBytes()))],
      ],
      [
        ['0', number(0n)],
        ['1', number(1n)],
        ['of order 8', 'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800'],
        ['of order 8', '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157'],
        ['p - 1', number(p - 1n)],
        ['p', number(p)],
        ['p + 1', number(p + 1n)],
        ['p + 9: the base point in another spelling', number(p + 9n)],
        ['2^255 - 1', number(HIGH_BIT - 1n)],
        ['the base point with bit 255 set', number(HIGH_BIT + 9n)],
      ],
    ),
    identity: list(
      (bytes) => readIdentityKey(bytes, 'key'),
      [
        ['the base point', toHex(Point.BASE.toBytes())],
        ['its negative', toHex(Point.BASE.negate().toBytes())],
      ],
      [
        ['the identity point', number(1n)],
        ['the identity point with the sign of x set', number(HIGH_BIT + 1n)],
        ['of order 2', number(p - 1n)],
        ['of order 4', number(0n)],
        ['of order 8', toHex(ORDER_8.toBytes())],
        ['with a torsion part', toHex(WITH_TORSION.toBytes())],
        ['not on the curve', number(2n)],
        ['y = p + 3: 3 in another spelling', number(p + 3n)],
        ['y = p + 1: the identity point in another spelling', number(p + 1n)],
      ],
    ),
    kem: list(
      readEncapsulationKey,
      [
        ['of an invite', slice(invite, KEM_KEY, KEM_KEY + 1184)],
        [
          'its first coefficient is 3,328',
          [firstCoefficient(invite, 3328), ...slice(invite, KEM_KEY + 2, KEM_KEY + 1184)],
        ],
      ],
      [
        [
          'its first coefficient is 3,329',
          [firstCoefficient(invite, 3329), ...slice(invite, KEM_KEY + 2, KEM_KEY + 1184)],
        ],
        [
          'its last coefficient is 4,095',
          [...slice(invite, KEM_KEY, KEM_KEY + 1150), 'ffff', ...slice(invite, KEM_KEY + 1152, KEM_KEY + 1184)],
        ],
        ['all ones', [['ff', 1184]]],
      ],
    ),
  };
}

/** The first two bytes of a KEM key, of which the first 12 bits are its first coefficient. */
export function firstCoefficient({ bytes }: Named, value: number): string {
  const next = (bytes[KEM_KEY + 1] ?? 0) & 0xf0;
  return toHex(Uint8Array.of(value & 0xff, next | (value >> 8)));
}

function number(value: bigint): string {
  return toHex(littleEndian(value));
}
