import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { PawlError } from '../errors.ts';
import { codeOf, reasonOf } from './system-error.ts';

const CHUNK = 2 ** 16;

/** The bytes of an open file from where it stands, as they are read: at most 64 KiB a time. Throws what the system throws. */
export function* chunksOf(file: number): Generator<Buffer, void, undefined> {
  for (;;) {
    const chunk = Buffer.allocUnsafeSlow(CHUNK);
    const length = readSync(file, chunk, 0, CHUNK, null);
    if (length === 0) return;
    yield chunk.subarray(0, length);
  }
}

const SMALL = 2 ** 16;

/** Gathers the chunks of an input into one byte string, without keeping them beside it. */
export class Gathered {
  readonly #limit: number;
  #buffer = new Uint8Array(0);
  #length = 0;

  /** @param limit the most bytes that are any use. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Whether more has come than is of any use. */
  get isFull(): boolean {
    return this.#length > this.#limit;
  }

  /** A view of all that has come. */
  get bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }

  add(chunk: Uint8Array): void {
    const length = this.#length + chunk.length;
    if (length > this.#buffer.length) this.#grow(length);
    this.#buffer.set(chunk, this.#length);
    this.#length = length;
  }

  /** Room for a small input, then for the largest: what is not written to takes no memory. */
  #grow(needed: number): void {
    const room = needed <= SMALL ? SMALL : Math.max(needed, this.#limit + SMALL);
    const { buffer } = Buffer.allocUnsafeSlow(room);
    const larger = new Uint8Array(buffer);
    larger.set(this.bytes);
    this.#buffer = larger;
  }
}

/** The bytes of a file as they are read, as many as there are and at most 64 KiB. @throws `missing-file`, `read-failed`. */
export function* chunksOfFile(path: string): Generator<Uint8Array, void, undefined> {
  const file = opened(path);
  try {
    yield* chunksOfDescriptor(file, path);
  } finally {
    closeSync(file);
  }
}

/**
 * The bytes of a file; of one that has more than `limit`, such as a device without an end, at least one byte more.
 * @throws `missing-file`, `read-failed`.
 */
export function readFile(path: string, limit: number): Uint8Array {
  return joined(chunksOfFile(path), limit);
}

/** The same of a file that is open already. `name` is for the error. @throws `read-failed`. */
export function readDescriptor(file: number, name: string, limit: number): Uint8Array {
  return joined(chunksOfDescriptor(file, name), limit);
}

function* chunksOfDescriptor(file: number, name: string): Generator<Uint8Array, void, undefined> {
  try {
    yield* chunksOf(file);
  } catch (cause) {
    throw failed(name, cause);
  }
}

function joined(source: Iterable<Uint8Array>, limit: number): Uint8Array {
  const gathered = new Gathered(limit);
  for (const chunk of source) {
    gathered.add(chunk);
    if (gathered.isFull) break;
  }
  return gathered.bytes;
}

function opened(path: string): number {
  try {
    return openSync(path, 'r');
  } catch (cause) {
    throw failed(path, cause);
  }
}

function failed(path: string, cause: unknown): PawlError {
  return codeOf(cause) === 'ENOENT'
    ? new PawlError('missing-file', { path }, { cause })
    : new PawlError('read-failed', { path, reason: reasonOf(cause) }, { cause });
}

/**
 * The bytes that a descriptor has at once: all that is left of a file; of a pipe, what has come by now. Nothing is waited
 * for, and how others see the descriptor is not changed. Throws what the system throws.
 * @returns whether those were all: of a socket, a terminal and where /proc is missing, none are read here.
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

/** The same pipe once more, so that not waiting is a matter of this one reader alone. */
function openAgain(descriptor: number): number | undefined {
  try {
    return openSync(`/proc/self/fd/${descriptor}`, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch {
    return undefined;
  }
}
