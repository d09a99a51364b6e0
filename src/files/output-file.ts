/**
 * The file that a command writes its result to. It is chosen, and refused, before the command commits anything, and
 * written afterwards: to the very file that was checked.
 * Does not know which files must never be replaced: the caller does.
 */
import {
  accessSync,
  type BigIntStats,
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readlinkSync,
  type Stats,
  statSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { PawlError } from '../errors.ts';
import type { PartialFile } from './partial-file.ts';
import { realPath } from './real-path.ts';
import { sleep } from './sleep.ts';
import { codeOf, reasonOf } from './system-error.ts';
import { Draft, type IsPrecious, inodeAt, inodeOf, removeDeadDrafts } from './write.ts';

export interface OutputOptions {
  /** A file that is there is replaced. */
  readonly force?: boolean;
  /** The id of the user; `undefined` where the system has none. */
  readonly userId: number | undefined;
  readonly isPrecious: IsPrecious;
}

/** What a path turned out to be. */
type Target =
  /** No file, or an empty one of ours. */
  | { readonly kind: 'free'; readonly path: string; readonly empty: string | undefined }
  /** A file, or a link to one, that is replaced as it was asked for. */
  | { readonly kind: 'replaced'; readonly path: string }
  /** A pipe, a device, or an open file of a process: it is written to. `owned`: it is closed afterwards. */
  | { readonly kind: 'open'; readonly descriptor: number; readonly isOurs: boolean };

/** A result that is being written. */
interface Writing {
  append(bytes: Uint8Array): void;
  finish(): void;
  /** Leaves nothing behind but what was finished. */
  end(): void;
}

export class OutputFile {
  /** As it was given. */
  readonly path: string;
  readonly #target: Target;
  readonly #options: OutputOptions;

  /**
   * Opens pipes and devices, which may wait for a reader. Changes no file.
   * @param path not `-`.
   * @throws `exists` where a file is there, unless `force`; `protected`; `cannot-create`, also for another's pipe.
   */
  constructor(path: string, options: OutputOptions) {
    this.path = path;
    this.#options = options;
    this.#target = this.#known('cannot-create', () => this.#choose(path));
  }

  /** Whether it is a pipe or a device: what is written to it cannot be taken back. */
  get isStream(): boolean {
    return this.#target.kind === 'open';
  }

  /** The folder of the file; `undefined` for a stream. */
  get folder(): string | undefined {
    return this.#target.kind === 'open' ? undefined : dirname(this.#target.path);
  }

  /**
   * Writes a piece to a stream.
   * @throws `write-failed`.
   */
  append(bytes: Uint8Array): void {
    if (this.#target.kind !== 'open') throw new Error('a file is written as a whole');
    this.#append(this.#target.descriptor, bytes);
  }

  /**
   * Gives the name to a partial file in the folder.
   * @throws `exists`, `protected`, `write-failed`.
   */
  take(partial: PartialFile): void {
    const target = this.#target;
    if (target.kind === 'open') throw new Error('a stream takes no file');
    this.#known('write-failed', () => partial.putInPlace(target.path, () => this.#decide(target)));
  }

  /**
   * Writes the result, atomically and durably where it is a file. The new file has mode 0600. To be called once.
   * @throws `write-failed`; where the file has changed since, as the constructor.
   */
  write(bytes: Uint8Array): void {
    const writing = this.#begin();
    try {
      writing.append(bytes);
      writing.finish();
    } finally {
      writing.end();
    }
  }

  /**
   * Does the same with a result in pieces. Each is written before the next one is asked for.
   * @throws what `write` and `pieces` throw. The file is not in its place then.
   */
  async writePieces(pieces: AsyncIterable<Uint8Array>): Promise<void> {
    const writing = this.#begin();
    try {
      for await (const piece of pieces) writing.append(piece);
      writing.finish();
    } finally {
      writing.end();
    }
  }

  #begin(): Writing {
    return this.#known('write-failed', () => {
      const target = this.#target;
      if (target.kind === 'open') {
        const { descriptor, isOurs } = target;
        return {
          append: (bytes) => this.#append(descriptor, bytes),
          finish: () => undefined,
          end: () => (isOurs ? closeSync(descriptor) : undefined),
        };
      }
      removeDeadDrafts(dirname(target.path));
      const draft = new Draft(target.path);
      return {
        append: (bytes) => this.#append(draft.file, bytes),
        finish: () => this.#known('write-failed', () => draft.putInPlace(() => this.#decide(target))),
        end: () => draft.end(),
      };
    });
  }

  #append(descriptor: number, bytes: Uint8Array): void {
    this.#known('write-failed', () => {
      for (let at = 0; at < bytes.length; ) at += writeOrWait(descriptor, bytes.subarray(at));
    });
  }

  /** What happens to the file that is there by now. */
  #decide(target: Exclude<Target, { kind: 'open' }>): 'stays' | 'is replaced' {
    if (target.kind === 'free') {
      const isAsItWas = target.empty !== undefined && emptyFileAt(target.path, this.#options.userId) === target.empty;
      return isAsItWas ? 'is replaced' : 'stays';
    }
    this.#refusePrecious(target.path);
    return 'is replaced';
  }

  #choose(given: string): Target {
    const path = locate(given);
    if (typeof path === 'number') return { kind: 'open', descriptor: path, isOurs: false };
    const there = statSync(path, { throwIfNoEntry: false });
    if (there?.isDirectory()) throw new PawlError('cannot-create', { path: given, reason: 'it is a folder' });
    this.#refusePrecious(path);
    if (there !== undefined && !there.isFile()) return this.#open(path);
    // A rename needs no permission for the file, but for its folder.
    accessSync(dirname(path), constants.W_OK);
    if (lstatSync(path, { throwIfNoEntry: false }) === undefined) return { kind: 'free', path, empty: undefined };
    const empty = emptyFileAt(path, this.#options.userId);
    if (empty !== undefined) return { kind: 'free', path, empty };
    if (!this.#options.force) throw new PawlError('exists', { path: given, force: true });
    return { kind: 'replaced', path };
  }

  /**
   * Opens a pipe or a device. It is looked at before, because opening a pipe waits for its other end; and what was opened
   * once more, so that nothing can take its place in between.
   */
  #open(path: string): Target {
    const real = realPath(path);
    this.#refuseForeign(statSync(real));
    const descriptor = openSync(real, constants.O_WRONLY | constants.O_NOFOLLOW | constants.O_NOCTTY);
    try {
      this.#refuseForeign(fstatSync(descriptor));
    } catch (error) {
      closeSync(descriptor);
      throw error;
    }
    return { kind: 'open', descriptor, isOurs: true };
  }

  /** Admits devices, whoever has them, and pipes of the user. */
  #refuseForeign(status: Stats): void {
    const { userId } = this.#options;
    if (status.isCharacterDevice() || status.isBlockDevice()) return;
    if (!status.isFile() && (userId === undefined || status.uid === userId)) return;
    throw new PawlError('cannot-create', { path: this.path, reason: 'it belongs to somebody else' });
  }

  #refusePrecious(path: string): void {
    const what = this.#options.isPrecious(path, inodeAt(path));
    if (what !== undefined) throw new PawlError('protected', { path: this.path, what });
  }

  #known<Result>(code: 'cannot-create' | 'write-failed', work: () => Result): Result {
    try {
      return work();
    } catch (cause) {
      if (cause instanceof PawlError) throw cause;
      if (codeOf(cause) === 'EEXIST') throw new PawlError('exists', { path: this.path, force: true }, { cause });
      throw new PawlError(code, { path: this.path, reason: reasonOf(cause) }, { cause });
    }
  }
}

