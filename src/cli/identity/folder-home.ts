/**
 * A folder of identity files, and what goes with files: a folder that is made, others who can get at it, a name that does
 * not fit.
 * Knows nothing of how a key is obtained.
 */
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { PawlError } from '../../errors.ts';
import { inodeAt, reasonOf } from '../../files/index.ts';
import { checkName, isName } from '../../session/index.ts';
import {
  type Created,
  createIdentityFile,
  createIdentityFileFrom,
  type IdentityStore,
  type Lock,
  type NewIdentity,
  openIdentityFile,
  readSalt,
  restoreIdentityFile,
  type SqliteStore,
} from '../../storage/index.ts';
import type { CommandContext } from '../context.ts';
import { keepOthersOut, warnOfOthers } from './exposure.ts';
import type { Home, IdentityPlace, OpenOptions, RestoreOptions } from './home.ts';
import { makeHome, marksOf } from './path.ts';

const SUFFIX = '.db';

export class FolderHome implements Home {
  readonly shown: string;
  readonly #context: CommandContext;

  /** @param folder its path, which need not exist. */
  constructor(context: CommandContext, folder: string) {
    this.shown = folder;
    this.#context = context;
  }

  async names(): Promise<readonly string[]> {
    const folder = this.shown;
    if (!existsSync(folder)) return [];
    try {
      return readdirSync(folder)
        .filter((file) => file.endsWith(SUFFIX))
        .map((file) => file.slice(0, -SUFFIX.length))
        .filter(isName)
        .sort();
    } catch (cause) {
      throw new PawlError('read-failed', { path: folder, reason: reasonOf(cause) }, { cause });
    }
  }

  at(name: string): FilePlace {
    return new FilePlace(this.#context, this.shown, name);
  }

  async restore<Result>(file: string, lock: Lock, { check, prepare }: RestoreOptions<Result>) {
    const context = this.#context;
    const restored = await restoreIdentityFile(file, lock, {
      ...openOptions(context),
      placeOf: (name) => {
        check(name);
        const { path } = this.at(name);
        if (existsSync(path) && inodeAt(path) === inodeAt(file)) throw inPlaceAlready(name);
        makeHome(context, this.shown);
        return path;
      },
      prepare: async (store) => ({ result: await prepare(store), trouble: store.markTrouble }),
    });
    await warnOfOthers(context, this.shown);
    return restored;
  }

  async close(): Promise<void> {}
}

/** An identity file, or where one would be. */
class FilePlace implements IdentityPlace {
  readonly name: string;
  readonly path: string;
  readonly #context: CommandContext;
  readonly #folder: string;

  constructor(context: CommandContext, folder: string, name: string) {
    this.name = checkName(name);
    this.path = join(folder, name + SUFFIX);
    this.#context = context;
    this.#folder = folder;
  }

  get title(): string {
    return this.path;
  }

  async exists(): Promise<boolean> {
    return existsSync(this.path);
  }

  async salt(): Promise<Uint8Array> {
    return readSalt(this.path);
  }

  async create(lock: Lock, record: NewIdentity, beforeNamed: () => void): Promise<Created> {
    await this.prepare();
    const trouble = createIdentityFile(this.path, lock, record, { marks: marksOf(this.#context).folder, beforeNamed });
    return { trouble, mayLose: false };
  }

  async createFrom(source: IdentityStore, lock: Lock, beforeMade: () => Promise<void>): Promise<Created> {
    const marks = marksOf(this.#context).folder;
    const trouble = await createIdentityFileFrom(this.path, source, lock, { marks, beforeMade });
    return { trouble, mayLose: false };
  }

  async open(lock: Lock, { peeks }: OpenOptions): Promise<SqliteStore> {
    const { progress } = this.#context.reporter;
    const store = openIdentityFile(this.path, lock, {
      ...openOptions(this.#context),
      whileBusy: (wait) => progress.whileBlocked(`waiting for another pawl that uses ${this.name}`, wait),
    });
    try {
      if (!peeks) {
        await keepOthersOut(this.#context, store);
        await warnOfOthers(this.#context, this.#folder, dirname(store.file));
      }
      if (store.name !== this.name) throw new PawlError('misplaced', { path: this.path, name: store.name });
      return store;
    } catch (error) {
      store.close();
      throw error;
    }
  }

  async prepare(): Promise<void> {
    makeHome(this.#context, this.#folder);
    await warnOfOthers(this.#context, this.#folder);
  }
}

function openOptions(context: CommandContext) {
  return { wait: context.options.wait * 1_000, marks: marksOf(context).folder };
}

function inPlaceAlready(name: string): PawlError {
  return new PawlError('usage', {
    problem: 'this file is in its place already',
    hint: `go on with it: pawl -i ${name} --after-restore inspect`,
  });
}
