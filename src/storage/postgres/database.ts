/**
 * A PostgreSQL database that holds identities, as a folder holds identity files: which there are, making and opening them.
 */
import { PawlError } from '../../errors.ts';
import { equal, fromHex, type Random } from '../../primitives/index.ts';
import { addIdentity, type NewIdentity } from '../identity-file.ts';
import type { IdentityStore } from '../identity-store.ts';
import { Mark } from '../rollback-mark.ts';
import { copyForElsewhere, type Departing, shiftClaims } from '../rows-copy.ts';
import { type Lock, SALT_LENGTH } from '../sqlcipher.ts';
import { COMMIT_ID_LENGTH, CommitIds } from './identity-record.ts';
import { type Found, lookUp } from './lost-commit.ts';
import { type PostgresOptions, PostgresStore } from './postgres-store.ts';
import { RowKeys } from './row-keys.ts';
import { Rows } from './rows.ts';
import { LAYOUT, SCHEMA } from './schema.ts';
import { asPawlError, type DatabaseAddress, NoTables, ServerClient, SILENCE, whereReading } from './server-client.ts';
import { beginTransaction, commitAfter, commitAsRead, ROLLBACK } from './server-transaction.ts';
import { expectingOne } from './statement.ts';
import { Sweeps } from './sweeps.ts';
import { WorkingSet } from './working-set.ts';
import { holdsIn, sealChanges, sendPieces } from './writing.ts';

/** Any number that others do not take: two who make the tables at the same time would be in each other's way. */
const MAKING_TABLES = 0x7061776c;

const NOTHING = new Uint8Array(0);

interface CreateOptions {
  readonly random: Random;
  /** Our own clock, in unix milliseconds. */
  readonly now: () => number;
  /** How long others who make the same are waited for, in milliseconds. */
  readonly wait: number;
  /** The folder of the rollback marks. */
  readonly marks?: string | undefined;
  /** Is called when everything is written, and nothing is committed. If it throws, there is no identity. */
  readonly beforeCommit?: (() => void | Promise<void>) | undefined;
  /** The version of the schema; the newest by default. */
  readonly schema?: number;
}

/** What is to be told of an identity that was created. */
export interface Created {
  /** Why the mark could not be written, if so. */
  readonly trouble: string | undefined;
  /** Whether the server answers before a standby has what it commits: where that takes over, the last commits may be lost. */
  readonly mayLose: boolean;
}

export class PostgresDatabase {
  readonly #address: DatabaseAddress;
  readonly #wait: number;
  #client: ServerClient | undefined;

  /** @param wait for how long a server that has no connection left is waited for, in milliseconds. */
  constructor(address: DatabaseAddress, wait = 0) {
    this.#address = address;
    this.#wait = wait;
  }

  /** What the database is called in messages: `postgres://user@host/database`. It can be given as a home again. */
  get shown(): string {
    return this.#address.shown;
  }

  /**
   * The names of the identities, sorted.
   * @throws `read-failed`, `database-unreachable`, `busy`.
   */
  async names(): Promise<readonly string[]> {
    const rows = await this.#query('SELECT name FROM pawl.identities ORDER BY name COLLATE "C"');
    return rows.map(([name]) => String(name));
  }

  /**
   * The salt of an identity: 16 bytes, from which its key is derived; `undefined` where there is none of that name.
   * @throws `damaged`, `read-failed`, `database-unreachable`, `busy`.
   */
  async salt(name: string): Promise<Uint8Array | undefined> {
    const [[salt] = []] = await this.#query("SELECT encode(salt, 'hex') FROM pawl.identities WHERE name = $1", name);
    if (typeof salt !== 'string') return undefined;
    if (salt.length !== 2 * SALT_LENGTH) throw new PawlError('damaged', { path: this.shown });
    return fromHex(salt);
  }

  /**
   * Makes the tables, unless they are there.
   * @throws `read-failed`, `write-failed`, `database-unreachable`, `busy`.
   */
  async prepare(): Promise<void> {
    try {
      await makeTables(await this.#connected(), this.#wait);
    } catch (error) {
      throw asPawlError(this.shown, error);
    }
  }

  /**
   * Creates an identity, the tables where they are not there, and its mark. Never replaces one.
   * @throws `exists`, `read-failed`, `write-failed`, `database-unreachable`, `commit-unknown`, `busy`, and the errors of pawl that
   * `beforeCommit` throws.
   */
  create(lock: Lock, { name, ...identity }: NewIdentity, options: CreateOptions): Promise<Created> {
    const fill = async (set: WorkingSet) => {
      addIdentity(set, { ...identity, name });
      const { marks } = options;
      const mark = marks === undefined ? undefined : new Mark(marks, identity.identity.seed);
      return { generation: 0, mark, clockAhead: 0 };
    };
    return this.#insert(name, lock, fill, options);
  }

  /** The same, with all that another store of the identity has, under the same key. */
  createFrom(source: IdentityStore, lock: Lock, options: CreateOptions): Promise<Created> {
    const fill = (set: WorkingSet) => copyForElsewhere(source, set, options.marks);
    return this.#insert(source.name, lock, fill, options);
  }

  /**
   * Opens an identity. The store takes the connection over.
   * @throws see `PostgresStore.open`.
   */
  open(name: string, lock: Lock, options: PostgresOptions): Promise<PostgresStore> {
    const client = this.#client;
    this.#client = undefined;
    return PostgresStore.open(this.#address, name, lock, { ...options, client });
  }

  /** Closes the connection, unless a store has taken it over. */
  async close(): Promise<void> {
    await this.#client?.close();
    this.#client = undefined;
  }

  async #connected(wait = this.#wait): Promise<ServerClient> {
    if (this.#client === undefined || this.#client.isLost) {
      this.#client = await ServerClient.connect(this.#address, wait, this.#wait + SILENCE);
    }
    return this.#client;
  }

  /** Reads from the table of identities. No rows where it is not there. */
  async #query(text: string, ...values: readonly string[]): Promise<readonly (readonly unknown[])[]> {
    try {
      const client = await this.#connected();
      const [answer] = await client.run({ text, values });
      return answer?.rows ?? [];
    } catch (error) {
      if (error instanceof NoTables) return [];
      throw asPawlError(this.shown, whereReading(error));
    }
  }

