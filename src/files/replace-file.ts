import { statSync, writeFileSync } from 'node:fs';
import { PawlError } from '../errors.ts';
import { putInPlace } from './put-in-place.ts';
import { reasonOf } from './system-error.ts';

/**
 * Puts `bytes` in place of the file at `path`, all at once and durable, for our eyes only (mode 0600). A link is replaced
 * and not followed, since somebody else may have laid it; a pipe or a device is written to.
 * @throws `write-failed`.
 */
export function replaceFile(path: string, bytes: Uint8Array): void {
  try {
    if (statSync(path, { throwIfNoEntry: false })?.isFile() === false) writeFileSync(path, bytes);
    else putInPlace(path, 'is replaced', (_, file) => writeFileSync(file, bytes));
  } catch (cause) {
    throw new PawlError('write-failed', { path, reason: reasonOf(cause) }, { cause });
  }
}
