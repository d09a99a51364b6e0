/**
 * A folder for a text that is to be nowhere afterwards: in memory where there is such a place, for the user alone, and
 * overwritten before it is removed.
 * Knows nothing of what is written there.
 */
import {
  closeSync,
  fsyncSync,
  ftruncateSync,
  lstatSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statfsSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { PawlError } from '../errors.ts';
import { reasonOf } from './system-error.ts';

/** What Linux calls file systems in memory (statfs(2)): tmpfs and ramfs. */
const IN_MEMORY: ReadonlySet<number> = new Set([0x01021994, 0x858458f6]);

export class ScratchFolder {
  readonly path: string;
  /** Whether nothing of it gets on a disk, unless the system swaps. */
  readonly isInMemory: boolean;

  /**
   * Makes a folder of mode 0700.
   * @param runtime the user's own folder for such things, which is used if it is in memory.
   * @throws `cannot-create`.
   */
  constructor(runtime: string | undefined) {
    for (const place of [runtime, '/dev/shm']) {
      const path = place !== undefined && isAbsolute(place) && isMemory(place) ? makeIn(place) : undefined;
      if (path === undefined) continue;
      this.path = path;
      this.isInMemory = true;
      return;
    }
    this.path = known(tmpdir(), () => mkdtempSync(join(tmpdir(), PREFIX)));
    this.isInMemory = false;
  }

  /** Makes an empty file of mode 0600. @returns its path. @throws `cannot-create`. */
  makeFile(name: string): string {
    const path = join(this.path, name);
    known(path, () => closeSync(openSync(path, 'wx', 0o600)));
    return path;
  }

  /** Reads a file; one that is gone is empty. */
  readFile(name: string): Uint8Array {
    try {
      return readFileSync(join(this.path, name));
    } catch {
      return new Uint8Array(0);
    }
  }

  /** Overwrites all files in the folder, and removes it, as far as that can be done. A program may have put others there. */
  remove(): void {
    try {
      for (const name of readdirSync(this.path)) overwrite(join(this.path, name));
    } catch {
      // It is gone already, or cannot be read.
    }
    try {
      rmSync(this.path, { recursive: true, force: true });
    } catch {
      // What was in it is overwritten, and what the command has done is done.
    }
  }
}

const PREFIX = 'pawl-edit-';

function isMemory(path: string): boolean {
  try {
    return IN_MEMORY.has(statfsSync(path).type);
  } catch {
    return false;
  }
}

/** `undefined` where the user cannot write. */
function makeIn(place: string): string | undefined {
  try {
    return mkdtempSync(join(place, PREFIX));
  } catch {
    return undefined;
  }
}

const BLANK = new Uint8Array(2 ** 16);

function overwrite(path: string): void {
  const { size, isFile } = statusOf(path);
  if (!isFile) return;
  const file = openSync(path, 'r+');
  try {
    for (let at = 0; at < size; ) at += writeSync(file, BLANK, 0, Math.min(BLANK.length, size - at), at);
    fsyncSync(file);
    ftruncateSync(file);
  } finally {
    closeSync(file);
  }
}

/** A link is none: what it leads to is not ours. */
function statusOf(path: string): { readonly size: number; readonly isFile: boolean } {
  const status = lstatSync(path);
  return { size: status.size, isFile: status.isFile() };
}

function known<Result>(path: string, work: () => Result): Result {
  try {
    return work();
  } catch (cause) {
    throw new PawlError('cannot-create', { path, reason: reasonOf(cause) }, { cause });
  }
}
