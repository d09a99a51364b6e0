import { InvalidArgumentError } from 'commander';
import { DAY } from '../session/index.ts';

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
