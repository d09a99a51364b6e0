import { InvalidArgumentError } from 'commander';
import { describe, expect, it } from 'vitest';
import { timeSpan, wholeNumber } from '../../../src/cli/parse.ts';

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
