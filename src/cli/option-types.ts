/**
 * Parsers for the values of options and arguments. Each throws commander's `InvalidArgumentError`.
 * Knows nothing of the commands that use them.
 */
import { InvalidArgumentError } from 'commander';
import { DAY, type Retention } from '../session/index.ts';
import { day, timeSpanOf } from './terminal/format.ts';

const UNITS: Readonly<Record<string, number>> = { m: DAY / 1_440, h: DAY / 24, d: DAY, w: 7 * DAY };

/** Parses the name of a file to write. `-`, which is standard output, stays: see `namedFile`. */
export function outputFile(text: string): string {
  if (text === '') throw new InvalidArgumentError('it must be the name of a file');
  return text;
}

/** The file that an option names; `undefined` for standard output, whether by `-` or because the option was left out. */
export function namedFile(option: string | undefined): string | undefined {
  return option === '-' ? undefined : option;
}

/** Parses the name of a folder. */
export function folderName(text: string): string {
  if (text === '') throw new InvalidArgumentError('it must be the name of a folder');
  return text;
}

/** Parses a command line for the shell. An empty one would do nothing, and say that all is well. */
export function commandLine(text: string): string {
  if (text.trim() === '') throw new InvalidArgumentError('it must be a command line for the shell');
  return text;
}

/** Makes a parser for whole numbers from `least` to `most`. */
export function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= least && value <= most) return value;
    throw new InvalidArgumentError(`it must be a whole number from ${least} to ${most}`);
  };
}

/** Makes a parser for times like `12h`: it returns milliseconds, at most `most`. */
export function timeSpan(most: number): (text: string) => number {
  return (text) => {
    const [, count, unit = ''] = /^(\d{1,6})([mhdw])$/.exec(text) ?? [];
    const milliseconds = Number(count) * (UNITS[unit] ?? Number.NaN);
    if (milliseconds > 0 && milliseconds <= most) return milliseconds;
    throw new InvalidArgumentError(`it must be a time like 45m, 12h, 30d or 8w, of at most ${timeSpanOf(most)}`);
  };
}

/** In milliseconds. Who wants to keep texts for longer sets `on`. */
const LONGEST_RETENTION = 3_650 * DAY;

/** Parses how long texts are kept: `off`, `on`, or a time in milliseconds. */
export function retention(text: string): Retention {
  if (text === 'off' || text === 'on') return text;
  try {
    return timeSpan(LONGEST_RETENTION)(text);
  } catch {
    throw new InvalidArgumentError(
      `it must be on, off or a time like 12h, 30d or 8w, of at most ${LONGEST_RETENTION / DAY}d`,
    );
  }
}

const DATE = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?(?:Z|[+-]\d\d:\d\d)?))?$/;

/**
 * Parses a point in time: a span before now, like `2d`, or a date with or without the time of day. A date without a zone
 * is in local time, as pawl prints it.
 * @returns a function from the current time to the parsed one, both in unix milliseconds.
 */
export function pointInTime(text: string): (now: number) => number {
  const [, date, time = '00:00'] = DATE.exec(text) ?? [];
  // Date.parse takes the 30th of February for a day of March.
  const isDay = date !== undefined && day(Date.parse(`${date}T00:00`)) === date;
  const at = isDay ? Date.parse(`${date}T${time}`) : Number.NaN;
  if (!Number.isNaN(at)) return () => at;
  try {
    const span = timeSpan(LONGEST_RETENTION)(text);
    return (now) => now - span;
  } catch {
    throw new InvalidArgumentError(
      'it must be a time ago like 45m, 12h or 2d, or a date like 2026-01-31 or 2026-01-31T14:00',
    );
  }
}

/** In bytes, by their letter: powers of 1,024, as `split`, `dd` and `tar` have them. */
const SIZES: Readonly<Record<string, number>> = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 };

/** Parses a number of bytes like `500M` or `16G`. */
export function byteSize(text: string): number {
  const [, number, unit = ''] = /^(\d{1,15})([KMGT]?)$/i.exec(text) ?? [];
  const bytes = Number(number) * (SIZES[unit.toUpperCase()] ?? Number.NaN);
  if (bytes > 0 && Number.isSafeInteger(bytes)) return bytes;
  throw new InvalidArgumentError('it must be a number of bytes like 4096, 500M or 16G');
}
