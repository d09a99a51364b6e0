import { existsSync } from 'node:fs';
import Database from 'better-sqlite3-multiple-ciphers';
import { PawlError } from '../errors.ts';

/**
 * What an error of the database means to pawl. This is the one place that knows: the database's own errors never leave
 * storage.
 */
export function translated(error: unknown, path: string): unknown {
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
      return new PawlError('write-failed', { path, reason: 'no space left on device' }, { cause: error });
    case 'CANTOPEN':
      return new PawlError('write-failed', { path, reason: 'its folder cannot be written' }, { cause: error });
    case 'READONLY':
      // The name leads to another file by now.
      if (code === 'SQLITE_READONLY_DBMOVED' && existsSync(path)) {
        return new PawlError('replaced', { path }, { cause: error });
      }
      return new PawlError('write-failed', { path, reason: READONLY[code] ?? 'it is read-only' }, { cause: error });
    case 'PERM':
      return new PawlError('write-failed', { path, reason: 'it is read-only' }, { cause: error });
    case 'IOERR':
      return inputOutputError(code, path, error);
    default:
      // A constraint that refuses a row, SQL that is wrong: a bug in pawl.
      return new Error(`the database refused: ${(error as Error).message}`, { cause: error });
  }
}

/** The code of an error of the database (`SQLITE_BUSY`), `undefined` for any other. */
export function sqliteCode(error: unknown): string | undefined {
  return error instanceof Database.SqliteError ? error.code : undefined;
}

const READONLY: Readonly<Record<string, string>> = {
  SQLITE_READONLY_ROLLBACK: 'it is read-only, and an interrupted change waits to be undone',
  SQLITE_READONLY_DIRECTORY: 'its folder is read-only',
  SQLITE_READONLY_DBMOVED: 'it was moved or removed meanwhile',
};

/** Reading went wrong; everything else is part of writing. */
const READING = new Set(['SQLITE_IOERR_READ', 'SQLITE_IOERR_FSTAT', 'SQLITE_IOERR_ACCESS', 'SQLITE_IOERR_SEEK']);
/** The file is not what it should be, though the system reads it well. */
const DAMAGE = new Set(['SQLITE_IOERR_SHORT_READ', 'SQLITE_IOERR_CORRUPTFS', 'SQLITE_IOERR_DATA']);

function inputOutputError(code: string, path: string, cause: unknown): PawlError {
  if (DAMAGE.has(code)) return new PawlError('damaged', { path }, { cause });
  const detail = { path, reason: 'input/output error' };
  return new PawlError(READING.has(code) ? 'read-failed' : 'write-failed', detail, { cause });
}
