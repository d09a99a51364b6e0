import { toHex, uint } from '../../../src/primitives/index.ts';
import { type Named, slice } from '../bytes.ts';
import type { Bytes, Slice } from '../format.ts';

// What somebody can do who has nothing but envelopes (docs/PROTOCOL.md §7): another one, of their parts.

const OPENING = '7061776c0101';
const MESSAGE = '7061776c0102';
const HEAD = 10;
const PREFIX = 1208;

/** An opening as a message. */
export function withoutPrefix(opening: Named): Bytes {
  return envelope(MESSAGE, slice(opening, HEAD + PREFIX, opening.bytes.length));
}

/** A message behind the prefix of an opening. */
export function withPrefix(of: Named, message: Named): Bytes {
  const prefix = slice(of, HEAD, HEAD + PREFIX);
  return envelope(OPENING, [...prefix, ...slice(message, HEAD, message.bytes.length)]);
}

/** `head` and `tail` are messages: the header of one, the body of the other. */
export function mixed(head: Named, tail: Named): Bytes {
  const end = HEAD + 24 + 2 + 72;
  return [...slice(head, 0, end), ...slice(tail, end, tail.bytes.length)];
}

/** The same with bits of the byte at `at` flipped. */
export function flipped(of: Named, at: number, bits = 1): Bytes {
  return replaced(of, at, uint((of.bytes[at] ?? 0) ^ bits, 1));
}

/** The same with other bytes from `at` on. */
export function replaced(of: Named, at: number, bytes: Uint8Array): Bytes {
  return [...slice(of, 0, at), toHex(bytes), ...slice(of, at + bytes.length, of.bytes.length)];
}

function envelope(head: string, rest: readonly Slice[]): Bytes {
  const length = rest.reduce((sum, [, from, to]) => sum + to - from, 0);
  return [`${head}${toHex(uint(length, 4))}`, ...rest];
}
