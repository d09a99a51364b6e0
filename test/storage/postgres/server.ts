/**
 * Starts the PostgreSQL of the system, with a cluster of its own, on a socket in a folder that goes afterwards.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, vi } from 'vitest';
import { systemRandom as random } from '../../../src/primitives/index.ts';
import type { SessionStore, Transaction } from '../../../src/session/store.ts';
import { PostgresDatabase } from '../../../src/storage/postgres/database.ts';
import { type PostgresOptions, PostgresStore } from '../../../src/storage/postgres/postgres-store.ts';
import type { DatabaseAddress } from '../../../src/storage/postgres/server-client.ts';
import { Queue } from '../../../src/storage/queue.ts';
import { addContact, record } from '../fixtures.ts';
import { LOCK } from '../folder.ts';

const DEBIAN = '/usr/lib/postgresql';
const FOLDERS = existsSync(DEBIAN) ? readdirSync(DEBIAN).map((version) => join(DEBIAN, version, 'bin')) : [];
const PROGRAMS = FOLDERS.filter((folder) => existsSync(join(folder, 'initdb'))).at(-1);

/** PostgreSQL refuses to run as root. */
const USER = process.getuid?.() === 0 ? userNamed('postgres') : undefined;

/** Why tests with a server are left out. */
export const noServer =
  PROGRAMS === undefined || (process.getuid?.() === 0 && USER === undefined)
    ? 'there is no PostgreSQL here (apt-get install postgresql)'
    : undefined;

const NAME = 'owner';

export class PostgresServer {
  readonly folder = mkdtempSync(join(tmpdir(), 'pawl-postgres-'));
  readonly port = 5_432;

  /**
   * @param settings of the server, beside those that a test needs. A server that may forget at a power cut is much faster.
   * @param copied the server that it is a standby of.
   */
  constructor(settings: readonly string[] = ['fsync=off'], copied?: PostgresServer) {
    if (USER !== undefined) chownSync(this.folder, USER.uid, USER.gid);
    chmodSync(this.folder, 0o755);
    if (copied === undefined) this.#initialize();
    else
      this.#run(
        'pg_basebackup',
        '-h',
        copied.folder,
        '-p',
        `${this.port}`,
        '-U',
        NAME,
        '-D',
        this.data,
        '-R',
        '--checkpoint=fast',
      );
    this.start(settings);
  }

  #initialize(): void {
    this.#run('initdb', '-D', this.data, '-U', NAME, '-A', 'trust', '-E', 'UTF8', '--no-sync', '--no-instructions');
  }

  get data(): string {
    return join(this.folder, 'data');
  }

  /** Of its database. */
  get address(): DatabaseAddress {
    return { host: this.folder, port: this.port, user: NAME, database: 'postgres', shown: 'postgres:///postgres' };
  }

  start(settings: readonly string[] = []): void {
    const options = [
      `-k ${this.folder}`,
      `-p ${this.port}`,
      "-c listen_addresses=''",
      ...settings.map((one) => `-c ${one}`),
    ];
    this.#run('pg_ctl', '-D', this.data, '-w', '-s', '-l', join(this.folder, 'log'), '-o', options.join(' '), 'start');
  }

  /** Runs SQL, and returns what it prints: a line a row. */
  sql(text: string, database = 'postgres'): string {
    return this.#run('psql', '-h', this.folder, '-p', `${this.port}`, '-U', NAME, '-d', database, '-qAtc', text);
  }

  /** A standby that follows it. */
  standby(): PostgresServer {
    return new PostgresServer(['fsync=off'], this);
  }

  /** Waits until a standby has all that its primary has. */
  async caughtUp(primary: PostgresServer): Promise<void> {
    const end = primary.sql('SELECT pg_current_wal_lsn()').trim();
    await vi.waitFor(() => expect(this.sql(`SELECT pg_last_wal_replay_lsn() >= '${end}'`).trim()).toBe('t'), 30_000);
  }

  /** Makes a standby the primary. */
  promote(): void {
    this.sql('SELECT pg_promote(TRUE, 60)');
  }

  /** Becomes another server to those who know its timeline, with all that it has. */
  takeOver(): void {
    this.stop('fast');
    const signal = join(this.data, 'standby.signal');
    writeFileSync(signal, '');
    if (USER !== undefined) chownSync(signal, USER.uid, USER.gid);
    this.start(['fsync=off']);
    this.promote();
  }

  /** What it has written into its log. */
  log(): string {
    return readFileSync(join(this.folder, 'log'), 'utf8');
  }

  /** Ends it without any care, and removes what it has stored. */
  remove(): void {
    this.stop('immediate');
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** `immediate`: as a crash. */
  stop(mode: 'fast' | 'immediate'): void {
    spawnSync(join(PROGRAMS ?? '', 'pg_ctl'), ['-D', this.data, '-s', '-m', mode, 'stop'], { ...USER });
  }

  #run(program: string, ...parameters: readonly string[]): string {
    const path = join(PROGRAMS ?? '', program);
    return execFileSync(path, parameters, {
      ...USER,
      cwd: this.folder,
      encoding: 'utf8',
      maxBuffer: 2 ** 26,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }

  #stores = 0;

  /** Creates an identity of another name than all before. */
  async create(): Promise<string> {
    this.#stores += 1;
    const name = `bob${this.#stores}`;
    const database = new PostgresDatabase(this.address);
    await database.create(saltedLock(this.#stores), { ...record(), name }, { random, now: Date.now, wait: 5_000 });
    await database.close();
    return name;
  }

  /** Opens an identity that {@link create} has made. */
  open(name: string, options: Partial<PostgresOptions> = {}): Promise<PostgresStore> {
    const lock = saltedLock(Number(name.slice(3)));
    return PostgresStore.open(this.address, name, lock, { wait: 5_000, now: Date.now, random, ...options });
  }
}

/** No two identities of a database have the same salt. */
export function saltedLock(number: number) {
  const salt = LOCK.salt.slice();
  new DataView(salt.buffer).setUint32(0, number);
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

function userNamed(name: string): { readonly uid: number; readonly gid: number } | undefined {
  const [uid, gid] = ['-u', '-g'].map((option) =>
    Number.parseInt(spawnSync('id', [option, name]).stdout.toString(), 10),
  );
  return uid === undefined || gid === undefined || Number.isNaN(uid) ? undefined : { uid, gid };
}
