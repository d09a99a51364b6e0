/**
 * Reads the small text files that say how to get to a database: of services, passwords, certificates, keys.
 * Does not know what is in them.
 */
import type { Stats } from 'node:fs';
import { PawlError } from '../../errors.ts';
import { readFileIf } from '../../files/index.ts';

/** In bytes. */
const LARGEST_FILE = 2 ** 20;

/** The rights of others than the owner. */
const OTHERS = 0o077;
/** Root's files may be readable by a group, as ssl-cert on Debian. */
const OTHERS_THAN_GROUP = 0o037;

/**
 * @param check is given the status of the file, and throws where it must not be read.
 * @throws `missing-file`, `read-failed`, and what `check` throws.
 */
export function readText(path: string, check: (status: Stats) => void = () => undefined): string {
  const bytes = readFileIf(path, LARGEST_FILE, check);
  if (bytes.length > LARGEST_FILE) {
    throw new PawlError('read-failed', { path, reason: `it has more than ${LARGEST_FILE} bytes` });
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new PawlError('read-failed', { path, reason: 'it is no text in UTF-8' }, { cause });
  }
}

/**
 * Reads a file that others must not be able to get at. A pipe, and what is no file, is the business of who made it.
 * @param options.sharedByRoot whether a file of root may be readable by its group.
 * @throws `exposed-key`, `missing-file`, `read-failed`.
 */
export function readSecret(path: string, { sharedByRoot = false } = {}): string {
  return readText(path, (status) => {
    const closed = sharedByRoot && status.uid === 0 ? OTHERS_THAN_GROUP : OTHERS;
    if (!status.isFile() || (status.mode & closed) === 0) return;
    throw new PawlError('exposed-key', { path, mode: (status.mode & 0o777).toString(8).padStart(4, '0') });
  });
}
