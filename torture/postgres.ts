/**
 * The PostgreSQL of the system, with clusters of their own on sockets in folders that go afterwards, and databases in them
 * that are copied quickly. Knows nothing of what is in them.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RemoteHome } from './box.ts';

const DEBIAN = '/usr/lib/postgresql';
const FOLDERS = existsSync(DEBIAN) ? readdirSync(DEBIAN).map((version) => join(DEBIAN, version, 'bin')) : [];
const PROGRAMS = FOLDERS.filter((folder) => existsSync(join(folder, 'initdb'))).at(-1);

/** PostgreSQL refuses to run as root. */
const isRoot = process.getuid?.() === 0;
const USER = isRoot ? userNamed('postgres') : undefined;
/** Who may do everything, and who owns the databases. */
const SUPERUSER = 'postgres';
export const OWNER = 'owner';
const PORT = 5_432;
/** For how long a server is waited for that starts, in seconds. */
const START_TIME = 60;

/** A server that may forget at a power cut is much faster, and a process that is killed is no power cut. */
const FAST = ['fsync=off', 'full_page_writes=off', 'max_wal_size=256MB', 'autovacuum=off'];

const IN_MEMORY = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

let databases = 0;

export class PostgresServer {
  /** Whether there is one on this machine. */
  static readonly isHere = PROGRAMS !== undefined && !(isRoot && USER === undefined);
  static readonly #running = new Set<PostgresServer>();
  readonly folder: string;
  readonly port = PORT;
  readonly #settings: readonly string[];
  readonly #standbys: PostgresServer[] = [];

  /** Starts one: see the constructor. @returns `undefined` where there is none on this machine. */
  static start(settings?: readonly string[], parent?: string): PostgresServer | undefined {
    return PostgresServer.isHere ? new PostgresServer(settings, parent) : undefined;
  }

  static removeAll(): void {
    for (const server of PostgresServer.#running) server.remove();
  }

  /**
   * Starts one.
   * @param settings `name=value`.
   * @param parent the folder that its own is made in: in memory where possible, unless given.
   * @param primary the server that it follows as a standby, from what that has now.
   */
  constructor(settings: readonly string[] = [], parent = IN_MEMORY, primary?: PostgresServer) {
    this.folder = mkdtempSync(join(parent, 'pawl-postgres-'));
    this.#settings = [...FAST, ...settings];
    if (USER !== undefined) chownSync(this.folder, USER.uid, USER.gid);
    chmodSync(this.folder, 0o755);
    PostgresServer.#running.add(this);
    if (primary === undefined) {
      this.#run('initdb', '-D', this.data, '-U', SUPERUSER, '-A', 'trust', '-E', 'UTF8', '-N', '--no-instructions');
      this.start();
      this.sql(`CREATE ROLE ${OWNER} LOGIN`);
    } else {
      const from = ['-h', primary.folder, '-p', `${PORT}`, '-U', SUPERUSER];
      this.#run('pg_basebackup', ...from, '-D', this.data, '-R', '--checkpoint=fast', '-N');
      this.start();
      primary.#standbys.push(this);
    }
  }

  get data(): string {
    return join(this.folder, 'data');
  }

  /** The path of the socket. */
  get socket(): string {
    return join(this.folder, `.s.PGSQL.${PORT}`);
  }

  /** Starts it again, or with other settings as well. */
  start(settings: readonly string[] = []): void {
    this.#start('-w', settings);
  }

  #start(wait: '-w' | '-W', settings: readonly string[] = []): void {
    const all = [...this.#settings, ...settings].map((one) => `-c ${one}`);
    const options = [`-k ${this.folder}`, `-p ${PORT}`, "-c listen_addresses=''", ...all].join(' ');
    const log = join(this.folder, 'log');
    this.#run('pg_ctl', '-D', this.data, wait, '-t', `${START_TIME}`, '-s', '-l', log, '-o', options, 'start');
  }

  /** `immediate`: as a crash. */
  stop(mode: 'fast' | 'immediate'): void {
    spawnSync(join(PROGRAMS ?? '', 'pg_ctl'), ['-D', this.data, '-s', '-m', mode, 'stop'], { ...USER });
  }

  /** Crashes, and begins to start again. Does not wait for that. */
  crash(): void {
    this.stop('immediate');
    this.#start('-W');
  }

  /** A standby that follows it, from what it has now. It is removed with it. */
  standby(): PostgresServer {
    return new PostgresServer([], IN_MEMORY, this);
  }

  /** Waits until a standby has all that its primary has. */
  catchUp(primary: PostgresServer): void {
    const end = primary.sql('SELECT pg_current_wal_lsn()');
    this.#until(`SELECT pg_sleep(0.05), pg_last_wal_replay_lsn() >= '${end}'`, '|t');
  }

  /** Makes a standby the primary. */
  promote(): void {
    this.sql(`SELECT pg_promote(TRUE, ${START_TIME})`);
  }

  /** Runs SQL. @returns what it prints: a line a row, without the last line feed. */
  sql(text: string, database = 'postgres'): string {
    return this.#run('psql', ...this.#asking(text, database)).trimEnd();
  }

  /** Has SQL run while this process goes on. */
  begin(text: string): void {
    const psql = join(PROGRAMS ?? '', 'psql');
    spawn(psql, this.#asking(text, 'postgres'), { ...USER, cwd: this.folder, stdio: 'ignore' })
      .on('error', () => undefined)
      .unref();
  }

  #asking(text: string, database: string): readonly string[] {
    return ['-h', this.folder, '-p', `${PORT}`, '-U', SUPERUSER, '-d', database, '-qAtc', text];
  }

  /** Waits until it lets clients in, as after a crash of one of its processes. */
  untilReady(): void {
    this.#until('SELECT 1', '1');
  }

  /** Asks until that is the answer. @throws where it is not within the time of a start. */
  #until(question: string, expected: string): void {
    for (const end = performance.now() + START_TIME * 1_000; ; ) {
      let answer: unknown;
      try {
        answer = this.sql(question);
        if (answer === expected) return;
      } catch (error) {
        answer = error;
      }
      if (performance.now() > end) throw new Error(`${question}: ${answer} after ${START_TIME} s`);
    }
  }

