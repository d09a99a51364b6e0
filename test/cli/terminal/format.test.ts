import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { timeSpan } from '../../../src/cli/option-types.ts';
import {
  bytesInWords,
  day,
  escapeInvisible,
  instant,
  isDatabase,
  isMistypedDatabase,
  shellWord,
  spanInWords,
  timeSpanOf,
} from '../../../src/cli/terminal/format.ts';

it.each([
  [0, '0 bytes'],
  [1, '1 byte'],
  [999, '999 bytes'],
  [1_000, '1.0 kB'],
  [65_537, '65.5 kB'],
  [999_949, '999.9 kB'],
  [999_950, '1.0 MB'],
  [16 * 2 ** 20, '16.8 MB'],
])('%d bytes are %s', (bytes, words) => expect(bytesInWords(bytes)).toBe(words));

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

describe('a time', () => {
  it('is local, to the minute', () => {
    const time = new Date(2026, 0, 2, 3, 4, 59, 999).getTime();
    expect(instant(time)).toBe('2026-01-02 03:04');
    expect(day(time)).toBe('2026-01-02');
    expect(instant(new Date(2026, 11, 31, 23, 59).getTime())).toBe('2026-12-31 23:59');
  });

  it('can be any that a message or an invite may name', () => {
    expect(day(new Date(987, 5, 5).getTime())).toBe('0987-06-05');
    expect(instant(8.64e15)).toMatch(/^27576\d-09-1\d \d\d:\d\d$/);
    expect(instant(0)).toMatch(/^19(70-01-01|69-12-31) \d\d:\d\d$/);
  });
});

describe('a span', () => {
  it.each([
    [0, 'less than a minute'],
    [MINUTE - 1, 'less than a minute'],
    [MINUTE, '1 minute'],
    [2 * MINUTE - 1, '1 minute'],
    [2 * MINUTE, '2 minutes'],
    [HOUR - 1, '59 minutes'],
    [HOUR, '1 hour'],
    [DAY - 1, '23 hours'],
    [DAY, '1 day'],
    [400 * DAY, '400 days'],
    [-DAY, 'less than a minute'],
  ])('of %d ms is %s', (milliseconds, words) => {
    expect(spanInWords(milliseconds)).toBe(words);
  });
});

describe('a span as it is typed', () => {
  it.each([
    [MINUTE, '1m'],
    [90 * MINUTE, '90m'],
    [HOUR, '1h'],
    [36 * HOUR, '36h'],
    [DAY, '1d'],
    [3_650 * DAY, '3650d'],
  ])('of %d ms is %s', (milliseconds, typed) => {
    expect(timeSpanOf(milliseconds)).toBe(typed);
    expect(timeSpan(3_650 * DAY)(typed)).toBe(milliseconds);
  });
});

function range(first: number, last: number): string[] {
  return Array.from({ length: last - first + 1 }, (_, i) => String.fromCharCode(first + i));
}

/** The contract's: C0 but newline and tab, DEL, C1, and what overrides the direction of text. */
const ACTING = [
  ...range(0x00, 0x1f).filter((character) => character !== '\n' && character !== '\t'),
  '\x7f',
  ...range(0x80, 0x9f),
  '\u061c',
  '\u200e',
  '\u200f',
  ...range(0x202a, 0x202e),
  ...range(0x2066, 0x2069),
];

describe('visible', () => {
  it.each(ACTING)('spells out %j', (character) => {
    const code = character.charCodeAt(0).toString(16);
    expect(escapeInvisible(`a${character}${character}b`)).toBe(`a\\u{${code}}\\u{${code}}b`);
  });

  it('disarms what terminals obey', () => {
    expect(escapeInvisible('\x1b]0;title\x07')).toBe('\\u{1b}]0;title\\u{7}');
    expect(escapeInvisible('\x1b[2J\x1b[H')).toBe('\\u{1b}[2J\\u{1b}[H');
    expect(escapeInvisible('\x9b31mred')).toBe('\\u{9b}31mred');
    expect(escapeInvisible('paid\rnot paid')).toBe('paid\\u{d}not paid');
    expect(escapeInvisible('photo\u202egpj.exe')).toBe('photo\\u{202e}gpj.exe');
  });

  it.each([
    '',
    'two\nlines\tand a tab',
    'Žluťoučký kůň',
    '你好',
    'مرحبا',
    'שלום',
    '👩‍👩‍👧 🏳️‍🌈',
    '\u00a0\u00ad',
    '\\u{1b}',
  ])('leaves %j as it is', (text) => {
    expect(escapeInvisible(text)).toBe(text);
  });

  it('changes nothing that is visible already', () => {
    const once = escapeInvisible(ACTING.join('-'));
    expect(escapeInvisible(once)).toBe(once);
  });
});

it('a path is told from what an identity in a database is called', () => {
  const databases = ['postgres://x', 'PostgreSQL://x', 'postgres:x', 'bob in postgres://x'];
  const paths = ['./postgres://x', 'postgres', '/postgres:', 'bob in x', ''];
  expect([...databases, ...paths].filter(isDatabase)).toEqual(databases);
});

it('a home that is an address, and not that of a database, is told from a folder', () => {
  const addresses = ['postgre://x', 'postgresql+psycopg://x', 'psql://x', ' postgres://x', 'https://x'];
  const others = ['postgres://x', 'PostgreSQL://x', './psql://x', '/a://b', 'a:/b', 'bob', ''];
  expect([...addresses, ...others].filter(isMistypedDatabase)).toEqual(addresses);
});

it('a word of a command line is quoted where a shell would take it for anything else', () => {
  const plain = ['/home/bob/a-b_c.db', 'postgres://bob@db.example:5433/a%20b', 'größe'];
  expect(plain.map(shellWord)).toEqual(plain);
  const odd = ['', 'a b', "bob's", "''", '$HOME', '~', '=a', '!!', 'a?b', '#', '\\', '`a`', '{a,b}', 'a\nb'];
  const echoed = execFileSync('/bin/sh', ['-c', `printf '%s\\0' ${odd.map(shellWord).join(' ')}`]).toString();
  expect(echoed.split('\0').slice(0, -1)).toEqual(odd);
  expect(odd.map(shellWord).filter((word) => !/^'.*'$/s.test(word))).toEqual([]);
});
