/**
 * The store in a PostgreSQL database: units of work that exclude each other on all machines, and rows that nobody but the
 * holder of the file key reads (docs/PROTOCOL.md §8).
 * Knows no table but `identity`.
 */
import { type ErrorCode, isPawlError, PawlError } from '../../errors.ts';
import { equal, type IdentitySeed, type Random, wipe } from '../../primitives/index.ts';
import type { Transaction } from '../../session/store.ts';
import { checkRows } from '../check.ts';
import { bytesOfCopy, createFileFrom } from '../identity-file.ts';
import type { IdentityStore, Standing } from '../identity-store.ts';
import { applyMigrations, MIGRATIONS } from '../migrations.ts';
import {
  endMove,
  type Move,
  moveIdIn,
  moveIn,
  noteMaker,
  noteMove,
  refuseMoved,
  refuseUnlessLeftBy,
} from '../moving.ts';
import { Queue } from '../queue.ts';
import { Mark } from '../rollback-mark.ts';
import { copyRows } from '../rows-copy.ts';
import type { FileKey, Lock } from '../sqlcipher.ts';
import type { Statements } from '../statements.ts';
import { transactionOn } from '../tables/index.ts';
import { mustExist, SqlTransaction } from '../transaction.ts';
import { bytesIn, COMMIT_ID_LENGTH, isBehind, isSameServer, type KnownCommit, type Server } from './identity-record.ts';
import { type IdentityRow, identityIn } from './identity-row.ts';
import { loadingFirst } from './loads.ts';
import { type Found, lookUp, undone } from './lost-commit.ts';
import { RowKeys } from './row-keys.ts';
import { Rows } from './rows.ts';
import { type Selection, statementOf } from './selection.ts';
import {
  asPawlError,
  ConnectionLost,
  type DatabaseAddress,
  ServerClient,
  SILENCE,
  whereReading,
} from './server-client.ts';
import {
  type Beginning,
  beginTransaction,
  commitAfter,
  commitAsRead,
  LONG_SILENCE,
  ROLLBACK,
  USUAL_SILENCE,
} from './server-transaction.ts';
import { expectingOne, type Statement } from './statement.ts';
import { Sweeps } from './sweeps.ts';
import { WorkingSet } from './working-set.ts';
import { holdsIn, sealChanges, sendPieces } from './writing.ts';

export interface PostgresOptions {
  /** How long to wait for others who use the identity, in milliseconds. */
  readonly wait: number;
  readonly random: Random;
  /** Our own clock, in unix milliseconds. */
  readonly now: () => number;
  /** The folder of the rollback marks. Without it, a rollback is not noticed. */
  readonly marks?: string | undefined;
  /** For how long it is found out what became of a COMMIT whose answer was lost, in milliseconds; 75 s by default. */
  readonly lookUpTime?: number;
  /** How long the server may be silent beyond that wait, in milliseconds. */
  readonly silence?: number;
  /** Whether nothing is done about what is read: it is believed also where no standby may have it. */
  readonly onlyLooks?: boolean;
  /** Is given what waits for the server, or for others there who use the identity, and returns the same. */
  readonly whileWaiting?: <Result>(work: Promise<Result>) => Promise<Result>;
}

/** What was read as of a commit, and may be used as long as it is the last one. */
interface Cache {
  readonly commitId: Uint8Array;
  readonly set: WorkingSet;
  readonly rows: Rows;
}

/** A unit of work that has begun. */
interface Unit extends Cache {
  readonly row: IdentityRow;
  readonly client: ServerClient;
}

/** What becomes of a transaction whose COMMIT is not answered. */
interface Commit {
  /** The server that it is sent to. */
  readonly server: Server;
  /** Whether it was made, by what is found afterwards; `undefined`: that cannot be known. */
  readonly isMade: (beginning: Beginning) => boolean | undefined;
}

/** What was read is kept for the next unit of work up to this size, in bytes. */
const LARGEST_CACHE = 32 * 2 ** 20;

