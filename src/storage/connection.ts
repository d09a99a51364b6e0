/**
 * A connection to one database file: settings, statements, transactions, and the check that the file was not replaced.
 * Knows no table. Throws `PawlError`s, never the errors of SQLite.
 */
import { realpathSync, statSync } from 'node:fs';
import type Database from 'better-sqlite3-multiple-ciphers';
import { isPawlError, PawlError } from '../errors.ts';
import { inodeOf } from '../files/index.ts';
import { type Lock, openDatabase, rawKey } from './sqlcipher.ts';
import { sqliteCode, translateError } from './sqlite-errors.ts';

/** The values of a statement's parameters, by name (`@name`). */
export type Parameters = Readonly<Record<string, string | number | Uint8Array | null>>;

/** The settings of every connection. The journal mode is a setting of the file: `openIdentityFile` sets it. */
const SETTINGS = `
PRAGMA foreign_keys = ON;
-- Deleted rows are overwritten, and temporary tables and sorters never reach the disk.
PRAGMA secure_delete = ON;
PRAGMA temp_store = MEMORY;
-- In KiB. Changed pages beyond this are written to the file before the commit, so a large text needs little memory.
PRAGMA cache_size = -2048;
-- EXTRA also syncs the folder after the journal is deleted. Otherwise a power cut could bring the journal back and roll
-- back a commit, and a message key would be used twice. On macOS only fullfsync reaches the disk itself.
PRAGMA synchronous = EXTRA;
PRAGMA fullfsync = ON;
-- A file made by somebody else must not run functions from its schema.
PRAGMA trusted_schema = OFF;
PRAGMA cell_size_check = ON;
`;

/** Runs `wait`, which blocks until the lock is free. May tell the user first. */
export type WhileBusy = (wait: () => void) => void;

/** A wait of up to this many milliseconds is not reported to `WhileBusy`. */
const SHORT_WAIT = 500;

export class Connection {
  /** The path as it was given, for error messages. */
  readonly path: string;
  /** The absolute path with all symbolic links resolved. */
  readonly file: string;
  readonly #inode: string | undefined;
  readonly #database: Database.Database;
  readonly #wait: number;
  readonly #whileBusy: WhileBusy | undefined;
  readonly #statements = new Map<string, Database.Statement<[Parameters]>>();

  /**
   * Opens a file and tries the key on it.
   * @param wait how long to wait for the locks of other processes, in milliseconds.
   * @param whileBusy is called for the part of a wait beyond half a second, at the beginning of a transaction.
   * @throws `wrong-passphrase` when the key does not decrypt the first page.
   * @throws `replaced`, `read-failed`, `damaged`, `busy`, `write-failed`.
   */
  constructor(path: string, lock: Lock, wait: number, whileBusy?: WhileBusy) {
    this.path = path;
    this.#wait = wait;
    this.#whileBusy = whileBusy;
    this.file = realpathSync.native(path);
    this.#inode = inodeAt(this.file);
    try {
      this.#database = openDatabase(path, lock, { wait });
    } catch (cause) {
      if (sqliteCode(cause) === undefined) throw cause;
      throw new PawlError('read-failed', { path, reason: 'it cannot be opened' }, { cause });
    }
    try {
      // Some settings read the schema, and so try the key.
      this.#database.exec(SETTINGS);
      // The file may have been replaced between `inodeAt` and `openDatabase`.
      this.#refuseReplaced();
    } catch (error) {
      this.#database.close();
      if (sqliteCode(error) === 'SQLITE_NOTADB') throw new PawlError('wrong-passphrase', { path }, { cause: error });
      throw translateError(error, path);
    }
  }

  /** Returns the first row, if there is one. Its blobs are copies that belong to the caller. */
  get<Row>(sql: string, parameters: Parameters = {}): Row | undefined {
    return this.#translate(() => detach(this.#statement(sql).get(parameters) as Row | undefined));
  }

