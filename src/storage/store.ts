/**
 * The store in an identity file: runs transactions, advances the generation, and maintains the rollback mark
 * (docs/PROTOCOL.md §8).
 * Knows no table but `identity`; `tables/` has the rest.
 */
import { isPawlError } from '../errors.ts';
import { makeFile } from '../files/index.ts';
import { type IdentitySeed, wipe } from '../primitives/index.ts';
import type { SessionStore, Transaction } from '../session/store.ts';
import { checkFile } from './check.ts';
import type { Connection } from './connection.ts';
import { schemaVersion } from './migrations.ts';
import { generationOf, rekey, removeDraft } from './rekey.ts';
import { Mark } from './rollback-mark.ts';
import type { Lock } from './sqlcipher.ts';
import { boxes } from './tables/boxes.ts';
import { contactStore } from './tables/contacts.ts';
import { historyStore } from './tables/history.ts';
import { handshakeStore } from './tables/invites.ts';
import { ratchetStore } from './tables/ratchet.ts';
import { sessionTable } from './tables/sessions.ts';
import { mustExist, SqlTransaction } from './transaction.ts';

interface IdentityRow {
  readonly name: string;
  readonly seed: IdentitySeed;
}

/** If more pages than this are unused (256 KiB), they are returned to the filesystem. */
const SPARE_PAGES = 64;

/**
 * Runs one transaction at a time in this process; other processes wait at BEGIN. A transaction that is started and
 * awaited within another one deadlocks.
 */
export class SqliteStore implements SessionStore {
  /** The schema version of the file. */
  readonly schema: number;
  /** The name of the identity when it was created, and of its file. */
  readonly name: string;
  /**
   * Whether the file was rolled back: its generation is below the mark, because it was restored or another copy of it
   * is in use. Writing to it all the same makes its generation the highest again.
   */
  readonly isRolledBack: boolean;
  readonly #connection: Connection;
  readonly #lock: Lock;
  readonly #queue = new Queue();
  readonly #mark: Mark | undefined;
  readonly #marked: number;

  /** @param marks the folder of the rollback marks. Without it, a rollback is not noticed. */
  constructor(connection: Connection, lock: Lock, marks?: string) {
    this.#connection = connection;
    this.#lock = lock;
    const { schema, name, seed } = connection.reading(() => ({
      schema: schemaVersion(connection),
      ...mustExist(connection.get<IdentityRow>('SELECT name, seed FROM identity'), 'identity'),
    }));
    this.schema = schema;
    this.name = name;
    this.#mark = marks === undefined ? undefined : new Mark(marks, seed);
    wipe(seed);
    // The mark is read before the generation, in which another process may commit, and then write the mark.
    this.#marked = this.#mark?.read() ?? 0;
    this.isRolledBack = connection.reading(() => generationOf(connection)) < this.#marked;
  }

  transaction<Result>(work: (transaction: Transaction) => Promise<Result>): Promise<Result> {
    return this.#perform('IMMEDIATE', work);
  }

  /** Other processes can write meanwhile, but can commit only afterwards: `work` must be short. */
  snapshot<Result>(work: (view: Transaction) => Promise<Result>): Promise<Result> {
    return this.#perform('DEFERRED', work);
  }

  /**
   * Encrypts the file under another key and salt, and closes the store. Older copies keep the old key.
   * @throws what `rekey` throws. The file keeps the old key then, and the store stays open.
   */
  rekey(next: Lock): void {
    rekey(this.#connection, this.#lock, next);
  }

  /**
   * Writes a consistent copy of the file, under the same key.
   * @throws `exists`, `cannot-create`.
   */
  backup(path: string): void {
    makeFile(path, (draft) => this.#connection.copyInto(draft));
  }

  /**
   * Checks every page and every row.
   * @returns one sentence for each problem.
   */
  async check(): Promise<readonly string[]> {
    try {
      return this.#connection.reading(() => checkFile(this.#connection));
    } catch (error) {
      if (isPawlError(error, 'damaged')) return ['a page does not authenticate'];
      throw error;
    }
  }

  /** Closes the file, and rolls back an open transaction. */
  close(): void {
    this.#connection.close();
  }

  #perform<Result>(
    kind: 'IMMEDIATE' | 'DEFERRED',
    work: (transaction: Transaction) => Promise<Result>,
  ): Promise<Result> {
    return this.#queue.run(async () => {
      this.#connection.begin(kind);
      if (kind === 'IMMEDIATE') removeDraft(this.#connection.file);
      const transaction = new SqlTransaction(this.#connection, { writes: kind === 'IMMEDIATE' });
      try {
        const result = await work(transactionOn(transaction));
        if (transaction.changes + transaction.tidied > 0) this.#shrink();
        const generation = transaction.changes > 0 ? this.#advance() : undefined;
        this.#connection.commit();
        if (generation !== undefined) this.#mark?.write(generation);
        return result;
      } catch (error) {
        this.#connection.rollback();
        throw error;
      } finally {
        transaction.end();
      }
    });
  }

  /** Raises the generation above every earlier one, within the transaction. */
  #advance(): number {
    const row = this.#connection.get<{ readonly generation: number }>(
      'UPDATE identity SET generation = max(generation, @marked) + 1 RETURNING generation',
      { marked: this.#marked },
    );
    return mustExist(row, 'identity').generation;
  }

  /** Returns unused pages to the filesystem. Otherwise the file would keep the size that its largest text required. */
  #shrink(): void {
    const unused = this.#connection.get<{ freelist_count: number }>('PRAGMA freelist_count')?.freelist_count ?? 0;
    if (unused > SPARE_PAGES) this.#connection.execute('PRAGMA incremental_vacuum');
  }
}

function transactionOn(transaction: SqlTransaction): Transaction {
  return {
    ...handshakeStore(transaction),
    ...contactStore(transaction),
    ...sessionTable(transaction),
    ...ratchetStore(transaction),
    ...boxes(transaction),
    ...historyStore(transaction),
  };
}

/** Runs asynchronous functions one after the other, in the order of the calls. */
export class Queue {
  #last: Promise<unknown> = Promise.resolve();

  run<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#last.then(work);
    // The next one runs whether this one succeeds or not. Its result may be large, and is not held until then.
    const ended = () => undefined;
    this.#last = result.then(ended, ended);
    return result;
  }
}
