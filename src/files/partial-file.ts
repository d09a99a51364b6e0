/**
 * The file in which a content is collected whose parts come in any order, until it takes its name.
 * Does not know which parts there are.
 */
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  lstatSync,
  openSync,
  readSync,
  statfsSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { dirname, resolve } from 'node:path';
import { PawlError } from '../errors.ts';
import { codeOf, reasonOf, withWriteErrors } from './system-error.ts';
import { type Existing, inodeOf, moveInPlace } from './write.ts';

/** What stays free of a disk, in bytes. */
const RESERVE = 2 ** 30;

export class PartialFile {
  readonly path: string;
  /** Its device and inode. */
  readonly inode: string;
  #descriptor: number | undefined;

  private constructor(path: string, file: number) {
    this.path = path;
    this.#descriptor = file;
    this.inode = inodeOf(fstatSync(file, { bigint: true }));
  }

  /**
   * Makes a hidden, empty file of mode 0600. What has the same name is of a process that was killed before it had noted it,
   * or has taken the place of the file.
   * @param name what distinguishes it from the others of the folder.
   * @throws `write-failed`.
   */
  static make(folder: string, name: string): PartialFile {
    const path = resolve(folder, `.pawl-${name}.part`);
    return withWriteErrors(path, () => {
      if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) unlinkSync(path);
      return new PartialFile(path, openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, 0o600));
    });
  }

  /**
   * Opens a file that is there.
   * @returns `undefined` where it is gone, or is another one.
   * @throws `write-failed` where that cannot be known.
   */
  static reopen(path: string, inode: string): PartialFile | undefined {
    const file = openSame(path, inode);
    return file === undefined ? undefined : new PartialFile(path, file);
  }

  get #file(): number {
    this.#descriptor ??= openSame(this.path, this.inode);
    if (this.#descriptor === undefined) {
      throw new PawlError('write-failed', { path: this.path, reason: 'it is gone, or another file has its place' });
    }
    return this.#descriptor;
  }

  /** @throws `write-failed`. */
  write(bytes: Uint8Array, position: number): void {
    withWriteErrors(this.path, () => {
      for (let at = 0; at < bytes.length; ) {
        at += writeSync(this.#file, bytes, at, bytes.length - at, position + at);
      }
    });
  }

  /** Reads as many bytes, or up to the end. @throws `read-failed`. */
  read(position: number, length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    try {
      let at = 0;
      for (let read = 1; at < length && read > 0; at += read) {
        read = readSync(this.#file, bytes, at, length - at, position + at);
      }
      return bytes.subarray(0, at);
    } catch (cause) {
      throw new PawlError('read-failed', { path: this.path, reason: reasonOf(cause) }, { cause });
    }
  }

  /** Puts on the disk what was written. @throws `write-failed`. */
  sync(): void {
    withWriteErrors(this.path, () => fsyncSync(this.#file));
  }

  /**
   * Gives the file its name. It must be on the disk.
   * @param decide says what happens to a file that is there: see `putInPlace`.
   * @throws `exists`; `write-failed`, also for a folder on another disk; what `decide` throws.
   */
  putInPlace(target: string, decide: () => Existing): void {
    withWriteErrors(target, () => {
      if (statSync(dirname(target)).dev !== lstatSync(this.path).dev) {
        throw new PawlError('write-failed', { path: target, reason: `it is on another disk than ${this.path}` });
      }
      moveInPlace(this.path, target, decide());
    });
  }

  /** Cuts off what is behind so many bytes. @throws `write-failed`. */
  cut(length: number): void {
    withWriteErrors(this.path, () => {
      if (fstatSync(this.#file).size > length) ftruncateSync(this.#file, length);
    });
  }

  /** Closes the file. It is opened again where it is used again. */
  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }
}

/** What the system says where a file is gone, or has become something else. */
const GONE: ReadonlySet<string | undefined> = new Set(['ENOENT', 'ENOTDIR', 'ELOOP', 'EISDIR', 'ENXIO']);

function openSame(path: string, inode: string): number | undefined {
  return withWriteErrors(path, () => {
    let file: number;
    try {
      file = openSync(path, constants.O_RDWR | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    } catch (error) {
      if (GONE.has(codeOf(error))) return undefined;
      throw error;
    }
    const status = fstatSync(file, { bigint: true });
    if (status.isFile() && inodeOf(status) === inode) return file;
    closeSync(file);
    return undefined;
  });
}

/**
 * Refuses to fill the disk of a folder.
 * @param bytes that are to be written.
 * @throws `no-room`.
 */
export function checkRoom(folder: string, bytes: number): void {
  const { bavail, bsize } = withWriteErrors(folder, () => statfsSync(folder));
  if (bavail * bsize - bytes < RESERVE) throw new PawlError('no-room', { path: folder, free: RESERVE });
}

/** Whether a partial file of so many bytes has got a name. What cannot be looked at has not. */
export function hasName(target: string, { inode, bytes }: { readonly inode: string; readonly bytes: number }): boolean {
  try {
    const status = lstatSync(target, { bigint: true });
    return status.isFile() && inodeOf(status) === inode && status.size === BigInt(bytes);
  } catch {
    return false;
  }
}

/** Deletes a partial file, if it is there and the same. @returns whether it was. */
export function removePartialFile(path: string, inode: string): boolean {
  try {
    const status = lstatSync(path, { bigint: true });
    if (!status.isFile() || inodeOf(status) !== inode) return false;
    unlinkSync(path);
    return true;
  } catch {
    // It is gone, or cannot be deleted: nothing depends on it.
    return false;
  }
}