  /** Returns the first row that `fits` accepts, and reads no further. `fits` must not use the database. */
  find<Row>(sql: string, parameters: Parameters, fits: (row: Row) => boolean): Row | undefined {
    return this.#translate(() => {
      for (const row of this.#statement(sql).iterate(parameters) as IterableIterator<Row>) {
        if (fits(detach(row))) return row;
      }
      return undefined;
    });
  }

  /** Returns all rows. */
  all<Row>(sql: string, parameters: Parameters = {}): Row[] {
    return this.#translate(() => (this.#statement(sql).all(parameters) as Row[]).map(detach));
  }

  /**
   * Runs one statement.
   * @returns the number of changed rows, and the id of the row that was inserted last.
   */
  run(sql: string, parameters: Parameters = {}): { changes: number; id: number } {
    return this.#translate(() => {
      const { changes, lastInsertRowid } = this.#statement(sql).run(parameters);
      return { changes, id: Number(lastInsertRowid) };
    });
  }

  /** Runs any number of statements without parameters or results. */
  execute(sql: string): void {
    this.#translate(() => this.#database.exec(sql));
  }

  /**
   * Begins a transaction.
   * @param kind IMMEDIATE takes the write lock at once; DEFERRED is for reading.
   * @throws `busy`.
   * @throws `replaced` for IMMEDIATE, when another file was renamed over this one.
   */
  begin(kind: 'IMMEDIATE' | 'DEFERRED'): void {
    this.#begin(kind);
    if (kind === 'DEFERRED') return;
    try {
      this.#refuseReplaced();
    } catch (error) {
      this.rollback();
      throw error;
    }
  }

  #begin(kind: 'IMMEDIATE' | 'DEFERRED'): void {
    const begin = () => this.run(`BEGIN ${kind}`);
    if (this.#whileBusy === undefined || this.#wait <= SHORT_WAIT) {
      begin();
      return;
    }
    // SQLite blocks while it waits, so the wait is split in two, to tell the user in between.
    try {
      this.#waitFor(SHORT_WAIT, begin);
    } catch (error) {
      if (!isPawlError(error, 'busy')) throw error;
      this.#whileBusy(() => this.#waitFor(this.#wait - SHORT_WAIT, begin));
    }
  }

  /**
   * Commits, durably.
   * @throws `busy` when other processes read for too long.
   * @throws `write-failed`.
   */
  commit(): void {
    this.run('COMMIT');
  }

  /** Rolls the transaction back, if there is one. */
  rollback(): void {
    // SQLite itself rolls back after some errors.
    if (this.#database.inTransaction) this.run('ROLLBACK');
  }

  /** Runs `work` in one transaction. */
  atomically(work: () => void): void {
    this.begin('IMMEDIATE');
    try {
      work();
      this.commit();
    } catch (error) {
      this.rollback();
      throw error;
    }
  }

  /**
   * Encrypts the file in place under another key and salt. If a write fails or the process is killed, no key opens the
   * file any more, so this is only for a file that can be created again.
   */
  rekey(lock: Lock): void {
    this.#translate(() => {
      const literal = rawKey(lock);
      this.#database.rekey(literal);
      literal.fill(0);
    });
  }

  /** Closes the file, and rolls back an open transaction. */
  close(): void {
    this.#database.close();
  }

  /** Prepares a statement when it is first used, because a command uses few of all statements. */
  #statement(sql: string): Database.Statement<[Parameters]> {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.#database.prepare<[Parameters]>(sql);
    this.#statements.set(sql, statement);
    return statement;
  }

  /** Runs `work` with another busy timeout, in milliseconds. */
  #waitFor(time: number, work: () => void): void {
    this.#database.pragma(`busy_timeout = ${time}`);
    try {
      work();
    } finally {
      this.#database.pragma(`busy_timeout = ${this.#wait}`);
    }
  }

  /** After a rename over this file, its lock does not stop other processes from writing to the new one. */
  #refuseReplaced(): void {
    const now = inodeAt(this.file);
    if (now !== undefined && now !== this.#inode) throw new PawlError('replaced', { path: this.path });
  }

  #translate<Result>(work: () => Result): Result {
    try {
      return work();
    } catch (error) {
      throw translateError(error, this.path);
    }
  }
}

/** Returns the device and inode of the file at a path; `undefined` when there is none. */
function inodeAt(path: string): string | undefined {
  const status = statSync(path, { bigint: true, throwIfNoEntry: false });
  return status && inodeOf(status);
}

/**
 * Replaces the blobs of a row by copies, and overwrites the originals. The originals are `Buffer`s, whose `slice`
 * returns a view instead of a copy.
 */
function detach<Row>(row: Row): Row {
  for (const column in row) {
    const value = row[column];
    if (!(value instanceof Uint8Array)) continue;
    row[column] = new Uint8Array(value) as typeof value;
    value.fill(0);
  }
  return row;
}
