/** Large inputs, each made to cost a parser time or memory. */
import { armor, encodeEnvelope } from '../src/envelope/index.ts';
import { paddedLength } from '../src/envelope/padding.ts';
import { concat, uint, utf8 } from '../src/primitives/index.ts';
import type { Dice } from './dice.ts';
import type { Office } from './office.ts';

const MIB = 2 ** 20;
/** Bytes of a message around its padded plaintext: header nonce, length, sealed header, the body's nonce and tag. */
const AROUND = 24 + 2 + 72 + 12 + 16;
const NOT_CLOSED = 9 * MIB;

/** The inputs by name. */
export async function largeInputs(dice: Dice, office: Office): Promise<ReadonlyMap<string, Uint8Array>> {
  const honest = await office.write(new Uint8Array(16 * MIB - 1).fill(97));
  const flipped = new Uint8Array(honest);
  flipped[flipped.length - 1] = (flipped.at(-1) ?? 0) ^ 1;
  const foreign = stranger(dice, paddedLength(16 * MIB));
  const block = utf8(armor(foreign));
  return new Map([
    ['one message that is not for us', stranger(dice, 256)],
    ['17 MiB of "pawl"', repeated(utf8('pawl'), 17 * MIB)],
    ['17 MiB of heads that say 4 GiB', repeated(head(0xffffffff), 17 * MIB)],
    ['17 MiB of heads that are cut short', repeated(head(NOT_CLOSED + AROUND - (NOT_CLOSED % 524_288)), 17 * MIB)],
    ['10 MB of nested heads, each whole', nested(10_000_000)],
    ['10 MB of heads in one envelope', concat(head(AROUND + 9_961_472), repeated(head(0xffffffff), 10_000_000))],
    ['10 MB of BEGIN lines', repeated(utf8('-----BEGIN PAWL MESSAGE-----\n'), 10_000_000)],
    [
      '10 MB of BEGIN and END lines',
      repeated(utf8('-----BEGIN PAWL MESSAGE-----\n-----END PAWL MESSAGE-----\n'), 10_000_000),
    ],
    [
      'a BEGIN line and 10 MB of blanks',
      concat(utf8('-----BEGIN PAWL MESSAGE-----'), repeated(utf8(' '), 10_000_000), utf8('x')),
    ],
    [
      '10 MB of quotation marks in a block',
      concat(utf8('-----BEGIN PAWL MESSAGE-----\n'), repeated(utf8('> '), 10_000_000), utf8('x')),
    ],
    ['10 MB of newlines in a block', concat(utf8('-----BEGIN PAWL MESSAGE-----\n'), repeated(utf8('\n'), 10_000_000))],
    ['a block of 23 MB that is cut short', block.subarray(0, block.length - 10)],
    [
      'a block of 23 MB in one line',
      utf8(
        Buffer.from(block)
          .toString()
          .replaceAll(/(?<![-])\n(?!-)/g, ''),
      ),
    ],
    ['10 MB of random bytes', dice.bytes(10_000_000)],
    ['100,000 small messages that are not for us', many(100_000, () => stranger(dice, 256))],
    ['5,000 small openings that are not for us', many(5_000, () => stranger(dice, 256, true))],
    ['100,000 broken messages of 20 B', repeated(concat(head(0xffffffff), dice.bytes(10)), 2_000_000)],
    ['17 MiB message that is not for us', foreign],
    ['16 MiB message, its last bit flipped', flipped],
    ['16 MiB message, good', honest],
  ]);
}

function head(length: number): Uint8Array {
  return concat(utf8('pawl'), Uint8Array.of(1, 2), uint(length, 4));
}

function repeated(unit: Uint8Array, length: number): Uint8Array {
  return new Uint8Array(Buffer.alloc(length, unit));
}

function many(count: number, make: () => Uint8Array): Uint8Array {
  return Buffer.concat(Array.from({ length: count }, make));
}

function stranger(dice: Dice, padded: number, opens = false): Uint8Array {
  const message = { headerNonce: dice.bytes(24), sealedHeader: dice.bytes(72), body: dice.bytes(28 + padded) };
  if (!opens) return encodeEnvelope({ kind: 'message', message });
  const prefix = dice.bytes(1_208);
  // Makes the key a valid one, so that the DH is computed.
  prefix[31] = 0x10;
  return encodeEnvelope({ kind: 'opening', prefix, message });
}

/** Envelope heads one after the other, each with the largest length that still ends inside the input. */
function nested(length: number): Uint8Array {
  const heads: Uint8Array[] = [];
  for (let at = 0; at + 400 < length; at += 10) heads.push(head(AROUND + largestPadded(length - at - 10 - AROUND)));
  return Buffer.concat([...heads, new Uint8Array(400)]);
}

/** The largest padded length of at most `limit` bytes. */
function largestPadded(limit: number): number {
  if (limit < 1_024) return limit < 512 ? 256 : 512;
  const exponent = 31 - Math.clz32(limit);
  const step = 2 ** (exponent - (31 - Math.clz32(exponent)) - 1);
  return Math.floor(limit / step) * step;
}
