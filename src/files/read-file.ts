import { closeSync, openSync } from 'node:fs';
import { PawlError } from '../errors.ts';
import { chunksOf } from './chunks.ts';
import { Gathered } from './gathered.ts';
import { codeOf, reasonOf } from './system-error.ts';

/** The bytes of a file as they are read, as many as there are and at most 64 KiB. @throws `missing-file`, `read-failed`. */
export function* chunksOfFile(path: string): Generator<Uint8Array, void, undefined> {
  const file = opened(path);
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
  try {
    yield* chunksOf(file);
  } catch (cause) {
    throw failed(name, cause);
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

function opened(path: string): number {
  try {
    return openSync(path, 'r');
  } catch (cause) {
    throw failed(path, cause);
  }
}

function failed(path: string, cause: unknown): PawlError {
  return codeOf(cause) === 'ENOENT'
    ? new PawlError('missing-file', { path }, { cause })
    : new PawlError('read-failed', { path, reason: reasonOf(cause) }, { cause });
}
