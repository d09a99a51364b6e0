/**
 * The store in a PostgreSQL database: units of work that exclude each other on all machines, and rows that nobody but the
 * holder of the file key reads (docs/PROTOCOL.md §8).
 * Knows no table but `identity`.
 */
import { PawlError } from '../../errors.ts';
import { equal, type IdentitySeed, type Random, wipe } from '../../primitives/index.ts';
import type { SessionStore, Transaction } from '../../session/store.ts';
import { MIGRATIONS } from '../migrations.ts';
import { Mark } from '../rollback-mark.ts';
import type { FileKey, Lock } from '../sqlcipher.ts';
import { Queue, type Standing, transactionOn } from '../store.ts';
import { mustExist, SqlTransaction } from '../transaction.ts';
import { COMMIT_ID_LENGTH, decodeRecord, encodeRecord, type IdentityRecord, type Server } from './identity-record.ts';
import { loadingFirst } from './loads.ts';
import { RowKeys } from './row-keys.ts';
import { Rows } from './rows.ts';
import { LAYOUT } from './schema.ts';
import { type Selection, type Statement, statementOf } from './selection.ts';
import { type Answer, ConnectionLost, type DatabaseAddress, ServerClient } from './server-client.ts';
import { Sweeps } from './sweeps.ts';
import { WorkingSet } from './working-set.ts';

export interface PostgresOptions {
  /** How long to wait for others who use the identity, in milliseconds. */
  readonly wait: number;
  readonly random: Random;
  /** The folder of the rollback marks. Without it, a rollback is not noticed. */
  readonly marks?: string | undefined;
  /** For how long it is found out what became of a COMMIT whose answer was lost, in milliseconds; 30 s by default. */
  readonly lookUpTime?: number;
}

/** The row of an identity. */
interface IdentityRow {
  readonly id: string;
  readonly generation: number;
  readonly record: IdentityRecord;
  /** That we are connected to. */
  readonly server: Server;
}

/** What was read in a generation, and may be used as long as there is no later one. */
interface Cache {
  readonly generation: number;
  readonly set: WorkingSet;
  readonly rows: Rows;
}

/** A unit of work that has begun. */
interface Unit extends Cache {
  readonly row: IdentityRow;
  readonly client: ServerClient;
}

/** A transaction in which nothing was said for so long is ended by the server: its process has stopped, or its network. */
const LONGEST_SILENCE = '60s';
const LOOK_UP_TIME = 30_000;
/** Between two tries of it, in milliseconds. */
const LOOK_UP_PAUSE = 200;

/** As strong as the server's own setting, and at least on the disk of the server and of its synchronous standbys. */
const SETTINGS = `
SELECT set_config('bytea_output', 'hex', TRUE), set_config('lock_timeout', $1, TRUE), set_config('idle_in_transaction_session_timeout', '${LONGEST_SILENCE}', TRUE),
  CASE WHEN current_setting('synchronous_commit') IN ('off', 'local', 'remote_write')
    THEN set_config('synchronous_commit', 'on', TRUE) END`;

/** Columns that name the server that we are connected to: see `Server`. */
export const SERVER = `
  (SELECT system_identifier::text FROM pg_control_system()),
  CASE WHEN pg_is_in_recovery() THEN (SELECT timeline_id FROM pg_control_checkpoint())
    ELSE ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int END`;

/** The identity, and the server. */
const SELECT = `
SELECT id::text, layout, salt, check_value, generation, record, ${SERVER}
FROM pawl.identities WHERE name = $1`;

export class PostgresStore implements SessionStore {
  /** The name of the identity. */
  readonly name: string;
  /** What the database is called in messages. */
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
  /** The highest generation that this process has seen. */
  #seen = 0;
  #markTrouble: string | undefined;
  #standing: Standing = 'current';
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
   * @throws `wrong-passphrase`, `not-an-identity` where there is none of that name, `newer-schema`, `replaced` where the
   * salt is another by now, `damaged`, `busy`, `read-failed`, `no-addon`.
   */
  static async open(
    address: DatabaseAddress,
    name: string,
    lock: Lock,
    options: PostgresOptions,
  ): Promise<PostgresStore> {
    const store = new PostgresStore(address, name, lock, options);
    try {
      await store.#readStanding();
      return store;
    } catch (error) {
      await store.close();
      throw error;
    }
  }

