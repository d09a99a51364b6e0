import { closeSync, openSync, readSync } from 'node:fs';
import { PawlError } from '../errors.ts';
import { codeOf, reasonOf } from './system-error.ts';

const CHUNK = 1 << 20;

/**
 * The bytes of a file; of one that has more than `limit`, such as a device without an end, at least one byte more.
 * @throws `missing-file`, `read-failed`.
 */
export function readFile(path: string, limit: number): Uint8Array {
  try {
    const file = openSync(path, 'r');
    try {
      return readAll(file, limit);
    } finally {
      closeSync(file);
    }
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT') throw new PawlError('missing-file', { path }, { cause });
    throw new PawlError('read-failed', { path, reason: reasonOf(cause) }, { cause });
  }
}

/** The same of a file that is open already. `name` is for the error. @throws `read-failed`. */
export function readDescriptor(file: number, name: string, limit: number): Uint8Array {
  try {
    return readAll(file, limit);
  } catch (cause) {
    throw new PawlError('read-failed', { path: name, reason: reasonOf(cause) }, { cause });
  }
}

function readAll(file: number, limit: number): Uint8Array {
  const chunks: Buffer[] = [];
  for (let length = 0; length <= limit; ) {
    const chunk = Buffer.allocUnsafe(CHUNK);
    const read = readSync(file, chunk, 0, CHUNK, null);
    if (read === 0) break;
    chunks.push(chunk.subarray(0, read));
    length += read;
  }
  const bytes = Buffer.concat(chunks);
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}
