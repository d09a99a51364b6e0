import { describe, expect, it } from 'vitest';
import {
  CommitIds,
  decodeRecord,
  encodeRecord,
  type IdentityRecord,
  isBehind,
  type KnownCommit,
} from '../../../src/storage/postgres/identity-record.ts';
import { decodeValues, encodeValues, type Value } from '../../../src/storage/postgres/row-codec.ts';
import { hex, toHexText } from '../../primitives/hex.ts';
import { bytesOf } from '../fixtures.ts';

const idOf = (generation: number) => bytesOf(`commit ${generation}`, 16);

/** After so many commits, of which the first made the identity, with generation 0. */
function commitsUpTo(generation: number): CommitIds {
  let commits = new CommitIds();
  for (let one = 0; one <= generation; one++) commits = commits.with(idOf(one));
  return commits;
}

const RECORD: IdentityRecord = {
  schema: 11,
  generation: 300,
  holds: 2,
  server: { system: '7300000000000000001', timeline: 3 },
  row: ['bob', hex('0102'), null],
  sequences: new Map([
    ['contacts', 4],
    ['inbox', 9],
  ]),
  bounds: new Map([
    ['history', undefined],
    ['outgoing', 1_700_000_000_000],
  ]),
  commits: new CommitIds([hex('606162636465666768696a6b6c6d6e6f'), new Uint8Array(16)]),
  children: new Map([
    ['1 7', hex('606162636465666768696a6b6c6d6e6f')],
    ['4 "for-all"', new Uint8Array(16)],
  ]),
};

class Refused extends Error {}
const fail = (): never => {
  throw new Refused();
};

describe('the record of an identity', () => {
  it('is written as it has always been', () => {
    // Computed with other code, from docs/PROTOCOL.md §8.1.
    expect(toHexText(encodeRecord(RECORD))).toBe(
      '010b01ac020102031337333030303030303030303030303030303031010301030303626f6204020102000102' +
        '0308636f6e746163747301040305696e626f78010901020307686973746f72790003086f7574676f696e670180d095ffbc31' +
        '0420606162636465666768696a6b6c6d6e6f00000000000000000000000000000000' +
        '03033120370410606162636465666768696a6b6c6d6e6f' +
        '030b342022666f722d616c6c22041000000000000000000000000000000000',
    );
  });

  it('is read as it was written', () => {
    for (const record of [
      RECORD,
      { ...RECORD, row: [], sequences: new Map(), bounds: new Map(), children: new Map() },
    ]) {
      expect(decodeRecord(encodeRecord(record), fail)).toEqual(record);
    }
  });

  const values = decodeValues(encodeRecord(RECORD), fail);
  /** The record with other values from one place on. */
  const changed = (at: number, ...others: readonly Value[]) => [
    ...values.slice(0, at),
    ...others,
    ...values.slice(at + others.length),
  ];
  const commitsAt = values.findIndex((value) => value instanceof Uint8Array && value.length === 32);

  it.each<readonly [string, readonly Value[]]>([
    ['no values', []],
    ['a schema that is text', changed(0, '11')],
    ['a generation below 0', changed(1, -1)],
    ['a number of holds below 0', changed(2, -1)],
    ['a server that is a number', changed(3, 73)],
    ['a timeline that is not there', changed(4, null)],
    ['a row that is longer than all the rest', changed(5, 100)],
    ['a row of less than no values', changed(5, -1)],
    ['more sequences than are left', changed(9, 100)],
    ['fewer than no sequences', changed(9, -1)],
    ['a sequence whose last id is not there', changed(11, null)],
    ['a bound that is text', changed(16, 'never')],
    ['commits that are text', changed(commitsAt, 'commits')],
    ['a commit id that was cut off', changed(commitsAt, new Uint8Array(31))],
    ['a child without a commit', values.slice(0, -1)],
    ['a child whose commit is text', [...values, '1 8', 'commit']],
    ['a child whose name is a number', [...values, 8, new Uint8Array(16)]],
  ])('is refused with %s', (_, others) => {
    expect(() => decodeRecord(encodeValues(others), fail)).toThrow(Refused);
  });

  it('is refused wherever it was cut off, unless all its children are whole', () => {
    const bytes = encodeRecord({ ...RECORD, children: new Map() });
    for (let length = 0; length < bytes.length; length++) {
      expect(() => decodeRecord(bytes.subarray(0, length), fail), `${length}`).toThrow(Refused);
    }
  });
});

describe('the ids of the last commits', () => {
  it.each([
    // The identity and 62 commits: none is forgotten. Then 64 are kept.
    [62, 0],
    [63, 0],
    [64, 1],
    [65, 2],
    [1_000, 937],
  ])('of generation %i reach back to that of %i', (newest, oldest) => {
    const commits = commitsUpTo(newest);
    expect(commits.bytes().length).toBe(Math.min(64, newest + 1) * 16);
    for (const generation of [oldest, newest]) {
      expect([generation, commits.reaches(generation, newest), commits.has(idOf(generation))]).toEqual([
        generation,
        true,
        true,
      ]);
    }
    expect([commits.reaches(oldest - 1, newest), commits.has(idOf(oldest - 1))]).toEqual([false, false]);
    expect(CommitIds.from(commits.bytes(), fail).bytes()).toEqual(commits.bytes());
    expect(toHexText(commits.bytes().subarray(-16))).toBe(toHexText(idOf(newest)));
  });
});

describe('an identity lacks a commit that is known', () => {
  /** What is stored: of generation 65, held once, after 65 commits of its own. */
  const stored = { ...RECORD, generation: 65, holds: 1, commits: commitsUpTo(65) };
  const known = (generation: number, holds: number, id = idOf(generation)): KnownCommit => ({
    generation,
    commit: { id, holds },
  });
  /** Of a history that is not the stored one. */
  const strange = bytesOf('a commit that was put back', 16);

  it.each<readonly [string, KnownCommit, boolean]>([
    ['the last one', known(65, 1), false],
    ['one before', known(64, 1), false],
    ['the oldest that is kept', known(2, 1), false],
    ['one that is not kept any more', known(1, 1), false],
    ['the next one', known(66, 1), true],
    ['one of the same generation', known(65, 1, strange), true],
    ['another of one before', known(64, 1, strange), true],
    ['another of the oldest that is kept', known(2, 1, strange), true],
    ['another of a time that is not known any more', known(1, 1, strange), false],
    ['one after which sessions were held', known(65, 2), true],
    ['an earlier one after which sessions were held', known(1, 2), true],
    ['one of before sessions were held', known(64, 0, strange), false],
    ['a later one of before sessions were held', known(900, 0, strange), false],
    ['a generation, and no id', { generation: 65 }, false],
    ['an earlier generation, and no id', { generation: 3 }, false],
    ['a later generation, and no id', { generation: 66 }, true],
    ['nothing', { generation: 0 }, false],
  ])('where that is %s', (_, commit, expected) => {
    expect(isBehind(stored, commit)).toBe(expected);
  });

  it.each([63, 64, 65])(
    'where that is another first one, as long as it is among 64: %i have followed',
    (generation) => {
      const later = { ...stored, generation, commits: commitsUpTo(generation) };
      expect(isBehind(later, known(0, 1, strange))).toBe(generation < 64);
      expect(isBehind(later, known(0, 1))).toBe(false);
    },
  );
});
