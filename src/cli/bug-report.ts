/**
 * Translates the stack trace of an unexpected error back to the names and lines of the source.
 * Knows nothing of pawl: it maps every file that has a source map beside it.
 */
import { readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';

/** A line of a stack trace: `    at async Xy (/path/to/dist/pawl.cjs:14:1592)`. */
const FRAME = /^( +at (?:async )?)(?:.* \()?(\/.*):(\d+):(\d+)\)?$/;

/**
 * Maps the lines of a stack trace that lie in a file with a source map, such as dist/pawl.cjs. Other lines stay as they
 * are. Node can do this itself, but then every start of pawl is slower.
 */
export function mapStackTrace(trace: string): string {
  const maps = new Map<string, SourceMap | undefined>();
  const frames = trace.split('\n').map((text) => {
    const [, at, file = '', line, column] = FRAME.exec(text) ?? [];
    if (!maps.has(file)) maps.set(file, readSourceMap(file));
    return { text, at, ...maps.get(file)?.findOrigin(Number(line), Number(column)) };
  });
  return frames
    .map(({ text, at, fileName, lineNumber, columnNumber }, index) => {
      if (fileName === undefined) return text;
      const place = `${fileName.replace(/^(?:\.\.\/)+/, '')}:${lineNumber}:${columnNumber}`;
      // A source map has the name of a function where it is called: one frame further down.
      const name = frames[index + 1]?.name;
      return `${at}${name === undefined ? place : `${name} (${place})`}`;
    })
    .join('\n');
}

function readSourceMap(file: string): SourceMap | undefined {
  try {
    return new SourceMap(JSON.parse(readFileSync(`${file}.map`, 'utf8')));
  } catch {
    return undefined;
  }
}
