/** Mutates bytes, most often where the fields of an envelope are. */
import { concat, uint } from '../src/primitives/index.ts';
import type { Dice } from './dice.ts';

type Edit = (dice: Dice, bytes: Uint8Array, other: Uint8Array) => Uint8Array;

/** Limits of fields of 1, 2 and 4 bytes, and of valid lengths. */
const EDGES = [0, 1, 2, 16, 40, 72, 127, 128, 255, 256, 1_160, 1_208, 1_256, 1_321, 65_535, 65_617, 17 * 2 ** 20];
const EDGES_OF_4 = [
  ...EDGES,
  65_616,
  983_121,
  2 ** 24 + 81,
  17 * 2 ** 20 + 1,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32 - 2,
  2 ** 32 - 1,
];

const EDITS: readonly Edit[] = [flipBit, flipBit, setByte, setNumber, cut, extend, drop, repeat, clear, splice];

/** `bytes` after one to three edits; some insert parts of `other`. */
export function mutate(dice: Dice, bytes: Uint8Array, other: Uint8Array): Uint8Array {
  let edited = bytes;
  for (let left = dice.pick([1, 1, 1, 2, 3]); left > 0; left--) edited = dice.pick(EDITS)(dice, edited, other);
  return edited;
}

/** Any offset; the first 64 bytes, which have most of the fields, are preferred. */
function place(dice: Dice, { length }: Uint8Array): number {
  return dice.below(dice.oneIn(2) ? Math.min(length, 64) : length);
}

function flipBit(dice: Dice, bytes: Uint8Array): Uint8Array {
  return over(bytes, place(dice, bytes), (byte) => byte ^ (1 << dice.below(8)));
}

function setByte(dice: Dice, bytes: Uint8Array): Uint8Array {
  return over(bytes, place(dice, bytes), () => dice.below(256));
}

function over(bytes: Uint8Array, at: number, change: (byte: number) => number): Uint8Array {
  const changed = new Uint8Array(bytes);
  if (at < changed.length) changed[at] = change(changed[at] ?? 0);
  return changed;
}

function setNumber(dice: Dice, bytes: Uint8Array): Uint8Array {
  const number = dice.oneIn(2) ? uint(dice.pick(EDGES) % 65_536, 2) : uint(dice.pick(EDGES_OF_4), 4);
  // The offsets of the length fields of an envelope: 6, 34 and 1,242.
  const at = dice.pick([0, 6, 6, 34, 34, 1_242, place(dice, bytes)]);
  return concat(bytes.subarray(0, at), number, bytes.subarray(at + number.length)).slice(0, bytes.length);
}

function cut(dice: Dice, bytes: Uint8Array): Uint8Array {
  return dice.oneIn(2) ? bytes.slice(0, dice.below(bytes.length + 1)) : bytes.slice(dice.below(bytes.length + 1));
}

function extend(dice: Dice, bytes: Uint8Array): Uint8Array {
  const more = dice.oneIn(2) ? new Uint8Array(dice.below(64)) : dice.bytes(dice.below(64));
  return dice.oneIn(4) ? concat(more, bytes) : concat(bytes, more);
}

function drop(dice: Dice, bytes: Uint8Array): Uint8Array {
  const at = place(dice, bytes);
  return concat(bytes.subarray(0, at), bytes.subarray(at + 1 + dice.below(40)));
}

function repeat(dice: Dice, bytes: Uint8Array): Uint8Array {
  const at = place(dice, bytes);
  const end = at + 1 + dice.below(bytes.length - at);
  return concat(bytes.subarray(0, end), bytes.subarray(at));
}

function clear(dice: Dice, bytes: Uint8Array): Uint8Array {
  const cleared = new Uint8Array(bytes);
  const at = place(dice, bytes);
  return cleared.fill(dice.pick([0, 0xff]), at, at + 1 + dice.below(64));
}

function splice(dice: Dice, bytes: Uint8Array, other: Uint8Array): Uint8Array {
  const at = place(dice, bytes);
  return concat(bytes.subarray(0, at), other.subarray(dice.oneIn(2) ? at : dice.below(other.length + 1)));
}
