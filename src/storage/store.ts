import { isPawlError } from '../errors.ts';
import { makeFile } from '../files/index.ts';
import { type IdentitySeed, wipe } from '../primitives/index.ts';
import type { SessionStore, Transaction } from '../session/store.ts';
import { checkPages, readEverything } from './check.ts';
import type { Connection } from './connection.ts';
import { schemaVersion } from './migrations.ts';
import { rekey, removeDraft } from './rekey.ts';
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

/** More unused pages than these, 256 KiB, are given back to the filesystem. */
const SPARE_PAGES = 64;

/**
 * A store in an identity file. One transaction of work at a time in this process; others wait at BEGIN. A transaction inside
 * another waits for ever.
 */
export class SqliteStore implements SessionStore {
  /** The version of the file's schema. */
  readonly schema: number;
  /** The name that the identity was made with, which is also that of its file. */
  readonly name: string;
  /**
   * The file is older than what this machine wrote last: it was restored, or another copy of it is in use. Whoever writes
   * to it all the same makes it the newest.
   */
  readonly isRolledBack: boolean;
  readonly #connection: Connection;
  readonly #lock: Lock;
  readonly #queue = new Queue();
  readonly #mark: Mark | undefined;
  readonly #marked: number;

  /** @param marks the folder of the marks that tell how far a file went; without it, a rollback goes unnoticed. */
  constructor(connection: Connection, lock: Lock, marks?: string) {
    this.#connection = connection;
    this.#lock = lock;
    this.schema = schemaVersion(connection);
    const { name, seed } = mustExist(connection.get<IdentityRow>('SELECT name, seed FROM identity'), 'identity');
    this.name = name;
    this.#mark = marks === undefined ? undefined : new Mark(marks, seed);
    wipe(seed);
    // The mark first: another process may commit, and mark, in between.
    this.#marked = this.#mark?.read() ?? 0;
    const row = connection.get<{ readonly generation: number }>('SELECT generation FROM identity');
    this.isRolledBack = mustExist(row, 'identity').generation < this.#marked;
  }

  transaction<Result>(work: (transaction: Transaction) => Promise<Result>): Promise<Result> {
    return this.#perform('IMMEDIATE', work);
  }

  /** Others begin to write meanwhile, and commit when it is over: `work` is to be short. */
  snapshot<Result>(work: (view: Transaction) => Promise<Result>): Promise<Result> {
    return this.#perform('DEFERRED', work);
  }

  /**
   * Locks the file with another key, under a new salt, and closes it. Older copies still open with the old key.
   * @throws what `rekey` throws. The file then opens with the old key, and this store stays open.
   */
  rekey(next: Lock): void {
    rekey(this.#connection, this.#lock, next);
  }

  /** Makes a consistent copy of the file, under the same key. @throws `exists`, `cannot-create`. */
  backup(path: string): void {
    makeFile(path, (draft) => this.#connection.run('VACUUM INTO @draft', { draft }));
  }

  /** Reads every page and every row. @returns what is wrong, in the database's words; nothing where all is well. */
  async check(): Promise<readonly string[]> {
    try {
      const problems = checkPages(this.#connection);
      await this.snapshot(readEverything);
      return problems;
    } catch (error) {
      if (isPawlError(error, 'damaged')) return ['a page does not authenticate'];
      throw error;
    }
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

  /** The file as it is about to be committed is newer than all before. */
  #advance(): number {
    const row = this.#connection.get<{ readonly generation: number }>(
      'UPDATE identity SET generation = max(generation, @marked) + 1 RETURNING generation',
      { marked: this.#marked },
    );
    return mustExist(row, 'identity').generation;
  }

  /** Large texts come and go, and the file would stay as large as the largest ever was. */
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

/** Runs asynchronous work one piece after the other, in the order in which it was handed in. */
export class Queue {
  #last: Promise<unknown> = Promise.resolve();

  run<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#last.then(work);
    // The next piece waits for this one, and runs whether it succeeds or not.
    this.#last = result.catch(() => undefined);
    return result;
  }
}
