/**
 * The folder for received files, whose names peers choose. Nothing is ever written through a symbolic link.
 * Does not check names: the envelope's decoder admits base names only.
 */
import { closeSync, constants, fstatSync, lstatSync, openSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PawlError } from '../errors.ts';
import type { PartialFile } from './partial-file.ts';
import { chunksOf } from './read.ts';
import { realPath } from './real-path.ts';
import { withWriteErrors } from './system-error.ts';
import { type IsPrecious, inodeAt, inodeOf, putInPlace, removeDeadDrafts, sync, syncFolderOf } from './write.ts';

export class Folder {
  readonly #path: string;
  readonly #isPrecious: IsPrecious;
  /**
   * The device and inode of every file that `put` has written or found. Names would not do: some filesystems ignore
   * case.
   */
  readonly #ours = new Set<string>();

  /**
   * Opens an existing folder. Does not create one, because the path may be mistyped.
   * @param isPrecious says of which files nothing may take the place.
   * @throws `no-folder`, `write-failed`.
   */
  constructor(path: string, isPrecious: IsPrecious) {
    this.#path = path;
    this.#isPrecious = isPrecious;
    const status = withWriteErrors(path, () => statSync(path, { throwIfNoEntry: false }));
    if (!status?.isDirectory()) throw new PawlError('no-folder', { path, isTaken: status !== undefined });
    removeDeadDrafts(path);
  }

  /** Returns the path of a file in the folder. */
  pathOf(name: string): string {
    return join(this.#path, name);
  }

  /**
   * Writes a file of mode 0600, atomically and durably. Accepts an existing file of the same bytes, because a run that
   * was killed after writing it receives the same file again.
   * @param name a base name.
   * @param options.replace whether to replace an existing file. A folder, and a file that this object has put there,
   * are never replaced: nobody has seen that file yet.
   * @returns `was there` for an existing file of the same bytes.
   * @throws `exists`, `protected`, `write-failed`.
   */
  put(name: string, bytes: Uint8Array, { replace = false } = {}): 'put' | 'was there' {
    const path = this.pathOf(name);
    return withWriteErrors(path, () => {
      if (hasBytes(path, bytes)) {
        // The run that wrote it may have been killed before the file was durable.
        sync(path);
        syncFolderOf(path);
        this.#ours.add(identityOf(path));
        return 'was there';
      }
      const decide = () => {
        this.#refusePrecious(name);
        return replace && !this.#ours.has(identityOf(path)) ? 'is replaced' : 'stays';
      };
      putInPlace(path, decide, (_, file) => writeFileSync(file, bytes));
      this.#ours.add(identityOf(path));
      return 'put';
    });
  }

  /**
   * Gives a file of the folder's disk its name here.
   * @throws as `put`, and `write-failed` for one of another disk.
   */
  take(name: string, partial: PartialFile, { replace = false } = {}): void {
    const path = this.pathOf(name);
    partial.putInPlace(path, () => {
      this.#refusePrecious(name);
      return replace && !this.#ours.has(identityOf(path)) ? 'is replaced' : 'stays';
    });
    this.#ours.add(identityOf(path));
  }

  #refusePrecious(name: string): void {
    const path = this.pathOf(name);
    const what = this.#isPrecious(join(realPath(this.#path), name), inodeAt(path));
    if (what !== undefined) throw new PawlError('protected', { path, what });
  }
}

/**
 * Tells whether there is a regular file of exactly these bytes at a path. Does not follow a symbolic link.
 * @throws the errors of the system, except `ENOENT`.
 */
function hasBytes(path: string, bytes: Uint8Array): boolean {
  const status = lstatSync(path, { throwIfNoEntry: false });
  if (!status?.isFile() || status.size !== bytes.length) return false;
  let file: number;
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch {
    // A file that cannot be read counts as a different one.
    return false;
  }
  try {
    return fstatSync(file).isFile() && readsAs(file, bytes);
  } finally {
    closeSync(file);
  }
}

/** Tells whether a file descriptor yields exactly these bytes. */
function readsAs(file: number, bytes: Uint8Array): boolean {
  let at = 0;
  for (const chunk of chunksOf(file)) {
    if (!chunk.equals(bytes.subarray(at, at + chunk.length))) return false;
    at += chunk.length;
  }
  return at === bytes.length;
}

/** Returns the device and inode of the file at a path; an empty string when there is none. */
function identityOf(path: string): string {
  const status = lstatSync(path, { throwIfNoEntry: false, bigint: true });
  return status === undefined ? '' : inodeOf(status);
}
