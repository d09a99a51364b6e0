/**
 * Reads files and file descriptors in chunks.
 * Does not decode what it reads.
 */
import { closeSync, constants, fstatSync, openSync, readSync, type Stats, statSync } from 'node:fs';
import { PawlError } from '../errors.ts';
import { codeOf, reasonOf } from './system-error.ts';

/** In bytes. */
const CHUNK = 2 ** 16;

/**
 * Reads a file descriptor from its current position to the end, in chunks of at most 64 KiB.
 * @throws the errors of the system.
 */
export function* chunksOf(file: number): Generator<Buffer, void, undefined> {
  for (;;) {
    const chunk = Buffer.allocUnsafeSlow(CHUNK);
    const length = readSync(file, chunk, 0, CHUNK, null);
    if (length === 0) return;
    yield chunk.subarray(0, length);
  }
}

/** In bytes. */
const SMALL = 2 ** 16;

/** Joins chunks into one byte string as they arrive, so that chunks and result are not in memory at the same time. */
export class Gathered {
  readonly #limit: number;
  #buffer = new Uint8Array(0);
  #length = 0;

  /** @param limit the most bytes that the caller accepts. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Whether there are more bytes than the limit. */
  get isFull(): boolean {
    return this.#length > this.#limit;
  }

  /** A view of all bytes so far. */
  get bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }

  add(chunk: Uint8Array): void {
    const length = this.#length + chunk.length;
    if (length > this.#buffer.length) this.#grow(length);
    this.#buffer.set(chunk, this.#length);
    this.#length = length;
  }

  /**
   * Grows to a small size, then to the limit at once: the system allocates memory only for pages that are written to.
   */
  #grow(needed: number): void {
    const room = needed <= SMALL ? SMALL : Math.max(needed, this.#limit + SMALL);
    const { buffer } = Buffer.allocUnsafeSlow(room);
    const larger = new Uint8Array(buffer);
    larger.set(this.bytes);
    this.#buffer = larger;
  }
}

/**
 * Reads a file in chunks of at most 64 KiB.
 * @throws `missing-file`, `read-failed`.
 */
export function* chunksOfFile(path: string): Generator<Uint8Array, void, undefined> {
  const file = openToRead(path);
  try {
    yield* chunksOfDescriptor(file, path);
  } finally {
    closeSync(file);
  }
}

/**
 * Reads a file. Stops soon after `limit` bytes, because a device may be endless.
 * @returns all bytes of the file, or more than `limit`.
 * @throws `missing-file`, `read-failed`.
 */
export function readFile(path: string, limit: number): Uint8Array {
  return joinChunks(chunksOfFile(path), limit);
}

/**
 * Reads a file as `readFile` does, if `check` does not throw. It is called before the file is opened, because opening a
 * pipe may wait, and once more with the status of the very file that is read.
 * @throws `missing-file`, `read-failed`, and what `check` throws.
 */
export function readFileIf(path: string, limit: number, check: (status: Stats) => void): Uint8Array {
  const known = <Result>(work: () => Result): Result => {
    try {
      return work();
    } catch (cause) {
      throw toReadError(path, cause);
    }
  };
  check(known(() => statSync(path)));
  const file = openToRead(path);
  try {
    check(known(() => fstatSync(file)));
    return readDescriptor(file, path, limit);
  } finally {
    closeSync(file);
  }
}

/**
 * Reads a file descriptor as `readFile` reads a file.
 * @param name what the error calls it.
 * @throws `read-failed`.
 */
export function readDescriptor(file: number, name: string, limit: number): Uint8Array {
  return joinChunks(chunksOfDescriptor(file, name), limit);
}

function* chunksOfDescriptor(file: number, name: string): Generator<Uint8Array, void, undefined> {
  try {
    yield* chunksOf(file);
  } catch (cause) {
    throw toReadError(name, cause);
  }
}

function joinChunks(source: Iterable<Uint8Array>, limit: number): Uint8Array {
  const gathered = new Gathered(limit);
  for (const chunk of source) {
    gathered.add(chunk);
    if (gathered.isFull) break;
  }
  return gathered.bytes;
}

function openToRead(path: string): number {
  try {
    return openSync(path, 'r');
  } catch (cause) {
    throw toReadError(path, cause);
  }
}

function toReadError(path: string, cause: unknown): PawlError {
  return codeOf(cause) === 'ENOENT'
    ? new PawlError('missing-file', { path }, { cause })
    : new PawlError('read-failed', { path, reason: reasonOf(cause) }, { cause });
}

/**
 * Reads what a file descriptor has without waiting: the rest of a file, or what is in a pipe now. Does not change the
 * flags that other processes share. Reads nothing from sockets and terminals, nor from pipes on systems without /proc.
 * @returns whether the end was reached.
 * @throws the errors of the system.
 */
export function* readAtOnce(descriptor: number): Generator<Uint8Array, boolean, undefined> {
  const status = fstatSync(descriptor);
  if (status.isFile() || status.isDirectory()) {
    yield* chunksOf(descriptor);
    return true;
  }
  const pipe = status.isFIFO() ? openAgain(descriptor) : undefined;
  if (pipe === undefined) return false;
  try {
    yield* chunksOf(pipe);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EAGAIN') return false;
    throw error;
  } finally {
    closeSync(pipe);
  }
}

/** Opens the pipe of a descriptor again, because O_NONBLOCK on the descriptor itself would affect other processes. */
function openAgain(descriptor: number): number | undefined {
  try {
    return openSync(`/proc/self/fd/${descriptor}`, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch {
    return undefined;
  }
}
