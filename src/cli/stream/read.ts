import { statSync } from 'node:fs';
import { MAX_CONTENT } from '../../envelope/index.ts';
import { PawlError } from '../../errors.ts';
import { chunksOfFile, Gathered, readFile, reasonOf } from '../../files/index.ts';
import { concatAll } from '../../primitives/index.ts';
import type { Io } from '../terminal/io.ts';

/**
 * All of a file, or of standard input where it is `-` or not given.
 * @param limit the most bytes that are any use: of input without an end, no more than a little above is read.
 * @param told is given how many bytes have come, as they come.
 * @throws `missing-file`, `read-failed`.
 */
export async function readInput(
  io: Io,
  path: string | undefined,
  limit: number,
  told: (bytes: number) => void = () => undefined,
): Promise<Uint8Array> {
  if (path !== undefined && path !== '-') return readFile(path, limit);
  const gathered = new Gathered(limit);
  for await (const chunk of chunksOf(io)) {
    gathered.add(chunk);
    if (gathered.isFull) break;
    told(gathered.bytes.length);
  }
  return gathered.bytes;
}

/**
 * Files one after the other, or standard input for `-`, each as it is read. One that is not there keeps the others from
 * being read at all.
 * @throws `missing-file`, `read-failed`.
 */
export function* streamsOf(
  io: Io,
  paths: readonly string[],
): Generator<{ path: string; chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array> }, void, undefined> {
  const missing = paths.find((path) => path !== '-' && isMissing(path));
  if (missing !== undefined) throw new PawlError('missing-file', { path: missing });
  for (const path of paths) yield { path, chunks: path === '-' ? chunksOf(io) : chunksOfFile(path) };
}

/** Standard input as it comes. @throws `read-failed`. */
export async function* chunksOf({ input }: Pick<Io, 'input'>): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* input.chunks;
  } catch (cause) {
    throw new PawlError('read-failed', { path: 'standard input', reason: reasonOf(cause) }, { cause });
  }
}

/** Whether there is no file of that name; what cannot be told is left for reading it to find out. */
function isMissing(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false }) === undefined;
  } catch {
    return false;
  }
}

const NEWLINE = 0x0a;

/**
 * The lines of a stream as they come, those that each chunk ends at once, without their newlines; what follows the last
 * newline is a line as well.
 */
export async function* linesOf(
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<readonly Uint8Array[], void, undefined> {
  let begun: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    const lines: Uint8Array[] = [];
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      lines.push(concatAll([...begun, chunk.subarray(start, end)]));
      begun = [];
      bytes = 0;
      start = end + 1;
    }
    if (start < chunk.length) begun.push(chunk.subarray(start));
    bytes += chunk.length - start;
    if (lines.length > 0) yield lines;
    if (bytes > MAX_CONTENT) throw new PawlError('too-large', { what: 'line', bytes, limit: MAX_CONTENT });
  }
  if (begun.length > 0) yield [concatAll(begun)];
}
