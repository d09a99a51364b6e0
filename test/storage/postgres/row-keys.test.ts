import { describe, expect, it } from 'vitest';
import type { FileKey } from '../../../src/storage/index.ts';
import { type Place, RowKeys } from '../../../src/storage/postgres/row-keys.ts';
import { hex, toHexText } from '../../primitives/hex.ts';
import { bytesOf } from '../fixtures.ts';

// What is stored is found and opened by these values. They were computed with the Python of test/vectors/reader, from
// docs/PROTOCOL.md §8.1: where one has to change, no identity that is in a database opens any more.

const counting = (first: number, length: number) => Uint8Array.from({ length }, (_, index) => first + index);

const LOCK = { key: counting(0, 32) as FileKey, salt: counting(0x20, 16) };
const NONCE = counting(0x40, 24);
const COMMIT_ID = counting(0x60, 16);
const keys = new RowKeys(LOCK, (length) => NONCE.slice(0, length));

const KEY = keys.tag('contacts', 'key', [7]);
const PLACE: Place = { table: 'contacts', key: KEY, column: 'record', commitId: COMMIT_ID };
const HELLO = new TextEncoder().encode('hello');

describe('the keys of rows', () => {
  it('have a check value', () => {
    expect(toHexText(keys.checkValue)).toBe('6be19bd4adcedfe662c3454f3c486410');
    expect(keys.fits(hex('6be19bd4adcedfe662c3454f3c486410'))).toBe(true);
    expect(keys.fits(hex('6be19bd4adcedfe662c3454f3c486411'))).toBe(false);
  });

  it.each([
    ['contacts', 'key', [7], '63b5eb599904804d1276a5f37ba42f8e'],
    ['contacts', 'name', ['alice'], '655213ad25426c8e5560e4a4e4a68b2a'],
    ['skipped_keys', 'key', [-1, hex('00ff'), 'a\0"b', null], '2ae7e624bd3e1475dbf7531a23aca61a'],
  ] as const)('find a row of %s by its %s: %j', (table, use, values, expected) => {
    expect(toHexText(keys.tag(table, use, values))).toBe(expected);
  });

  it.each([
    ['record', 'da2137000acc9f0364079c1a66c9768a7b8f5d1538'],
    ['content', 'da2137000acef624328166b2b723d8eee99865f77e'],
  ] as const)('seal a %s', (column, ciphertext) => {
    const sealed = keys.seal(HELLO, { ...PLACE, column });
    expect(toHexText(sealed)).toBe(toHexText(NONCE) + ciphertext);
    expect(keys.open(sealed, { ...PLACE, column })).toEqual(HELLO);
  });

  it.each([
    ['table', { table: 'contact' }],
    ['key', { key: bytesOf('another key', 16) }],
    ['column', { column: 'content' }],
    ['commit', { commitId: bytesOf('another commit', 16) }],
  ] as const)('open nothing in the place of another %s', (_, other) => {
    expect(keys.open(keys.seal(HELLO, PLACE), { ...PLACE, ...other })).toBeUndefined();
  });

  it('open nothing of another identity, nor what was cut off', () => {
    const sealed = keys.seal(HELLO, PLACE);
    const others = new RowKeys({ ...LOCK, salt: bytesOf('another salt', 16) }, () => NONCE);
    expect(others.open(sealed, PLACE)).toBeUndefined();
    for (const length of [0, 23, 24, 39, sealed.length - 1]) {
      expect(keys.open(sealed.subarray(0, length), PLACE)).toBeUndefined();
    }
  });
});
