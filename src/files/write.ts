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
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  statSync,
  unlinkSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { type ErrorCode, isPawlError, PawlError } from '../errors.ts';
import { codeOf, reasonOf } from './system-error.ts';

/**
 * Writes a file of mode 0600, unless another is given, at `path`. `build` writes to a temporary file, which is synced and then takes the name.
 * Leaves no temporary file behind, even if it throws. Never follows a symbolic link.
 * @param decide says, when all is written, what happens to a file at `path`: it stays, and `EEXIST` is thrown; or it is
 * replaced. A folder is never replaced.
 * @throws the errors of the system.
 */
export function putInPlace(
  path: string,
  decide: () => Existing,
  build: (draft: string, file: number) => void,
  mode?: number,
): void {
  const draft = new Draft(path, undefined, mode);
  try {
    build(draft.path, draft.file);
    draft.putInPlace(decide);
  } finally {
    draft.end();
  }
}

/**
 * Runs `work` with the name and the descriptor of a new temporary file of mode 0600 in the folder of `path`. Deletes
 * the file and its journal afterwards, unless `work` has renamed it.
 * @throws the errors of the system.
 */
export function withDraft(path: string, work: (draft: string, file: number) => void): void {
  const draft = new Draft(path);
  try {
    work(draft.path, draft.file);
  } finally {
    draft.end();
  }
}

/**
 * Says what a path is that must never be written to, such as "the key file"; `undefined` for any other.
 * @param path absolute; its folder without symbolic links.
 * @param inode what `inodeAt` gives: of the file that is there, links followed; `undefined` where there is none.
 */
export type IsPrecious = (path: string, inode: string | undefined) => string | undefined;

/** What happens to a file that is there. */
export type Existing = 'stays' | 'is replaced';

/** The names of drafts, and of the journals that the database puts beside them. */
const DRAFT = /^\.pawl-[0-9a-f]{16}(-journal)?$/;

/** A new temporary file of mode 0600 in the folder of another, whose place it may take. */
export class Draft {
  readonly path: string;
  /** The descriptor, open for writing. */
  readonly file: number;
  readonly #target: string;
  #isInPlace = false;

  /**
   * @param path its own path. A name that nothing else has, unless it is given.
   * @param mode of which the umask leaves some.
   * @throws the errors of the system.
   */
  constructor(target: string, path = join(dirname(target), `.pawl-${randomBytes(8).toString('hex')}`), mode = 0o600) {
    this.#target = target;
    this.path = path;
    this.file = openSync(this.path, 'wx', mode);
  }

  /**
   * Syncs the draft, and gives it the name: see {@link putInPlace}.
   * @param decide is called last before that. If it throws, what is there stays.
   */
  putInPlace(decide: () => Existing): void {
    fsyncSync(this.file);
    moveInPlace(this.path, this.#target, decide());
    this.#isInPlace = true;
  }

  /** Closes it, and deletes it where it has not got the name. */
  end(): void {
    closeSync(this.file);
    // Its own name may be that of another draft by now.
    if (!this.#isInPlace) removeDraft(this.path);
  }
}

/**
 * Gives a file that is on the disk another name in its file system, durably.
 * @throws the errors of the system; `EEXIST` for a file that stays.
 */
export function moveInPlace(path: string, target: string, existing: Existing): void {
  if (existing === 'stays') moveUnlessExists(path, target);
  else renameSync(path, target);
  syncFolderOf(target);
}

/** Removes a draft and its journal, if they are there. Ignores errors: the next one to remove it tries again. */
export function removeDraft(draft: string): void {
  remove(draft);
  remove(`${draft}-journal`);
}

/** No command takes that long between making a draft and giving it its name. In milliseconds. */
const DEAD_AFTER = 86_400_000;

/**
 * Removes the drafts that killed commands have left in a folder. They may hold keys and texts. Should one of them be in use
 * all the same, because a clock was moved, the command that made it fails, and what is in its place stays.
 */
export function removeDeadDrafts(folder: string): void {
  try {
    for (const name of readdirSync(folder)) {
      const path = join(folder, name);
      if (DRAFT.test(name) && Date.now() - lstatSync(path).mtimeMs > DEAD_AFTER) remove(path);
    }
  } catch {}
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
    remove(draft);
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
    if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) unlinkSync(path);
  } catch {}
}

const KEPT: ReadonlySet<ErrorCode> = new Set(['no-locks', 'exists', 'protected', 'cannot-create']);

/**
 * Creates a file, atomically and durably. `build` writes to a temporary file. Never replaces a file.
 * @param mode of which the umask leaves some: 0600 unless given.
 * @throws `exists`, also for a file of the same name with `-journal` added.
 * @throws `cannot-create`; `no-locks`, `protected`, and these two of another file, as they come from `build`.
 */
export function makeFile(path: string, build: (draft: string) => void, mode?: number): void {
  refuseTaken(path);
  removeDeadDrafts(dirname(path));
  withCreationErrors(path, () => putInPlace(path, () => 'stays', build, mode));
}

/**
 * The same for a `build` that takes its time.
 * @throws `exists`, `cannot-create`, and what `build` throws.
 */
export async function makeFileSlowly<Result>(path: string, build: (draft: string) => Promise<Result>): Promise<Result> {
  refuseTaken(path);
  removeDeadDrafts(dirname(path));
  const draft = withCreationErrors(path, () => new Draft(path));
  try {
    const result = await build(draft.path);
    withCreationErrors(path, () => draft.putInPlace(() => 'stays'));
    return result;
  } catch (cause) {
    // Nobody knows the draft by its name.
    if (!isPawlError(cause, 'write-failed')) throw cause;
    throw new PawlError('cannot-create', { path, reason: cause.detail.reason }, { cause });
  } finally {
    draft.end();
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
