import { readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';

/** A line of a trace: `    at async Xy (/path/to/dist/pawl.cjs:14:1592)`. */
const FRAME = /^( +at (?:async )?)(?:.* \()?(\/.*):(\d+):(\d+)\)?$/;

/**
 * A stack trace in the names of the source, for what comes from a file that has its map beside it, as dist/pawl.cjs does.
 * The map is read here, since every start would pay for having Node look after it.
 */
export function readable(trace: string): string {
  const maps = new Map<string, SourceMap | undefined>();
  const frames = trace.split('\n').map((text) => {
    const [, at, file = '', line, column] = FRAME.exec(text) ?? [];
    if (!maps.has(file)) maps.set(file, mapOf(file));
    return { text, at, ...maps.get(file)?.findOrigin(Number(line), Number(column)) };
  });
  return frames
    .map(({ text, at, fileName, lineNumber, columnNumber }, index) => {
      if (fileName === undefined) return text;
      const place = `${fileName.replace(/^(?:\.\.\/)+/, '')}:${lineNumber}:${columnNumber}`;
      // What the source calls a function is known where it is called: one frame further down.
      const name = frames[index + 1]?.name;
      return `${at}${name === undefined ? place : `${name} (${place})`}`;
    })
    .join('\n');
}

function mapOf(file: string): SourceMap | undefined {
  try {
    return new SourceMap(JSON.parse(readFileSync(`${file}.map`, 'utf8')));
  } catch {
    return undefined;
  }
}
