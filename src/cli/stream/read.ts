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

/** The path that is standard input, wherever a file is read. */
export const STANDARD_INPUT = '-';

/** What messages call an input. */
export function nameOfInput(path: string): string {
  return path === STANDARD_INPUT ? 'standard input' : path;
}

const NEWLINE = 0x0a;

/**
 * Reads a file, or standard input if `path` is `-` or `undefined`.
 * @param limit the most bytes. Of a file that is larger nothing is read; of a pipe, little more.
 * @param onProgress is called with the number of bytes that have been read from standard input so far.
 * @throws `missing-file`, `read-failed`, `too-large`.
 */
export async function readInput(
  io: Io,
  path: string | undefined,
  limit: number,
  onProgress: (bytes: number) => void = () => undefined,
): Promise<Uint8Array> {
  const isFile = path !== undefined && path !== STANDARD_INPUT;
  const size = isFile ? sizeOf(path) : io.input.size;
  if (size !== undefined && size > limit) throw new PawlError('too-large', { what: 'content', bytes: size, limit });
  const bytes = isFile ? readFile(path, limit) : await gather(io, limit, onProgress);
  // A pipe or a device, or a file that has grown.
  if (bytes.length > limit)
    throw new PawlError('too-large', { what: 'content', bytes: bytes.length, limit, isLeast: true });
  return bytes;
}

async function gather(io: Io, limit: number, onProgress: (bytes: number) => void): Promise<Uint8Array> {
  const gathered = new Gathered(limit);
  for await (const chunk of chunksOf(io)) {
    gathered.add(chunk);
    if (gathered.isFull) break;
    onProgress(gathered.bytes.length);
  }
  return gathered.bytes;
}

/** The bytes of a regular file. Errors are reported when it is read. */
function sizeOf(path: string): number | undefined {
  try {
    const status = statSync(path, { throwIfNoEntry: false });
    return status?.isFile() ? status.size : undefined;
  } catch {
    return undefined;
  }
}

/**
 * A file, or standard input for `-`, in chunks.
 * @throws `missing-file`, `read-failed`; `cut-line` for standard input.
 */
export function streamOf(io: Io, path: string): Iterable<Uint8Array> | AsyncIterable<Uint8Array> {
  return path === STANDARD_INPUT ? chunksOf(io) : chunksOfFile(path);
}

type Streams = Pick<Io, 'input' | 'output' | 'errors'>;

/**
 * Standard input in chunks, as they arrive.
 * @throws `read-failed`; `cut-line` for a line that the terminal may have cut.
 */
export async function* chunksOf(io: Streams): AsyncGenerator<Uint8Array, void, undefined> {
  const chunks = io.input.isTerminal ? wholeLines(io) : io.input.chunks;
  try {
    yield* chunks;
  } catch (cause) {
    if (cause instanceof PawlError) throw cause;
    throw new PawlError('read-failed', { path: 'standard input', reason: reasonOf(cause) }, { cause });
  }
}

/**
 * A line that the terminal has cut cannot be told from one that is just as long: neither is taken. The rest is still read,
 * or the shell would run it.
 */
async function* wholeLines({ input, output, errors }: Streams) {
  const { chunks, longestLine = Number.POSITIVE_INFINITY } = input;
  let isCut = false;
  let last = NEWLINE;
  for await (const chunk of chunks) {
    isCut ||= longestLineIn(chunk) > longestLine;
    last = chunk.at(-1) ?? last;
    if (!isCut) yield chunk;
  }
  // The terminal has shown what was typed: what is said next begins a line of its own.
  if (last !== NEWLINE) await [errors, output].find(({ isTerminal }) => isTerminal)?.write('\n');
  if (isCut) throw new PawlError('cut-line', { limit: longestLine });
}

function longestLineIn(chunk: Uint8Array): number {
  let [longest, start] = [0, 0];
  while (start < chunk.length) {
    const newline = chunk.indexOf(NEWLINE, start);
    const end = newline === -1 ? chunk.length : newline;
    longest = Math.max(longest, end - start);
    start = end + 1;
  }
  return longest;
}

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
    if (bytes > MAX_CONTENT)
      throw new PawlError('too-large', { what: 'line', bytes, limit: MAX_CONTENT, isLeast: true });
  }
  if (incomplete.length > 0) yield [concatAll(incomplete)];
}
