/**
 * Formats texts, numbers and times for the terminal, and escapes what a terminal would act on.
 * Knows nothing of what is shown.
 */

// Layout

/** A label and its values, one on each line. */
export type Fact = readonly [label: string, ...values: readonly string[]];

/** Facts in two columns: the labels, and the values below one another. */
export function facts(rows: readonly Fact[]): string {
  const width = Math.max(...rows.map(([label]) => label.length)) + 2;
  return rows
    .flatMap(([label, ...values]) => values.map((value, i) => (i === 0 ? label : '').padEnd(width) + value))
    .join('\n');
}

/** A title with indented lines below it, or with `none` if there are no lines. */
export function section(title: string, lines: readonly string[], none: string): string {
  return [title, ...(lines.length > 0 ? lines : [none]).map((line) => `  ${line}`)].join('\n');
}

/** The number of entries that a page shows of a long list; with --json there are all of them. */
export const PAGE_LENGTH = 100;

/** Rows with aligned columns. */
export function table(rows: readonly (readonly string[])[]): readonly string[] {
  // Not Math.max(...rows): there may be more rows than a function can have arguments.
  const widths = (rows[0] ?? []).map((_, column) =>
    rows.reduce((width, row) => Math.max(width, row[column]?.length ?? 0), 0),
  );
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

/** A heading followed by its remarks, without those that are `false`: `bob (unverified, late)`. */
export function withRemarks(heading: string, remarks: readonly (string | false)[]): string {
  const present = remarks.filter(Boolean);
  return present.length > 0 ? `${heading} (${present.join(', ')})` : heading;
}

/** The lines of a message, with what a terminal would act on escaped, and none of them like a heading: all are indented. */
export function textLines(text: string): readonly string[] {
  return escapeInvisible(text.replace(/\n$/, ''))
    .split('\n')
    .map((line) => `${' '.repeat(TEXT_INDENT)}${line}`);
}

/** The blanks in front of the lines of a message. */
export const TEXT_INDENT = 2;

// Numbers

/** A number and its noun: `1 message`, `2 messages`. */
export function count(number: number, noun: string, nouns = `${noun}s`): string {
  return `${number} ${number === 1 ? noun : nouns}`;
}

/** A number of bytes in its largest unit: `1.2 MB`. */
export function bytesInWords(bytes: number): string {
  if (bytes < 1_000) return count(bytes, 'byte');
  const [unit, length] = BYTES.find(([, one]) => bytes < 999.95 * one) ?? (['TB', 1e12] as const);
  return `${(bytes / length).toFixed(1)} ${unit}`;
}

const BYTES = [
  ['kB', 1e3],
  ['MB', 1e6],
  ['GB', 1e9],
] as const;

// Times. A `time` is in unix milliseconds.

/** A local time to the minute: `2026-01-31 14:00`. */
export function instant(time: number): string {
  const date = new Date(time);
  return `${day(time)} ${twoDigits(date.getHours())}:${twoDigits(date.getMinutes())}`;
}

/** A local date: `2026-01-31`. */
export function day(time: number): string {
  const date = new Date(time);
  return `${String(date.getFullYear()).padStart(4, '0')}-${twoDigits(date.getMonth() + 1)}-${twoDigits(date.getDate())}`;
}

/** A time in the JSON output: ISO 8601, in UTC. */
export function iso(time: number): string {
  return new Date(time).toISOString();
}

/** A number of milliseconds, rounded down to its largest unit: `3 days`. */
export function spanInWords(milliseconds: number): string {
  for (const [unit, length] of UNITS) {
    const number = Math.floor(milliseconds / length);
    if (number >= 1) return count(number, unit);
  }
  return 'less than a minute';
}

const UNITS = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
] as const;

/** A whole number of minutes, given in milliseconds, as the value of an option: `36h`. The inverse of `timeSpan`. */
export function timeSpanOf(milliseconds: number): string {
  const [unit, length] = UNITS.find((candidate) => milliseconds % candidate[1] === 0) ?? ['minute', 60_000];
  return `${milliseconds / length}${unit.charAt(0)}`;
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0');
}

// Escaping

/** Control characters (C0, DEL, C1) except newline and tab, and characters that change the direction of text. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these characters are meant
const INVISIBLE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

/** Escapes the characters that a terminal would act on instead of showing them: `\u{1b}`. */
export function escapeInvisible(text: string): string {
  return replaceInvisible(text, (code) => `\\u{${code}}`);
}

/** Escapes the same and newlines and tabs, in what is to stay on one line. */
export function escapeInLine(text: string): string {
  return escapeInvisible(text).replace(/[\n\t]/g, (character) => `\\u{${character.charCodeAt(0).toString(16)}}`);
}

/**
 * Replaces the characters that a terminal would act on.
 * @param replacement makes the replacement from the code of the character in hex.
 */
export function replaceInvisible(text: string, replacement: (code: string) => string): string {
  return text.replace(INVISIBLE, (character) => replacement(character.charCodeAt(0).toString(16)));
}

/** A text as one word of a command line for the shell: in quotes where a shell would take it for anything else. */
export function shellWord(text: string): string {
  return /^[\p{L}\p{N}_@%+:,./-]+$/u.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/**
 * Whether a home is meant as the address of a database, and is none: no folder is called so, and it may have a password in it.
 */
export function isMistypedDatabase(home: string): boolean {
  return /^\s*[a-z][\w+.-]*:\/\//i.test(home) && !isDatabase(home);
}

/** Whether a home is an address, and no folder: it may have a password in it. */
export function isAddress(home: string): boolean {
  return isDatabase(home) || isMistypedDatabase(home);
}

/** Whether messages that call an identity so mean one in a database: `postgres://…`, or `NAME in postgres://…`. */
export function isDatabase(path: string): boolean {
  return /^(?:[\w.-]+ in )?postgres(?:ql)?:/i.test(path);
}
