import { closeSync, constants, fstatSync, lstatSync, openSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PawlError } from '../errors.ts';
import { chunksOf } from './read.ts';
import { codeOf, reasonOf } from './system-error.ts';
import { inodeOf, putInPlace, sync, syncFolderOf } from './write.ts';

/** A folder that takes in files of others, whose names are not of our choice: nothing is ever written through a link. */
export class Folder {
  readonly #path: string;
  /** Which files were put here, or found here in their stead. Not their names: to some filesystems `A` and `a` are one. */
  readonly #ours = new Set<string>();

  /** @throws `no-folder` where there is none: a name that was mistyped makes no folder. `write-failed`. */
  constructor(path: string) {
    this.#path = path;
    const status = attempt(path, () => statSync(path, { throwIfNoEntry: false }));
    if (!status?.isDirectory()) throw new PawlError('no-folder', { path, isTaken: status !== undefined });
  }

  /** The path of a file of that name. */
  pathOf(name: string): string {
    return join(this.#path, name);
  }

  /**
   * Puts a file into the folder, all at once and durable, for our eyes only (mode 0600). One that has these bytes already is
   * as good: a run that was ended before it could note what it had written is not in its own way.
   * @param name a base name. @param replace what has the name, other than a folder and what was put here before: what
   * came an hour ago may be replaced, what came a line ago was never seen by anybody.
   * @returns whether it was put there, or has been there. @throws `exists`, `write-failed`.
   */
  put(name: string, bytes: Uint8Array, { replace = false } = {}): 'put' | 'was there' {
    const path = this.pathOf(name);
    return attempt(path, () => {
      if (holds(path, bytes)) {
        // Whoever wrote it may have been ended before it was durable.
        sync(path);
        syncFolderOf(path);
        this.#ours.add(identityOf(path));
        return 'was there';
      }
      const what = replace && !this.#ours.has(identityOf(path)) ? 'is replaced' : 'stays';
      putInPlace(path, what, (_, file) => writeFileSync(file, bytes));
      this.#ours.add(identityOf(path));
      return 'put';
    });
  }
}

function attempt<Result>(path: string, work: () => Result): Result {
  try {
    return work();
  } catch (cause) {
    if (codeOf(cause) === 'EEXIST') throw new PawlError('exists', { path, waits: true }, { cause });
    throw new PawlError('write-failed', { path, reason: reasonOf(cause) }, { cause });
  }
}

/** Whether there is a file of these bytes; a link to one is none. Throws what the system throws, but `ENOENT`. */
function holds(path: string, bytes: Uint8Array): boolean {
  const status = lstatSync(path, { throwIfNoEntry: false });
  if (!status?.isFile() || status.size !== bytes.length) return false;
  let file: number;
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch {
    // What cannot be read is another.
    return false;
  }
  try {
    return fstatSync(file).isFile() && is(file, bytes);
  } finally {
    closeSync(file);
  }
}

/** Whether an open file is these bytes, and no more. */
function is(file: number, bytes: Uint8Array): boolean {
  let at = 0;
  for (const chunk of chunksOf(file)) {
    if (!chunk.equals(bytes.subarray(at, at + chunk.length))) return false;
    at += chunk.length;
  }
  return at === bytes.length;
}

/** What tells a file from all others; nothing where there is none. */
function identityOf(path: string): string {
  const status = lstatSync(path, { throwIfNoEntry: false, bigint: true });
  return status === undefined ? '' : inodeOf(status);
}
