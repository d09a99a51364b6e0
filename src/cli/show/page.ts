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
