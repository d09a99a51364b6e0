import { lstatSync, realpathSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { PawlError } from '../errors.ts';
import { sync, withDraft } from './make-file.ts';
import { reasonOf } from './system-error.ts';

/**
 * Puts `bytes` in place of the file at `path`, all at once and durable, for our eyes only (mode 0600). A link is followed,
 * and a pipe or a device is written to.
 * @throws `write-failed`.
 */
export function replaceFile(path: string, bytes: Uint8Array): void {
  try {
    if (statSync(path, { throwIfNoEntry: false })?.isFile() === false) {
      writeFileSync(path, bytes);
      return;
    }
    const target = lstatSync(path, { throwIfNoEntry: false }) === undefined ? path : realpathSync(path);
    withDraft(target, (draft) => {
      writeFileSync(draft, bytes);
      sync(draft);
      renameSync(draft, target);
    });
    sync(dirname(target));
  } catch (cause) {
    throw new PawlError('write-failed', { path, reason: reasonOf(cause) }, { cause });
  }
}
