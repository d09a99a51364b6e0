/**
 * Creates and opens identity files (docs/PROTOCOL.md §8).
 * Does not know where they are or how their key is obtained.
 */
import { closeSync, constants, existsSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isPawlError, PawlError } from '../errors.ts';
import { makeFile, makeFileSlowly, readFile, realPath, reasonOf, ScratchFolder } from '../files/index.ts';
import type { OwnIdentity } from '../handshake/index.ts';
import { equal, utf8 } from '../primitives/index.ts';
import type { HistorySetting } from '../session/store.ts';
import { Connection, type WhileBusy } from './connection.ts';
import { PAGE_LENGTH } from './hot-journal.ts';
import type { IdentityStore } from './identity-store.ts';
import { MemoryDatabase } from './memory-database.ts';
import { applyMigrations, hasNewestSchema, migrate } from './migrations.ts';
import { Mark } from './rollback-mark.ts';
import { copyForElsewhere, copyRows, shiftClaims } from './rows-copy.ts';
import { APPLICATION_ID } from './schema.ts';
import { type Lock, SALT_LENGTH } from './sqlcipher.ts';
import type { Statements } from './statements.ts';
import { SqliteStore } from './store.ts';
import { historySettingColumns } from './tables/history.ts';
import { mustExist } from './transaction.ts';

/** The first 16 bytes of an unencrypted SQLite file. An encrypted one has its salt there. */
const PLAIN = utf8('SQLite format 3\0');

/**
 * Reads the salt of an identity file, from which its key is derived.
 * @returns 16 bytes.
 * @throws `not-an-identity` for an unencrypted SQLite file.
 * @throws `damaged` for a file whose length is impossible.
 * @throws `read-failed`.
 */
export function readSalt(path: string): Uint8Array {
  const { salt, size, hasJournal } = readStart(path);
  if (equal(salt, PLAIN)) throw new PawlError('not-an-identity', { path });
  // A power cut may leave a partial page at the end, which the playback of the journal removes.
  const isWhole = size >= PAGE_LENGTH && (size % PAGE_LENGTH === 0 || hasJournal);
  if (!isWhole) throw new PawlError('damaged', { path });
  return salt;
}

/**
 * Opens an identity file, migrates it to the newest schema, and rolls back an interrupted commit. An error leaves the
 * file unchanged. A file that has the newest schema is not written to, so a read-only file opens too.
 * @param lock the key, and the salt that it was derived with.
 * @param options.marks the folder of the rollback marks: see `Standing`.
 * @param options.wait how long to wait for other processes, here and in every transaction, in milliseconds.
 * @param options.whileBusy is called for the part of a wait beyond half a second.
 * @throws `wrong-passphrase`, also for a file whose first page is damaged: SQLCipher cannot distinguish the two.
 * @throws `not-an-identity`, `newer-schema`, `damaged`, `busy`, `replaced`, `read-failed`, `write-failed`.
 */
export function openIdentityFile(path: string, lock: Lock, options: OpenOptions): SqliteStore {
  try {
    return open(path, lock, options);
  } catch (error) {
    // The file was rekeyed after its salt was read, so the passphrase may be right.
    const isReplaced = isPawlError(error, 'wrong-passphrase') && !equal(readSalt(path), lock.salt);
    throw isReplaced ? new PawlError('replaced', { path }, { cause: error }) : error;
  }
}

interface OpenOptions {
  readonly wait: number;
  readonly marks?: string | undefined;
  readonly whileBusy?: WhileBusy;
}

function open(path: string, lock: Lock, options: OpenOptions): SqliteStore {
  const { connection, isNewest } = connect(path, lock, options);
  try {
    // Another program may have switched the file to a write-ahead log. With that, SQLite does not check before it writes
    // whether the file still has its name; and the log would stay behind when the file is replaced.
    connection.execute('PRAGMA journal_mode = DELETE');
    if (!isNewest) migrate(connection);
    return new SqliteStore(connection, lock, options.marks);
  } catch (error) {
    connection.close();
    throw error;
  }
}

/** Connects to a file, and makes sure that it is an identity file of a known schema. Plays a hot journal back. */
function connect(path: string, lock: Lock, { wait, whileBusy }: OpenOptions) {
  const connection = new Connection(path, lock, wait, whileBusy);
  try {
    const isNewest = connection.reading(() => {
      const row = connection.get<{ application_id: number }>('PRAGMA application_id');
      if (row?.application_id !== APPLICATION_ID) throw new PawlError('not-an-identity', { path });
      return hasNewestSchema(connection);
    });
    return { connection, isNewest };
  } catch (error) {
    connection.close();
    throw error;
  }
}

/**
 * Puts a copy of an identity file in its place. `prepare` works on the new file before it has its name, so that nobody
 * else sees it unprepared. The copy itself is only read, but for a hot journal, which is played back.
 * @param lock the key and the salt of the copy, which the new file keeps.
 * @param placeOf says where an identity of this name belongs; what it throws is thrown.
 * @throws what `openIdentityFile` throws, for the copy; `exists`, `cannot-create`; what `prepare` throws.
 */
