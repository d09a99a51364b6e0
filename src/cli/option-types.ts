import { InvalidArgumentError } from 'commander';
import { DAY, type Retention } from '../session/index.ts';
import { day } from './terminal/format.ts';

const UNITS: Readonly<Record<string, number>> = { m: DAY / 1_440, h: DAY / 24, d: DAY, w: 7 * DAY };

/** Parses the name of a file to write; `-` stands for standard output. */
export function outputFile(text: string): string | undefined {
  if (text === '') throw new InvalidArgumentError('it must be the name of a file');
  return text === '-' ? undefined : text;
}

/** Parses the name of a folder. */
export function folderName(text: string): string {
  if (text === '') throw new InvalidArgumentError('it must be the name of a folder');
  return text;
}

/** Parses a whole number from `least` to `most`. */
export function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= least && value <= most) return value;
    throw new InvalidArgumentError(`it must be a whole number from ${least} to ${most}`);
  };
}

/** Parses a span of time like `12h` into milliseconds, of at most `most`. */
export function timeSpan(most: number): (text: string) => number {
  return (text) => {
    const [, count, unit = ''] = /^(\d{1,6})([mhdw])$/.exec(text) ?? [];
    const milliseconds = Number(count) * (UNITS[unit] ?? Number.NaN);
    if (milliseconds > 0 && milliseconds <= most) return milliseconds;
    throw new InvalidArgumentError(`it must be a time like 45m, 12h, 30d or 8w, of at most ${most / DAY}d`);
  };
}

/** Longer than that is without end. */
const LONGEST_RETENTION = 3_650 * DAY;

/** Parses how long texts are kept: `off`, `on`, or a span of time. */
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
 * Parses a time: so long before now, like `2d`; or a date, with or without the time of day, as pawl prints them, local
 * unless it says otherwise. @returns what gives it in unix milliseconds, once it is known what time it is.
 */
export function moment(text: string): (now: number) => number {
  const [, date, time = '00:00'] = DATE.exec(text) ?? [];
  // The 30th of February is read as a day of March.
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
