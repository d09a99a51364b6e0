/**
 * One connection to a PostgreSQL server: statements that are sent without waiting for the answer to the one before, and
 * only errors of pawl's own. Knows no tables.
 */
import type { Socket } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import { Client } from 'pg';
import { isPawlError, PawlError } from '../../errors.ts';
import { codeOf } from '../../files/index.ts';
import { fromHex } from '../../primitives/index.ts';
import { reasonOfFailure } from './connect-failures.ts';
import type { Statement } from './statement.ts';

/** Where a database is, and who opens it. */
export interface DatabaseAddress {
  /** The name or number of the host, or the folder of its Unix socket. */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
  /** A function, so that nothing prints the password together with the address. `undefined`: there is none. */
  readonly password?: (() => string) | undefined;
  /** `undefined`: no TLS. Else there is no connection without it. */
  readonly tls?: ConnectionOptions | undefined;
  /** What the database is called in messages: without credentials. */
  readonly shown: string;
}

/** The answer to a statement: rows as lists. */
export interface Answer {
  readonly rows: readonly (readonly unknown[])[];
  /** The command that was run: a COMMIT of a transaction that had failed is answered by ROLLBACK. */
  readonly command: string;
  /**
   * Whether the server has said something beside: of a COMMIT, that no standby may have it. In which words, and how grave, it
   * says in its own language.
   */
  readonly isDoubtful: boolean;
}

/** How long a connection may take, in milliseconds. */
const CONNECT_TIME = 15_000;
/** Between two tries of it, in milliseconds. */
const CONNECT_PAUSE = 200;
/** How long a server may be silent that waits for nobody, in milliseconds. */
export const SILENCE = 30_000;
/** How long the server is waited for when the connection is closed, in milliseconds. */
const CLOSE_TIME = 1_000;
/** A connection that carries nothing is probed after so long, in milliseconds. */
const KEEP_ALIVE = 10_000;

/** The connection is gone, and what became of the statements that were not answered is not known. */
export class ConnectionLost extends Error {
  override readonly name = 'ConnectionLost';
}

/** Nobody has made the tables of pawl. */
export class NoTables extends Error {
  override readonly name = 'NoTables';
}

export class ServerClient {
  readonly #client: Client;
  readonly #address: DatabaseAddress;
  #isLost = false;
  /** So many statements are not answered. */
  #asked = 0;
  #notices = 0;

  private constructor(client: Client, address: DatabaseAddress) {
    this.#client = client;
    this.#address = address;
    // Without a listener, a connection that breaks while nothing is asked would end the process.
    client.on('error', () => {
      this.#isLost = true;
    });
    client.on('notice', () => {
      this.#notices += 1;
    });
  }

  /**
   * Connects, as soon as the server has a connection left.
   * @param wait for how long, in milliseconds.
   * @param patience a server that says nothing for so long, while it is asked something, is given up. In milliseconds.
   * @throws `database-unreachable`, `read-failed` where the server does not let us in, `busy` where it has no connection left.
   */
  static async connect(address: DatabaseAddress, wait = 0, patience = wait + SILENCE): Promise<ServerClient> {
    const end = performance.now() + wait;
    for (;;) {
      try {
        return await ServerClient.#connect(address, patience);
      } catch (error) {
        if (!isPawlError(error, 'busy') || performance.now() + CONNECT_PAUSE > end) throw error;
        await new Promise((resolve) => setTimeout(resolve, CONNECT_PAUSE));
      }
    }
  }

