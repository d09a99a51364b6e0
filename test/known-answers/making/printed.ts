import type { Vectors } from '../format.ts';

/** The file: JSON with a step, a row, a remark on each line, so that differences can be read. */
export function printed(vectors: Vectors): string {
  return `${lines(vectors, '')}\n`;
}

function lines(value: unknown, indent: string): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const inner = `${indent} `;
  if (Array.isArray(value)) {
    const rows = value.map((row) => inner + (isStory(row) ? lines(row, inner) : JSON.stringify(row)));
    return `[\n${rows.join(',\n')}\n${indent}]`;
  }
  const fields = Object.entries(value).map(
    ([name, field]) => `${inner}${JSON.stringify(name)}: ${lines(field, inner)}`,
  );
  return `{\n${fields.join(',\n')}\n${indent}}`;
}

function isStory(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'steps' in value;
}
