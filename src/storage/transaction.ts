import type { Connection, Parameters } from './connection.ts';

/** The connection for as long as one transaction runs. After its end it refuses: nothing is ever written outside of one. */
export class Unit {
  #connection: Connection | undefined;
  readonly #writes: boolean;
  #changes = 0;
  #tidied = 0;

  constructor(connection: Connection, { writes }: { writes: boolean }) {
    this.#connection = connection;
    this.#writes = writes;
  }

  /** How many rows it has changed; those that it tidied away do not count. */
  get changes(): number {
    return this.#changes;
  }

  /** How many rows it has tidied away. */
  get tidied(): number {
    return this.#tidied;
  }

  get<Row>(sql: string, parameters?: Parameters): Row | undefined {
    return this.#open().get(sql, parameters);
  }

  all<Row>(sql: string, parameters?: Parameters): Row[] {
    return this.#open().all(sql, parameters);
  }

  /** The first row that `fits`: see `Connection.find`. */
  find<Row>(sql: string, parameters: Parameters, fits: (row: Row) => boolean): Row | undefined {
    return this.#open().find(sql, parameters, fits);
  }

  run(sql: string, parameters?: Parameters): { changes: number; id: number } {
    if (!this.#writes) throw new Error('a snapshot is for reading');
    const result = this.#open().run(sql, parameters);
    this.#changes += result.changes;
    return result;
  }

  /** Takes rows away that may as well be there: to go on with a copy of the file that still has them does no harm. */
  tidy(sql: string, parameters: Parameters): void {
    if (!this.#writes) throw new Error('a snapshot is for reading');
    this.#tidied += this.#open().run(sql, parameters).changes;
  }

  /** Changes rows that must be there; `what` names them where they are not. */
  update(what: string, sql: string, parameters?: Parameters): void {
    found(this.run(sql, parameters).changes || undefined, what);
  }

  /** Changes one row that must be there, and gives what the statement says that it returns. */
  change<Row>(what: string, sql: string, parameters?: Parameters): Row {
    if (!this.#writes) throw new Error('a snapshot is for reading');
    const row = found(this.#open().get<Row>(sql, parameters), what);
    this.#changes += 1;
    return row;
  }

  end(): void {
    this.#connection = undefined;
  }

  #open(): Connection {
    if (this.#connection === undefined) throw new Error('the transaction is over');
    return this.#connection;
  }
}

/** What must be there: an id comes from the store itself, so one that it does not know is a bug in pawl. */
export function found<Value>(value: Value | undefined, what: string): Value {
  if (value === undefined) throw new Error(`the store has no such ${what}`);
  return value;
}
