import { closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs';
import { isPawlError, PawlError } from '../errors.ts';
import { makeFile, reasonOf } from '../files/index.ts';
import type { OwnIdentity } from '../handshake/index.ts';
import { equal, utf8 } from '../primitives/index.ts';
import type { HistorySetting } from '../session/store.ts';
import { Connection, type WhileBusy } from './connection.ts';
import { isForeignHotJournal, PAGE_LENGTH } from './hot-journal.ts';
import { applyMigrations, migrate } from './migrations.ts';
import { APPLICATION_ID } from './schema.ts';
import { type Lock, SALT_LENGTH } from './sqlcipher.ts';
import { SqliteStore } from './store.ts';
import { historySettingColumns } from './tables/history.ts';

/** How a file of SQLite begins that is not encrypted, where one of SQLCipher has its salt. */
const PLAIN = utf8('SQLite format 3\0');

/**
 * The salt of an identity file, which its key is derived with: its first 16 bytes.
 * @throws `not-an-identity` for a plain SQLite file, `damaged` for one that cannot be whole, `read-failed`.
 */
export function readSalt(path: string): Uint8Array {
  const { salt, size } = readStart(path);
  if (equal(salt, PLAIN)) throw new PawlError('not-an-identity', { path });
  // A power cut may leave half a page at the end, which the journal then takes away.
  const isWhole = size >= PAGE_LENGTH && (size % PAGE_LENGTH === 0 || existsSync(`${path}-journal`));
  if (!isWhole) throw new PawlError('damaged', { path });
  return salt;
}

/**
 * Opens an identity file, brings it to the newest schema, and undoes a commit that was interrupted. Where it is refused,
 * not a byte of it is changed; where it has the newest schema, nothing is written, so one that may only be read opens too.
 * @param lock with the salt that the key was derived with: `readSalt`.
 * @param options.marks the folder where it is marked how far a file went: see `SqliteStore.isRolledBack`.
 * @param options.wait how long to wait for other processes, here and at every transaction, in milliseconds.
 * @param options.whileBusy is given a wait for others that takes longer than half a second, to do it.
 * @throws `wrong-passphrase`, also for a file whose first page is damaged: SQLCipher cannot tell them apart;
 * `not-an-identity`, `newer-schema`, `damaged`, `busy`, `replaced`, `read-failed`, `write-failed`.
 */
export function openIdentityFile(path: string, lock: Lock, options: OpenOptions): SqliteStore {
  try {
    return open(path, lock, options);
  } catch (error) {
    // Rekeyed after its salt was read: the passphrase may have been right.
    const isReplaced = isPawlError(error, 'wrong-passphrase') && !equal(readSalt(path), lock.salt);
    throw isReplaced ? new PawlError('replaced', { path }, { cause: error }) : error;
  }
}

interface OpenOptions {
  readonly wait: number;
  readonly marks?: string;
  readonly whileBusy?: WhileBusy;
}

function open(path: string, lock: Lock, { wait, marks, whileBusy }: OpenOptions): SqliteStore {
  if (isForeignHotJournal(path, lock)) throw new PawlError('wrong-passphrase', { path });
  const connection = new Connection(path, lock, wait, whileBusy);
  try {
    const found = connection.get<{ application_id: number }>('PRAGMA application_id');
    if (found?.application_id !== APPLICATION_ID) throw new PawlError('not-an-identity', { path });
    // Another program may have chosen a log (WAL), which is no journal: it would outlive a file that is replaced, and the
    // database would not look whether it was.
    connection.execute('PRAGMA journal_mode = DELETE');
    migrate(connection);
    return new SqliteStore(connection, lock, marks);
  } catch (error) {
    connection.close();
    throw error;
  }
}

function readStart(path: string): { salt: Uint8Array; size: number } {
  try {
    const file = openSync(path, 'r');
    try {
      const salt = new Uint8Array(SALT_LENGTH);
      readSync(file, salt, 0, SALT_LENGTH, 0);
      return { salt, size: fstatSync(file).size };
    } finally {
      closeSync(file);
    }
  } catch (cause) {
    throw new PawlError('read-failed', { path, reason: reasonOf(cause) }, { cause });
  }
}

/** Makes an identity file, for our eyes only; one that is there is never replaced. @throws `exists`, `cannot-create`. */
export function createIdentityFile(path: string, lock: Lock, record: IdentityRecord): void {
  makeFile(path, (draft) => build(draft, lock, record));
}

/** One transaction, whose commit makes it durable. */
function build(path: string, lock: Lock, { name, identity, createdAt, historySetting }: IdentityRecord): void {
  const connection = new Connection(path, lock, 0);
  try {
    // Works only while a file is empty. It lets the file shrink again.
    connection.execute('PRAGMA auto_vacuum = INCREMENTAL');
    connection.atomically(() => {
      applyMigrations(connection);
      connection.run(
        `INSERT INTO identity (id, name, seed, public_key, created_at, history_since, history_for)
        VALUES (1, @name, @seed, @key, @createdAt, @since, @maxAge)`,
        { name, seed: identity.seed, key: identity.key, createdAt, ...historySettingColumns(historySetting) },
      );
    });
  } finally {
    connection.close();
  }
}

/** What a store is made with. */
export interface IdentityRecord {
  /** The name of the identity, which is also that of its file. */
  readonly name: string;
  readonly identity: OwnIdentity;
  /** Unix milliseconds. */
  readonly createdAt: number;
  /** Whether delivered and sent texts are kept from the beginning. */
  readonly historySetting?: HistorySetting | undefined;
}