  /**
   * An empty database, or a copy of one.
   * @param more clauses of CREATE DATABASE.
   */
  database(template = 'template0', more = ''): Database {
    const name = `pawl${++databases}`;
    // A killed process may have left its connection to the one that is copied.
    this.sql(`SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = '${template}'`);
    this.sql(`CREATE DATABASE ${name} TEMPLATE ${template} STRATEGY file_copy OWNER ${OWNER} ${more}`);
    return new Database(this, name);
  }

  /** The URI of a database, by another folder of the socket if need be. */
  uri(database: string, folder = this.folder): string {
    return `postgres://${OWNER}@/${database}?host=${encodeURIComponent(folder)}`;
  }

  /** What it has written into its log. */
  log(): string {
    return readFileSync(join(this.folder, 'log'), 'utf8');
  }

  /** Ends it without any care, and its standbys, and removes what they have stored. */
  remove(): void {
    PostgresServer.#running.delete(this);
    for (const standby of this.#standbys) standby.remove();
    this.stop('immediate');
    rmSync(this.folder, { recursive: true, force: true });
  }

  #run(program: string, ...parameters: readonly string[]): string {
    return execFileSync(join(PROGRAMS ?? '', program), parameters, {
      ...USER,
      cwd: this.folder,
      encoding: 'utf8',
      maxBuffer: 2 ** 26,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }
}

/** A home of identities that is copied and removed with its box. */
export class Database implements RemoteHome {
  readonly server: PostgresServer;
  readonly name: string;

  constructor(server: PostgresServer, name: string) {
    this.server = server;
    this.name = name;
  }

  get uri(): string {
    return this.server.uri(this.name);
  }

  copy(): Database {
    return this.server.database(this.name);
  }

  /** Waits for nothing: the server drops it once all its processes have looked up, also one that waits for us to read. */
  remove(): void {
    this.server.begin(`DROP DATABASE ${this.name} WITH (FORCE)`);
  }

  sql(text: string): string {
    return this.server.sql(text, this.name);
  }
}

process.on('exit', () => PostgresServer.removeAll());

function userNamed(name: string): { readonly uid: number; readonly gid: number } | undefined {
  const [uid, gid] = ['-u', '-g'].map((option) =>
    Number.parseInt(spawnSync('id', [option, name]).stdout.toString(), 10),
  );
  return uid === undefined || gid === undefined || Number.isNaN(uid) ? undefined : { uid, gid };
}
