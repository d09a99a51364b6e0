import {
  closeSync,
  existsSync,
  fchmodSync,
  fchownSync,
  fstatSync,
  openSync,
  renameSync,
  type Stats,
  statSync,
  unlinkSync,
} from 'node:fs';
import { isPawlError, PawlError } from '../errors.ts';
import { reasonOf, sync, syncFolderOf } from '../files/index.ts';
import { checkPages } from './check.ts';
import { Connection } from './connection.ts';
import type { Lock } from './sqlcipher.ts';
import { mustExist } from './transaction.ts';

/**
 * Replaces an identity file by a copy of it that is encrypted under another key and another salt. The copy is made beside
 * it, checked and made durable, and then takes its name in one step; until then the file is only read. So whatever fails,
 * the name leads to a whole file under exactly one of the two keys: the new one if this returns, the old one if it throws.
 *
 * (The database could encrypt the file in place, but where a write fails it rolls back under the wrong key.)
 *
 * The transaction on the old file lasts until the new one has its name, so nobody commits anything that the copy lacks.
 * Who waited for it finds out by `Connection.begin` that the file was replaced.
 *
 * @param connection to the file, outside of any transaction. It is closed if this returns, and as it was if it throws.
 * @param lock key and salt that the file has.
 * @param next key and salt that it gets. The salt has to be a new one.
 * @throws `busy`, `replaced`, `damaged`, `write-failed` where the file may not be written, `not-rekeyed` for everything else.
 */
export function rekey(connection: Connection, lock: Lock, next: Lock): void {
  connection.begin('IMMEDIATE');
  const { file } = connection;
  const draft = draftOf(file);
  try {
    removeDraft(file);
    makeDraft(draft, statSync(file));
    copyInto(draft, connection.path, lock);
    encryptAnew(draft, lock, next);
    check(draft, next, generationOf(connection));
    sync(draft);
    renameSync(draft, file);
  } catch (error) {
    connection.rollback();
    removeDraft(file);
    throw isPawlError(error, 'damaged') ? error : failed(connection.path, error);
  }
  syncFolderOf(file);
  connection.close();
}

/** Where the copy is made: one name for each file, so that a later command finds what a killed one has left. */
function draftOf(file: string): string {
  return `${file}-draft`;
}

/**
 * Removes what a killed `rekey` has left: a whole identity, with secrets that are to be forgotten. Only for the holder of the
 * file's lock, since a `rekey` that is under way holds it as well.
 * @param file an absolute path without links.
 */
export function removeDraft(file: string): void {
  const draft = draftOf(file);
  try {
    if (existsSync(draft)) unlinkSync(draft);
  } catch {
    // It stays where the folder may not be written, and the next one tries again.
  }
}

/** Makes it an empty file with the owner and the mode of the old one. Throws what the system throws. */
function makeDraft(draft: string, { uid, gid, mode }: Stats): void {
  const file = openSync(draft, 'wx', 0o600);
  try {
    const own = fstatSync(file);
    if (own.uid !== uid || own.gid !== gid) fchownSync(file, uid, gid);
    if (own.mode !== mode) fchmodSync(file, mode & 0o777);
  } finally {
    closeSync(file);
  }
}

/** On a connection of its own, because a transaction cannot be copied from the inside. */
function copyInto(draft: string, path: string, lock: Lock): void {
  withConnection(path, lock, (source) => source.run('VACUUM INTO @draft', { draft }));
}

/** Nobody else knows of the draft, and it is useless if this fails: it takes neither a journal nor a sync. */
function encryptAnew(draft: string, lock: Lock, next: Lock): void {
  asNotWhole(() =>
    withConnection(draft, lock, (copy) => {
      copy.execute('PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF');
      copy.rekey(next);
    }),
  );
}

/** The database does not report every write that failed: the draft is read as it will be read. */
function check(draft: string, lock: Lock, generation: number): void {
  asNotWhole(() =>
    withConnection(draft, lock, (copy) => {
      const problems = checkPages(copy);
      if (problems.length > 0 || generationOf(copy) !== generation) throw new PawlError('damaged', { path: draft });
    }),
  );
}

function generationOf(connection: Connection): number {
  return mustExist(connection.get<{ generation: number }>('SELECT generation FROM identity'), 'identity').generation;
}

function withConnection(path: string, lock: Lock, work: (connection: Connection) => void): void {
  const connection = new Connection(path, lock, 0);
  try {
    work(connection);
  } finally {
    connection.close();
  }
}

/** Damage to the draft is none to the file. */
function asNotWhole(work: () => void): void {
  try {
    work();
  } catch (cause) {
    if (isPawlError(cause, 'read-failed') || isPawlError(cause, 'write-failed')) throw cause;
    throw new Error('the new file did not come out whole', { cause });
  }
}

function failed(path: string, cause: unknown): PawlError {
  return new PawlError('not-rekeyed', { path, reason: reasonOf(cause) }, { cause });
}