  static async #connect(address: DatabaseAddress, patience: number): Promise<ServerClient> {
    const { host, port, user, database, password = noPassword, tls } = address;
    const client = new Client({
      host,
      port,
      user,
      database,
      password,
      ssl: tls ?? false,
      sslnegotiation: 'postgres',
      enableChannelBinding: tls !== undefined,
      connectionTimeoutMillis: CONNECT_TIME,
      keepAlive: true,
      keepAliveInitialDelayMillis: KEEP_ALIVE,
      types: { getTypeParser: parserOf },
      // Statements are sent before those in front of them are answered. The types of the package do not know it.
      ...{ pipeline: true },
    });
    // Else the package adds what it finds in PGOPTIONS and other variables.
    Object.assign(client, { getStartupConf: () => ({ user, database, application_name: 'pawl' }) });
    const connected = new ServerClient(client, address);
    try {
      await client.connect();
    } catch (cause) {
      connected.#giveUp();
      throw connected.#translate(cause, 'connecting');
    }
    connected.#limitSilence(patience);
    return connected;
  }

  /** Whether statements can still be sent. */
  get isLost(): boolean {
    return this.#isLost;
  }

  /**
   * Sends statements one after the other without waiting, which takes one round trip.
   * @returns their answers.
   * @throws {ConnectionLost}; {NoTables}; the error of the first that the server refuses: `busy`, `write-failed`; an `Error` for a
   * statement that is a bug in pawl.
   */
  async run(...statements: readonly Statement[]): Promise<readonly Answer[]> {
    if (this.#isLost) throw new ConnectionLost('the connection to the server is lost');
    const answers = await Promise.allSettled(statements.map((statement) => this.#send(statement)));
    return answers.map((answer) => {
      if (answer.status === 'fulfilled') return answer.value;
      throw this.#translate(answer.reason, 'running');
    });
  }

  /** Gives the connection up where `work` on it takes longer than so many milliseconds: it fails then. */
  async within<Result>(time: number, work: () => Promise<Result>): Promise<Result> {
    const timer = setTimeout(() => this.#breakOff('it takes too long'), time);
    try {
      return await work();
    } finally {
      clearTimeout(timer);
    }
  }

  /** Runs any number of statements without parameters or results, in one transaction unless they have their own. */
  async execute(text: string): Promise<void> {
    try {
      await this.#answered(this.#client.query(text));
    } catch (error) {
      throw this.#translate(error, 'running');
    }
  }

  async #send({ text, values }: Statement): Promise<Answer> {
    const query = { text, values: [...values], rowMode: 'array' as const };
    const notices = this.#notices;
    const { rows, command } = await this.#answered(this.#client.query<unknown[]>(query));
    return { rows, command, isDoubtful: this.#notices > notices };
  }

  /** Waits for an answer, during which the server must not be silent. */
  async #answered<Result>(answer: Promise<Result>): Promise<Result> {
    this.#asked += 1;
    try {
      return await answer;
    } finally {
      this.#asked -= 1;
    }
  }

  /** Sending counts as well, as long as it gets on. */
  #limitSilence(time: number): void {
    const stream = socketOf(this.#client);
    stream.setTimeout(time, () => {
      if (this.#asked > 0) this.#breakOff(`it has not answered for ${Math.round(time / 1_000)} s`);
    });
  }

  /** Fails what is not answered. */
  #breakOff(why: string): void {
    this.#isLost = true;
    socketOf(this.#client).destroy(new Error(why));
  }

  /** Leaves nothing behind that would keep the process from ending. */
  #giveUp(): void {
    this.#isLost = true;
    socketOf(this.#client).destroy();
  }

  /** Closes the connection. A transaction that is open is rolled back by the server. */
  async close(): Promise<void> {
    const isLost = this.#isLost;
    this.#isLost = true;
    if (isLost) return this.#giveUp();
    const timer = setTimeout(() => this.#giveUp(), CLOSE_TIME);
    await this.#client.end().catch(() => undefined);
    clearTimeout(timer);
  }

  #translate(error: unknown, during: 'connecting' | 'running'): unknown {
    const path = this.#address.shown;
    const code = sqlStateOf(error);
    const reason = error instanceof Error ? error.message : String(error);
    if (code !== undefined) {
      const found = REFUSALS.find(({ states }) => states.test(code));
      const isBusy = found?.as === 'busy';
      if (during === 'connecting') {
        if (isBusy) return new PawlError('busy', { path }, { cause: error });
        return new PawlError('read-failed', { path, reason }, { cause: error });
      }
      if (found?.as === 'lost') {
        this.#giveUp();
        return new ConnectionLost(reason, { cause: error });
      }
      if (isBusy) return new PawlError('busy', { path }, { cause: error });
      if (found?.as === 'missing') return new NoTables(reason, { cause: error });
      if (found?.as === 'unwritable') {
        const why = code === DIVISION_BY_ZERO ? 'it does not write what it is given' : reason;
        return new PawlError('write-failed', { path, reason: why, isUndone: true }, { cause: error });
      }
      return new Error(`the database refused: ${reason}`, { cause: error });
    }
    this.#giveUp();
    if (during === 'connecting') {
      return new PawlError('database-unreachable', { path, reason: reasonOfFailure(error) }, { cause: error });
    }
    return new ConnectionLost(reason, { cause: error });
  }
}

/** The error of pawl that stands for one of a connection where no COMMIT was on its way. @param path what the database is called. */
export function asPawlError(path: string, error: unknown): unknown {
  if (error instanceof NoTables) return new PawlError('not-an-identity', { path }, { cause: error });
  if (!(error instanceof ConnectionLost)) return error;
  return new PawlError('database-unreachable', { path, reason: error.message }, { cause: error });
}

/** What is thrown in place of an error where nothing was to be written: `read-failed` for `write-failed`. */
export function whereReading(error: unknown): unknown {
  if (!isPawlError(error, 'write-failed')) return error;
  const { path, reason } = error.detail;
  return new PawlError('read-failed', { path, reason }, { cause: error });
}

/** Of a change of another number of rows than one: see `expectingOne`. */
const DIVISION_BY_ZERO = '22012';

/** What classes of errors mean (PostgreSQL, Appendix A). */
const REFUSALS: readonly { readonly states: RegExp; readonly as: 'busy' | 'lost' | 'missing' | 'unwritable' }[] = [
  // lock_not_available, query_canceled by a time limit, serialization and deadlock, too_many_connections, cannot_connect_now
  { states: /^(55P03|57014|40001|40P01|53300|57P03)$/, as: 'busy' },
  // connection exceptions; the server is shut down, or has ended a transaction that was silent for too long
  { states: /^(08...|57P01|57P02|57P05|25P03|25P04)$/, as: 'lost' },
  // undefined_table, invalid_schema_name
  { states: /^(42P01|3F000)$/, as: 'missing' },
  // read_only_sql_transaction; a standby; disk_full and other resources; insufficient_privilege; I/O errors; data and index corrupted
  { states: /^(25006|0A000|53...|42501|58...|XX00[12]|22012)$/, as: 'unwritable' },
];

/** The oids of types (pg_type.dat): the integers and floating point numbers that are read; bool; bytea. */
const NUMBERS = new Set([20, 21, 23, 701]);
const BOOL = 16;
const BYTEA = 17;

/** Reads a value of a type from its text: the package decodes no other format. Bytes are hexadecimal digits behind `\x`. */
function parserOf(oid: number): (text: string) => unknown {
  if (NUMBERS.has(oid)) return Number;
  if (oid === BOOL) return (text) => text === 't';
  if (oid === BYTEA) return (text) => fromHex(text.slice(2));
  return (text) => text;
}

/** The package looks for a password by itself where it is given none. */
function noPassword(): never {
  throw new Error('it asks for a password, and none is known: PGPASSWORD, or a line of ~/.pgpass, has one');
}

/** The package does not give out the socket. */
function socketOf(client: Client): Socket {
  return (client as unknown as { readonly connection: { readonly stream: Socket } }).connection.stream;
}

/** The SQLSTATE of an error that the server has reported; `undefined` for an error of the connection. */
function sqlStateOf(error: unknown): string | undefined {
  return error instanceof Error && 'severity' in error ? codeOf(error) : undefined;
}
