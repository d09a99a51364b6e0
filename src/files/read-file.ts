import { closeSync, openSync, readSync } from 'node:fs';
import { PawlError } from '../errors.ts';
import { Gathered } from './gathered.ts';
import { codeOf, reasonOf } from './system-error.ts';

const CHUNK = 2 ** 16;

/** The bytes of a file as they are read, as many as there are and at most 64 KiB. @throws `missing-file`, `read-failed`. */
export function* chunksOfFile(path: string): Generator<Uint8Array, void, undefined> {
  const file = attempt(path, () => openSync(path, 'r'));
  try {
    yield* chunksOfDescriptor(file, path);
  } finally {
    closeSync(file);
  }
}

/**
 * The bytes of a file; of one that has more than `limit`, such as a device without an end, at least one byte more.
 * @throws `missing-file`, `read-failed`.
 */
export function readFile(path: string, limit: number): Uint8Array {
  return joined(chunksOfFile(path), limit);
}

/** The same of a file that is open already. `name` is for the error. @throws `read-failed`. */
export function readDescriptor(file: number, name: string, limit: number): Uint8Array {
  return joined(chunksOfDescriptor(file, name), limit);
}

function* chunksOfDescriptor(file: number, name: string): Generator<Uint8Array, void, undefined> {
  for (;;) {
    const chunk = Buffer.allocUnsafeSlow(CHUNK);
    const length = attempt(name, () => readSync(file, chunk, 0, CHUNK, null));
    if (length === 0) return;
    yield chunk.subarray(0, length);
  }
}

function joined(source: Iterable<Uint8Array>, limit: number): Uint8Array {
  const gathered = new Gathered(limit);
  for (const chunk of source) {
    gathered.add(chunk);
    if (gathered.isFull) break;
  }
  return gathered.bytes;
}

function attempt<Result>(path: string, work: () => Result): Result {
  try {
    return work();
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT') throw new PawlError('missing-file', { path }, { cause });
    throw new PawlError('read-failed', { path, reason: reasonOf(cause) }, { cause });
  }
}
