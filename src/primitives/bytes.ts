/**
 * Byte strings: branded types, joining, comparing, wiping, and the encodings UTF-8, hex, base64 and big-endian
 * integers. Knows no format that is made of them.
 */
import { timingSafeEqual } from 'node:crypto';

declare const role: unique symbol;

/**
 * Bytes with one role (`Branded<'root key'>`), so that the compiler refuses a chain key where a message key is wanted.
 * The brand exists in types only; a value is a plain `Uint8Array`.
 */
export type Branded<Role extends string> = Uint8Array & { readonly [role]: Role };

/** Created at the first use, because creating it is slow. */
let utf8Decoder: InstanceType<typeof TextDecoder> | undefined;
const utf8Encoder = new TextEncoder();

/** Joins byte strings into a new one that shares no memory with its parts. */
export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  return concatAll(parts);
}

/** Does the same for a list of parts of any length. */
export function concatAll(parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}

/** Compares in a time that depends only on the lengths. */
export function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

/** Overwrites secrets with zeros. The JavaScript engine may have copied them: see SECURITY.md. */
export function wipe(...secrets: readonly Uint8Array[]): void {
  for (const secret of secrets) secret.fill(0);
}

export function utf8(text: string): Uint8Array {
  return utf8Encoder.encode(text);
}

/** Decodes UTF-8, with a byte-order mark kept; `undefined` when the bytes are not valid UTF-8. */
export function fromUtf8(bytes: Uint8Array): string | undefined {
  utf8Decoder ??= new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  try {
    return utf8Decoder.decode(bytes);
  } catch {
    return undefined;
  }
}

export function toHex(bytes: Uint8Array): string {
  return view(bytes).toString('hex');
}

/** @param hex hexadecimal digits in either case, two for each byte. */
export function fromHex(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex, 'hex'));
}

export function toBase64(bytes: Uint8Array): string {
  return view(bytes).toString('base64');
}

/**
 * Encodes an unsigned big-endian integer.
 * @param length 1 to 6 bytes.
 * @throws `RangeError` when the value does not fit.
 */
export function uint(value: number, length: 1 | 2 | 3 | 4 | 5 | 6): Uint8Array {
  if (!(value >= 0 && value < 2 ** (8 * length))) throw new RangeError(`${value} does not fit ${length} bytes`);
  const bytes = new Uint8Array(length);
  let left = value;
  for (let index = length - 1; index >= 0; index--) {
    bytes[index] = left % 256;
    left = Math.floor(left / 256);
  }
  return bytes;
}

/**
 * Encodes an unsigned big-endian integer of 8 bytes.
 * @throws `RangeError` when the value is not an integer or does not fit.
 */
export function uint64(value: number): Uint8Array {
  if (!Number.isInteger(value)) throw new RangeError(`${value} is no integer`);
  return concat(uint(Math.floor(value / 2 ** 32), 4), uint(value % 2 ** 32, 4));
}

function view(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** A `Uint8Array` over the memory of a buffer that node:crypto has made: a copy would have to be wiped, too. */
export function asUint8Array(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length);
}
