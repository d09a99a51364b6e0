/**
 * The values of a row as bytes. Knows no tables.
 */
import { concatAll, fromUtf8, Reader, utf8 } from '../../primitives/index.ts';

/** What a column of SQLite holds. Integers are safe ones. */
export type Value = string | number | Uint8Array | null;

const NULL = 0;
const NATURAL = 1;
const NEGATIVE = 2;
const TEXT = 3;
const BYTES = 4;

/**
 * Encodes values one after the other: a byte for the type; integers as LEB128 of at most 8 bytes, negative ones as -1 - n;
 * text (UTF-8) and bytes behind their length.
 * @throws `RangeError` for a number that is no safe integer.
 */
export function encodeValues(values: readonly Value[]): Uint8Array {
  return concatAll(values.flatMap(encoded));
}

function encoded(value: Value): Uint8Array[] {
  if (value === null) return [new Uint8Array([NULL])];
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value)) throw new RangeError(`${value} is no safe integer`);
    return value < 0 ? [new Uint8Array([NEGATIVE]), leb128(-1 - value)] : [new Uint8Array([NATURAL]), leb128(value)];
  }
  const bytes = typeof value === 'string' ? utf8(value) : value;
  return [new Uint8Array([typeof value === 'string' ? TEXT : BYTES]), leb128(bytes.length), bytes];
}

/**
 * Decodes values. Every sequence of values has one encoding, and no other bytes decode to it.
 * @param fail is called for bytes that {@link encodeValues} does not make.
 */
export function decodeValues(bytes: Uint8Array, fail: () => never): Value[] {
  const reader = new Reader(bytes, fail);
  const values: Value[] = [];
  while (reader.left > 0) values.push(decoded(reader, fail));
  return values;
}

function decoded(reader: Reader, fail: () => never): Value {
  switch (reader.uint(1)) {
    case NULL:
      return null;
    case NATURAL:
      return readLeb128(reader, fail);
    case NEGATIVE: {
      const value = -1 - readLeb128(reader, fail);
      return Number.isSafeInteger(value) ? value : fail();
    }
    case TEXT:
      return fromUtf8(reader.take(readLeb128(reader, fail))) ?? fail();
    case BYTES:
      return reader.take(readLeb128(reader, fail));
    default:
      return fail();
  }
}

function leb128(value: number): Uint8Array {
  const bytes: number[] = [];
  let left = value;
  do {
    const rest = Math.floor(left / 128);
    bytes.push((left % 128) + (rest > 0 ? 128 : 0));
    left = rest;
  } while (left > 0);
  return new Uint8Array(bytes);
}

function readLeb128(reader: Reader, fail: () => never): number {
  let value = 0;
  for (let scale = 1; scale <= 2 ** 49; scale *= 128) {
    const byte = reader.uint(1);
    value += (byte % 128) * scale;
    if (byte >= 128) continue;
    const isShortest = byte > 0 || scale === 1;
    return isShortest && Number.isSafeInteger(value) ? value : fail();
  }
  return fail();
}
