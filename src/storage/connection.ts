/**
 * One open identity file: SQL in, rows as plain values out, the locks that SQLite takes, and only errors of pawl's own.
 * Knows nothing of tables.
 */
import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import type Database from 'better-sqlite3-multiple-ciphers';
import { isPawlError, PawlError } from '../errors.ts';
import { codeOf, inodeAt, inodeOf, readDescriptor, realPath, reasonOf, sleep } from '../files/index.ts';
import { isForeignHotJournal } from './hot-journal.ts';
import { refusesLocks } from './lock-probe.ts';
import { type Lock, openDatabase, rawKey } from './sqlcipher.ts';
import { sqliteCode, translateError } from './sqlite-errors.ts';

/** The values of a statement's parameters, by name (`@name`). */
export type Parameters = Readonly<Record<string, string | number | Uint8Array | null>>;

/** The pages that SQLite holds in memory, in KiB. */
const CACHE = 2_048;

/** The settings of every connection. The journal mode is a setting of the file: `openIdentityFile` sets it. */
const SETTINGS = `
PRAGMA foreign_keys = ON;
-- Deleted rows are overwritten, and temporary tables and sorters never reach the disk.
PRAGMA secure_delete = ON;
PRAGMA temp_store = MEMORY;
-- In KiB. Changed pages beyond this are written to the file before the commit, so a large text needs little memory.
PRAGMA cache_size = -${CACHE};
-- EXTRA also syncs the folder after the journal is deleted. Otherwise a power cut could bring the journal back and roll
-- back a commit, and a message key would be used twice. On macOS only fullfsync reaches the disk itself.
PRAGMA synchronous = EXTRA;
PRAGMA fullfsync = ON;
-- A file made by somebody else must not run functions from its schema.
PRAGMA trusted_schema = OFF;
PRAGMA cell_size_check = ON;
`;

/** Does a wait that has taken half a second already, and may tell the person before. */
export type WhileBusy = (wait: () => void) => void;

/** Waits shorter than this are not told to anybody, in milliseconds. */
const SHORT = 500;
/** The longest pause between two attempts to take a lock, in milliseconds. */
const LONGEST_PAUSE = 25;

export class Connection {
  /** The path as it was given, for error messages. */
  readonly path: string;
  /** The absolute path of the file, with symbolic links resolved. */
  readonly file: string;
  readonly #inode: string | undefined;
  readonly #database: Database.Database;
  readonly #wait: number;
  readonly #whileBusy: WhileBusy | undefined;
  readonly #statements = new Map<string, Database.Statement<[Parameters]>>();
  /** Descriptors of the file beside those of SQLite. */
  readonly #descriptors: number[] = [];