  /** How the identity compares with its mark, and the server with the one of the last commit. */
  get standing(): Standing {
    return this.#standing;
  }

  /** Why the mark could not be read or written, if so. */
  get markTrouble(): string | undefined {
    return this.#markTrouble;
  }

  /** The version of the schema that the rows are of. */
  get schema(): number {
    return MIGRATIONS.length;
  }

  /** 16 bytes, with which the key may have been derived. */
  get salt(): Uint8Array {
    return this.#lock.salt;
  }

  /** Whether this is the present key. Takes the same time whatever the answer. */
  hasKey(key: FileKey): boolean {
    return equal(key, this.#lock.key);
  }

  /** Marks the identity as it is: the caller knows that it is the newest copy. */
  async mark(): Promise<void> {
    const { generation } = await this.#queue.run(() => this.#readRow());
    this.#writeMark(generation);
  }

  transaction<Result>(work: (transaction: Transaction) => Promise<Result>): Promise<Result> {
    return this.#perform('writes', work);
  }

  snapshot<Result>(work: (view: Transaction) => Promise<Result>): Promise<Result> {
    return this.#perform('reads', work);
  }

  /** Closes the connection. A transaction that is open is rolled back. */
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
    await this.#end(unit, 'reads');
    const { marks } = this.#options;
    this.#mark = marks === undefined ? undefined : new Mark(marks, seed);
    wipe(seed);
    const { generation: marked, trouble } = this.#mark?.read() ?? {};
    this.#markTrouble = trouble;
    this.#marked = marked ?? 0;
    // The generation is read after the mark: another process may commit, and then write the mark.
    const { generation, record, server } = await this.#readRow();
    // Here the database is the newest copy, unless it is another one than that of the last commit: a standby that was
    // promoted may have lagged behind it.
    const isMarked = this.#mark === undefined || trouble !== undefined || marked === generation;
    const isElsewhere = !isSame(server, record.server) && !isMarked;
    this.#standing = generation < this.#marked ? 'rolled-back' : isElsewhere ? 'unmarked' : 'current';
  }

