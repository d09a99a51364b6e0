import { randomBytes } from 'node:crypto';
import {
  type BigIntStats,
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  renameSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { PawlError } from '../errors.ts';
import { codeOf, reasonOf } from './system-error.ts';

/**
 * Puts a file at `path`, for our eyes only (mode 0600): `build` is given an empty one under another name, open, which takes
 * the place when it is whole and durable. Whatever happens, nothing else is left behind. A link is never followed.
 * @param what is there already: it stays, and `EEXIST` is thrown; or it is replaced, unless it is a folder.
 * Throws what the system throws.
 */
export function putInPlace(
  path: string,
  what: 'stays' | 'is replaced',
  build: (draft: string, file: number) => void,
): void {
  withDraft(path, (draft, file) => {
    build(draft, file);
    fsyncSync(file);
    if (what === 'stays') takeFreePlace(draft, path);
    else renameSync(draft, path);
    syncFolderOf(path);
  });
}

/**
 * Gives `work` an empty file of mode 0600 beside `path`, by name and open, of which nothing is left at the end but what took
 * a name.
 */
export function withDraft(path: string, work: (draft: string, file: number) => void): void {
  const draft = join(dirname(path), `.pawl-${randomBytes(8).toString('hex')}`);
  const file = openSync(draft, 'wx', 0o600);
  try {
    work(draft, file);
  } finally {
    closeSync(file);
    remove(draft);
    remove(`${draft}-journal`);
  }
}

/** Makes durable a file, or the names in a folder. */
export function sync(path: string): void {
  const file = openSync(path, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/**
 * Makes durable that a file has its name. Where that fails the file is there and whole all the same, and whoever were told
 * otherwise would take back what others may have read; so it is left at trying, as SQLite does.
 */
export function syncFolderOf(path: string): void {
  try {
    sync(dirname(path));
  } catch {}
}

/** A link fails where a file is, as a rename does not. */
function takeFreePlace(draft: string, path: string): void {
  try {
    linkSync(draft, path);
  } catch (error) {
    if (codeOf(error) === 'EEXIST') throw error;
    // No links on this filesystem: an empty file of ours keeps the place until the whole one replaces it.
    makeEmpty(path);
    try {
      renameSync(draft, path);
    } catch (error) {
      remove(path);
      throw error;
    }
  }
}

function makeEmpty(path: string): void {
  closeSync(openSync(path, 'wx', 0o600));
}

/** What cannot be removed must not hide why it had to be. */
function remove(path: string): void {
  try {
    if (existsSync(path)) unlinkSync(path);
  } catch {}
}

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

/**
 * Puts `bytes` in place of the file at `path`, all at once and durable, for our eyes only (mode 0600). A link is replaced
 * and not followed, since somebody else may have laid it; a pipe or a device is written to.
 * @throws `write-failed`.
 */
export function replaceFile(path: string, bytes: Uint8Array): void {
  try {
    if (statSync(path, { throwIfNoEntry: false })?.isFile() === false) writeFileSync(path, bytes);
    else putInPlace(path, 'is replaced', (_, file) => writeFileSync(file, bytes));
  } catch (cause) {
    throw new PawlError('write-failed', { path, reason: reasonOf(cause) }, { cause });
  }
}

/**
 * Makes a folder and those above it, for our eyes only (mode 0700), where there are none. Throws what the system throws.
 * (Step by step, because Node's recursive `mkdirSync` never returns below a folder like /proc.)
 */
export function makeFolder(path: string): void {
  if (existsSync(path)) return;
  makeFolder(dirname(path));
  mkdirSync(path, { mode: 0o700 });
}

/** What tells a file from all others that are there, whatever its names: device and inode. */
export function inodeOf({ dev, ino }: BigIntStats): string {
  return `${dev}:${ino}`;
}
