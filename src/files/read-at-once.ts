import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { chunksOf } from './chunks.ts';
import { codeOf } from './system-error.ts';

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
