import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  armor,
  decodeEnvelope,
  encodeEnvelope,
  type Found,
  PART_SIZES,
  Scanner,
  scan,
} from '../../src/envelope/index.ts';
import { concat, toHex, uint, utf8 } from '../../src/primitives/index.ts';
import { bytesOf } from '../storage/fixtures.ts';
import { message, same } from './samples.ts';

const S = PART_SIZES.least;
/** Parts of one content and, behind them, of another whose parts are longer. */
const parts = ['p0', 'p1', 'p2'].map((name) => part(name));
const longer = part('longer', S + 7);
const descriptor = encodeEnvelope(message(72, 256, 1));
const [p0, p1, p2] = parts as [Uint8Array, Uint8Array, Uint8Array];
const NAMES = Object.entries({ p0, p1, p2, longer, descriptor });

function part(name: string, partSize = S): Uint8Array {
  const [salt, tag, sealed] = [bytesOf(`salt ${name}`, 16), bytesOf(`tag ${name}`, 8), bytesOf(name, partSize + 57)];
  return encodeEnvelope({ kind: 'part', part: { salt, tag, sealed } });
}

function nameOf(item: Found): string {
  if ('error' in item) return `${item.at}: ${item.error.code}`;
  return `${item.at}: ${NAMES.find(([, bytes]) => same(bytes, item.bytes))?.[0]}`;
}

const found = (...input: readonly Uint8Array[]): readonly string[] => scan(concat(...input)).map(nameOf);
const LENGTH = p0.length;

describe('parts in a stream', () => {
  it('are found back to back, behind their descriptor and between others', () => {
    const input = [descriptor, p0, p1, longer, descriptor, p2];
    let at = 0;
    const places = input.map((bytes) => {
      const place = at;
      at += bytes.length;
      return place;
    });
    const names = ['descriptor', 'p0', 'p1', 'longer', 'descriptor', 'p2'];
    expect(found(...input)).toEqual(names.map((name, index) => `byte ${places[index]}: ${name}`));
    // A part that was given twice is found twice: whether it is there, the receiver knows.
    expect(found(p0, p0)).toEqual(['byte 0: p0', `byte ${LENGTH}: p0`]);
  });

  it('are found however the stream is divided', () => {
    const input = concat(descriptor, p0, longer, p1);
    const all = scan(input).map(nameOf);
    expect(all).toHaveLength(4);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 3 * S }), { minLength: 1, maxLength: 12 }), (lengths) => {
        const scanner = new Scanner();
        const got: Found[] = [];
        for (let at = 0, n = 0; at < input.length; n++) {
          const end = at + (lengths[n % lengths.length] ?? 1);
          // Small pieces only in front: there is nothing else to be seen of them.
          const chunk = input.subarray(at, n < 200 ? end : input.length);
          got.push(...scanner.push(chunk));
          at += chunk.length;
        }
        expect([...got, ...scanner.end()].map(nameOf)).toEqual(all);
      }),
      { numRuns: 30 },
    );
  });

  it.each([
    ['in the head', 7],
    ['behind the head', 10],
    ['in the tag', 30],
    ['in the midst', LENGTH >> 1],
    ['before the last bytes', LENGTH - 10],
  ])('are reported where one is cut %s, and hide nothing that follows', (_where, length) => {
    const cut = p0.subarray(0, length);
    expect(found(cut)).toEqual(['byte 0: corrupt']);
    expect(found(cut, p1, p2)).toEqual(['byte 0: corrupt', `byte ${length}: p1`, `byte ${length + LENGTH}: p2`]);
    expect(found(p1, cut, descriptor)).toEqual([
      'byte 0: p1',
      `byte ${LENGTH}: corrupt`,
      `byte ${LENGTH + length}: descriptor`,
    ]);
    expect(found(p1, cut)).toEqual(['byte 0: p1', `byte ${LENGTH}: corrupt`]);
  });

  it('are found behind bytes that are missing in the midst of one', () => {
    const damaged = concat(p0.subarray(0, 1_000), p0.subarray(1_100));
    expect(found(damaged, p1)).toEqual(['byte 0: corrupt', `byte ${LENGTH - 100}: p1`]);
    // One that lacks less than a head has is not told from a whole one by its head: its tag tells.
    const nearly = p0.subarray(0, -1);
    const [one, ...more] = scan(concat(nearly, p1));
    expect(one !== undefined && 'bytes' in one && toHex(one.bytes)).toBe(`${toHex(nearly)}70`);
    expect(more.map(nameOf)).toEqual([`byte ${LENGTH - 1}: p1`]);
    // A byte too many is one between two envelopes.
    expect(found(concat(p0, uint(0, 1)), p1)).toEqual(['byte 0: p0', `byte ${LENGTH + 1}: p1`]);
  });

  it('are found behind a head that claims as much as a part can have', () => {
    const claim = concat(utf8('pawl'), Uint8Array.of(1, 3), uint(PART_SIZES.most + 81, 4));
    expect(found(claim, p0)).toEqual(['byte 0: corrupt', `byte ${claim.length}: p0`]);
    for (const length of [PART_SIZES.most + 82, S + 80, 382, 2 ** 32 - 1]) {
      const none = concat(claim.subarray(0, 6), uint(length, 4));
      expect(found(none, p0).at(-1)).toBe(`byte ${none.length}: p0`);
    }
  });

  it('are found as blocks, which end where they say, between text and each other', () => {
    const block = armor(p0);
    expect(block.startsWith('-----BEGIN PAWL MESSAGE-----\n')).toBe(true);
    const lines = (text: string) => text.split('\n').length - 1;
    expect(found(utf8(block))).toEqual(['line 1: p0']);
    expect(found(utf8(`hi\n${block}ho\n`), utf8(armor(longer)), p1).map((one) => one.split(': ')[1])).toEqual([
      'p0',
      'longer',
      'p1',
    ]);
    const quoted = block.replace(/^/gm, '> ').replaceAll('\n', '\r\n');
    expect(found(utf8(quoted))).toEqual(['line 1: p0']);
    const cut = block.slice(0, block.length >> 1);
    expect(found(utf8(cut), utf8(`\n${armor(p1)}`))).toEqual(['line 1: corrupt', `line ${lines(cut) + 2}: p1`]);
  });

  it('decode to what they were, whatever their size is', () => {
    for (const size of [S, S + 1, PART_SIZES.usual, PART_SIZES.most]) {
      const bytes = part('any', size);
      const [one, ...more] = scan(bytes);
      expect(more).toEqual([]);
      if (one === undefined || !('bytes' in one)) throw new Error('nothing is found');
      const envelope = decodeEnvelope(one.bytes);
      if (envelope.kind !== 'part') throw new Error('a part');
      expect([envelope.part.sealed.length, toHex(envelope.part.salt)]).toEqual([
        size + 57,
        toHex(bytesOf('salt any', 16)),
      ]);
      expect(same(encodeEnvelope(envelope), bytes)).toBe(true);
    }
  });
});