  async #insert(
    name: string,
    lock: Lock,
    fill: (set: WorkingSet) => Promise<Departing>,
    { random, now, wait, beforeCommit, schema }: CreateOptions,
  ): Promise<Created> {
    const set = new WorkingSet(this.shown, schema);
    const keys = new RowKeys(lock, random);
    const commitId = random(COMMIT_ID_LENGTH);
    try {
      set.run('BEGIN');
      const { generation, mark, clockAhead } = await fill(set);
      const client = await this.#connected();
      await makeTables(client, wait);
      const { columns, server, readAt, hasStandbys } = await beginTransaction(client, name, { kind: 'writes', wait });
      try {
        if (columns !== undefined) throw new PawlError('exists', { path: this.shown });
        shiftClaims(set, readAt - now() - clockAhead);
        const id = await this.#insertIdentity(client, name, { salt: lock.salt, checkValue: keys.checkValue, commitId });
        const rows = new Rows(set, { identity: id, keys, roots: new Map(), read: async () => [] });
        // All rows are in the set.
        const bounds = generation > 0 ? new Sweeps(set, new Map()).after() : new Map();
        const sealing = { name, keys, commitId, generation, server, bounds, commits: new CommitIds() };
        const { statements, record } = sealChanges(set, rows, sealing);
        const update = expectingOne('UPDATE pawl.identities SET record = $2 WHERE id = $1');
        const updating = [...(await sendPieces(client, statements)), { text: update, values: [id, record] }];
        await client.run(...updating);
        await beforeCommit?.();
      } catch (error) {
        await client.run(ROLLBACK).catch(() => undefined);
        throw error;
      }
      const cause = await commitAfter(client, []);
      if (cause !== undefined) {
        const made = { name, salt: lock.salt };
        await lookUp({ path: this.shown, server, cause }, (left) => this.#find(made, Math.min(wait, left), left));
      }
      return {
        trouble: mark?.write(generation, { id: commitId, holds: holdsIn(set) }),
        mayLose: !hasStandbys || cause !== undefined,
      };
    } catch (error) {
      throw asPawlError(this.shown, error);
    } finally {
      set.close();
      keys.wipe();
    }
  }

  /** @returns the number of the identity. */
  async #insertIdentity(
    client: ServerClient,
    name: string,
    { salt, checkValue, commitId }: Readonly<Record<'salt' | 'checkValue' | 'commitId', Uint8Array>>,
  ): Promise<string> {
    const [inserted] = await client.run({
      text: `
INSERT INTO pawl.identities (layout, name, salt, check_value, commit_id, record)
VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING RETURNING id::text`,
      values: [LAYOUT, name, salt, checkValue, commitId, NOTHING],
    });
    const [id] = inserted?.rows[0] ?? [];
    if (typeof id !== 'string') throw new PawlError('exists', { path: this.shown });
    return id;
  }

  /**
   * @returns what is found of an identity whose COMMIT was not answered. One of the same name waits until the transaction that
   * made it has ended. It may have been written to since.
   */
  async #find({ name, salt }: Made, wait: number, left: number): Promise<Found | undefined> {
    const client = await this.#connected(wait);
    return client.within(left, async () => {
      const beginning = await beginTransaction(client, name, { kind: 'writes', wait });
      const { server } = beginning;
      try {
        if (beginning.salt === undefined) {
          const commitId = new Uint8Array(COMMIT_ID_LENGTH);
          await this.#insertIdentity(client, name, { salt, checkValue: commitId, commitId });
          return { isMade: false, server };
        }
        if (!equal(beginning.salt, salt)) return { isMade: undefined, server };
        return (await commitAsRead(client, name, beginning)) ? { isMade: true, server } : undefined;
      } finally {
        await client.run(ROLLBACK).catch(() => undefined);
      }
    });
  }
}

/** An identity that is to be committed. */
interface Made {
  readonly name: string;
  readonly salt: Uint8Array;
}

async function hasTables(client: ServerClient): Promise<boolean> {
  const [answer] = await client.run({ text: "SELECT to_regclass('pawl.rows') IS NOT NULL", values: [] });
  return answer?.rows[0]?.[0] === true;
}

/**
 * Who may not make tables can use those that are there.
 * @param wait for others who make them, in milliseconds.
 */
async function makeTables(client: ServerClient, wait: number): Promise<void> {
  if (await hasTables(client)) return;
  try {
    await client.execute(
      `BEGIN; SET LOCAL lock_timeout = ${Math.max(1, Math.round(wait))}; SELECT pg_advisory_xact_lock(${MAKING_TABLES}); ${SCHEMA} COMMIT`,
    );
  } catch (error) {
    await client.run(ROLLBACK).catch(() => undefined);
    throw error;
  }
}
