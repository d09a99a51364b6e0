import { InvalidArgumentError } from 'commander';
import { describe, expect, it } from 'vitest';
import { pointInTime, retention, timeSpan, wholeNumber } from '../../src/cli/option-types.ts';

const MINUTE = 60_000;
const DAY = 1_440 * MINUTE;

describe('a whole number', () => {
  const parse = wholeNumber(1, 1_000_000);

  it.each([
    ['1', 1],
    ['007', 7],
    ['1000000', 1_000_000],
  ])('%s', (text, number) => expect(parse(text)).toBe(number));

  it.each(['0', '1000001', '-1', '+1', '1.0', '1e3', '0x10', ' 1', '1 ', '', 'one', '٣', '9999999999999999999999'])(
    '%j is none from 1 to a million',
    (text) => {
      expect(() => parse(text)).toThrow(InvalidArgumentError);
      expect(() => parse(text)).toThrow('it must be a whole number from 1 to 1000000');
    },
  );

  it('may be its limits', () => {
    expect(wholeNumber(0, 3_600)('0')).toBe(0);
    expect(wholeNumber(0, 3_600)('3600')).toBe(3_600);
  });
});

describe('a span of time', () => {
  const parse = timeSpan(365 * DAY);

  it.each([
    ['1m', MINUTE],
    ['45m', 45 * MINUTE],
    ['12h', 720 * MINUTE],
    ['30d', 30 * DAY],
    ['8w', 56 * DAY],
    ['365d', 365 * DAY],
    ['52w', 364 * DAY],
  ])('%s', (text, milliseconds) => expect(parse(text)).toBe(milliseconds));

  it.each(['0m', '0d', '366d', '53w', '30', 'd', '', '-1d', '1.5h', '1d12h', '30 d', '30D', '1y', '1s', '9999999d'])(
    '%j is none',
    (text) => {
      expect(() => parse(text)).toThrow(InvalidArgumentError);
      expect(() => parse(text)).toThrow('it must be a time like 45m, 12h, 30d or 8w, of at most 365d');
    },
  );
});

it('a span of less than a day says its limit as it is typed', () => {
  expect(() => timeSpan(8 * 60 * MINUTE)('9h')).toThrow('of at most 8h');
});

describe('how long texts are kept', () => {
  it.each([
    ['off', 'off'],
    ['on', 'on'],
    ['12h', DAY / 2],
    ['3650d', 3_650 * DAY],
  ])('%s', (text, expected) => expect(retention(text)).toBe(expected));

  it.each(['', 'On', 'maybe', '0d', '30', '3651d', '1y', '-1d', 'on '])('%j is none', (text) => {
    expect(() => retention(text)).toThrow(InvalidArgumentError);
    expect(() => retention(text)).toThrow('it must be on, off or a time like 12h, 30d or 8w, of at most 3650d');
  });
});

describe('a time in the past', () => {
  const NOW = Date.UTC(2026, 0, 31);

  it.each([
    ['3h', NOW - DAY / 8],
    ['2w', NOW - 14 * DAY],
    ['2026-01-05', new Date(2026, 0, 5).getTime()],
    ['2024-02-29', new Date(2024, 1, 29).getTime()],
    ['2026-01-05 14:30', new Date(2026, 0, 5, 14, 30).getTime()],
    ['2026-01-05T14:30:59', new Date(2026, 0, 5, 14, 30, 59).getTime()],
    ['2026-01-05T14:30Z', Date.UTC(2026, 0, 5, 14, 30)],
    ['2026-01-05T14:30:59.999Z', Date.UTC(2026, 0, 5, 14, 30, 59, 999)],
    ['2026-01-05T14:30+02:00', Date.UTC(2026, 0, 5, 12, 30)],
  ])('%s', (text, expected) => expect(pointInTime(text)(NOW)).toBe(expected));

  it.each([
    '',
    '0d',
    'yesterday',
    '2026',
    '2026-13-01',
    '2026-02-30',
    '2026-1-5',
    '2026-01-05T25:00',
    '2026-01-05T',
    '+2d',
  ])('%j is none', (text) => {
    expect(() => pointInTime(text)).toThrow(InvalidArgumentError);
    expect(() => pointInTime(text)).toThrow('it must be a time ago like');
  });
});
