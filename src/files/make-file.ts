import { existsSync } from 'node:fs';
import { PawlError } from '../errors.ts';
import { putInPlace } from './put-in-place.ts';
import { codeOf, reasonOf } from './system-error.ts';

/**
 * Makes a file, for our eyes only (mode 0600): `build` is given an empty one under another name, which is put in place
 * when it is whole and durable. Whatever happens, nothing else is left behind, and a file that is there is never replaced.
 * @throws `exists`, `cannot-create`.
 */
export function makeFile(path: string, build: (draft: string) => void): void {
  // The journal of a database that has gone would be played back into a new one of its name.
  for (const taken of [path, `${path}-journal`]) if (existsSync(taken)) throw new PawlError('exists', { path: taken });
  try {
    putInPlace(path, 'stays', build);
  } catch (cause) {
    if (codeOf(cause) === 'EEXIST') throw new PawlError('exists', { path }, { cause });
    throw new PawlError('cannot-create', { path, reason: reasonOf(cause) }, { cause });
  }
}
