/**
 * Creates, opens and rekeys identity files. It is the only file of the command line that imports storage.
 * Knows nothing of what a command does with an open identity.
 */
import { chmodSync, existsSync, statSync } from 'node:fs';
import { PawlError } from '../../errors.ts';
import { codeOf, inodeAt, makeFolder, reasonOf } from '../../files/index.ts';
import {
  type Context,
  goOnAfterRestore,
  type HeldContact,
  heldContacts,
  historySettingFor,
  newIdentity,
  type Retention,
} from '../../session/index.ts';
import {
  createIdentityFile,
  deriveFileKey,
  type FileKey,
  openIdentityFile,
  readSalt,
  restoreIdentityFile,
  SALT_LENGTH,
  type SqliteStore,
} from '../../storage/index.ts';
import type { CommandContext } from '../context.ts';
import { explain } from '../terminal/error-messages.ts';
import { keySourceOf } from './key-source.ts';
import { chosenIdentity, homeOf, type Marks, marksOf, pathOf } from './path.ts';
import { createKeyFile, type Secret, secretFor } from './secret.ts';

/** An identity whose file is open: the context of the session functions, and the store itself. */
export interface OpenIdentity extends Context {
  readonly store: SqliteStore;
  readonly name: string;
  readonly path: string;
}

/**
 * Opens the identity file that the command uses. A file that is not known to be the newest copy is opened only for
 * reading, unless `--after-restore` or `--moved` says what it is.
 */
async function unlock(context: CommandContext, purpose: 'reads' | 'writes'): Promise<OpenIdentity> {
  const { io, options, reporter } = context;
  const { name, path } = chosenIdentity(context);
  await restrictMode(context, path);
  const salt = readSalt(path);
  // Asking and deriving take time. They come before the file is opened, so that other commands need not wait for them.
  const key = await fileKeyFrom(context, await secretFor(context, path), salt);
  const marks = marksOf(context);
  const store = openIdentityFile(
    path,
    { key, salt },
    {
      wait: options.wait * 1_000,
      ...(marks.folder !== undefined && { marks: marks.folder }),
      whileBusy: (wait) => reporter.progress.whileBlocked(`waiting for another pawl that uses ${name}`, wait),
    },
  );
  try {
    if (store.name !== name) throw new PawlError('misplaced', { path, name: store.name });
    const { random, now, isRunning } = io;
    const process = io.process();
    const identity = { store, random, now, process, isRunning, name, path };
    if (options.afterRestore) await goOnAfterRestore(identity);
    else if (store.standing === 'unmarked' && options.moved) store.mark();
    else if (store.standing !== 'current') {
      const error = new PawlError(store.standing, { path });
      if (purpose === 'writes') throw error;
      await reporter.warn(explain(error).message);
    }
    await tellOfMarks(context, marks, store.markTrouble);
    return identity;
  } catch (error) {
    store.close();
    throw error;
  }
}

/**
 * Opens the identity file that the command uses, runs `work` on it, and closes it, also after an error.
 * @param purpose `'reads'` also accepts a file that was rolled back or is unmarked, with a warning.
 * @throws what choosing the identity, reading the key, opening the file, and `work` throw; `misplaced`, `rolled-back`, `unmarked`.
 */
export async function withIdentity<Result>(
  context: CommandContext,
  work: (identity: OpenIdentity) => Promise<Result>,
  purpose: 'reads' | 'writes' = 'writes',
): Promise<Result> {
  const identity = await unlock(context, purpose);
  const { store } = identity;
  const troubleBefore = store.markTrouble;
  try {
    return await work(identity);
  } finally {
    store.close();
    if (store.markTrouble !== troubleBefore) await warnOfMark(context, store.markTrouble);
  }
}

/** Says so where nothing would notice that the identity file is restored. */
async function tellOfMarks(context: CommandContext, marks: Marks, trouble: string | undefined): Promise<void> {
  if (marks.folder === undefined) {
    const words = `no mark is kept (${marks.why}): pawl would not notice a restored identity file`;
    await (marks.isChosen ? context.reporter.notice(words) : context.reporter.warn(words));
  } else await warnOfMark(context, trouble);
}

async function warnOfMark({ reporter }: CommandContext, trouble: string | undefined): Promise<void> {
  if (trouble === undefined) return;
  await reporter.warn(
    `the mark of the identity file cannot be read or written (${trouble}): pawl would not notice a restored file`,
  );
}

/**
 * Encrypts the identity file under another passphrase or key, with a new salt, and closes it. Copies made earlier still
 * open with the old one.
 * @throws what `SqliteStore.rekey` throws.
 */
