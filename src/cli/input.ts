import { PawlError } from '../errors.ts';
import { readFile, reasonOf } from '../files/index.ts';
import { concatAll } from '../primitives/index.ts';
import type { Io } from './io.ts';

/**
 * All of a file, or of standard input where it is `-` or not given.
 * @param limit the most bytes that are any use: of input without an end, no more than a little above is read.
 * @throws `missing-file`, `read-failed`.
 */
export async function readInput(io: Io, path: string | undefined, limit: number): Promise<Uint8Array> {
  if (path !== undefined && path !== '-') return readFile(path, limit);
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of chunksOf(io)) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > limit) break;
  }
  return concatAll(chunks);
}

/** Standard input as it comes. @throws `read-failed`. */
export async function* chunksOf({ input }: Pick<Io, 'input'>): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* input.chunks;
  } catch (cause) {
    throw new PawlError('read-failed', { path: 'standard input', reason: reasonOf(cause) }, { cause });
  }
}
