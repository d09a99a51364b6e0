/**
 * Where identities are kept, in a folder of files or in a database, and which of them a command uses.
 * What differs in use is behind `Home`; messages ask `isDatabase` for their words.
 */
import { PawlError } from '../../errors.ts';
import type { Created, IdentityStore, Lock, NewIdentity } from '../../storage/index.ts';
import type { CommandContext } from '../context.ts';
import { isDatabase } from '../terminal/format.ts';
import { homeOf, namedIdentity } from './path.ts';

export interface Home {
  /** What it is called in messages: without a password. */
  readonly shown: string;
  /**
   * The names of the identities, sorted; none where nothing was made yet.
   * @throws `read-failed`, `database-unreachable`, `busy`.
   */
  names(): Promise<readonly string[]>;
  /**
   * The place of the identity of that name, whether or not there is one.
   * @throws `bad-name`.
   */
  at(name: string): IdentityPlace;
  /**
   * Puts the identity that a backup holds in its place.
   * @param file the path of the backup.
   * @param lock the key and salt of the backup, which the identity keeps.
   * @param options.check is given its name, and throws where it may not be put there.
   * @param options.prepare works on it before it has its name.
   * @throws what opening the backup throws; `exists`, `cannot-create`; `usage` for a file that is in its place already.
   */
  restore<Result>(file: string, lock: Lock, options: RestoreOptions<Result>): Promise<Restored<Result>>;
  close(): Promise<void>;
}

export interface RestoreOptions<Result> {
  readonly check: (name: string) => void;
  readonly prepare: (store: IdentityStore) => Promise<Result>;
}

export interface Restored<Result> {
  /** Of `prepare`. */
  readonly result: Result;
  /** Why the mark could not be written, if so. */
  readonly trouble: string | undefined;
}

/** Where an identity is, or can be made. */
export interface IdentityPlace {
  readonly name: string;
  /** What results and messages call it: the path of a file, or the address of a database. */
  readonly path: string;
  /** The same where others of the database could be meant: in a question, and where the key does not fit. */
  readonly title: string;
  exists(): Promise<boolean>;
  /**
   * The salt that its key is derived with: 16 bytes. The first call after `exists` may give what that has read; any
   * other reads it anew, as the key may be changed meanwhile.
   * @throws `not-an-identity`, `damaged`, `read-failed`, `database-unreachable`, `busy`.
   */
  salt(): Promise<Uint8Array>;
  /**
   * Makes the identity, and its mark. Never replaces one.
   * @param beforeNamed is called when it is written, and has not got its name yet. If it throws, there is no identity.
   * @throws `exists`, `cannot-create`, `read-failed`, `write-failed`, `database-unreachable`, `commit-unknown`, `busy`, and
   * the errors of pawl that `beforeNamed` throws.
   */
  create(lock: Lock, record: NewIdentity, beforeNamed: () => void): Promise<Created>;
  /**
   * Makes what is to hold the identity: the folder, or the tables.
   * @throws `cannot-create`, `write-failed`, `read-failed`, `database-unreachable`, `busy`.
   */
  prepare(): Promise<void>;
  /**
   * Makes the identity with all that another store of the identity has, under the same key.
   * @param beforeMade is called just before there is one. If it throws, there is none.
   * @throws `exists`, `cannot-create`, `read-failed`, `write-failed`, `database-unreachable`, `commit-unknown`, `busy`, and what
   * `beforeMade` throws.
   */
  createFrom(source: IdentityStore, lock: Lock, beforeMade: () => Promise<void>): Promise<Created>;
  /**
   * Opens the identity.
   * @param options.peeks whether nobody has asked for it: nothing is told, and nothing is mended.
   * @param options.onlyLooks whether nothing is done about what is read.
   * @throws `wrong-passphrase`, `replaced`, `misplaced`, and what else opening the store throws.
   */
  open(lock: Lock, options: OpenOptions): Promise<IdentityStore>;
}

export interface OpenOptions {
  readonly peeks: boolean;
  readonly onlyLooks: boolean;
}

/**
 * Opens the home that the command line or the environment gives, runs `work`, and closes it. The code for a database is
 * loaded for one only.
 * @throws `no-home`; for the URL of a database that cannot be used, `usage`, `exposed-key`, `missing-file`, `read-failed`;
 * what `work` throws.
 */
export async function withHome<Result>(
  context: CommandContext,
  work: (home: Home) => Promise<Result>,
): Promise<Result> {
  const home = await openHome(context, homeOf(context));
  try {
    return await work(home);
  } finally {
    await home.close();
  }
}

async function openHome(context: CommandContext, home: string): Promise<Home> {
  if (isDatabase(home)) {
    const { DatabaseHome } = await import('./database-home.ts');
    return DatabaseHome.at(context, home);
  }
  const { FolderHome } = await import('./folder-home.ts');
  return new FolderHome(context, home);
}

/**
 * The identity that the command uses: `-i`, else `PAWL_IDENTITY`, else the only one there.
 * @throws `bad-name`, `identity-missing`, `no-identity`, `several-identities`, and what `Home.names` throws.
 */
export async function chosenIdentity(context: CommandContext, home: Home): Promise<IdentityPlace> {
  const chosen = namedIdentity(context);
  if (chosen !== undefined) {
    const place = home.at(chosen);
    if (await place.exists()) return place;
    throw new PawlError('identity-missing', { name: chosen, home: home.shown, known: await home.names() });
  }
  const names = await home.names();
  const [name] = names;
  if (name === undefined) throw new PawlError('no-identity', { home: home.shown });
  if (names.length > 1) throw new PawlError('several-identities', { names });
  return home.at(name);
}

/** How long somebody at a Tab waits for a server, in milliseconds. */
const PEEK_TIME = 2_000;

/**
 * Waits for `work`, which nobody has asked for, and not for long.
 * @throws `busy` when the time is over; what `work` throws.
 */
export async function inPeekTime<Result>(work: Promise<Result>): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new PawlError('busy', { path: 'the server' })), PEEK_TIME);
  });
  try {
    return await Promise.race([work, over]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * The names of the identities, for what nobody has asked for.
 * @throws `no-home`, `busy` where they cannot be had soon, and what `Home.names` throws.
 */
export function peekNames(context: CommandContext): Promise<readonly string[]> {
  return inPeekTime(withHome(context, (home) => home.names()));
}
