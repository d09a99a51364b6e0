/**
 * Finds out whether files can be locked where a file is.
 * Knows nothing of what the file holds.
 */
import { statSync } from 'node:fs';
import Database from 'better-sqlite3-multiple-ciphers';
import { withDraft } from '../files/index.ts';
import { sqliteCode } from './sqlite-errors.ts';

/**
 * Whether the file system of a file refuses locks. SQLite says "busy" then, too, as for a file that another process has
 * locked (ENOLCK). So a lock is tried on a new file beside it, which nobody else can have locked. Where none can be made,
 * nothing is known, and the answer is no.
 */
export function refusesLocks(file: string): boolean {
  let refuses = false;
  try {
    withDraft(file, (draft) => {
      // A file that is mounted by itself is in another file system than its folder.
      if (statSync(draft).dev === statSync(file).dev) refuses = isRefused(draft);
    });
  } catch {
    // The folder cannot be written.
  }
  return refuses;
}

function isRefused(draft: string): boolean {
  const database = new Database(draft, { fileMustExist: true, timeout: 0 });
  try {
    database.exec('BEGIN IMMEDIATE');
    return false;
  } catch (error) {
    return /^SQLITE_(BUSY|IOERR_\w*LOCK)$/.test(sqliteCode(error) ?? '');
  } finally {
    database.close();
  }
}