export async function changeSecret(context: CommandContext, { store }: OpenIdentity, secret: Secret): Promise<void> {
  const salt = context.io.random(SALT_LENGTH);
  store.rekey({ key: await fileKeyFrom(context, secret, salt), salt });
}

/**
 * Creates an identity and its file. With `--key-file`, also creates the key file if it does not exist.
 * @throws `exists`, `cannot-create`, and what `secretFor` throws.
 */
export async function createIdentity(
  context: CommandContext,
  name: string,
  history: Retention,
): Promise<{ path: string; fingerprint: string }> {
  const { io } = context;
  const path = pathOf(context, name);
  if (existsSync(path)) throw new PawlError('exists', { path });
  const source = keySourceOf(context);
  if (source.kind === 'key-file') createKeyFile(context, source.path);
  const secret = await secretFor(context, path, true);
  makeHome(homeOf(context));
  const salt = io.random(SALT_LENGTH);
  const key = await fileKeyFrom(context, secret, salt);
  const { identity, fingerprint } = newIdentity(io.random);
  const now = io.now();
  const marks = marksOf(context);
  const trouble = createIdentityFile(
    path,
    { salt, key },
    { name, identity, createdAt: now, historySetting: historySettingFor(history, now) },
    marks.folder,
  );
  await tellOfMarks(context, marks, trouble);
  return { path, fingerprint };
}

/**
 * Puts a backup in its place as an identity file, with every session held.
 * @param file the path of the backup.
 * @param name the only name that the identity may have, if given.
 * @returns the contacts that nothing can be sent to yet.
 * @throws what opening a file throws, for the backup; `exists`, `cannot-create`; `usage` for another name, and for a file
 * that is in its place already.
 */
export async function restoreIdentity(
  context: CommandContext,
  file: string,
  name?: string,
): Promise<{ name: string; path: string; held: readonly HeldContact[] }> {
  const { io, options } = context;
  const home = homeOf(context);
  const salt = readSalt(file);
  const key = await fileKeyFrom(context, await secretFor(context, file), salt);
  const marks = marksOf(context);
  makeHome(home);
  const {
    name: found,
    held,
    trouble,
  } = await restoreIdentityFile(
    file,
    { key, salt },
    {
      wait: options.wait * 1_000,
      ...(marks.folder !== undefined && { marks: marks.folder }),
      placeOf: (own) => {
        if (name !== undefined && name !== own) throw holdsAnother(file, own);
        const path = pathOf(context, own);
        if (existsSync(path) && inodeAt(path) === inodeAt(file)) throw inPlaceAlready(own);
        return path;
      },
      prepare: async (store) => {
        const { random, now, isRunning } = io;
        const identity = { store, random, now, process: io.process(), isRunning };
        await goOnAfterRestore(identity);
        return { name: store.name, held: await heldContacts(identity), trouble: store.markTrouble };
      },
    },
  );
  await tellOfMarks(context, marks, trouble);
  return { name: found, path: pathOf(context, found), held };
}

function holdsAnother(file: string, name: string): PawlError {
  return new PawlError('usage', {
    problem: `${file} holds the identity ${name}, which keeps its name`,
    hint: `pawl restore ${file} ${name}`,
  });
}

function inPlaceAlready(name: string): PawlError {
  return new PawlError('usage', {
    problem: 'this file is in its place already',
    hint: `go on with it: pawl -i ${name} --after-restore inspect`,
  });
}

async function fileKeyFrom({ reporter }: CommandContext, secret: Secret, salt: Uint8Array): Promise<FileKey> {
  if (secret.kind === 'key') return secret.bytes as FileKey;
  // The time that the person took to type the passphrase does not count as waiting.
  reporter.progress.clear();
  const key = await reporter.progress.during('deriving the key from the passphrase', deriveFileKey(secret.bytes, salt));
  secret.bytes.fill(0);
  return key;
}

/** Makes the identity file accessible to its owner only. If that fails, it warns. */
async function restrictMode({ reporter }: CommandContext, path: string): Promise<void> {
  const { mode } = statSync(path);
  if ((mode & 0o077) === 0) return;
  try {
    chmodSync(path, 0o600);
    await reporter.warn(`${path} could be read by others: its mode is 0600 now`);
  } catch {
    await reporter.warn(`${path} can be read by others, and its mode cannot be changed`);
  }
}

function makeHome(home: string): void {
  try {
    makeFolder(home);
  } catch (cause) {
    // Another pawl has created it in the meantime.
    if (codeOf(cause) === 'EEXIST') return;
    throw new PawlError('cannot-create', { path: home, reason: reasonOf(cause) }, { cause });
  }
}
