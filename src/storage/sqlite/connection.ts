import type Database from 'better-sqlite3-multiple-ciphers';
import { isPawlError, PawlError } from '../../errors.ts';
import { type Lock, openDatabase, rawKey } from './database.ts';
import { sqliteCode, translated } from './database-errors.ts';

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
  readonly path: string;
  readonly #database: Database.Database;
  readonly #wait: number;
  readonly #whileBusy: WhileBusy | undefined;
  readonly #statements = new Map<string, Database.Statement<[Parameters]>>();

  /**
   * Opens a file and tries the key on it.
   * @param wait how long to wait for other processes, in milliseconds.
   * @param whileBusy is given what of it is longer than half a second, where a transaction begins.
   * @throws `wrong-passphrase` when the key does not open its first page, `read-failed`, `damaged`, `busy`, `write-failed`.
   */
  constructor(path: string, lock: Lock, wait: number, whileBusy?: WhileBusy) {
    this.path = path;
    this.#wait = wait;
    this.#whileBusy = whileBusy;
    try {
      this.#database = openDatabase(path, lock, { wait });
    } catch (cause) {
      if (sqliteCode(cause) === undefined) throw cause;
      throw new PawlError('read-failed', { path, reason: 'it cannot be opened' }, { cause });
    }
    try {
      // Some of them read the schema.
      this.#database.exec(SETTINGS);
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

  /** IMMEDIATE: to write, so that nobody else does meanwhile; DEFERRED: to read. @throws `busy`. */
  begin(kind: 'IMMEDIATE' | 'DEFERRED'): void {
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
   * Encrypts the file anew, page by page in one transaction, under another key with the same salt. (With another salt, a
   * kill half-way would leave a file that no key opens.)
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

  #translate<Result>(work: () => Result): Result {
    try {
      return work();
    } catch (error) {
      throw translated(error, this.path);
    }
  }
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
