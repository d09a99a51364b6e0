/** Generates envelopes and contents from their formats (docs/PROTOCOL.md §7). */
import {
  type Content,
  type Envelope,
  encodeContent,
  encodeEnvelope,
  PART_SIZES,
  type SealedPart,
} from '../src/envelope/index.ts';
import { paddedLength } from '../src/envelope/padding.ts';
import { concat, uint, utf8 } from '../src/primitives/index.ts';
import type { Dice } from './dice.ts';

const NAMES = ['a.txt', 'ä', '.profile', '-rf', '\u202egpj.exe', 'x'.repeat(255)].map(utf8);
const BAD_NAMES = [
  ...['', '.', '..', 'a/b', 'a\\b', 'a\n', '\u0085', '\x7f', '\0'].map(utf8),
  Uint8Array.of(0xff),
  Uint8Array.of(0xc0, 0xaf),
  Uint8Array.of(0xed, 0xa0, 0x80),
  Uint8Array.of(0xf5, 0x80, 0x80, 0x80),
  Uint8Array.of(0xe2, 0x82),
];
const TIMES = [0, 1, 1_767_225_600_000, 8.64e15, 8.64e15 + 1, 2 ** 53, 2 ** 63];
/** The key of a content that may be awaited. */
export const KNOWN_KEY = new Uint8Array(32).fill(7);
const LENGTHS = [0, 1, 12, 242, 243, 244, 499, 500, 1_010, 1_011, 1_012, 2_000, 5_000];

/** A well-formed envelope whose fields are random bytes. */
export function anyEnvelope(dice: Dice): Uint8Array {
  if (dice.oneIn(40)) return encodeEnvelope({ kind: 'part', part: anyPart(dice) });
  const kind = dice.pick(['opening', 'message', 'message', 'invite'] as const);
  if (kind === 'invite') return encodeEnvelope({ kind, invite: dice.bytes(1_321) });
  const message = {
    headerNonce: dice.bytes(24),
    sealedHeader: dice.bytes(dice.pick([72, 72, 1_256, 1_160])),
    body: dice.bytes(12 + paddedLength(dice.pick(LENGTHS) + 1) + 16),
  };
  const envelope: Envelope = kind === 'opening' ? { kind, prefix: dice.bytes(1_208), message } : { kind, message };
  return encodeEnvelope(envelope);
}

/** A part of the least size, or a little more: what is sealed is a few random bytes again and again. */
function anyPart(dice: Dice): SealedPart {
  const sealed = new Uint8Array(Buffer.alloc(PART_SIZES.least + 57 + dice.pick([0, 0, 1, 100]), dice.bytes(64)));
  return { salt: dice.bytes(16), tag: dice.bytes(8), sealed };
}

/** The plaintext of a body: valid in half of all cases; otherwise its fields may be invalid. */
export function anyContent(dice: Dice): Uint8Array {
  return dice.oneIn(2) ? goodContent(dice) : oddContent(dice);
}

function goodContent(dice: Dice): Uint8Array {
  const sentAt = dice.pick(TIMES.slice(0, 4));
  if (dice.oneIn(4)) return encodeContent(anyDescriptor(dice, sentAt));
  const bytes = dice.bytes(dice.pick(LENGTHS));
  const content: Content = dice.oneIn(2)
    ? { type: 'text', sentAt, bytes }
    : { type: 'file', name: new TextDecoder().decode(dice.pick(NAMES)), sentAt, bytes };
  return encodeContent(content);
}

function anyDescriptor(dice: Dice, sentAt: number): Content {
  return {
    type: 'descriptor',
    name: dice.oneIn(2) ? undefined : new TextDecoder().decode(dice.pick(NAMES)),
    sentAt,
    size: dice.oneIn(4) ? undefined : dice.pick([0, 1, 65_536, 2 ** 48 - 65_536, 2 ** 53 - 1, 2 ** 53]),
    partSize: dice.pick([65_536, 983_040, 2 ** 24, 65_535, 2 ** 24 + 1]),
    key: dice.oneIn(3) ? KNOWN_KEY : dice.bytes(32),
  };
}

function oddContent(dice: Dice): Uint8Array {
  const name = dice.pick(dice.oneIn(4) ? NAMES : BAD_NAMES);
  const nameLength = dice.oneIn(4) ? dice.below(256) : name.length;
  const field = concat(uint(nameLength, 1), name, dice.bytes(dice.pick([44, 44, ...LENGTHS])));
  const length = dice.oneIn(3) ? dice.pick([0, field.length + 1, 2 ** 24, 2 ** 24 + 1, 2 ** 32 - 1]) : field.length;
  const time = new Uint8Array(8);
  new DataView(time.buffer).setBigUint64(0, BigInt(dice.pick(TIMES)));
  const used = concat(uint(dice.pick([0, 1, 2, 2, 2, 3, 3, 4, 255]), 1), time, uint(length, 4), field);
  const padding = paddedLength(used.length + (dice.oneIn(6) ? 600 : 0)) - used.length;
  return concat(used, dice.oneIn(6) ? dice.bytes(padding) : new Uint8Array(padding));
}
