/**
 * Creates, opens and rekeys identity files. It is the only file of the command line that imports storage.
 * Knows nothing of what a command does with an open identity.
 */
import { existsSync } from 'node:fs';
import { isPawlError, PawlError } from '../../errors.ts';
import { inodeAt } from '../../files/index.ts';
import { wipe } from '../../primitives/index.ts';
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
  type Lock,
  loadArgon2,
  loadDatabase,
  openIdentityFile,
  readSalt,
  restoreIdentityFile,
  SALT_LENGTH,
  type SqliteStore,
} from '../../storage/index.ts';
import type { CommandContext } from '../context.ts';
import { explain } from '../terminal/error-messages.ts';
import type { Io } from '../terminal/io.ts';
import { keepOthersOut, warnOfOthers } from './exposure.ts';
import { isAsked, keySourceOf } from './key-source.ts';
import { formsToTry, oddityOf } from './passphrase.ts';
import { chosenIdentity, homeOf, type Marks, makeHome, marksOf, pathOf } from './path.ts';
import { type NewSecret, newSecretFor, type Secret, secretFor } from './secret.ts';

/**
 * What an identity is opened for. `reads`: a file that was rolled back or is unmarked is accepted, with a warning.
 * `peeks`: it is as well; nothing is told, and the mode of the file is left alone. That is for what nobody has asked for,
 * as completion.
 */
export type Purpose = 'writes' | 'reads' | 'peeks';

/**
 * Loads the native parts that opening or making the identity file takes: an installation that lacks one is told before
 * any input is read, or a secret asked.
 * @param isNewPassphrase whether a passphrase is needed whatever opens the file.
 * @throws `no-addon`, and what finding the source of the key throws.
 */
export async function loadNativeParts(context: CommandContext, { isNewPassphrase = false } = {}): Promise<void> {
  loadDatabase();
  if (isNewPassphrase || keySourceOf(context).kind !== 'key-file') await loadArgon2();
}

/** An identity whose file is open: the context of the session functions, and the store itself. */
export interface OpenIdentity extends Context {
  readonly store: SqliteStore;
  readonly name: string;
  readonly path: string;
  /** Closes the file, and overwrites its key. */
  close(): void;
}

/**
 * Opens the identity file that the command uses. A file that is not known to be the newest copy is opened only for
 * reading, unless `--after-restore` or `--moved` says what it is.
 */
async function unlock(context: CommandContext, purpose: Purpose): Promise<OpenIdentity> {
  const { io, options, reporter } = context;
  const { name, path } = chosenIdentity(context);
  const marks = marksOf(context);
  const openWith = async (lock: Lock) => {
    const store = openIdentityFile(path, lock, {
      wait: options.wait * 1_000,
      marks: marks.folder,
      whileBusy: (wait) => reporter.progress.whileBlocked(`waiting for another pawl that uses ${name}`, wait),
    });
    const close = () => {
      store.close();
      wipe(lock.key);
    };
    return { store, close };
  };
  const { store, close } = await tryKeys(context, path, openWith);
  try {
    if (purpose !== 'peeks') await keepOthersOut(context, store);
    if (store.name !== name) throw new PawlError('misplaced', { path, name: store.name });
    const identity = { ...sessionContext(io, store), store, name, path, close };
    if (purpose === 'peeks') return identity;
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
    close();
    throw error;
  }
}

/** How often a passphrase is asked for. */
const TRIES = 3;

/**
 * Gets the passphrase or key of a file, and calls `open` with the key that follows from it, until one fits. A passphrase
 * is tried in each of its forms, and one that is typed may be typed anew.
 *
 * Asking and deriving take time. They come before the file is opened, so that other commands need not wait for them.
 * @param open throws `wrong-passphrase` for a key that does not fit. It owns the key that fits.
 * @throws what reading the secret and `open` throw; `wrong-passphrase`.
 */
async function tryKeys<Opened>(
  context: CommandContext,
  path: string,
  open: (lock: Lock) => Promise<Opened>,
): Promise<Opened> {
  // An error that needs no passphrase comes before the question.
  readSalt(path);
  for (let attempt = 1; ; attempt++) {
    const before = attempt === 1 ? '' : `wrong, try ${attempt} of ${TRIES}: `;
    try {
      return await tryForms(context, await secretFor(context, path, before), { path, open });
    } catch (error) {
      const isMistyped = isPawlError(error, 'wrong-passphrase') || isPawlError(error, 'empty-passphrase');
      if (!isMistyped || attempt === TRIES || !isAsked(context)) throw error;
    }
  }
}

