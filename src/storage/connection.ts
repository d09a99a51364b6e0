import { realpathSync, statSync } from 'node:fs';
import type Database from 'better-sqlite3-multiple-ciphers';
import { isPawlError, PawlError } from '../errors.ts';
import { inodeOf } from '../files/index.ts';
import { type Lock, openDatabase, rawKey } from './sqlcipher.ts';
import { sqliteCode, translated } from './sqlite-errors.ts';

/** What goes into a statement, by the names that it has there (`@name`). */
export type Parameters = Readonly<Record<string, string | number | Uint8Array | null>>;

/** Of every connection, once the key is known to fit. The journal mode is SQLite's own: the journal is deleted. */
const SETTINGS = `
PRAGMA foreign_keys = ON;
-- What is deleted is overwritten, and statements that outgrow memory leave nothing on disk.
PRAGMA secure_delete = ON;
PRAGMA temp_store = MEMORY;
-- Pages that a large text has changed are not all kept in memory until the commit. In KiB.
PRAGMA cache_size = -2048;
-- FULL, and the folder too: a commit deletes the journal, and if a power cut brought it back, a message key that has
-- been used would be used again. On macOS only fullfsync reaches the disk itself.
PRAGMA synchronous = EXTRA;
PRAGMA fullfsync = ON;
-- A file that somebody else has made must not run anything.
PRAGMA trusted_schema = OFF;
PRAGMA cell_size_check = ON;
`;

/** Waits, and may tell somebody before. */
export type WhileBusy = (wait: () => void) => void;

/** So long nobody needs to be told of a wait, in milliseconds. */
const SHORT = 500;

/** A file that is open: rows in and out as plain values, and no error but pawl's own. */
export class Connection {
  /** As it was given, for messages. */
  readonly path: string;
  /** The absolute path of the file itself, without links. */
  readonly file: string;
  readonly #inode: string | undefined;
  readonly #database: Database.Database;
  readonly #wait: number;
  readonly #whileBusy: WhileBusy | undefined;
  readonly #statements = new Map<string, Database.Statement<[Parameters]>>();

  /**
   * Opens a file and tries the key on it.
   * @param wait how long to wait for other processes, in milliseconds.
   * @param whileBusy is given what of it is longer than half a second, where a transaction begins.
   * @throws `wrong-passphrase` when the key does not open its first page, `replaced`, `read-failed`, `damaged`, `busy`,
   * `write-failed`.
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
      // Some of them read the schema.
      this.#database.exec(SETTINGS);
      // Replaced while it was opened: it is not known which of the two this is.
      this.#refuseReplaced();
    } catch (error) {
      this.#database.close();
      if (sqliteCode(error) === 'SQLITE_NOTADB') throw new PawlError('wrong-passphrase', { path }, { cause: error });
      throw translated(error, path);
    }
  }

  /** One row. Its blobs are plain copies, and the caller's own. */
  get<Row>(sql: string, parameters: Parameters = {}): Row | undefined {
    return this.#translate(() => detach(this.#statement(sql).get(parameters) as Row | undefined));
  }

  /** The first row that `fits`; those behind it are not read. `fits` is not to touch the database. */
  find<Row>(sql: string, parameters: Parameters, fits: (row: Row) => boolean): Row | undefined {
    return this.#translate(() => {
      for (const row of this.#statement(sql).iterate(parameters) as IterableIterator<Row>) {
        if (fits(detach(row))) return row;
      }
      return undefined;
    });
  }

  all<Row>(sql: string, parameters: Parameters = {}): Row[] {
    return this.#translate(() => (this.#statement(sql).all(parameters) as Row[]).map(detach));
  }

  /** @returns how many rows were changed, and the id of the one that was added last. */
  run(sql: string, parameters: Parameters = {}): { changes: number; id: number } {
    return this.#translate(() => {
      const { changes, lastInsertRowid } = this.#statement(sql).run(parameters);
      return { changes, id: Number(lastInsertRowid) };
    });
  }

  /** Runs any number of statements that take and give nothing. */
  execute(sql: string): void {
    this.#translate(() => this.#database.exec(sql));
  }

  /**
   * IMMEDIATE: to write, so that nobody else does meanwhile; DEFERRED: to read.
   * @throws `busy`; to write, also `replaced` if another file has taken the place of this one.
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
    if (this.#whileBusy === undefined || this.#wait <= SHORT) {
      begin();
      return;
    }
    // The database waits by itself, and nothing can be said meanwhile.
    try {
      this.#waitFor(SHORT, begin);
    } catch (error) {
      if (!isPawlError(error, 'busy')) throw error;
      this.#whileBusy(() => this.#waitFor(this.#wait - SHORT, begin));
    }
  }

  /** What was written is durable now. @throws `busy` while others read for too long, `write-failed`. */
  commit(): void {
    this.run('COMMIT');
  }

  rollback(): void {
    // After some failures the database has done so itself.
    if (this.#database.inTransaction) this.run('ROLLBACK');
  }

  /** Runs `work` in one transaction: all of it, or nothing. */
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
   * Encrypts the file in place under another key and salt. A failed write, or a kill, leaves a file that no key opens: only
   * for one that can be made again.
   */
  rekey(lock: Lock): void {
    this.#translate(() => {
      const literal = rawKey(lock);
      this.#database.rekey(literal);
      literal.fill(0);
    });
  }

  /** What has not been committed is lost. */
  close(): void {
    this.#database.close();
  }

  /** A short command uses few of all statements, so each is prepared when it is first needed. */
  #statement(sql: string): Database.Statement<[Parameters]> {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.#database.prepare<[Parameters]>(sql);
    this.#statements.set(sql, statement);
    return statement;
  }

  /** Does `work` while others are waited for so long, in milliseconds. */
  #waitFor(time: number, work: () => void): void {
    this.#database.pragma(`busy_timeout = ${time}`);
    try {
      work();
    } finally {
      this.#database.pragma(`busy_timeout = ${this.#wait}`);
    }
  }

  /** The lock of a file that has lost its name keeps nobody from writing to the one that has it now. */
  #refuseReplaced(): void {
    const now = inodeAt(this.file);
    if (now !== undefined && now !== this.#inode) throw new PawlError('replaced', { path: this.path });
  }

  #translate<Result>(work: () => Result): Result {
    try {
      return work();
    } catch (error) {
      throw translated(error, this.path);
    }
  }
}

/** Which file has a name; nothing where there is none. */
function inodeAt(path: string): string | undefined {
  const status = statSync(path, { bigint: true, throwIfNoEntry: false });
  return status && inodeOf(status);
}

/** Blobs come as `Buffer`, whose `slice` is a view. They leave as plain bytes, and no other copy of them stays behind. */
function detach<Row>(row: Row): Row {
  for (const column in row) {
    const value = row[column];
    if (!(value instanceof Uint8Array)) continue;
    row[column] = new Uint8Array(value) as typeof value;
    value.fill(0);
  }
  return row;
}
