import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, linkSync, openSync, renameSync, unlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { codeOf } from './system-error.ts';

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
