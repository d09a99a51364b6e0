/**
 * Gives an identity file another key by replacing the file. The database could encrypt the file in place, but if one write
 * fails it rolls back under the wrong key, and no key opens the file any more.
 * Knows nothing of passphrases, and of the tables only the generation.
 */
import { fchmodSync, fchownSync, fstatSync, type Stats, statSync } from 'node:fs';
import { isPawlError, PawlError } from '../errors.ts';
import { codeOf, Draft, reasonOf, removeDraft, sleep } from '../files/index.ts';
import { checkPages } from './check.ts';
import { Connection } from './connection.ts';
import type { Lock } from './sqlcipher.ts';
import { mustExist } from './transaction.ts';

/**
 * How long the lock of the old file is kept after it was replaced, in milliseconds: much longer than a process takes from
 * looking at the file's name to taking its lock. See `Connection.#lock`.
 */
const GRACE = 100;

/**
 * Replaces an identity file by a copy that is encrypted under another key and salt. The copy is made beside the file, read
 * back whole, made durable, and renamed over the file. Until the rename the old file is only read, so the name always leads
 * to a whole file under exactly one of the two keys: the new one if this returns, the old one if it throws.
 *
 * The old file stays locked for writing until the new one has its name, so no commit is missing from the copy. A process
 * that has the old file open is refused (`replaced`) at its next transaction.
 *
 * @param connection to the file, outside of a transaction. It is closed if this returns, and stays open if it throws.
 * @param lock the present key and salt.
 * @param next the new key, and a salt that was never used.
 * @throws `busy`, `replaced`, `damaged`; `write-failed` if the file is read-only; `not-rekeyed` for everything else.
 */
export function rekey(connection: Connection, lock: Lock, next: Lock): void {
  connection.begin('IMMEDIATE');
  const { file } = connection;
  try {
    removeRest(file);
    const draft = openDraft(file);
    try {
      giveTo(draft.file, statSync(file));
      withConnection(file, lock, (source) => source.copyInto(draft.path));
      encryptAnew(draft.path, lock, next);
      checkDraft(draft.path, next, generationOf(connection));
      draft.putInPlace(() => {
        connection.refuseReplaced();
        return 'is replaced';
      });
    } finally {
      // Under the lock: the next draft has the same name.
      draft.end();
    }
  } catch (error) {
    connection.rollback();
    throw toNotRekeyed(connection.path, error);
  }
  sleep(GRACE);
  connection.close();
}

/** The path of the copy. It is fixed, so that the next command finds what a killed one has left. */
function draftOf(file: string): string {
  return `${file}-draft`;
}

/**
 * Removes the copy that a killed `rekey` has left: it is a whole identity, with keys that are to be forgotten. The caller
 * must hold the lock of the file, because a `rekey` that is running holds it as well.
 * @param file an absolute path without symbolic links.
 */
export function removeRest(file: string): void {
  removeDraft(draftOf(file));
}

/** The generation of the identity: see docs/PROTOCOL.md §8. */
export function generationOf(connection: Connection): number {
  return mustExist(connection.get<{ generation: number }>('SELECT generation FROM identity'), 'identity').generation;
}

/** Throws what the system throws. */
function openDraft(file: string): Draft {
  const path = draftOf(file);
  try {
    return new Draft(file, path);
  } catch (cause) {
    throw codeOf(cause) === 'EEXIST' ? new Error(`${path} is in the way`, { cause }) : cause;
  }
}

/** Gives a draft the owner, the group and the mode of the old file. Throws what the system throws. */
function giveTo(draft: number, { uid, gid, mode }: Stats): void {
  const own = fstatSync(draft);
  if (own.uid !== uid || own.gid !== gid) fchownSync(draft, uid, gid);
  if (own.mode !== mode) fchmodSync(draft, mode & 0o777);
}

/** Without journal and sync: nobody else knows of the draft, and it is of no use if this fails. */
function encryptAnew(draft: string, lock: Lock, next: Lock): void {
  asIncomplete(() =>
    withConnection(draft, lock, (copy) => {
      copy.execute('PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF');
      copy.rekey(next);
    }),
  );
}

/** Reads the draft back, because the database does not report every write that failed. */
function checkDraft(draft: string, next: Lock, generation: number): void {
  asIncomplete(() =>
    withConnection(draft, next, (copy) => {
      if (checkPages(copy).length > 0 || generationOf(copy) !== generation) {
        throw new PawlError('damaged', { path: draft });
      }
    }),
  );
}

function withConnection(path: string, lock: Lock, work: (connection: Connection) => void): void {
  const connection = new Connection(path, lock, 0);
  try {
    work(connection);
  } finally {
    connection.close();
  }
}

/** A damaged draft must not be reported as damage to the identity file. */
function asIncomplete(work: () => void): void {
  try {
    work();
  } catch (cause) {
    if (isPawlError(cause, 'read-failed') || isPawlError(cause, 'write-failed')) throw cause;
    throw new Error('the new file did not come out whole', { cause });
  }
}

/** A file that is mounted by itself, as containers do it, cannot be renamed over. */
const MOUNTED = new Set(['EBUSY', 'EXDEV']);

function toNotRekeyed(path: string, cause: unknown): PawlError {
  // The copy reads the file by its real path; the messages have the path as it was given.
  if (isPawlError(cause, 'damaged') || isPawlError(cause, 'replaced'))
    return new PawlError(cause.code, { path }, { cause });
  const isMounted = MOUNTED.has(codeOf(cause) ?? '');
  const detail = { path, reason: reasonOf(cause), ...(isMounted && { isMounted }) };
  return new PawlError('not-rekeyed', detail, { cause });
}
