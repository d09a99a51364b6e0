/**
 * One SQL transaction as the tables see it: statements on the connection, and a count of the changed rows.
 * Knows no table. BEGIN, COMMIT and ROLLBACK are issued by the stores.
 */
import type { Parameters, Statements } from './statements.ts';

/** Runs statements until the transaction has ended; afterwards every method throws. */
export class SqlTransaction {
  #connection: Statements | undefined;
  readonly #writes: boolean;
  /** No time of our own clock in the store is later, if this transaction commits: see `tables/times.ts`. */
  clock: number | undefined;
  #changes = 0;
  #tidied = 0;

  constructor(connection: Statements, { writes }: { writes: boolean }) {
    this.#connection = connection;
    this.#writes = writes;
  }

  /** The number of rows changed so far, without those that `tidy` deleted. */
  get changes(): number {
    return this.#changes;
  }

  /** The number of rows that `tidy` deleted so far. */
  get tidied(): number {
    return this.#tidied;
  }

  get<Row>(sql: string, parameters?: Parameters): Row | undefined {
    return this.#open().get(sql, parameters);
  }

  /** Passes each row to `visit` as a list: see `Statements.each`. */
  each<Row extends readonly unknown[]>(sql: string, parameters: Parameters, visit: (row: Row) => void): void {
    this.#open().each(sql, parameters, visit);
  }

  all<Row>(sql: string, parameters?: Parameters): Row[] {
    return this.#open().all(sql, parameters);
  }

  /** Returns the first row that `fits` accepts: see `Statements.find`. */
  find<Row>(sql: string, parameters: Parameters, fits: (row: Row) => boolean): Row | undefined {
    return this.#open().find(sql, parameters, fits);
  }

  run(sql: string, parameters?: Parameters): { changes: number; id: number } {
    const result = this.#openToWrite().run(sql, parameters);
    this.#changes += result.changes;
    return result;
  }

  /**
   * Deletes rows without counting as a change, so that the generation of the identity does not rise (docs/PROTOCOL.md §8).
   * Only for rows that are harmless in an older copy: they repeat an output and reuse no key.
   */
  tidy(sql: string, parameters: Parameters): void {
    this.#tidied += this.#openToWrite().run(sql, parameters).changes;
  }

  /**
   * Changes at least one row.
   * @param what names the row in the error.
   * @throws an `Error` when no row was changed.
   */
  update(what: string, sql: string, parameters?: Parameters): void {
    mustExist(this.run(sql, parameters).changes || undefined, what);
  }

  /**
   * Changes one row, and returns the row of the statement's RETURNING clause.
   * @param what names the row in the error.
   * @throws an `Error` when no row was changed.
   */
  change<Row>(what: string, sql: string, parameters?: Parameters): Row {
    const row = mustExist(this.#openToWrite().get<Row>(sql, parameters), what);
    this.#changes += 1;
    return row;
  }

  end(): void {
    this.#connection = undefined;
  }

  #open(): Statements {
    if (this.#connection === undefined) throw new Error('the transaction is over');
    return this.#connection;
  }

  #openToWrite(): Statements {
    if (!this.#writes) throw new Error('a snapshot is for reading');
    return this.#open();
  }
}

/**
 * Returns a value that is defined. Ids come from the store itself, so an id that it does not know is a bug in pawl.
 * @param what names the value in the error.
 * @throws an `Error` when the value is `undefined`.
 */
export function mustExist<Value>(value: Value | undefined, what: string): Value {
  if (value === undefined) throw new Error(`the store has no such ${what}`);
  return value;
}
