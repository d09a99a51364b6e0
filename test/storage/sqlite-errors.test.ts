import Database from 'better-sqlite3-multiple-ciphers';
import { expect, it } from 'vitest';
import { PawlError } from '../../src/errors.ts';
import { translateError } from '../../src/storage/sqlite-errors.ts';

it.each([
  ['SQLITE_BUSY', 'busy'],
  ['SQLITE_BUSY_RECOVERY', 'busy'],
  ['SQLITE_NOTADB', 'damaged'],
  ['SQLITE_CORRUPT_INDEX', 'damaged'],
  ['SQLITE_IOERR_SHORT_READ', 'damaged'],
  ['SQLITE_IOERR_READ', 'read-failed'],
  ['SQLITE_IOERR_WRITE', 'write-failed'],
  ['SQLITE_IOERR_DIR_FSYNC', 'write-failed'],
  ['SQLITE_FULL', 'write-failed'],
  ['SQLITE_BUSY_SNAPSHOT', 'busy'],
  ['SQLITE_READONLY_DBMOVED', 'write-failed'],
  ['SQLITE_CANTOPEN', 'write-failed'],
])('%s is %s', (code, expected) => {
  const cause = new Database.SqliteError('what the database says', code);
  const error = translateError(cause, '/home/bob.db');
  expect(error).toBeInstanceOf(PawlError);
  expect(error).toMatchObject({ code: expected, detail: { path: '/home/bob.db' }, cause });
});

it.each([
  ['SQLITE_FULL', true],
  ['SQLITE_READONLY', true],
  ['SQLITE_CANTOPEN', true],
  ['SQLITE_PERM', true],
  ['SQLITE_IOERR_WRITE', false],
  ['SQLITE_IOERR_DIR_FSYNC', false],
])('after %s it is sure that nothing was changed: %s', (code, isUndone) => {
  expect(translateError(new Database.SqliteError('no', code), '/home/bob.db')).toMatchObject({ detail: { isUndone } });
});

it.each(['LOCK', 'RDLOCK', 'UNLOCK', 'CHECKRESERVEDLOCK', 'SHMLOCK'])('SQLITE_IOERR_%s is no-locks', (name) => {
  const error = translateError(new Database.SqliteError('disk I/O error', `SQLITE_IOERR_${name}`), '/net/pawl/bob.db');
  expect(error).toMatchObject({ code: 'no-locks', detail: { folder: '/net/pawl' } });
});

it('an error that is no fault of the file is a bug, and stays no error of the database', () => {
  const error = translateError(new Database.SqliteError('CHECK constraint failed', 'SQLITE_CONSTRAINT_CHECK'), 'p');
  expect(error).toBeInstanceOf(Error);
  expect(error).not.toBeInstanceOf(PawlError);
  expect(error).not.toBeInstanceOf(Database.SqliteError);
});

it('any other error is left alone', () => {
  const error = new TypeError('a bug');
  expect(translateError(error, 'p')).toBe(error);
});
