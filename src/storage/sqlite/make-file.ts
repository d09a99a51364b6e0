import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, linkSync, openSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { PawlError } from '../../errors.ts';
import { reasonOf } from './database-errors.ts';

/**
 * Makes a database file, for our eyes only (mode 0600): `build` is given an empty one under another name, which is put in
 * place when it is whole and durable. Whatever happens, nothing else is left behind, and a file that is there is never
 * replaced.
 * @throws `exists`, `cannot-create`.
 */
export function makeFile(path: string, build: (draft: string) => void): void {
  // The journal of a file that has gone would be played back into a new one of its name.
  for (const taken of [path, `${path}-journal`]) if (existsSync(taken)) throw new PawlError('exists', { path: taken });
  const draft = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}`);
  try {
    // Before the database does, which would let others read it.
    makeEmpty(draft);
    try {
      build(draft);
      sync(draft);
      putInPlace(draft, path);
      sync(dirname(path));
    } finally {
      rmSync(draft, { force: true });
      rmSync(`${draft}-journal`, { force: true });
    }
  } catch (cause) {
    if (codeOf(cause) === 'EEXIST') throw new PawlError('exists', { path }, { cause });
    const reason = cause instanceof PawlError && 'reason' in cause.detail ? cause.detail.reason : reasonOf(cause);
    throw new PawlError('cannot-create', { path, reason }, { cause });
  }
}

/** A link fails where a file is, as a rename does not. */
function putInPlace(draft: string, path: string): void {
  try {
    linkSync(draft, path);
  } catch (error) {
    if (codeOf(error) === 'EEXIST') throw error;
    // No links on this filesystem: an empty file of ours keeps the place until the whole one replaces it.
    makeEmpty(path);
    try {
      renameSync(draft, path);
    } catch (error) {
      rmSync(path, { force: true });
      throw error;
    }
  }
}

function makeEmpty(path: string): void {
  closeSync(openSync(path, 'wx', 0o600));
}

/** A file, or the names in a folder. */
function sync(path: string): void {
  const file = openSync(path, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