export class PostgresStore implements IdentityStore {
  readonly name: string;
  readonly path: string;
  readonly #address: DatabaseAddress;
  readonly #lock: Lock;
  readonly #keys: RowKeys;
  readonly #options: PostgresOptions;
  readonly #queue = new Queue();
  #client: ServerClient | undefined;
  #cache: Cache | undefined;
  #mark: Mark | undefined;
  #marked = 0;
  /** The last commit that this process has seen. */
  #seen: KnownCommit = { generation: 0 };
  #openedOn: Server | undefined;
  /** The last commit that is known to be as durable as it is to be. */
  #confirmed: Uint8Array | undefined;
  #markTrouble: string | undefined;
  #standing: Standing = 'current';
  #move: Move | undefined;
  /** The id of the move that the next transaction ends. */
  #stayed: Uint8Array | undefined;
  #clockAhead = 0;
  /** Whether a unit of work has begun and not ended. */
  #isOpen = false;
  #isClosed = false;

  private constructor(address: DatabaseAddress, name: string, lock: Lock, options: PostgresOptions) {
    this.#address = address;
    this.name = name;
    this.path = address.shown;
    this.#lock = lock;
    this.#options = options;
    this.#keys = new RowKeys(lock, options.random);
  }

  /**
   * Opens an identity.
   * @param lock the file key, and the salt that it was derived with.
   * @param options.client a connection that the store takes over.
   * @throws `wrong-passphrase`, `not-an-identity` where there is none of that name, `newer-schema`, `replaced` where the
   * salt is another by now, `damaged`, `rolled-back`, `busy`, `read-failed`, `database-unreachable`.
   */
  static async open(
    address: DatabaseAddress,
    name: string,
    lock: Lock,
    { client, ...options }: PostgresOptions & { readonly client?: ServerClient | undefined },
  ): Promise<PostgresStore> {
    const store = new PostgresStore(address, name, lock, options);
    store.#client = client;
    try {
      await store.#readStanding();
      return store;
    } catch (error) {
      await store.close();
      throw error;
    }
  }

  get standing(): Standing {
    return this.#standing;
  }

  get markTrouble(): string | undefined {
    return this.#markTrouble;
  }

  get schema(): number {
    return MIGRATIONS.length;
  }

  get salt(): Uint8Array {
    return this.#lock.salt;
  }

  get move(): Move | undefined {
    return this.#move;
  }

  /** By how much the server's clock is ahead of ours, in milliseconds: by it, processes of all machines tell what is overdue. */
  get clockAhead(): number {
    return this.#clockAhead;
  }