export async function restoreIdentityFile<Result>(
  copy: string,
  lock: Lock,
  { placeOf, prepare, ...options }: RestoreOptions<Result>,
): Promise<Result> {
  const { connection } = connect(copy, lock, options);
  try {
    const row = connection.reading(() => connection.get<{ name: string }>('SELECT name FROM identity'));
    return await makeFileSlowly(placeOf(mustExist(row, 'identity').name), async (draft) => {
      connection.copyInto(draft);
      const store = openIdentityFile(draft, lock, options);
      try {
        return await prepare(store);
      } finally {
        store.close();
      }
    });
  } finally {
    connection.close();
  }
}

interface RestoreOptions<Result> extends OpenOptions {
  readonly placeOf: (name: string) => string;
  readonly prepare: (store: SqliteStore) => Promise<Result>;
}

function readStart(path: string): { salt: Uint8Array; size: number; hasJournal: boolean } {
  try {
    // The journal is beside the file itself, and not beside a link to it.
    const real = realPath(path);
    // Opening a pipe would wait for its other end.
    const file = openSync(real, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const status = fstatSync(file);
      if (!status.isFile() && !status.isDirectory())
        throw new PawlError('read-failed', { path, reason: 'it is no file' });
      const salt = new Uint8Array(SALT_LENGTH);
      readSync(file, salt, 0, SALT_LENGTH, 0);
      return { salt, size: status.size, hasJournal: existsSync(`${real}-journal`) };
    } finally {
      closeSync(file);
    }
  } catch (cause) {
    if (cause instanceof PawlError) throw cause;
    throw new PawlError('read-failed', { path, reason: reasonOf(cause) }, { cause });
  }
}

/**
 * Creates an identity file of mode 0600, and its mark, so that a file that was written to and has no mark here comes from
 * another machine. Never replaces a file.
 * @param options.marks the folder of the rollback marks.
 * @param options.beforeNamed is called when the file is written, and has not got its name yet. If it throws, there is no
 * file.
 * @returns why the mark could not be written, if so.
 * @throws `exists`, `cannot-create`, and the errors of pawl that `beforeNamed` throws.
 */
export function createIdentityFile(
  path: string,
  lock: Lock,
  record: NewIdentity,
  { marks, beforeNamed }: { readonly marks?: string | undefined; readonly beforeNamed?: () => void } = {},
): string | undefined {
  makeFile(path, (draft) => {
    build(draft, lock, (connection) => addIdentity(connection, record));
    beforeNamed?.();
  });
  return marks === undefined ? undefined : new Mark(marks, record.identity.seed).write(0);
}

/**
 * Creates an identity file of mode 0600. Never replaces a file.
 * @param fill puts all rows into its tables.
 * @throws `exists`, `cannot-create`, and what `fill` throws.
 */
export function createFileFrom(path: string, lock: Lock, fill: (to: Statements) => void): void {
  makeFile(path, (draft) => build(draft, lock, fill));
}

/**
 * Creates an identity file with all that another store of the identity has, under the same key, and its mark. It is newer than
 * that one, and not being moved. Never replaces a file.
 * @param options.marks the folder of the rollback marks.
 * @param options.beforeMade is called when everything is read. If it throws, there is no file.
 * @returns why the mark could not be written, if so.
 * @throws `exists`, `cannot-create`, and what reading the other and `beforeMade` throw.
 */
export async function createIdentityFileFrom(
  path: string,
  source: IdentityStore,
  lock: Lock,
  { marks, beforeMade }: { readonly marks: string | undefined; readonly beforeMade: () => Promise<void> },
): Promise<string | undefined> {
  const rows = new MemoryDatabase(source.path);
  try {
    rows.run('BEGIN');
    const { generation, mark, clockAhead } = await copyForElsewhere(source, rows, marks);
    shiftClaims(rows, -clockAhead);
    await beforeMade();
    createFileFrom(path, lock, (to) => copyRows(rows, to));
    return mark?.write(generation);
  } finally {
    rows.close();
  }
}

/**
 * The bytes of an identity file with all rows of another database. It is made in a folder that is removed: in memory, where
 * the system has such a place.
 * @throws `cannot-create`.
 */
export function bytesOfCopy(lock: Lock, source: Statements): Uint8Array {
  const folder = new ScratchFolder(undefined);
  try {
    const path = join(folder.path, 'copy.db');
    createFileFrom(path, lock, (to) => copyRows(source, to));
    return readFile(path, statSync(path).size);
  } finally {
    folder.remove();
  }
}

function build(path: string, lock: Lock, fill: (connection: Connection) => void): void {
  const connection = new Connection(path, lock, 0);
  try {
    // Allows the file to shrink. It can be set only while the file is empty.
    connection.execute('PRAGMA auto_vacuum = INCREMENTAL');
    connection.atomically(() => {
      applyMigrations(connection);
      fill(connection);
    });
  } finally {
    connection.close();
  }
}

/** Puts the row of a new identity into a database that has the tables. */
export function addIdentity(database: Statements, { name, identity, createdAt, historySetting }: NewIdentity): void {
  database.run(
    `INSERT INTO identity (id, name, seed, public_key, created_at, history_since, history_for)
    VALUES (1, @name, @seed, @key, @createdAt, @since, @maxAge)`,
    { name, seed: identity.seed, key: identity.key, createdAt, ...historySettingColumns(historySetting) },
  );
}

/** What a new identity is made of. */
export interface NewIdentity {
  /** The name of the identity, and of its file. */
  readonly name: string;
  readonly identity: OwnIdentity;
  /** Unix milliseconds. */
  readonly createdAt: number;
  /** The setting of the history; `undefined`: off. */
  readonly historySetting?: HistorySetting | undefined;
}
