/**
 * The names of boxes, and of what lies in them.
 * Knows nothing of where boxes are.
 */
import { ENVELOPE_HEAD_LENGTH, MAX_REST } from '../envelope/index.ts';
import { sha256, toHex } from '../primitives/index.ts';
import type { Box } from './place.ts';

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567';
/** In bytes. */
const BOX_LENGTH = 16;
/** The last character stands for 3 bits and two zeros. */
const BOX = /^[a-z2-7]{25}[aeimquy4]$/;
const NAME = /^[0-9a-f]{32}$/;
/** A place may have something of its own behind a dot. */
const PART_NAME = /^0{24}([0-9a-f]{8})(?:$|\.)/;

/** What an envelope has at least, its head, and at most: bytes. */
export const SIZES = { least: ENVELOPE_HEAD_LENGTH, most: ENVELOPE_HEAD_LENGTH + MAX_REST } as const;

/**
 * Writes 16 bytes as the name of a box.
 * @throws `RangeError` for another length.
 */
export function boxOf(bytes: Uint8Array): Box {
  if (bytes.length !== BOX_LENGTH) throw new RangeError(`a box has ${BOX_LENGTH} bytes, not ${bytes.length}`);
  let [text, rest, bits] = ['', 0, 0];
  for (const byte of bytes) {
    rest = ((rest << 8) | byte) & 0xfff;
    for (bits += 8; bits >= 5; bits -= 5) text += ALPHABET.charAt((rest >> (bits - 5)) & 31);
  }
  return `${text}${ALPHABET.charAt((rest << (5 - bits)) & 31)}` as Box;
}

/** Whether it is a text that {@link boxOf} writes. */
export function isBox(text: string): text is Box {
  return BOX.test(text);
}

/** Whether an envelope can be called so: 32 hexadecimal digits in lower case. */
export function isName(text: string): boolean {
  return NAME.test(text);
}

/** What an envelope is called: the first 16 bytes of its SHA-256. */
export function nameOfEnvelope(envelope: Uint8Array): string {
  return toHex(sha256(envelope).subarray(0, 16));
}

/** Whether bytes are those that an entry is called after. A name without a digest is nobody's word. */
export function isCalledAfter(name: string, bytes: Uint8Array): boolean {
  // A place may have something of its own behind a dot.
  const [digest = ''] = name.split('.');
  return !isName(digest) || digest === nameOfEnvelope(bytes);
}

/** What a part of a content is called, which has a box of its own: its index. */
export function nameOfPart(index: number): string {
  return index.toString(16).padStart(32, '0');
}

/** The index that is meant by what a place calls an entry; `undefined` where it is no name of a part. */
export function indexOfPart(name: string): number | undefined {
  const [, index] = PART_NAME.exec(name) ?? [];
  return index === undefined ? undefined : Number.parseInt(index, 16);
}

/** Whether it is the name of a part. No digest begins with so many zeros. */
export function isNameOfPart(name: string): boolean {
  return name.startsWith('0'.repeat(24));
}

/** @throws `RangeError` for what cannot be put. */
export function checkPut(name: string, envelope: Uint8Array): void {
  if (!isName(name)) throw new RangeError(`${name} is no name of an envelope`);
  if (!isSize(envelope.length)) throw new RangeError(`no envelope has ${envelope.length} bytes`);
}

export function isSize(size: number): boolean {
  return size >= SIZES.least && size <= SIZES.most;
}
