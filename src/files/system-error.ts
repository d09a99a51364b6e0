/**
 * The codes and the descriptions of the system's errors.
 * Does not decide what they mean to a command.
 */
import { getSystemErrorMap } from 'node:util';
import { PawlError } from '../errors.ts';

/** Where the system's own description is none for people. */
const WORDS: Readonly<Record<string, string>> = {
  EISDIR: 'it is a folder',
  ENOTDIR: 'part of its path is no folder',
  ELOOP: 'too many symbolic links, or one that leads to itself',
  ENXIO: 'nobody is there to read it',
  EBADF: 'it is not open for that',
  ETXTBSY: 'it is a program that runs',
};

/** Returns the code of an error of the system, such as `ENOENT`. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/**
 * Returns the system's description of an error, such as `permission denied`; the `reason` of a `PawlError` that has
 * one.
 */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof PawlError && 'reason' in error.detail) return error.detail.reason;
  const words = WORDS[codeOf(error) ?? ''];
  if (words !== undefined) return words;
  const number = 'errno' in error && typeof error.errno === 'number' ? error.errno : 0;
  return getSystemErrorMap().get(number)?.[1] ?? error.message;
}

/**
 * Runs `work`, which makes or writes a file, and turns the errors of the system into those of pawl.
 * @throws `exists`, `write-failed`.
 */
export function withWriteErrors<Result>(path: string, work: () => Result): Result {
  try {
    return work();
  } catch (cause) {
    if (cause instanceof PawlError) throw cause;
    if (codeOf(cause) === 'EEXIST') throw new PawlError('exists', { path }, { cause });
    throw new PawlError('write-failed', { path, reason: reasonOf(cause) }, { cause });
  }
}
