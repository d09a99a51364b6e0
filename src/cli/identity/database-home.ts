/**
 * The identities in a PostgreSQL database.
 * Loaded for them only. Knows no SQL, and nothing of how a key is obtained.
 */
import { join } from 'node:path';
import { PawlError } from '../../errors.ts';
import { ScratchFolder } from '../../files/index.ts';
import { checkName } from '../../session/index.ts';
import {
  type Created,
  type IdentityStore,
  type Lock,
  type NewIdentity,
  openIdentityFile,
  type PostgresDatabase,
  postgresAt,
  restoreIdentityFile,
} from '../../storage/index.ts';
import type { CommandContext } from '../context.ts';
import type { Home, IdentityPlace, OpenOptions, RestoreOptions } from './home.ts';
import { marksOf } from './path.ts';

export class DatabaseHome implements Home {
  readonly #context: CommandContext;
  readonly #database: PostgresDatabase;

  private constructor(context: CommandContext, database: PostgresDatabase) {
    this.#context = context;
    this.#database = database;
  }

  /**
   * Connects to nothing yet.
   * @param url may have a password in it where it does not come from the command line, which every user can read.
   * @throws `usage`, `exposed-key`, `missing-file`, `read-failed`.
   */
  static async at(context: CommandContext, url: string): Promise<DatabaseHome> {
    const { io, options } = context;
    const from = { environment: io.environment, home: io.home, isArgument: options.home !== undefined };
    const database = await postgresAt(url, from, options.wait * 1_000);
    return new DatabaseHome(context, database);
  }

  get shown(): string {
    return this.#database.shown;
  }

  names(): Promise<readonly string[]> {
    return waiting(this.#context, this.#database, this.#database.names());
  }

  at(name: string): DatabasePlace {
    return new DatabasePlace(this.#context, this.#database, name);
  }

  /** It is prepared as a file in a folder that goes. */
  async restore<Result>(file: string, lock: Lock, { check, prepare }: RestoreOptions<Result>) {
    const { io, options } = this.#context;
    const scratch = new ScratchFolder(io.environment.XDG_RUNTIME_DIR);
    const wait = options.wait * 1_000;
    try {
      const { name, result } = await restoreIdentityFile(file, lock, {
        wait,
        placeOf: (own) => {
          check(own);
          return join(scratch.path, own);
        },
        prepare: async (store) => ({ name: store.name, result: await prepare(store) }),
      });
      const copy = openIdentityFile(join(scratch.path, name), lock, { wait });
      try {
        const { trouble } = await this.at(name).createFrom(copy, lock);
        return { result, trouble };
      } finally {
        copy.close();
      }
    } finally {
      scratch.remove();
    }
  }

  close(): Promise<void> {
    return this.#database.close();
  }
}

/** An identity in a database, or where one would be. */
class DatabasePlace implements IdentityPlace {
  readonly name: string;
  readonly #context: CommandContext;
  readonly #database: PostgresDatabase;
  /** What `exists` has read, for the first who asks. */
  #salt: Uint8Array | undefined;

  constructor(context: CommandContext, database: PostgresDatabase, name: string) {
    this.name = checkName(name);
    this.#context = context;
    this.#database = database;
  }

  get path(): string {
    return this.#database.shown;
  }

  get title(): string {
    return `${this.name} in ${this.path}`;
  }

  async exists(): Promise<boolean> {
    this.#salt = await this.#waiting(this.#database.salt(this.name));
    return this.#salt !== undefined;
  }

  async salt(): Promise<Uint8Array> {
    const salt = this.#salt ?? (await this.#waiting(this.#database.salt(this.name)));
    this.#salt = undefined;
    if (salt === undefined) throw new PawlError('not-an-identity', { path: this.title });
    return salt;
  }

  create(lock: Lock, record: NewIdentity, beforeCommit: () => void): Promise<Created> {
    return this.#waiting(this.#database.create(lock, record, { ...this.#storeOptions, beforeCommit }));
  }

  prepare(): Promise<void> {
    return this.#waiting(this.#database.prepare());
  }

  createFrom(source: IdentityStore, lock: Lock, beforeCommit?: () => Promise<void>): Promise<Created> {
    return this.#waiting(this.#database.createFrom(source, lock, { ...this.#storeOptions, beforeCommit }));
  }

  open(lock: Lock, { onlyLooks }: OpenOptions): Promise<IdentityStore> {
    const whileWaiting = <Result>(work: Promise<Result>) => this.#waiting(work);
    return whileWaiting(this.#database.open(this.name, lock, { ...this.#storeOptions, onlyLooks, whileWaiting }));
  }

  get #storeOptions() {
    const { io, options } = this.#context;
    return { wait: options.wait * 1_000, random: io.random, now: io.now, marks: marksOf(this.#context).folder };
  }

  #waiting<Result>(work: Promise<Result>): Promise<Result> {
    return waiting(this.#context, this.#database, work);
  }
}

/** Tells a person on a terminal what is waited for, if that takes long. */
function waiting<Result>({ reporter }: CommandContext, { shown }: PostgresDatabase, work: Promise<Result>) {
  return reporter.progress.during(`waiting for ${shown}`, work);
}
