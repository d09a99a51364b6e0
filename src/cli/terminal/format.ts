/** One line of a page: what it is, and how it stands. */
export type Fact = readonly [label: string, ...values: readonly string[]];

/** Facts as two columns; further values of a fact go below the first. */
export function facts(rows: readonly Fact[]): string {
  const width = Math.max(...rows.map(([label]) => label.length)) + 2;
  return rows
    .flatMap(([label, ...values]) => values.map((value, i) => (i === 0 ? label : '').padEnd(width) + value))
    .join('\n');
}

/** A title, and lines indented below it; `none` where there are no lines. */
export function section(title: string, lines: readonly string[], none: string): string {
  return [title, ...(lines.length > 0 ? lines : [none]).map((line) => `  ${line}`)].join('\n');
}

/** Rows whose columns stand below one another. */
export function table(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

/** A number of bytes as a person reads it: `1.2 MB`. */
export function bytesInWords(bytes: number): string {
  if (bytes < 1_000) return count(bytes, 'byte');
  const [unit, length] = bytes < 999_950 ? (['kB', 1e3] as const) : (['MB', 1e6] as const);
  return `${(bytes / length).toFixed(1)} ${unit}`;
}

/** A head with whatever remarks there are behind it. */
export function withRemarks(head: string, remarks: readonly (string | false)[]): string {
  const made = remarks.filter(Boolean);
  return made.length > 0 ? `${head} (${made.join(', ')})` : head;
}

/** The lines of a text of somebody's, set off so that none of them can pose as a head. */
export function setOff(text: string): readonly string[] {
  return text
    .replace(/\n$/, '')
    .split('\n')
    .map((line) => `  ${line}`);
}

/** Times as a person reads them: local, to the minute. `time` is in unix milliseconds. */
export function instant(time: number): string {
  const date = new Date(time);
  return `${day(time)} ${two(date.getHours())}:${two(date.getMinutes())}`;
}

export function day(time: number): string {
  const date = new Date(time);
  return `${String(date.getFullYear()).padStart(4, '0')}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

/** Times as scripts read them. */
export function iso(time: number): string {
  return new Date(time).toISOString();
}

/** How long a span of milliseconds is, in its largest whole unit: `3 days`. */
export function span(milliseconds: number): string {
  for (const [unit, length] of UNITS) {
    const count = Math.floor(milliseconds / length);
    if (count >= 1) return `${count} ${unit}${count === 1 ? '' : 's'}`;
  }
  return 'less than a minute';
}

const UNITS = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
] as const;

/** A span of milliseconds as it is typed: `36h`. It is a whole number of minutes. */
export function timeSpanOf(milliseconds: number): string {
  const [unit, length] = UNITS.find(([, length]) => milliseconds % length === 0) ?? ['minute', 60_000];
  return `${milliseconds / length}${unit.charAt(0)}`;
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}

/**
 * What must not reach a terminal as it is: control characters but newline and tab (C0, DEL, C1), and the characters that
 * turn the direction of text around.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what this is about
const INVISIBLE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

/** Text with everything that would act on a terminal spelled out: `\u{1b}`. */
export function visible(text: string): string {
  return replaceInvisible(text, (code) => `\\u{${code}}`);
}

/** Replaces each of those characters by what `spell` makes of its code in hex. */
export function replaceInvisible(text: string, spell: (code: string) => string): string {
  return text.replace(INVISIBLE, (character) => spell(character.charCodeAt(0).toString(16)));
}
