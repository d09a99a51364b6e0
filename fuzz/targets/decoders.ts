/** Targets for the strict decoders: typed errors only, and encode(decode(x)) = x. */

import { ENVELOPE_HEAD_LENGTH } from '../../src/envelope/head.ts';
import {
  armor,
  dearmor,
  decodeContent,
  decodeEnvelope,
  encodeContent,
  encodeEnvelope,
  scan,
} from '../../src/envelope/index.ts';
import { concat, equal, generateKeyPair, uint, utf8 } from '../../src/primitives/index.ts';
import { decodeHeader, encodeHeader } from '../../src/ratchet/index.ts';
import { travelled } from '../channels.ts';
import type { Dice } from '../dice.ts';
import { anyContent, anyEnvelope } from '../grammar.ts';
import { mangle } from '../mangle.ts';
import { mutate } from '../mutate.ts';
import { demand, type Target, verdictOf } from '../target.ts';

const LAW = 'encode(decode(x)) = x';

/** `valid`, mutated in nine of ten cases. */
function nearly(dice: Dice, valid: Uint8Array): Uint8Array {
  return dice.oneIn(10) ? valid : mutate(dice, valid, anyEnvelope(dice));
}

function strict<Value>(
  name: string,
  share: number,
  make: (dice: Dice) => Uint8Array,
  decode: (input: Uint8Array) => Value,
  encode: (value: Value) => Uint8Array,
): Target {
  const run = (input: Uint8Array) => verdictOf(() => demand(equal(encode(decode(input)), input), LAW));
  return { name, share, prepare: () => ({ make, run }) };
}

function anyHeader(dice: Dice): Uint8Array {
  const dh = dice.oneIn(3) ? generateKeyPair(dice.bytes).publicKey : dice.bytes(32);
  return concat(dh, dice.bytes(8));
}

/** Armored blocks and binary envelopes, valid and broken, one after the other. */
function anyInput(dice: Dice): Uint8Array {
  const pieces = Array.from({ length: 1 + dice.below(4) }, () => {
    const envelope = dice.oneIn(2) ? anyEnvelope(dice) : nearly(dice, anyEnvelope(dice));
    if (dice.oneIn(2)) return envelope;
    const block = verdictOf(() => armor(envelope))[0] === 'accepted' ? armor(envelope) : '-----BEGIN PAWL MESSAGE-----';
    return utf8(dice.oneIn(3) ? block : mangle(dice, block));
  });
  return nearly(dice, concat(...pieces));
}

const scanning: Target = {
  name: 'scan',
  share: 60_000,
  prepare: () => ({
    make: anyInput,
    run(input) {
      let found = 0;
      const verdicts = [...scan(input)].flatMap((one) => {
        if ('error' in one) return [one.error.code];
        // An envelope that lacks fewer bytes than a head has is not told from a whole one.
        found += one.bytes.length - ENVELOPE_HEAD_LENGTH;
        return verdictOf(() => decodeEnvelope(one.bytes));
      });
      demand(found <= input.length, 'no more is found than there is');
      return verdicts;
    },
  }),
};

const dearmoring: Target = {
  name: 'dearmor',
  share: 60_000,
  prepare: () => ({
    make: (dice) => {
      const block = armor(anyEnvelope(dice));
      return dice.oneIn(10) ? utf8(block) : nearly(dice, utf8(mangle(dice, block)));
    },
    run(input) {
      const block = Buffer.from(input).toString();
      return verdictOf(() => demand(armor(dearmor(block)) === block, LAW));
    },
  }),
};

const PARTS = [
  '',
  'Hello,\n\n',
  'Am Montag schrieb Bob:\n',
  '-----BEGIN PAWL MESSAGE-----\n',
  'BEGIN PAWL',
  '=',
  '&#',
  '<a',
];

/** A block with text around it, after what mail and chats do to it; in front stand the bytes of the envelope in it. */
const travelling: Target = {
  name: 'scan, as it came',
  share: 60_000,
  prepare: () => ({
    make(dice) {
      const envelope = anyEnvelope(dice);
      const { bytes } = travelled(dice, dice.pick(PARTS.slice(0, 3)) + armor(envelope) + dice.pick(['', 'Gruß\n']));
      return concat(uint(envelope.length, 4), envelope, bytes);
    },
    run(input) {
      const length = Buffer.from(input).readUInt32BE();
      const envelope = input.slice(4, 4 + length);
      const [one, ...more] = scan(input.subarray(4 + length));
      demand(one !== undefined && 'bytes' in one && equal(one.bytes, envelope), 'the block is found');
      demand(more.length === 0, 'it is found once');
      return verdictOf(() => decodeEnvelope(envelope));
    },
  }),
};

/** A good block with hostile text around it, in one mail. */
const besides: Target = {
  name: 'scan, besides',
  share: 60_000,
  prepare: () => ({
    make(dice) {
      const envelope = anyEnvelope(dice);
      const around = () => (dice.oneIn(3) ? utf8(dice.pick(PARTS)) : hostile(dice));
      return concat(
        uint(envelope.length, 4),
        envelope,
        around(),
        utf8(dice.pick(['', '\n']) + armor(envelope)),
        around(),
      );
    },
    run(input) {
      const length = Buffer.from(input).readUInt32BE();
      const envelope = input.slice(4, 4 + length);
      const found = scan(input.subarray(4 + length));
      demand(
        found.some((one) => 'bytes' in one && equal(one.bytes, envelope)),
        'no text hides a block besides it',
      );
      return found.map((one) => ('error' in one ? one.error.code : 'accepted'));
    },
  }),
};

/** Text that is made of what the scanner looks for, or of a mail, whole or cut. */
function hostile(dice: Dice): Uint8Array {
  const { bytes } = travelled(dice, armor(anyEnvelope(dice)));
  const whole = dice.oneIn(2) ? bytes : mutate(dice, bytes, anyInput(dice));
  return dice.oneIn(2) ? whole : whole.slice(0, dice.below(whole.length + 1));
}

export const decoders: readonly Target[] = [
  scanning,
  travelling,
  besides,
  strict('decodeEnvelope', 450_000, (dice) => nearly(dice, anyEnvelope(dice)), decodeEnvelope, encodeEnvelope),
  dearmoring,
  strict(
    'decodeContent',
    240_000,
    (dice) => (dice.oneIn(2) ? anyContent(dice) : nearly(dice, anyContent(dice))),
    decodeContent,
    encodeContent,
  ),
  strict('decodeHeader', 240_000, (dice) => nearly(dice, anyHeader(dice)), decodeHeader, encodeHeader),
];
