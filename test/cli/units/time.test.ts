import { describe, expect, it } from 'vitest';
import { timeSpan } from '../../../src/cli/option-types.ts';
import { day, instant, span, timeSpanOf } from '../../../src/cli/terminal/format.ts';

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
    expect(span(milliseconds)).toBe(words);
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
