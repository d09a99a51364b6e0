/**
 * Reads a file descriptor that was handed to this process.
 * Does not decode what it reads.
 */
import { fstatSync, readdirSync, readFileSync, readSync, type Stats } from 'node:fs';
import { PawlError } from '../errors.ts';
import { Gathered } from './read.ts';
import { codeOf, reasonOf } from './system-error.ts';

/** In bytes. */
const CHUNK = 4_096;
/** Between two looks at an empty pipe, in milliseconds. */
const PAUSE = 10;
/** The bits of the flags of an open file that say whether it is read or written. */
const ACCESS_MODE = 3;
const CLOSE_ON_EXEC = 0o2000000;

/**
 * Reads a descriptor to its end, and waits for what another process has yet to write, also where that process has made
 * the pipe non-blocking.
 * @param name what the error calls it.
 * @returns all bytes, or more than `limit`.
 * @throws `read-failed`.
 */
export async function readInherited(descriptor: number, name: string, limit: number): Promise<Uint8Array> {
  const failed = (reason: string, cause?: unknown) => new PawlError('read-failed', { path: name, reason }, { cause });
  const status = statusOf(descriptor);
  // Node has pipes of its own, and waiting on one, because its number was given by mistake, would have no end.
  if (status?.isFIFO() && isWrittenHere(status)) throw failed('it is a pipe that nobody else writes to');
  const gathered = new Gathered(limit);
  const chunk = Buffer.alloc(CHUNK);
  while (!gathered.isFull) {
    try {
      const length = readSync(descriptor, chunk, 0, CHUNK, null);
      if (length === 0) break;
      gathered.add(chunk.subarray(0, length));
    } catch (cause) {
      const mayWait = status?.isFIFO() || status?.isSocket() || status?.isCharacterDevice();
      if (codeOf(cause) !== 'EAGAIN' || !mayWait) throw failed(reasonOf(cause), cause);
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
    }
  }
  chunk.fill(0);
  return gathered.bytes;
}

/**
 * The descriptors above 2 that are open in this process: its own, which it passes on to nobody, and those that were handed
 * to it, which every program that it starts would get. Empty where the system does not tell.
 */
export function inheritedDescriptors(): readonly number[] {
  for (const list of ['/proc/self/fd', '/dev/fd']) {
    try {
      return readdirSync(list)
        .map(Number)
        .filter((descriptor) => descriptor > 2 && isPassedOn(descriptor));
    } catch {
      // The system has no such list.
    }
  }
  return [];
}

/** Whether a program that is started gets the descriptor. Only Linux tells; elsewhere, what is open may be. */
function isPassedOn(descriptor: number): boolean {
  try {
    return (flagsOf(String(descriptor)) & CLOSE_ON_EXEC) === 0;
  } catch {
    return statusOf(descriptor) !== undefined;
  }
}

/** Whether this process has the writing end of a pipe. Only Linux tells. */
function isWrittenHere({ dev, ino }: Stats): boolean {
  try {
    return readdirSync('/proc/self/fd').some((entry) => {
      const status = statusOf(Number(entry));
      return status?.ino === ino && status.dev === dev && isWritable(entry);
    });
  } catch {
    return false;
  }
}

function statusOf(descriptor: number): Stats | undefined {
  try {
    return fstatSync(descriptor);
  } catch {
    // It is closed, as the one is by which a list was read.
    return undefined;
  }
}

function isWritable(entry: string): boolean {
  return (flagsOf(entry) & ACCESS_MODE) !== 0;
}

/** The flags of an open file. */
function flagsOf(entry: string): number {
  const [, flags = '0'] = /^flags:\s*([0-7]+)/m.exec(readFileSync(`/proc/self/fdinfo/${entry}`, 'latin1')) ?? [];
  return Number.parseInt(flags, 8);
}
