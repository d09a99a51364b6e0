/**
 * Makes identities: a new one, one from a backup; and gives one another passphrase or key.
 * Knows nothing of what a command does with an open identity.
 */
import { isPawlError, PawlError } from '../../errors.ts';
import { wipe } from '../../primitives/index.ts';
import {
  goOnAfterRestore,
  type HeldContact,
  heldContacts,
  historySettingFor,
  newIdentity,
  type Retention,
} from '../../session/index.ts';
import { type IdentityStore, readSalt, SALT_LENGTH } from '../../storage/index.ts';
import type { CommandContext } from '../context.ts';
import { shellWord } from '../terminal/format.ts';
import { retireAgent } from './agent.ts';
import { withHome } from './home.ts';
import { tellOfMarks } from './marks.ts';
import { type OpenIdentity, sessionContext } from './open.ts';
import { marksOf } from './path.ts';
import { type NewSecret, newSecretFor } from './secret.ts';
import { fileKeyFrom, tryKeys } from './unlock.ts';

/**
 * Creates an identity. With `--key-file`, also creates the key file if it does not exist.
 * @throws `exists`, `cannot-create`, and what `newSecretFor` throws.
 */
export function createIdentity(
  context: CommandContext,
  name: string,
  history: Retention,
): Promise<{ path: string; title: string; fingerprint: string; mayLose: boolean }> {
  const { io } = context;
  return withHome(context, async (home) => {
    const place = home.at(name);
    const { path, title } = place;
    if (await place.exists()) throw new PawlError('exists', { path: title });
    const { secret, keyFile } = await newSecretFor(context, title);
    const salt = io.random(SALT_LENGTH);
    const key = await fileKeyFrom(context, secret, salt);
    const { identity, fingerprint } = newIdentity(io.random);
    const now = io.now();
    const record = { name, identity, createdAt: now, historySetting: historySettingFor(history, now) };
    try {
      // A key file without an identity is harmless, and an identity without its key file is lost.
      const { trouble, mayLose } = await place.create({ salt, key }, record, () => keyFile?.make());
      await tellOfMarks(context, marksOf(context), { path, trouble });
      return { path, title, fingerprint, mayLose };
    } catch (error) {
      // The identity may be there.
      if (!isPawlError(error, 'commit-unknown')) keyFile?.remove();
      throw error;
    } finally {
      wipe(key, identity.seed);
    }
  });
}

/**
 * Puts a backup in its place, with every session held. Its key is asked for anew.
 * @param file the path of the backup.
 * @param name the only name that the identity may have, if given.
 * @returns the contacts that nothing can be sent to yet.
 * @throws what opening a file throws, for the backup; `exists`, `cannot-create`; `usage` for another name, and for a file
 * that is in its place already.
 */
export function restoreIdentity(
  context: CommandContext,
  file: string,
  name?: string,
): Promise<{ name: string; path: string; title: string; held: readonly HeldContact[] }> {
  const check = (own: string): void => {
    if (name !== undefined && name !== own) throw holdsAnother(file, own);
  };
  const prepare = async (store: IdentityStore) => {
    // It was left for another place before or while it was backed up.
    if (store.move !== undefined) store.stay();
    await goOnAfterRestore(sessionContext(context.io, store));
    return { own: store.name, held: await heldContacts({ store }) };
  };
  const backup = { title: file, salt: async () => readSalt(file) };
  return withHome(context, async (home) => {
    const { result, trouble } = await tryKeys(context, backup, async (lock) => {
      const done = await home.restore(file, lock, { check, prepare });
      wipe(lock.key);
      await retireAgent(context, lock.salt);
      return done;
    });
    const { own, held } = result;
    const { path, title } = home.at(own);
    await tellOfMarks(context, marksOf(context), { path, trouble });
    return { name: own, path, title, held };
  });
}

function holdsAnother(file: string, name: string): PawlError {
  return new PawlError('usage', {
    problem: `${file} holds the identity ${name}, which keeps its name`,
    hint: `pawl restore ${shellWord(file)} ${name}`,
  });
}

/**
 * Encrypts the identity under another passphrase or key, with a new salt, and closes it. Copies made earlier still
 * open with the old one, which an agent forgets.
 * @throws what `IdentityStore.rekey` and `NewKeyFile.make` throw; `same-key` for the present one, which a rotation that is
 * to happen would not notice.
 */
export async function changeSecret(
  context: CommandContext,
  { store, title }: OpenIdentity,
  { secret, keyFile }: NewSecret,
): Promise<void> {
  const candidate = await fileKeyFrom(context, { ...secret, bytes: secret.bytes.slice() }, store.salt);
  const isPresent = store.hasKey(candidate);
  wipe(candidate);
  if (isPresent) {
    wipe(secret.bytes);
    throw new PawlError('same-key', { path: title, what: secret.kind });
  }
  const salt = context.io.random(SALT_LENGTH);
  const key = await fileKeyFrom(context, secret, salt);
  try {
    // It stays if the rest fails: a key that may be in force is never removed.
    keyFile?.make();
    // Before the new key is in force: after a kill in between, old copies would open by the agent.
    await retireAgent(context, store.salt);
    await store.rekey({ key, salt });
  } finally {
    wipe(key);
  }
}
