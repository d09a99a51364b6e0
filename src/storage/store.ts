/**
 * The store in an identity file: runs transactions, advances the generation, and maintains the rollback mark
 * (docs/PROTOCOL.md §8).
 * Knows no table but `identity`; `tables/` has the rest.
 */
import { fchmodSync, fstatSync, statSync, unlinkSync } from 'node:fs';
import { isPawlError, PawlError } from '../errors.ts';
import { makeFile, reasonOf } from '../files/index.ts';
import { equal, type IdentitySeed, wipe } from '../primitives/index.ts';
import type { Transaction } from '../session/store.ts';
import { checkFile, checkPages } from './check.ts';
import type { Connection } from './connection.ts';
import type { IdentityStore, Standing } from './identity-store.ts';
import { schemaVersion } from './migrations.ts';
import {
  endMove,
  type Move,
  moveIdIn,
  moveIn,
  noteMaker,
  noteMove,
  refuseMoved,
  refuseUnlessLeftBy,
} from './moving.ts';
import { Queue } from './queue.ts';
import { generationOf, rekey, removeRest } from './rekey.ts';
import { Mark } from './rollback-mark.ts';
import { copyRows } from './rows-copy.ts';
import type { FileKey, Lock } from './sqlcipher.ts';
import type { Statements } from './statements.ts';
import { transactionOn } from './tables/index.ts';
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
export class SqliteStore implements IdentityStore {
  /** The schema version of the file. */
  readonly schema: number;
  /** The name of the identity when it was created, and of its file. */
  readonly name: string;
  /** How the file compares with its mark. Writing to the file makes its generation the highest again. */
  readonly standing: Standing;
  readonly #connection: Connection;
  readonly #lock: Lock;
  readonly #queue = new Queue();
  readonly #mark: Mark | undefined;
  readonly #marked: number;
  #markTrouble: string | undefined;
  #move: Move | undefined;
  /** The id of the move that the next transaction ends. */
  #stayed: Uint8Array | undefined;

  /** @param marks the folder of the rollback marks. Without it, a rollback is not noticed. */
  constructor(connection: Connection, lock: Lock, marks?: string) {
    this.#connection = connection;
    this.#lock = lock;
    const { schema, name, seed, move } = connection.reading(() => ({
      schema: schemaVersion(connection),
      move: moveIn(connection),
      ...mustExist(connection.get<IdentityRow>('SELECT name, seed FROM identity'), 'identity'),
    }));
    this.schema = schema;
    this.name = name;
    this.#move = move;
    this.#mark = marks === undefined ? undefined : new Mark(marks, seed);
    wipe(seed);
    // The mark is read before the generation, in which another process may commit, and then write the mark.
    const { generation: marked, trouble } = this.#mark?.read() ?? {};
    this.#markTrouble = trouble;
    this.#marked = marked ?? 0;
    const generation = connection.reading(() => generationOf(connection));
    const isUnmarked = this.#mark !== undefined && trouble === undefined && marked === undefined && generation > 0;
    this.standing = generation < this.#marked ? 'rolled-back' : isUnmarked ? 'unmarked' : 'current';
  }

  /** Why the mark could not be read or written, if so. */
  get markTrouble(): string | undefined {
    return this.#markTrouble;
  }

  get move(): Move | undefined {
    return this.#move;
  }

  async arrivedBy(): Promise<Uint8Array | undefined> {
    return this.#connection.reading(() => moveIdIn(this.#connection));
  }

