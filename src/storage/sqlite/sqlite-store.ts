import type { SessionStore, Transaction } from '../../session/store.ts';
import { Queue } from '../queue.ts';
import { boxes } from './boxes.ts';
import type { Connection } from './connection.ts';
import { contactStore } from './contacts.ts';
import { handshakeStore } from './invites.ts';
import { schemaVersion } from './migrations.ts';
import { ratchetStore } from './ratchet.ts';
import { sessionTable } from './sessions.ts';
import { Unit } from './unit.ts';

/** More unused pages than these, 256 KiB, are given back to the filesystem. */
const SPARE_PAGES = 64;

/**
 * A store in an identity file. One unit of work at a time in this process; others wait at BEGIN. A transaction inside
 * another waits for ever.
 */
export class SqliteStore implements SessionStore {
  /** The version of the file's schema. */
  readonly schema: number;
  readonly #connection: Connection;
  readonly #queue = new Queue();

  constructor(connection: Connection) {
    this.#connection = connection;
    this.schema = schemaVersion(connection);
  }

  transaction<Result>(work: (transaction: Transaction) => Promise<Result>): Promise<Result> {
    return this.#perform('IMMEDIATE', work);
  }

  /** Others begin to write meanwhile, and commit when it is over: `work` is to be short. */
  snapshot<Result>(work: (view: Transaction) => Promise<Result>): Promise<Result> {
    return this.#perform('DEFERRED', work);
  }

  /** What has not been committed is lost. */
  close(): void {
    this.#connection.close();
  }

  #perform<Result>(
    kind: 'IMMEDIATE' | 'DEFERRED',
    work: (transaction: Transaction) => Promise<Result>,
  ): Promise<Result> {
    return this.#queue.run(async () => {
      this.#connection.begin(kind);
      const unit = new Unit(this.#connection, { writes: kind === 'IMMEDIATE' });
      try {
        const result = await work(transactionOn(unit));
        if (unit.changes > 0) this.#shrink();
        this.#connection.commit();
        return result;
      } catch (error) {
        this.#connection.rollback();
        throw error;
      } finally {
        unit.end();
      }
    });
  }

  /** Large texts come and go, and the file would stay as large as the largest ever was. */
  #shrink(): void {
    const unused = this.#connection.get<{ freelist_count: number }>('PRAGMA freelist_count')?.freelist_count ?? 0;
    if (unused > SPARE_PAGES) this.#connection.execute('PRAGMA incremental_vacuum');
  }
}

function transactionOn(unit: Unit): Transaction {
  return {
    ...handshakeStore(unit),
    ...contactStore(unit),
    ...sessionTable(unit),
    ...ratchetStore(unit),
    ...boxes(unit),
  };
}