  hasKey(key: FileKey): boolean {
    return equal(key, this.#lock.key);
  }

  /** Marks the identity as it is. Where the server is another one than that of the last commit, it is that from now on. */
  async mark(): Promise<void> {
    await this.#alter(async (unit) => {
      const { record, server } = unit.row;
      if (!isSameServer(record.server, server)) {
        refuseMoved(unit.set);
        return this.#commit(unit, record.bounds);
      }
      await this.#end(unit, 'writes');
      this.#writeMark(lastCommitIn(unit.row));
    });
  }

  transaction<Result>(work: (transaction: Transaction) => Promise<Result>): Promise<Result> {
    return this.#perform('writes', (transaction, { set, row }) => {
      if (this.#stayed !== undefined) endMove(set, this.#stayed);
      refuseMoved(set);
      this.#refuseOther(row);
      return work(transaction);
    });
  }

  snapshot<Result>(work: (view: Transaction) => Promise<Result>): Promise<Result> {
    return this.#perform('reads', work);
  }

  arrivedBy(): Promise<Uint8Array | undefined> {
    return this.#perform('reads', async (_, { set }) => moveIdIn(set));
  }

  async leaveBy(move: Move): Promise<void> {
    await this.#alter(async (unit) => {
      refuseMoved(unit.set);
      noteMove(unit.set, move);
      await this.#commit(unit, unit.row.record.bounds);
    });
    this.#move = move;
  }

  async letMake(id: Uint8Array, host: string | undefined): Promise<void> {
    await this.#alter(async (unit) => {
      refuseUnlessLeftBy(unit.set, id);
      noteMaker(unit.set, host);
      await this.#commit(unit, unit.row.record.bounds);
    });
  }

  stay(): void {
    this.#stayed = this.#move?.id;
    this.#move = undefined;
  }

  async rekey(next: Lock): Promise<void> {
    const keys = new RowKeys(next, this.#options.random);
    try {
      await this.#alter((unit) => {
        refuseMoved(unit.set);
        return this.#writeAnew(unit, { keys, lock: next });
      });
    } catch (cause) {
      if (!(cause instanceof PawlError)) throw cause;
      const isKnown = TOLD.includes(cause.code);
      throw isKnown ? cause : new PawlError('not-rekeyed', { path: this.path, reason: cause.message }, { cause });
    } finally {
      keys.wipe();
    }
    await this.close();
  }

  backup(path: string): Promise<void> {
    return this.#whole((set) => createFileFrom(path, this.#lock, (to) => copyRows(set, to)));
  }

  copy(): Promise<Uint8Array> {
    return this.#whole((set) => bytesOfCopy(this.#lock, set));
  }

  async generation(): Promise<number> {
    const { record } = await this.#queue.run(() => this.#readRow());
    return record.generation;
  }

  copyRowsInto(to: Statements): Promise<void> {
    return this.#whole((set) => copyRows(set, to));
  }

  async check(): Promise<readonly string[]> {
    try {
      return await this.#whole(checkRows);
    } catch (error) {
      if (isPawlError(error, 'damaged')) return ['a row does not authenticate'];
      if (isPawlError(error, 'rolled-back')) return ['a row is missing, or older than the others'];
      throw error;
    }
  }

  async remove(id: Uint8Array): Promise<void> {
    const text = expectingOne('DELETE FROM pawl.identities WHERE id = $1');
    const isGone = ({ salt }: Beginning) => salt === undefined || !equal(salt, this.salt);
    await this.#alter(async ({ client, row, set }) => {
      refuseUnlessLeftBy(set, id);
      await this.#send(client, [{ text, values: [row.id] }], { server: row.server, isMade: isGone });
    });
    await this.close();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#client?.close();
    await this.#queue.run(async () => {
      this.#forget();
      this.#keys.wipe();
    });
  }

  async #readStanding(): Promise<void> {
    const unit = await this.#begin('reads');
    const { seed } = mustExist(unit.set.get<{ readonly seed: IdentitySeed }>('SELECT seed FROM identity'), 'identity');
    this.#move = moveIn(unit.set);
    await this.#end(unit, 'reads');
    const { marks } = this.#options;
    this.#mark = marks === undefined ? undefined : new Mark(marks, seed);
    wipe(seed);
    const { generation: marked, commit, trouble } = this.#mark?.read() ?? {};
    this.#markTrouble = trouble;
    this.#marked = marked ?? 0;
    const known = { generation: this.#marked, commit };
    // Another process may have committed, and written the mark, after the identity was read.
    const { record, server } = isBehind(unit.row.record, known) ? await this.#readRow() : unit.row;
    this.#openedOn = server;
    const isNew = this.#mark !== undefined && trouble === undefined && marked === undefined && record.generation > 0;
    // Here the database is the newest copy, unless it is another one than that of the last commit: a standby that was
    // promoted may have lagged behind it, and behind what other machines have committed, of which no mark here says anything.
    if (isBehind(record, known)) this.#standing = 'rolled-back';
    else if (!isSameServer(server, record.server)) this.#standing = 'unmarked';
    else this.#standing = isNew ? 'joined' : 'current';
  }

  /** A standby may have taken over since the store was opened. Of the server that it was opened on, `standing` has told. */
  #refuseOther({ server, record }: IdentityRow): void {
    const isKnown = [record.server, this.#openedOn].some((one) => one !== undefined && isSameServer(server, one));
    if (!isKnown) throw new PawlError('unmarked', { path: this.path });
  }

  async #readRow(): Promise<IdentityRow> {
    const unit = await this.#begin('reads');
    await this.#end(unit, 'reads');
    return unit.row;
  }

  #perform<Result>(
    kind: 'reads' | 'writes',
    work: (transaction: Transaction, unit: Unit) => Promise<Result>,
  ): Promise<Result> {
    return this.#queue.run(async () => {
      const unit = await this.#begin(kind);
      const { set, rows, row } = unit;
      const transaction = new SqlTransaction(set, { writes: kind === 'writes' });
      try {
        return await this.#undoing(unit, async () => {
          const sweeps = new Sweeps(set, row.record.bounds);
          const loading = { rows, set, sweeps, clockAhead: this.#clockAhead };
          const result = await work(loadingFirst(transactionOn(transaction), loading), unit);
          if (kind === 'reads' || !set.hasChanged) {
            await this.#end(unit, kind);
            await this.#confirm(unit);
          } else {
            const { clock } = transaction;
            if (clock !== undefined) set.run('UPDATE identity SET clock = @clock', { clock });
            await this.#commit(unit, sweeps.after());
          }
          return result;
        });
      } finally {
        transaction.end();
      }
    });
  }

  /** Runs a unit of work that commits by itself. */
  #alter(work: (unit: Unit) => Promise<void>): Promise<void> {
    return this.#queue.run(async () => {
      const unit = await this.#begin('writes');
      await this.#undoing(unit, async () => {
        this.#refuseOther(unit.row);
        await work(unit);
      });
    });
  }

  /** Runs the work of a unit, which is rolled back where that fails. */
  async #undoing<Result>(unit: Unit, work: () => Promise<Result>): Promise<Result> {
    this.#isOpen = true;
    try {
      return await work();
    } catch (error) {
      this.#forget();
      await unit.client.run(ROLLBACK).catch(() => undefined);
      throw asPawlError(this.path, error);
    } finally {
      this.#isOpen = false;
    }
  }

  /** Runs `work` on all that is stored. */
  #whole<Result>(work: (set: WorkingSet) => Result): Promise<Result> {
    return this.#queue.run(async () => {
      const unit = await this.#begin('reads');
      return this.#undoing(unit, async () => {
        await unit.client.run(LONG_SILENCE);
        await unit.rows.load({ withContent: true });
        await this.#end(unit, 'reads');
        await this.#confirm(unit);
        const result = work(unit.set);
        this.#forget();
        return result;
      });
    });
  }

  /** Writes all rows anew, of the newest schema, and commits. @param sealing see {@link #commit}. */
  async #writeAnew(
    { client, row, set: old, rows: stored }: Unit,
    sealing: { keys: RowKeys; lock: Lock; server?: Server },
  ): Promise<void> {
    const set = new WorkingSet(this.path);
    try {
      await client.run(LONG_SILENCE);
      await stored.load({ withContent: true });
      applyMigrations(old);
      set.run('BEGIN');
      copyRows(old, set);
      this.#forget();
      const rows = new Rows(set, { identity: row.id, keys: sealing.keys, roots: new Map(), read: async () => [] });
      await client.run({ text: 'DELETE FROM pawl.rows WHERE identity = $1', values: [row.id] });
      await client.run(USUAL_SILENCE);
      await this.#commit({ client, row, commitId: row.commitId, set, rows }, row.record.bounds, sealing);
    } catch (error) {
      set.close();
      throw error;
    }
    this.#forget();
  }

  /** Brings an identity of an older pawl up to the newest schema. */
  async #migrate(): Promise<void> {
    const unit = await this.#beginAnyhow('writes');
    // It does not make the server that it finds the one that the identity is on: see `standing`.
    const sealing = { keys: this.#keys, lock: this.#lock, server: unit.row.record.server };
    // Another process may have done it meanwhile.
    if (isNewest(unit)) await this.#end(unit, 'writes');
    else await this.#undoing(unit, () => this.#writeAnew(unit, sealing));
  }

  /** Begins a transaction, and reads the identity: under its lock, where something is to be written. */
  async #begin(kind: 'reads' | 'writes'): Promise<Unit> {
    const unit = await this.#beginAnyhow(kind);
    if (isNewest(unit)) return unit;
    await this.#end(unit, 'writes');
    await this.#migrate();
    return this.#beginAnyhow(kind);
  }

  /** The same, where the identity may be of an older schema. */
  async #beginAnyhow(kind: 'reads' | 'writes'): Promise<Unit> {
    const { client, row } = await this.#readIdentity(kind);
    try {
      if (this.#cache === undefined || !equal(this.#cache.commitId, row.commitId)) {
        this.#forget();
        this.#cache = this.#newCache(row);
      }
      this.#cache.set.run('BEGIN');
      return { ...this.#cache, row, client };
    } catch (error) {
      this.#forget();
      await client.run(ROLLBACK).catch(() => undefined);
      throw error;
    }
  }

  async #readIdentity(kind: 'reads' | 'writes') {
    const isNew = this.#client === undefined || this.#client.isLost;
    try {
      return await this.#tryToRead(kind);
    } catch (error) {
      // The server may have closed a connection that was silent for long. Nothing was done with it.
      const isWorthAnother = !isNew && error instanceof ConnectionLost;
      if (!isWorthAnother) throw asPawlError(this.path, error);
      return this.#tryToRead(kind).catch((again) => Promise.reject(asPawlError(this.path, again)));
    }
  }

  async #tryToRead(kind: 'reads' | 'writes') {
    const client = await this.#connected();
    const beginning = await this.#waiting(beginTransaction(client, this.name, { kind, wait: this.#options.wait }));
    try {
      return { client, row: this.#identityIn(beginning) };
    } catch (error) {
      await client.run(ROLLBACK).catch(() => undefined);
      throw error;
    }
  }

  #identityIn(beginning: Beginning): IdentityRow {
    const row = identityIn(beginning, { name: this.name, lock: this.#lock, keys: this.#keys, path: this.path });
    // An older state in its place would have positions used once more.
    if (isBehind(row.record, this.#seen)) throw new PawlError('rolled-back', { path: this.path });
    this.#seen = lastCommitIn(row);
    this.#clockAhead = row.readAt - this.#options.now();
    return row;
  }

  /** @param wait for how long a server that has no connection left is waited for, in milliseconds. */
  async #connected(wait = this.#options.wait): Promise<ServerClient> {
    if (this.#isClosed) throw new Error('the store is closed');
    const { wait: longest, silence = SILENCE } = this.#options;
    if (this.#client === undefined || this.#client.isLost) {
      const client = await ServerClient.connect(this.#address, wait, longest + silence);
      this.#client = client;
      if (this.#isClosed) {
        await client.close();
        throw new Error('the store is closed');
      }
    }
    return this.#client;
  }

  #newCache({ id, commitId, record }: IdentityRow): Cache {
    const set = new WorkingSet(this.path, record.schema);
    set.loading(() => {
      set.add('identity', record.row);
      for (const [name, last] of record.sequences) {
        set.run('INSERT INTO sqlite_sequence (name, seq) VALUES (@name, @last)', { name, last });
      }
    });
    wipe(...bytesIn(record.row));
    const read = async (selections: readonly Selection[]) => {
      if (!this.#isOpen) throw new Error('the transaction is over');
      const statements = selections.map((selection) => statementOf(id, selection));
      const client = mustExist(this.#client, 'connection');
      const answers = await client.run(...statements).catch((error) => Promise.reject(whereReading(error)));
      return answers.map((answer) => answer.rows);
    };
    const rows = new Rows(set, { identity: id, keys: this.#keys, roots: record.children, read });
    return { commitId, set, rows };
  }

  /** Ends a unit of work that has changed nothing. */
  async #end({ client, set }: Unit, kind: 'reads' | 'writes'): Promise<void> {
    set.run('COMMIT');
    this.#bound();
    // A lock is given back before anything else happens; who has only read need not wait for the answer.
    const rolledBack = client.run(ROLLBACK).catch(() => undefined);
    if (kind === 'writes') await rolledBack;
  }

  /**
   * Commits what a unit of work has changed.
   * @param bounds see `IdentityRecord`.
   * @param options.keys with which it is sealed, and `options.lock` what they are derived from.
   * @param options.server that the identity is on from now on.
   */
  async #commit(
    { row, set, rows, client }: Unit,
    bounds: ReadonlyMap<string, number | undefined>,
    { keys = this.#keys, lock = this.#lock, server = row.server } = {},
  ): Promise<void> {
    const { commits, generation: last } = row.record;
    const generation = Math.max(last, this.#marked) + 1;
    const commitId = this.#options.random(COMMIT_ID_LENGTH);
    const sealing = { name: this.name, keys, commitId, generation, server, bounds, commits };
    const { statements, record } = sealChanges(set, rows, sealing);
    const update = {
      text: expectingOne(
        'UPDATE pawl.identities SET salt = $2, check_value = $3, commit_id = $4, record = $5 WHERE id = $1',
      ),
      values: [row.id, lock.salt, keys.checkValue, commitId, record],
    };
    const isMade = (beginning: Beginning) =>
      lock === this.#lock ? this.#hasCommit(beginning, { commitId, generation }) : isOf(beginning, lock, this.#lock);
    await this.#send(client, [...(await this.#sendPieces(client, statements)), update], { server: row.server, isMade });
    set.run('COMMIT');
    set.settle();
    this.#cache = { commitId, set, rows };
    this.#bound();
    this.#confirmed = commitId;
    const made = { generation, commit: { id: commitId, holds: holdsIn(set) } };
    // Another machine may have committed before it was known what became of this one.
    if (made.generation > this.#seen.generation) this.#seen = made;
    this.#writeMark(this.#seen);
  }

  async #sendPieces(client: ServerClient, statements: Iterable<Statement>): Promise<readonly Statement[]> {
    try {
      return await sendPieces(client, statements);
    } catch (error) {
      throw error instanceof ConnectionLost ? undone(this.path, error) : error;
    }
  }

  /** Sends the last statements, and COMMIT. Returns when it is durable. */
  #send(client: ServerClient, statements: readonly Statement[], commit: Commit): Promise<void> {
    return this.#waiting(this.#sendCommit(client, statements, commit));
  }

  async #sendCommit(client: ServerClient, statements: readonly Statement[], commit: Commit): Promise<void> {
    const cause = await commitAfter(client, statements);
    if (cause !== undefined) await this.#lookUp(commit, cause);
  }

  #lookUp(commit: Commit, cause: ConnectionLost): Promise<void> {
    const lost = { path: this.path, cause, server: commit.server };
    return lookUp(lost, (left) => this.#find(commit, left), this.#options.lookUpTime);
  }

  #waiting<Result>(work: Promise<Result>): Promise<Result> {
    return this.#options.whileWaiting?.(work) ?? work;
  }

  #hasCommit(beginning: Beginning, { commitId, generation }: { commitId: Uint8Array; generation: number }) {
    try {
      const { commits, generation: newest } = this.#identityIn(beginning).record;
      if (commits.has(commitId)) return true;
      return newest >= generation && !commits.reaches(generation, newest) ? undefined : false;
    } catch {
      return undefined;
    }
  }

  /**
   * Waits until what was read is as durable as what is committed: the process that wrote it may have ended before a standby
   * had it. It must not leave before, nor may anything be deleted elsewhere because it is here.
   * @throws `commit-unknown` where that is not known in time; `database-unreachable` where it is gone.
   */
  async #confirm({ row: { commitId, record, server, hasStandbys } }: Unit): Promise<void> {
    const isKnown = this.#confirmed !== undefined && equal(this.#confirmed, commitId);
    if (!hasStandbys || isKnown || this.#options.onlyLooks === true) return;
    const { generation } = record;
    const isMade = (beginning: Beginning) => this.#hasCommit(beginning, { commitId, generation });
    const cause = new ConnectionLost('its standby may not have it');
    await this.#waiting(this.#lookUp({ server, isMade }, cause));
    this.#confirmed = commitId;
  }

  /** @returns what is found of a transaction whose answer is lost; `undefined` where that is not known to be durable. */
  async #find({ server, isMade }: Commit, left: number): Promise<Found | undefined> {
    if (this.#isClosed) return { isMade: undefined, server };
    const wait = Math.min(this.#options.wait, left);
    const client = await this.#connected(wait);
    return client.within(left, async () => {
      const beginning = await beginTransaction(client, this.name, { kind: 'writes', wait });
      const isDurable = await commitAsRead(client, this.name, beginning);
      return isDurable ? { isMade: isMade(beginning), server: beginning.server } : undefined;
    });
  }

  #writeMark({ generation, commit }: KnownCommit): void {
    this.#markTrouble = this.#mark?.write(generation, commit) ?? this.#markTrouble;
  }

  /** Forgets what was read, where it is too much to be kept. */
  #bound(): void {
    if ((this.#cache?.set.size ?? 0) > LARGEST_CACHE) this.#forget();
  }

  #forget(): void {
    this.#cache?.set.close();
    this.#cache = undefined;
  }
}

/** The errors of `rekey` that say by themselves what has become of the key. */
const TOLD: readonly ErrorCode[] = [
  'busy',
  'replaced',
  'damaged',
  'rolled-back',
  'unmarked',
  'moving',
  'commit-unknown',
];

function isNewest({ row }: Unit): boolean {
  return row.record.schema === MIGRATIONS.length;
}

/** What is known where the row of an identity was read. */
function lastCommitIn({ commitId, record: { generation, holds } }: IdentityRow): KnownCommit {
  return { generation, commit: { id: commitId, holds } };
}

/** Whether an identity is locked by one key, and not by the other; `undefined` where it is by neither. */
function isOf({ salt }: Beginning, one: Lock, other: Lock): boolean | undefined {
  if (salt === undefined) return undefined;
  if (equal(salt, one.salt)) return true;
  return equal(salt, other.salt) ? false : undefined;
}