  async #readRow(): Promise<IdentityRow> {
    const unit = await this.#begin('reads');
    await this.#end(unit, 'reads');
    return unit.row;
  }

  #perform<Result>(kind: 'reads' | 'writes', work: (transaction: Transaction) => Promise<Result>): Promise<Result> {
    return this.#queue.run(async () => {
      const unit = await this.#begin(kind);
      const transaction = new SqlTransaction(unit.set, { writes: kind === 'writes' });
      this.#isOpen = true;
      try {
        const sweeps = new Sweeps(unit.set, unit.row.record.bounds);
        const result = await work(loadingFirst(transactionOn(transaction), unit.rows, unit.set, sweeps));
        if (kind === 'writes' && unit.set.hasChanged) await this.#commit(unit, transaction.clock, sweeps);
        else await this.#end(unit, kind);
        return result;
      } catch (error) {
        this.#forget();
        await unit.client.run(ROLLBACK).catch(() => undefined);
        throw error;
      } finally {
        this.#isOpen = false;
        transaction.end();
      }
    });
  }

  /** Begins a transaction, and reads the identity: under its lock, where something is to be written. */
  async #begin(kind: 'reads' | 'writes'): Promise<Unit> {
    const { client, row } = await this.#readIdentity(kind);
    const { generation } = row;
    try {
      if (this.#cache?.generation !== generation) {
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
      const client = await this.#connected();
      return { client, row: await this.#select(client, kind) };
    } catch (error) {
      // The server may have closed a connection that was silent for long. Nothing was done with it.
      if (isNew || !(error instanceof ConnectionLost)) throw this.#asPawlError(error);
      const client = await this.#connected();
      return {
        client,
        row: await this.#select(client, kind).catch((again) => Promise.reject(this.#asPawlError(again))),
      };
    }
  }

  async #connected(): Promise<ServerClient> {
    if (this.#isClosed) throw new Error('the store is closed');
    if (this.#client === undefined || this.#client.isLost) this.#client = await ServerClient.connect(this.#address);
    return this.#client;
  }

  async #select(client: ServerClient, kind: 'reads' | 'writes'): Promise<IdentityRow> {
    const begin = kind === 'writes' ? BEGIN_TO_WRITE : BEGIN_TO_READ;
    const select = kind === 'writes' ? `${SELECT} FOR UPDATE` : SELECT;
    try {
      const answers = await client.run(
        { text: begin, values: [] },
        { text: SETTINGS, values: [`${Math.max(1, Math.round(this.#options.wait))}`] },
        { text: select, values: [this.name] },
      );
      return this.#identityIn(answers.at(-1));
    } catch (error) {
      await client.run(ROLLBACK).catch(() => undefined);
      throw error;
    }
  }

  #identityIn(answer: Answer | undefined): IdentityRow {
    const path = this.path;
    const damaged = (): never => {
      throw new PawlError('damaged', { path });
    };
    const [id, layout, salt, checkValue, generation, sealed, system, timeline] = answer?.rows[0] ?? [];
    if (typeof id !== 'string') throw new PawlError('not-an-identity', { path });
    if (typeof layout !== 'number' || layout > LAYOUT) {
      throw new PawlError('newer-schema', { path, found: Number(layout), known: LAYOUT });
    }
    if (!(salt instanceof Uint8Array && checkValue instanceof Uint8Array && sealed instanceof Uint8Array))
      return damaged();
    if (!Number.isSafeInteger(generation) || Number(generation) < 0) return damaged();
    if (!equal(salt, this.#lock.salt)) throw new PawlError('replaced', { path });
    if (!this.#keys.fits(checkValue)) throw new PawlError('wrong-passphrase', { path });
    const place = { ...IDENTITY_PLACE, generation: generation as number };
    const plain = this.#keys.open(sealed, place) ?? damaged();
    const record = decodeRecord(plain, damaged);
    wipe(plain);
    if (record.schema !== MIGRATIONS.length) {
      throw new PawlError('newer-schema', { path, found: record.schema, known: MIGRATIONS.length });
    }
    const server = { system: String(system), timeline: Number(timeline) };
    // Whoever has put an older state in its place would have positions used once more.
    if ((generation as number) < this.#seen) throw new PawlError('rolled-back', { path });
    this.#seen = generation as number;
    return { id, generation: generation as number, record, server };
  }

  #newCache({ id, generation, record }: IdentityRow): Cache {
    const set = new WorkingSet(this.path);
    set.loading(() => {
      set.add('identity', record.row);
      for (const [name, last] of record.sequences) {
        set.run('INSERT INTO sqlite_sequence (name, seq) VALUES (@name, @last)', { name, last });
      }
    });
    const read = async (selection: Selection) => {
      if (!this.#isOpen) throw new Error('the transaction is over');
      const [answer] = await mustExist(this.#client, 'connection').run(statementOf(id, selection));
      return answer?.rows ?? [];
    };
    return { generation, set, rows: new Rows(set, { identity: id, keys: this.#keys, roots: record.children, read }) };
  }

  /** Ends a unit of work that has changed nothing. */
  async #end({ client, set }: Unit, kind: 'reads' | 'writes'): Promise<void> {
    set.run('COMMIT');
    // A lock is given back before anything else happens; who has only read need not wait for the answer.
    const rolledBack = client.run(ROLLBACK).catch(() => undefined);
    if (kind === 'writes') await rolledBack;
  }

  async #commit(unit: Unit, clock: number | undefined, sweeps: Sweeps): Promise<void> {
    const { row, set, rows, client } = unit;
    if (clock !== undefined) set.run('UPDATE identity SET clock = @clock', { clock });
    const generation = Math.max(row.generation, this.#marked) + 1;
    set.loading(() => set.run('UPDATE identity SET generation = @generation', { generation }));
    const { statements, children } = rows.write(generation);
    const commitId = this.#options.random(COMMIT_ID_LENGTH);
    const record: IdentityRecord = {
      schema: MIGRATIONS.length,
      server: row.server,
      row: mustExist(set.identityRow(), 'identity'),
      sequences: set.sequences(),
      bounds: sweeps.after(),
      commits: row.record.commits.with(commitId),
      children,
    };
    const plain = encodeRecord(record);
    const sealed = this.#keys.seal(plain, { ...IDENTITY_PLACE, generation });
    wipe(plain);
    const update = {
      text: 'UPDATE pawl.identities SET generation = $2, commit_id = $3, record = $4 WHERE id = $1',
      values: [row.id, generation, commitId, sealed],
    };
    await this.#send(client, [...statements, update], { commitId, generation });
    set.run('COMMIT');
    set.settle();
    this.#cache = { generation, set, rows };
    this.#seen = generation;
    this.#writeMark(generation);
  }

  /** Sends what is written, and COMMIT. Returns when it is durable. */
  async #send(client: ServerClient, statements: readonly Statement[], commit: Commit): Promise<void> {
    try {
      const answers = await client.run(...statements, COMMIT);
      const isWhole = answers.every(
        ({ count, command }) => count === 1 || (command !== 'UPDATE' && command !== 'INSERT'),
      );
      const isDone = answers.at(-1)?.command === 'COMMIT' && isWhole;
      if (!isDone) throw new Error('the database has not committed');
    } catch (error) {
      if (!(error instanceof ConnectionLost)) throw error;
      await this.#lookUp(commit, error);
    }
  }

  /**
   * Finds out whether a transaction was committed whose answer is lost. Its lock on the identity is awaited: until it is
   * free, the transaction may still end either way.
   * @throws `write-failed` where it was not; `commit-unknown` where that cannot be known.
   */
  async #lookUp({ commitId, generation }: Commit, cause: ConnectionLost): Promise<void> {
    const path = this.path;
    const end = performance.now() + (this.#options.lookUpTime ?? LOOK_UP_TIME);
    for (;;) {
      if (this.#isClosed) break;
      const row = await this.#readAgain();
      if (row !== undefined) {
        const { record, generation: newest } = row;
        if (record.commits.has(commitId)) return;
        if (newest >= generation && !record.commits.reaches(generation, newest)) break;
        throw new PawlError('write-failed', { path, reason: cause.message, isUndone: true }, { cause });
      }
      if (performance.now() > end) break;
      await new Promise((resolve) => setTimeout(resolve, LOOK_UP_PAUSE));
    }
    throw new PawlError('commit-unknown', { path }, { cause });
  }

  /** Reads the identity under its lock; `undefined` while that fails. */
  async #readAgain(): Promise<IdentityRow | undefined> {
    try {
      const client = await this.#connected();
      const row = await this.#select(client, 'writes');
      await client.run(ROLLBACK);
      return row;
    } catch {
      return undefined;
    }
  }

  #writeMark(generation: number): void {
    this.#markTrouble = this.#mark?.write(generation) ?? this.#markTrouble;
  }

  #forget(): void {
    this.#cache?.set.close();
    this.#cache = undefined;
  }

  #asPawlError(error: unknown): unknown {
    if (!(error instanceof ConnectionLost)) return error;
    return new PawlError('read-failed', { path: this.path, reason: error.message }, { cause: error });
  }
}

/** What tells a commit from all others. */
interface Commit {
  readonly commitId: Uint8Array;
  readonly generation: number;
}

/** Whatever the server's defaults are. Who waits for the lock is to see what the one before has committed. */
const BEGIN_TO_WRITE = 'BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE';
const BEGIN_TO_READ = 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY';
const COMMIT: Statement = { text: 'COMMIT', values: [] };
const ROLLBACK: Statement = { text: 'ROLLBACK', values: [] };

/** Where the record of an identity is sealed for. */
export const IDENTITY_PLACE = { table: 'identity', key: new Uint8Array(0), column: 'record' } as const;

function isSame(one: Server, other: Server): boolean {
  return one.system === other.system && one.timeline === other.timeline;
}
