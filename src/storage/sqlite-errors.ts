/**
 * Translates the errors of SQLite into `PawlError`s.
 * Knows nothing of what was being done to the file.
 */
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3-multiple-ciphers';
import { PawlError } from '../errors.ts';

/**
 * Translates an error.
 * @param path the file, for the message.
 * @returns a `PawlError`; an `Error` for an SQLite error that is a bug in pawl; any other error unchanged.
 */
export function translateError(error: unknown, path: string): unknown {
  const code = sqliteCode(error);
  if (code === undefined) return error;
  const [, primary = ''] = code.split('_');
  switch (primary) {
    case 'BUSY':
    case 'LOCKED':
      return new PawlError('busy', { path }, { cause: error });
    case 'CORRUPT':
    case 'NOTADB':
      return new PawlError('damaged', { path }, { cause: error });
    case 'FULL':
      return new PawlError(
        'write-failed',
        { path, reason: 'no space left on device', isUndone: true },
        { cause: error },
      );
    case 'CANTOPEN':
      return new PawlError(
        'write-failed',
        { path, reason: 'its folder cannot be written', isUndone: true },
        { cause: error },
      );
    case 'READONLY':
      // There is another file at the path now.
      if (code === 'SQLITE_READONLY_DBMOVED' && existsSync(path)) {
        return new PawlError('replaced', { path }, { cause: error });
      }
      return new PawlError(
        'write-failed',
        { path, reason: READONLY[code] ?? 'it is read-only', isUndone: true },
        { cause: error },
      );
    case 'PERM':
      return new PawlError('write-failed', { path, reason: 'it is read-only', isUndone: true }, { cause: error });
    case 'IOERR':
      return translateIoError(code, path, error);
    default:
      // A violated constraint or wrong SQL: a bug in pawl.
      return new Error(`SQLite refused: ${(error as Error).message}`, { cause: error });
  }
}

/** Returns the code of an SQLite error, such as `SQLITE_BUSY`; `undefined` for any other error. */
export function sqliteCode(error: unknown): string | undefined {
  return error instanceof Database.SqliteError ? error.code : undefined;
}

const READONLY: Readonly<Record<string, string>> = {
  SQLITE_READONLY_ROLLBACK: 'it is read-only, and an interrupted change waits to be undone',
  SQLITE_READONLY_DIRECTORY: 'its folder is read-only',
  SQLITE_READONLY_DBMOVED: 'it was moved or removed meanwhile',
};

/** The I/O errors of reading; all others are errors of writing. */
const READING = new Set(['SQLITE_IOERR_READ', 'SQLITE_IOERR_FSTAT', 'SQLITE_IOERR_ACCESS', 'SQLITE_IOERR_SEEK']);
/** The I/O errors of a file system that has no locks. With ENOLCK SQLite says `SQLITE_BUSY`: see lock-probe.ts. */
const LOCKING = /^SQLITE_IOERR_\w*LOCK$/;
/** The I/O errors that mean that the contents of the file are wrong. */
const DAMAGE = new Set(['SQLITE_IOERR_SHORT_READ', 'SQLITE_IOERR_CORRUPTFS', 'SQLITE_IOERR_DATA']);

function translateIoError(code: string, path: string, cause: unknown): PawlError {
  if (LOCKING.test(code)) return new PawlError('no-locks', { folder: dirname(path) }, { cause });
  if (DAMAGE.has(code)) return new PawlError('damaged', { path }, { cause });
  const detail = { path, reason: 'input/output error' };
  if (READING.has(code)) return new PawlError('read-failed', detail, { cause });
  // The last step of a commit may be what has failed.
  return new PawlError('write-failed', { ...detail, isUndone: false }, { cause });
}
