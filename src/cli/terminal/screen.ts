/**
 * What an output can show: how many columns it has, and whether it shows more than ASCII. Everything that is drawn or
 * wrapped asks here.
 */
import type { Io, Output } from './io.ts';

/** The columns of a terminal that does not report its size, and of an output that is none. */
const DEFAULT_COLUMNS = 80;

export function columnsOf({ size }: Output): number {
  return size?.columns ?? DEFAULT_COLUMNS;
}

/**
 * The name of the locale that decides which characters can be shown. It decides for a pipe as well, because what comes
 * out of it is read, too. Where none is set, as in containers, the terminal in front of it knows UTF-8.
 */
export function localeOf({ environment }: Pick<Io, 'environment'>): string {
  return environment.LC_ALL || environment.LC_CTYPE || environment.LANG || 'UTF-8';
}

/** Whether other characters than ASCII can be shown. */
export function showsUnicode(io: Pick<Io, 'environment'>): boolean {
  return /utf-?8/i.test(localeOf(io));
}
