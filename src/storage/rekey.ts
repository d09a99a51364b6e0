/**
 * Rekeys an identity file by replacing it with a copy under another key (docs/PROTOCOL.md §8).
 * Does not derive keys and does not ask for passphrases.
 */
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
 * Replaces an identity file with a copy that is encrypted under another key and another salt. The copy is created
 * beside the file, checked, made durable and renamed over it; until the rename the file is only read. So the name
 * always leads to a whole file under exactly one key: the new key if this returns, the old key if it throws.
 *
 * SQLCipher could encrypt the file in place, but if a write fails, it rolls back under the wrong key.
 *
 * The write lock on the old file is held until the rename, so that no other process commits anything that the copy
 * lacks. A process that waited for the lock learns from `Connection.begin` that the file was replaced.
 *
 * @param connection a connection to the file, outside of a transaction. Closed if this returns, unchanged if it throws.
 * @param lock the current key and salt of the file.
 * @param next the new key and salt. The salt must be fresh.
 * @throws `busy`, `replaced`, `damaged`.
 * @throws `write-failed` when the file is read-only.
 * @throws `not-rekeyed` for every other failure.
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
    throw isPawlError(error, 'damaged') ? error : toNotRekeyed(connection.path, error);
  }
  syncFolderOf(file);
  connection.close();
}

/** Returns the path of the copy. It is fixed for each file, so that a later command finds the copy of a killed one. */
function draftOf(file: string): string {
  return `${file}-draft`;
}

/**
 * Removes the copy that a killed `rekey` has left: it has all secrets of the identity. The caller must hold the write
 * lock of the file, because a running `rekey` holds it while it needs the copy.
 * @param file an absolute path without symbolic links.
 */
export function removeDraft(file: string): void {
  const draft = draftOf(file);
  try {
    if (existsSync(draft)) unlinkSync(draft);
  } catch {
    // The folder is read-only. The next command tries again.
  }
}

/**
 * Creates an empty file with the owner and the mode of the old file.
 * @throws the errors of the system.
 */
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

/** Uses a second connection, because VACUUM INTO cannot run within a transaction. */
function copyInto(draft: string, path: string, lock: Lock): void {
  withConnection(path, lock, (source) => source.run('VACUUM INTO @draft', { draft }));
}

/** Needs no journal and no sync: no other process uses the draft, and it is discarded if this fails. */
function encryptAnew(draft: string, lock: Lock, next: Lock): void {
  blameDraft(() =>
    withConnection(draft, lock, (copy) => {
      copy.execute('PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF');
      copy.rekey(next);
    }),
  );
}

/** Reads the whole draft, because SQLCipher does not report every failed write while it encrypts. */
function check(draft: string, lock: Lock, generation: number): void {
  blameDraft(() =>
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

/** Replaces the errors of `work` that would say that the identity file is damaged: only the draft is. */
function blameDraft(work: () => void): void {
  try {
    work();
  } catch (cause) {
    if (isPawlError(cause, 'read-failed') || isPawlError(cause, 'write-failed')) throw cause;
    throw new Error('the new file did not come out whole', { cause });
  }
}

function toNotRekeyed(path: string, cause: unknown): PawlError {
  return new PawlError('not-rekeyed', { path, reason: reasonOf(cause) }, { cause });
}
