/**
 * Makes identity files: a new one, one from a backup; and gives one another passphrase or key.
 * Knows nothing of what a command does with an open identity.
 */
import { existsSync } from 'node:fs';
import { PawlError } from '../../errors.ts';
import { inodeAt } from '../../files/index.ts';
import { wipe } from '../../primitives/index.ts';
import {
  goOnAfterRestore,
  type HeldContact,
  heldContacts,
  historySettingFor,
  newIdentity,
  type Retention,
} from '../../session/index.ts';
import { createIdentityFile, restoreIdentityFile, SALT_LENGTH, type SqliteStore } from '../../storage/index.ts';
import type { CommandContext } from '../context.ts';
import { retireAgent } from './agent.ts';
import { warnOfOthers } from './exposure.ts';
import { tellOfMarks } from './marks.ts';
import { type OpenIdentity, sessionContext } from './open.ts';
import { homeOf, makeHome, marksOf, pathOf } from './path.ts';
import { type NewSecret, newSecretFor } from './secret.ts';
import { fileKeyFrom, tryKeys } from './unlock.ts';

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
 * Puts a backup in its place as an identity file, with every session held. Its key is asked for anew.
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
    await retireAgent(context, lock.salt);
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

/**
 * Encrypts the identity file under another passphrase or key, with a new salt, and closes it. Copies made earlier still
 * open with the old one, which an agent forgets.
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
    // Before the new key is in force: after a kill in between, old copies would open by the agent.
    await retireAgent(context, store.salt);
    store.rekey({ key, salt });
  } finally {
    wipe(key);
  }
}
