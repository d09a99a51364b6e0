/**
 * A PostgreSQL server for the tests of a file, and stores of identities in its database.
 */
import { chownSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemRandom as random } from '../../../src/primitives/index.ts';
import type { SessionStore, Transaction } from '../../../src/session/store.ts';
import { PostgresDatabase } from '../../../src/storage/postgres/database.ts';
import { type PostgresOptions, PostgresStore } from '../../../src/storage/postgres/postgres-store.ts';
import type { DatabaseAddress } from '../../../src/storage/postgres/server-client.ts';
import { Queue } from '../../../src/storage/queue.ts';
import { OWNER, PostgresServer as Server } from '../../../torture/postgres.ts';
import { addContact, record } from '../fixtures.ts';
import { LOCK } from '../folder.ts';

/** Why tests with a server are left out. */
export const noServer = Server.isHere ? undefined : 'there is no PostgreSQL here (apt-get install postgresql)';

/** With what a store is opened, and an identity created. */
export const OPTIONS = { wait: 5_000, now: Date.now, random };

const DATABASE = 'postgres';

export class PostgresServer extends Server {
  #stores = 0;

  /** @param settings see `Server`. */
  constructor(settings: readonly string[] = [], primary?: PostgresServer) {
    super(settings, tmpdir(), primary);
    if (primary === undefined) this.sql(`ALTER DATABASE ${DATABASE} OWNER TO ${OWNER}`);
  }

  /** Of its database. */
  get address(): DatabaseAddress {
    const { folder: host, port } = this;
    return { host, port, user: OWNER, database: DATABASE, shown: `postgres:///${DATABASE}` };
  }

  override standby(): PostgresServer {
    return new PostgresServer([], this);
  }

  /** Becomes another server to those who know its timeline, with all that it has. */
  takeOver(): void {
    this.stop('fast');
    const signal = join(this.data, 'standby.signal');
    const { uid, gid } = statSync(this.folder);
    writeFileSync(signal, '');
    chownSync(signal, uid, gid);
    this.start();
    this.promote();
  }

  /** Creates an identity of another name than all before. */
  async create(): Promise<string> {
    this.#stores += 1;
    const name = `bob${this.#stores}`;
    const database = new PostgresDatabase(this.address);
    await database.create(lockOf(name), { ...record(), name }, OPTIONS);
    await database.close();
    return name;
  }

  /** Opens an identity that {@link create} has made. @param address by which the server is reached. */
  open(name: string, options: Partial<PostgresOptions> = {}, address = this.address): Promise<PostgresStore> {
    return PostgresStore.open(address, name, lockOf(name), { ...OPTIONS, ...options });
  }
}

/** That of an identity that {@link PostgresServer.create} has made: no two of a database have the same salt. */
export function lockOf(name: string) {
  const salt = LOCK.salt.slice();
  new DataView(salt.buffer).setUint32(0, Number(name.slice(3)));
  return { key: LOCK.key, salt };
}

/** The names of the contacts. */
export async function names(view: Transaction): Promise<readonly string[]> {
  return (await view.contacts()).map(({ name }) => name);
}

/** Adds a contact in a unit of work. */
export function add(store: SessionStore, contact: string) {
  return store.transaction((transaction) => addContact(transaction, contact));
}

/** A store that is opened when it is first used; `anew`: for each unit of work, as by another machine each time. */
export class LaterStore implements SessionStore {
  readonly #server: PostgresServer;
  readonly #anew: boolean;
  readonly #name: Promise<string>;
  readonly #queue = new Queue();
  #store: Promise<PostgresStore> | undefined;

  constructor(server: PostgresServer, { anew = false } = {}) {
    this.#server = server;
    this.#anew = anew;
    this.#name = server.create();
  }

  transaction<Result>(work: (transaction: Transaction) => Promise<Result>): Promise<Result> {
    return this.#using((store) => store.transaction(work));
  }

  snapshot<Result>(work: (view: Transaction) => Promise<Result>): Promise<Result> {
    return this.#using((store) => store.snapshot(work));
  }

  async close(): Promise<void> {
    await (await this.#store)?.close();
  }

  /** In the order of the calls, as one store has it. */
  #using<Result>(work: (store: PostgresStore) => Promise<Result>): Promise<Result> {
    return this.#queue.run(async () => {
      if (!this.#anew) this.#store ??= this.#name.then((name) => this.#server.open(name));
      const store = await (this.#store ?? this.#server.open(await this.#name));
      try {
        return await work(store);
      } finally {
        if (this.#anew) await store.close();
      }
    });
  }
}