  /**
   * Opens a file and tries the key on it.
   * @param wait how long to wait for other processes, in milliseconds.
   * @param whileBusy is given the part of a wait for a lock that is longer than half a second.
   * @throws `wrong-passphrase` when the key does not open its first page, or is not that of its hot journal; `replaced`,
   * `read-failed`, `damaged`, `busy`, `no-locks`, `write-failed`.
   */
  constructor(path: string, lock: Lock, wait: number, whileBusy?: WhileBusy) {
    this.path = path;
    this.#wait = wait;
    this.#whileBusy = whileBusy;
    try {
      this.file = realPath(path);
      this.#inode = inodeAt(this.file);
      if (isForeignHotJournal(this.file, lock)) throw new PawlError('wrong-passphrase', { path });
      this.#database = openDatabase(this.file, lock, { wait });
    } catch (cause) {
      if (cause instanceof PawlError) throw cause;
      if (sqliteCode(cause) === undefined && codeOf(cause) === undefined) throw cause;
      throw new PawlError('read-failed', { path, reason: 'it cannot be opened' }, { cause });
    }
    try {
      // Some of the settings read the schema.
      this.#lock(() => this.#database.exec(SETTINGS));
    } catch (error) {
      this.#database.close();
      const isWrongKey = error instanceof Error && sqliteCode(error.cause) === 'SQLITE_NOTADB';
      throw isWrongKey ? new PawlError('wrong-passphrase', { path }, { cause: error }) : error;
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

  /**
   * Passes each row to `visit` as the list of its values, which is much faster than an object for each of thousands. Blobs
   * are copies that belong to the caller. `visit` must not use the database.
   */
  each<Row extends readonly unknown[]>(sql: string, parameters: Parameters, visit: (row: Row) => void): void {
    this.#translate(() => {
      const statement = this.#statement(sql).raw(true);
      try {
        for (const row of statement.iterate(parameters) as IterableIterator<unknown[]>) {
          for (let column = 0; column < row.length; column++) row[column] = detached(row[column]);
          visit(row as unknown as Row);
        }
      } finally {
        // The other methods run the same statement for objects.
        statement.raw(false);
      }
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
   * Begins a transaction. IMMEDIATE, to write: no other process writes before it ends. DEFERRED, to read: what it reads
   * stays what it was.
   * @throws `busy`, `no-locks`; `replaced` if another file has taken the name of this one.
   */
  begin(kind: 'IMMEDIATE' | 'DEFERRED'): void {
    this.#lock(() => {
      this.run(`BEGIN ${kind}`);
      // The first read takes the lock.
      if (kind === 'DEFERRED') this.get('PRAGMA user_version');
    });
  }

  /** Runs `work`, which only reads, in one transaction. */
  reading<Result>(work: () => Result): Result {
    this.begin('DEFERRED');
    try {
      return work();
    } finally {
      this.rollback();
    }
  }

  /**
   * Runs `work`, which reads pages more than once, with more memory for them.
   * @param size in KiB.
   */
  caching<Result>(size: number, work: () => Result): Result {
    this.execute(`PRAGMA cache_size = -${size}`);
    try {
      return work();
    } finally {
      this.execute(`PRAGMA cache_size = -${CACHE}`);
    }
  }

  /**
   * Copies the file as it is committed, under the same key and salt.
   * @param draft the path of an empty file.
   */
  copyInto(draft: string): void {
    this.#lock(() => this.run('VACUUM INTO @draft', { draft }), draft);
  }

  /**
   * Reads the bytes of the file, past SQLite. Within a transaction, when nobody can commit, they are a whole database.
   * @throws `replaced`, `read-failed`.
   */
  bytes(): Uint8Array {
    try {
      const descriptor = this.descriptor();
      return readDescriptor(descriptor, this.path, fstatSync(descriptor).size);
    } catch (cause) {
      if (cause instanceof PawlError) throw cause;
      throw new PawlError('read-failed', { path: this.path, reason: reasonOf(cause) }, { cause });
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

  /**
   * Opens the file for reading once more, past SQLite. The descriptor belongs to the connection, which closes it when it
   * ends itself: closing any descriptor of a file drops all the locks that the process has on it (POSIX), so a file that
   * is open must not be opened and closed in any other way.
   * @throws `replaced` if another file, or what is no regular file, has the name of this one; the errors of the system.
   */
  descriptor(): number {
    const descriptor = openSync(this.file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    this.#descriptors.push(descriptor);
    const status = fstatSync(descriptor, { bigint: true });
    if (!status.isFile() || inodeOf(status) !== this.#inode) throw new PawlError('replaced', { path: this.path });
    return descriptor;
  }

  /** Closes the file, and rolls back an open transaction. */
  close(): void {
    this.#database.close();
    for (const descriptor of this.#descriptors.splice(0)) closeSync(descriptor);
  }

  /** Prepares a statement when it is first used, because a command uses few of all statements. */
  #statement(sql: string): Database.Statement<[Parameters]> {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.#database.prepare<[Parameters]>(sql);
    this.#statements.set(sql, statement);
    return statement;
  }

  /**
   * Takes a lock. Until others let it go, tries again for as long as this connection waits.
   *
   * SQLite locks an inode, but finds the journal by the name of the file. If another file has got this one's name, SQLite
   * would take the journal that another process is writing for that file for one that a killed process has left behind for
   * this one, roll it back and delete it. So every attempt looks first whether the file still has its name. (`rekey` keeps
   * the lock for a while after it has replaced the file, for those who have looked just before.)
   */
  #lock(take: () => void, other = this.file): void {
    const attempt = () => {
      this.refuseReplaced();
      try {
        this.#translate(take);
      } catch (error) {
        this.rollback();
        throw error;
      }
    };
    // The database's own wait would not look at the name again.
    this.#database.pragma('busy_timeout = 0');
    try {
      this.#retryWhileBusy(attempt, [this.file, other]);
      this.refuseReplaced();
    } catch (error) {
      this.rollback();
      // The journal of another file looks like damage to this one.
      this.refuseReplaced();
      throw error;
    } finally {
      this.#database.pragma(`busy_timeout = ${this.#wait}`);
    }
  }

  /**
   * @param files those that are to be locked. Where files cannot be locked at all, waiting is in vain.
   * @throws `busy`, `no-locks`, and what `attempt` throws.
   */
  #retryWhileBusy(attempt: () => void, files: readonly string[]): void {
    const begin = performance.now();
    const retryFor = (time: number) => {
      for (let pause = 1; ; pause = Math.min(2 * pause, LONGEST_PAUSE)) {
        try {
          attempt();
          return;
        } catch (error) {
          const left = begin + time - performance.now();
          if (!isPawlError(error, 'busy') || left <= 0) throw error;
          sleep(Math.min(pause, left));
        }
      }
    };
    try {
      retryFor(Math.min(SHORT, this.#wait));
    } catch (error) {
      if (!isPawlError(error, 'busy')) throw error;
      const unlockable = files.find(refusesLocks);
      if (unlockable !== undefined) throw new PawlError('no-locks', { folder: dirname(unlockable) }, { cause: error });
      if (this.#wait <= SHORT) throw error;
      if (this.#whileBusy === undefined) retryFor(this.#wait);
      else this.#whileBusy(() => retryFor(this.#wait));
    }
  }

  /** @throws `replaced` if another file has the name of this one. */
  refuseReplaced(): void {
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

/** Replaces the blobs of a row by copies. */
function detach<Row>(row: Row): Row {
  for (const column in row) row[column] = detached(row[column]);
  return row;
}

/**
 * Returns a copy of a blob, and overwrites the original. The original is a `Buffer`, whose `slice` returns a view instead
 * of a copy. Any other value is returned as it is.
 */
function detached<Value>(value: Value): Value {
  if (!(value instanceof Uint8Array)) return value;
  const copy = new Uint8Array(value) as typeof value;
  value.fill(0);
  return copy;
}
