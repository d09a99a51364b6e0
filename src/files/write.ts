/**
 * Creates and replaces files atomically: a file is written under a temporary name, synced, then linked or renamed.
 * Knows no file format.
 */
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
} from 'node:fs';
import { dirname, join } from 'node:path';
import { type ErrorCode, PawlError } from '../errors.ts';
import { codeOf, reasonOf } from './system-error.ts';

/**
 * Writes a file of mode 0600 at `path`. `build` writes to a temporary file, which is synced and then takes the name.
 * Leaves no temporary file behind, even if it throws. Never follows a symbolic link.
 * @param existing what happens to a file at `path`: it stays, and `EEXIST` is thrown; or it is replaced. A folder is
 * never replaced.
 * @throws the errors of the system.
 */
export function putInPlace(
  path: string,
  existing: 'stays' | 'is replaced',
  build: (draft: string, file: number) => void,
): void {
  withDraft(path, (draft, file) => {
    build(draft, file);
    place(draft, file, path, existing);
  });
}

/** Makes a draft durable, and gives it its name. */
function place(draft: string, file: number, path: string, existing: 'stays' | 'is replaced'): void {
  fsyncSync(file);
  if (existing === 'stays') moveUnlessExists(draft, path);
  else renameSync(draft, path);
  syncFolderOf(path);
}

/**
 * Runs `work` with the name and the descriptor of a new temporary file of mode 0600 in the folder of `path`. Deletes
 * the file and its journal afterwards, unless `work` has renamed it.
 * @throws the errors of the system.
 */
export function withDraft(path: string, work: (draft: string, file: number) => void): void {
  const draft = join(dirname(path), `.pawl-${randomBytes(8).toString('hex')}`);
  const file = openSync(draft, 'wx', 0o600);
  try {
    work(draft, file);
  } finally {
    discard(draft, file);
  }
}

function discard(draft: string, file: number): void {
  closeSync(file);
  removeDraft(draft);
}

function removeDraft(draft: string): void {
  remove(draft);
  remove(`${draft}-journal`);
}

/**
 * Syncs a file, or the entries of a folder, to the disk.
 * @throws the errors of the system.
 */
export function sync(path: string): void {
  const file = openSync(path, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/**
 * Syncs the folder of a file, so that the name of the file is durable. Ignores errors, as SQLite does: the file is in
 * place and may have been read, so reporting a failure would be wrong.
 */
export function syncFolderOf(path: string): void {
  try {
    sync(dirname(path));
  } catch {}
}

/** Moves the draft to `path` unless there is a file. Uses a link, because a rename would replace the file. */
function moveUnlessExists(draft: string, path: string): void {
  try {
    linkSync(draft, path);
  } catch (error) {
    if (codeOf(error) === 'EEXIST') throw error;
    // The filesystem has no links: an empty file reserves the name until the rename replaces it.
    makeEmpty(path);
    try {
      renameSync(draft, path);
    } catch (cause) {
      remove(path);
      throw cause;
    }
  }
}

function makeEmpty(path: string): void {
  closeSync(openSync(path, 'wx', 0o600));
}

/** Ignores errors, so that they do not hide the error that led here. */
function remove(path: string): void {
  try {
    if (existsSync(path)) unlinkSync(path);
  } catch {}
}

const KEPT: ReadonlySet<ErrorCode> = new Set(['no-database', 'exists', 'cannot-create']);

/**
 * Creates a file of mode 0600, atomically and durably. `build` writes to a temporary file. Never replaces a file.
 * @throws `exists`, also for a file of the same name with `-journal` added.
 * @throws `cannot-create`; `no-database`, and these two of another file, as they come from `build`.
 */
export function makeFile(path: string, build: (draft: string) => void): void {
  refuseTaken(path);
  withCreationErrors(path, () => putInPlace(path, 'stays', build));
}

/**
 * The same for a `build` that takes its time. The temporary file has the name of the file, then `-draft`, so that a later
 * call finds what a killed one has left.
 * @throws `exists`, `cannot-create`, and what `build` throws.
 */
export async function makeFileSlowly<Result>(path: string, build: (draft: string) => Promise<Result>): Promise<Result> {
  refuseTaken(path);
  const draft = `${path}-draft`;
  removeDraft(draft);
  const file = withCreationErrors(path, () => openSync(draft, 'wx', 0o600));
  try {
    const result = await build(draft);
    withCreationErrors(path, () => place(draft, file, path, 'stays'));
    return result;
  } finally {
    discard(draft, file);
  }
}

/** SQLite would play the journal of a deleted database back into a new one of the same name. */
function refuseTaken(path: string): void {
  for (const taken of [path, `${path}-journal`]) if (existsSync(taken)) throw new PawlError('exists', { path: taken });
}

function withCreationErrors<Result>(path: string, work: () => Result): Result {
  try {
    return work();
  } catch (cause) {
    if (codeOf(cause) === 'EEXIST') throw new PawlError('exists', { path }, { cause });
    if (cause instanceof PawlError && KEPT.has(cause.code)) throw cause;
    throw new PawlError('cannot-create', { path, reason: reasonOf(cause) }, { cause });
  }
}

/**
 * Creates a folder of mode 0700, and its parents, unless it exists. Creates each by itself, because the recursive
 * `mkdirSync` of Node never returns below a folder like /proc.
 * @throws the errors of the system.
 */
export function makeFolder(path: string): void {
  if (existsSync(path)) return;
  makeFolder(dirname(path));
  mkdirSync(path, { mode: 0o700 });
}

/** Returns the device and inode of a file, which identify it whatever its name. */
export function inodeOf({ dev, ino }: BigIntStats): string {
  return `${dev}:${ino}`;
}

/**
 * Returns the device and inode of the file that a path leads to; `undefined` if there is none.
 * @throws the errors of the system, except `ENOENT`.
 */
export function inodeAt(path: string): string | undefined {
  const status = statSync(path, { bigint: true, throwIfNoEntry: false });
  return status && inodeOf(status);
}