async function tryForms<Opened>(
  context: CommandContext,
  secret: Secret,
  { path, open }: { readonly path: string; readonly open: (lock: Lock) => Promise<Opened> },
): Promise<Opened> {
  const salt = readSalt(path);
  const forms = secret.kind === 'key' ? [secret.bytes] : formsToTry(secret.bytes);
  const flaw = secret.kind === 'key' ? undefined : oddityOf(secret.bytes);
  try {
    for (const bytes of forms) {
      const key = await fileKeyFrom(context, { ...secret, bytes }, salt);
      try {
        return await open({ key, salt });
      } catch (error) {
        wipe(key);
        if (!isPawlError(error, 'wrong-passphrase')) throw error;
      }
    }
  } finally {
    if (secret.kind === 'passphrase') wipe(...forms);
  }
  throw new PawlError('wrong-passphrase', { path, ...(flaw !== undefined && { flaw }) });
}

function sessionContext({ random, now, isRunning, process }: Io, store: SqliteStore): Context {
  return { store, random, now, isRunning, process: process() };
}

/**
 * Opens the identity file that the command uses, runs `work` on it, and closes it, also after an error.
 * @throws what choosing the identity, reading the key, opening the file, and `work` throw; `misplaced`, `rolled-back`,
 * `unmarked`.
 */
export async function withIdentity<Result>(
  context: CommandContext,
  work: (identity: OpenIdentity) => Promise<Result>,
  purpose: Purpose = 'writes',
): Promise<Result> {
  const identity = await unlock(context, purpose);
  const { store } = identity;
  const troubleBefore = store.markTrouble;
  try {
    return await work(identity);
  } finally {
    identity.close();
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
 * @throws what `SqliteStore.rekey` and `NewKeyFile.make` throw; `same-key` for the present one, which a rotation that is
 * to happen would not notice.
 */
export async function changeSecret(
  context: CommandContext,
  { store, path }: OpenIdentity,
  { secret, keyFile }: NewSecret,
): Promise<void> {
  const candidate = await fileKeyFrom(context, { ...secret, bytes: secret.bytes.slice() }, store.salt);
  const isPresent = store.hasKey(candidate);
  wipe(candidate);
  if (isPresent) {
    wipe(secret.bytes);
    throw new PawlError('same-key', { path, what: secret.kind });
  }
  const salt = context.io.random(SALT_LENGTH);
  const key = await fileKeyFrom(context, secret, salt);
  try {
    // It stays if the rest fails: a key that may be in force is never removed.
    keyFile?.make();
    store.rekey({ key, salt });
  } finally {
    wipe(key);
  }
}

/**
 * Creates an identity and its file. With `--key-file`, also creates the key file if it does not exist.
 * @throws `exists`, `cannot-create`, and what `newSecretFor` throws.
 */
export async function createIdentity(
  context: CommandContext,
  name: string,
  history: Retention,
): Promise<{ path: string; fingerprint: string }> {
  const { io } = context;
  const path = pathOf(context, name);
  if (existsSync(path)) throw new PawlError('exists', { path });
  const { secret, keyFile } = await newSecretFor(context, path);
  makeHome(context);
  await warnOfOthers(context, homeOf(context));
  const salt = io.random(SALT_LENGTH);
  const key = await fileKeyFrom(context, secret, salt);
  const { identity, fingerprint } = newIdentity(io.random);
  const now = io.now();
  const marks = marksOf(context);
  const record = { name, identity, createdAt: now, historySetting: historySettingFor(history, now) };
  try {
    const trouble = createIdentityFile(path, { salt, key }, record, {
      marks: marks.folder,
      // A key file without an identity is harmless, and an identity without its key file is lost.
      beforeNamed: () => keyFile?.make(),
    });
    await tellOfMarks(context, marks, trouble);
  } catch (error) {
    keyFile?.remove();
    throw error;
  } finally {
    wipe(key, identity.seed);
  }
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
  const marks = marksOf(context);
  const placeOf = (own: string): string => {
    if (name !== undefined && name !== own) throw holdsAnother(file, own);
    const path = pathOf(context, own);
    if (existsSync(path) && inodeAt(path) === inodeAt(file)) throw inPlaceAlready(own);
    makeHome(context);
    return path;
  };
  const prepare = async (store: SqliteStore) => {
    await goOnAfterRestore(sessionContext(io, store));
    return { own: store.name, held: await heldContacts({ store }), trouble: store.markTrouble };
  };
  const restored = await tryKeys(context, file, async (lock) => {
    const done = await restoreIdentityFile(file, lock, {
      wait: options.wait * 1_000,
      marks: marks.folder,
      placeOf,
      prepare,
    });
    wipe(lock.key);
    return done;
  });
  await tellOfMarks(context, marks, restored.trouble);
  await warnOfOthers(context, homeOf(context));
  return { name: restored.own, path: pathOf(context, restored.own), held: restored.held };
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
