/**
 * Reads files and standard input, whole or in pieces as they arrive, and splits a stream into lines.
 * Knows nothing of what the bytes mean.
 */
import { statSync } from 'node:fs';
import { MAX_CONTENT } from '../../envelope/index.ts';
import { PawlError } from '../../errors.ts';
import { chunksOfFile, Gathered, readFile, reasonOf } from '../../files/index.ts';
import { concatAll } from '../../primitives/index.ts';
import type { Io } from '../terminal/io.ts';

/**
 * Reads a file, or standard input if `path` is `-` or `undefined`.
 * @param limit bytes that the caller accepts. Reading stops soon after, so that the result may be longer.
 * @param onProgress is called with the number of bytes that have been read from standard input so far.
 * @throws `missing-file`, `read-failed`.
 */
export async function readInput(
  io: Io,
  path: string | undefined,
  limit: number,
  onProgress: (bytes: number) => void = () => undefined,
): Promise<Uint8Array> {
  if (path !== undefined && path !== '-') return readFile(path, limit);
  const gathered = new Gathered(limit);
  for await (const chunk of chunksOf(io)) {
    gathered.add(chunk);
    if (gathered.isFull) break;
    onProgress(gathered.bytes.length);
  }
  return gathered.bytes;
}

/**
 * Opens files one after the other, or standard input for `-`. If one of them does not exist, none is read.
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

/**
 * Standard input in chunks, as they arrive.
 * @throws `read-failed`.
 */
export async function* chunksOf({ input }: Pick<Io, 'input'>): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* input.chunks;
  } catch (cause) {
    throw new PawlError('read-failed', { path: 'standard input', reason: reasonOf(cause) }, { cause });
  }
}

/** Whether a file does not exist. Other errors are reported when it is read. */
function isMissing(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false }) === undefined;
  } catch {
    return false;
  }
}

const NEWLINE = 0x0a;

/**
 * Splits a stream into lines without their newlines. Lines that end in the same chunk are yielded together. Bytes after
 * the last newline are a line too.
 * @throws `too-large` for a line of more than `MAX_CONTENT` bytes.
 */
export async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array[], void, undefined> {
  /** The beginning of a line whose newline has not arrived. */
  let incomplete: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    const lines: Uint8Array[] = [];
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      lines.push(concatAll([...incomplete, chunk.subarray(start, end)]));
      incomplete = [];
      bytes = 0;
      start = end + 1;
    }
    if (start < chunk.length) incomplete.push(chunk.subarray(start));
    bytes += chunk.length - start;
    if (lines.length > 0) yield lines;
    if (bytes > MAX_CONTENT) throw new PawlError('too-large', { what: 'line', bytes, limit: MAX_CONTENT });
  }
  if (incomplete.length > 0) yield [concatAll(incomplete)];
}