  async leaveBy(move: Move): Promise<void> {
    await this.#run('IMMEDIATE', async (transaction) => {
      refuseMoved(this.#connection);
      noteMove(transaction, move);
    });
    this.#move = move;
  }

  async letMake(id: Uint8Array, host: string | undefined): Promise<void> {
    await this.#run('IMMEDIATE', async (transaction) => {
      refuseUnlessLeftBy(this.#connection, id);
      noteMaker(transaction, host);
    });
  }

  stay(): void {
    this.#stayed = this.#move?.id;
    this.#move = undefined;
  }

  /** Marks the file as it is: the caller knows that it is the newest copy. */
  mark(): void {
    this.#writeMark(this.generation());
  }

  transaction<Result>(work: (transaction: Transaction) => Promise<Result>): Promise<Result> {
    return this.#run('IMMEDIATE', (transaction) => {
      if (this.#stayed !== undefined) endMove(transaction, this.#stayed);
      refuseMoved(this.#connection);
      return work(transactionOn(transaction));
    });
  }

  /** Other processes can write meanwhile, but can commit only afterwards: `work` must be short. */
  snapshot<Result>(work: (view: Transaction) => Promise<Result>): Promise<Result> {
    return this.#run('DEFERRED', (transaction) => work(transactionOn(transaction)));
  }

  /** The salt of the file: 16 bytes, with which its key may have been derived. */
  get salt(): Uint8Array {
    return this.#lock.salt;
  }

  /** Whether this is the present key of the file. Takes the same time whatever the answer. */
  hasKey(key: FileKey): boolean {
    return equal(key, this.#lock.key);
  }

  /**
   * Encrypts the file under another key and salt, and closes the store. Older copies keep the old key.
   * @throws what `rekey` throws. The file keeps the old key then, and the store stays open.
   */
  rekey(next: Lock): void {
    rekey(this.#connection, this.#lock, next);
  }

  /** The path of the file as it was given. */
  get path(): string {
    return this.#connection.path;
  }

  /** The absolute path of the file, with symbolic links resolved. */
  get file(): string {
    return this.#connection.file;
  }

  /**
   * Takes away what others than its owner may do with the file, if it belongs to the user.
   * @param userId the id of the user; `undefined` where the system has none, and no such modes.
   * @returns `tightened`; `open` if others can still read or write it; `undefined` if they never could.
   */
  tighten(userId: number | undefined): 'tightened' | 'open' | undefined {
    const isOpen = ({ mode }: { readonly mode: number }) => (mode & 0o077) !== 0;
    try {
      if (userId === undefined || !isOpen(statSync(this.file))) return undefined;
      // The mode of the very file whose key fits, whatever has its name by now.
      const descriptor = this.#connection.descriptor();
      if (fstatSync(descriptor).uid === userId) fchmodSync(descriptor, 0o600);
      return isOpen(fstatSync(descriptor)) ? 'open' : 'tightened';
    } catch {
      return 'open';
    }
  }

  /**
   * Writes a consistent copy of the file, under the same key.
   * @throws `exists`, `cannot-create`.
   */
  backup(path: string): void {
    makeFile(path, (draft) => this.#connection.copyInto(draft));
  }

  /**
   * Returns the bytes of a consistent copy of the file, under the same key, all of them in memory: a copy on the disk would
   * be left there by a kill. Until they are read and checked, others cannot commit.
   * @throws `damaged`, `replaced`, `read-failed`.
   */
  copy(): Uint8Array {
    const connection = this.#connection;
    return connection.reading(() => {
      const bytes = connection.bytes();
      // Reads every page in use, and throws for one that does not authenticate. Whatever else is wrong is copied as well.
      checkPages(connection);
      return bytes;
    });
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

  generation(): number {
    return this.#connection.reading(() => generationOf(this.#connection));
  }

  copyRowsInto(to: Statements): void {
    this.#connection.reading(() => copyRows(this.#connection, to));
  }

  /** Removes the file, and closes it. @throws `write-failed`. */
  remove(id: Uint8Array): void {
    const { file, path } = this;
    this.#connection.begin('IMMEDIATE');
    try {
      refuseUnlessLeftBy(this.#connection, id);
      removeRest(file);
      unlinkSync(file);
    } catch (cause) {
      if (cause instanceof PawlError) throw cause;
      throw new PawlError('write-failed', { path, reason: reasonOf(cause), isUndone: true }, { cause });
    } finally {
      this.#connection.rollback();
    }
    this.close();
  }

  /** Closes the file, and rolls back an open transaction. */
  close(): void {
    this.#connection.close();
  }

  #run<Result>(
    kind: 'IMMEDIATE' | 'DEFERRED',
    work: (transaction: SqlTransaction) => Promise<Result>,
  ): Promise<Result> {
    return this.#queue.run(async () => {
      this.#connection.begin(kind);
      if (kind === 'IMMEDIATE') removeRest(this.#connection.file);
      const transaction = new SqlTransaction(this.#connection, { writes: kind === 'IMMEDIATE' });
      try {
        const result = await work(transaction);
        if (transaction.changes + transaction.tidied > 0) this.#shrink();
        const generation = transaction.changes > 0 ? this.#advance(transaction.clock) : undefined;
        this.#connection.commit();
        if (generation !== undefined) this.#writeMark(generation);
        return result;
      } catch (error) {
        this.#connection.rollback();
        throw error;
      } finally {
        transaction.end();
      }
    });
  }

  #writeMark(generation: number): void {
    this.#markTrouble = this.#mark?.write(generation) ?? this.#markTrouble;
  }

  /**
   * Raises the generation above every earlier one, within the transaction.
   * @param clock `SqlTransaction.clock`, which is stored with it.
   */
  #advance(clock: number | undefined): number {
    const row = this.#connection.get<{ readonly generation: number }>(
      'UPDATE identity SET generation = max(generation, @marked) + 1, clock = coalesce(@clock, clock) RETURNING generation',
      { marked: this.#marked, clock: clock ?? null },
    );
    return mustExist(row, 'identity').generation;
  }

  /** Returns unused pages to the filesystem. Otherwise the file would keep the size that its largest text required. */
  #shrink(): void {
    const unused = this.#connection.get<{ freelist_count: number }>('PRAGMA freelist_count')?.freelist_count ?? 0;
    if (unused > SPARE_PAGES) this.#connection.execute('PRAGMA incremental_vacuum');
  }
}
