/**
 * Statements on a database: SQL in, rows as plain values out, and only errors of pawl's own.
 * Knows no tables, and neither files nor locks.
 */
import type Database from 'better-sqlite3-multiple-ciphers';
import { translateError } from './sqlite-errors.ts';

/** The values of a statement's parameters, by name (`@name`). */
export type Parameters = Readonly<Record<string, string | number | Uint8Array | null>>;

export class Statements {
  /** What the database is called in error messages: the path of its file as it was given, or the address of the PostgreSQL database. */
  readonly path: string;
  readonly #database: Database.Database;
  readonly #statements = new Map<string, Database.Statement<[Parameters]>>();

  constructor(database: Database.Database, path: string) {
    this.#database = database;
    this.path = path;
  }

  /** Returns the first row, if there is one. Its blobs are copies that belong to the caller. */
  get<Row>(sql: string, parameters: Parameters = {}): Row | undefined {
    return this.translated(() => detach(this.#statement(sql).get(parameters) as Row | undefined));
  }

  /** Returns the first row that `fits` accepts, and reads no further. `fits` must not use the database. */
  find<Row>(sql: string, parameters: Parameters, fits: (row: Row) => boolean): Row | undefined {
    return this.translated(() => {
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
    this.translated(() => {
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
    return this.translated(() => (this.#statement(sql).all(parameters) as Row[]).map(detach));
  }

  /**
   * Runs one statement.
   * @returns the number of changed rows, and the id of the row that was inserted last.
   */
  run(sql: string, parameters: Parameters = {}): { changes: number; id: number } {
    return this.translated(() => {
      const { changes, lastInsertRowid } = this.#statement(sql).run(parameters);
      return { changes, id: Number(lastInsertRowid) };
    });
  }

  /** Runs any number of statements without parameters or results. */
  execute(sql: string): void {
    this.translated(() => this.#database.exec(sql));
  }

  /** Runs `work` on the database, and throws the errors of pawl that those of SQLite stand for. */
  protected translated<Result>(work: () => Result): Result {
    try {
      return work();
    } catch (error) {
      throw translateError(error, this.path);
    }
  }

  /** Prepares a statement when it is first used, because a command uses few of all statements. */
  #statement(sql: string): Database.Statement<[Parameters]> {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.#database.prepare<[Parameters]>(sql);
    this.#statements.set(sql, statement);
    return statement;
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
