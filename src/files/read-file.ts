import { readFileSync } from 'node:fs';
import { PawlError } from '../errors.ts';
import { codeOf, reasonOf } from './system-error.ts';

/** The bytes of a file. @throws `missing-file`, `read-failed`. */
export function readFile(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT') throw new PawlError('missing-file', { path }, { cause });
    throw new PawlError('read-failed', { path, reason: reasonOf(cause) }, { cause });
  }
}