/**
 * Whether a path leads to an open file of this process, a pipe or a device: to what is written to, and never replaced.
 * Any error means that it does not.
 */
export function isStream(path: string): boolean {
  try {
    if (typeof locate(path) === 'number') return true;
    const status = statSync(path, { throwIfNoEntry: false });
    return status !== undefined && !status.isFile() && !status.isDirectory();
  } catch {
    return false;
  }
}

/** In milliseconds. */
const PAUSE = 5;

/** Writes what there is room for. A pipe that is full, and that another process has made non-blocking, is waited for. */
function writeOrWait(descriptor: number, bytes: Uint8Array): number {
  try {
    return writeSync(descriptor, bytes);
  } catch (error) {
    if (codeOf(error) !== 'EAGAIN') throw error;
    sleep(PAUSE);
    return 0;
  }
}

/** More links than any system follows. */
const MOST_LINKS = 40;

/**
 * Follows a path as far as it may lead to an open file of this process, as /dev/stdout and /dev/fd/3 do: such a file is
 * written to, not replaced.
 * @returns its descriptor; for any other path, the path with the links in its folder resolved.
 * @throws the errors of the system.
 */
function locate(given: string): string | number {
  const absolute = resolve(given);
  const located = join(realPath(dirname(absolute)), basename(absolute));
  let path = located;
  for (let links = 0; links < MOST_LINKS; links++) {
    const [, descriptor] = /^\/(?:dev|proc\/\d+(?:\/task\/\d+)?)\/fd\/(\d{1,9})$/.exec(path) ?? [];
    if (descriptor !== undefined && isOwn(path)) return Number(descriptor);
    if (!lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink()) return located;
    const next = resolve(dirname(path), readlinkSync(path));
    const parent = statSync(dirname(next), { throwIfNoEntry: false });
    if (parent === undefined) return located;
    path = join(realPath(dirname(next)), basename(next));
  }
  return located;
}

/** Whether a path in such a folder is of this process: /dev/fd is a link to /proc/PID/fd, or a folder of its own. */
function isOwn(path: string): boolean {
  try {
    return path.startsWith(`${dirname(realPath('/dev/fd'))}/`);
  } catch {
    return false;
  }
}

/** The inode of an empty regular file of the user, such as `mktemp` makes; `undefined` for anything else. */
function emptyFileAt(path: string, userId: number | undefined): string | undefined {
  const status: BigIntStats | undefined = lstatSync(path, { throwIfNoEntry: false, bigint: true });
  const isOurs = userId === undefined || status?.uid === BigInt(userId);
  return status?.isFile() && status.size === 0n && isOurs ? inodeOf(status) : undefined;
}
