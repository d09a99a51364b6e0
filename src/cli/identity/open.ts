import { chmodSync, existsSync, statSync } from 'node:fs';
import { PawlError } from '../../errors.ts';
import { codeOf, makeFolder, reasonOf } from '../../files/index.ts';
import { type Context, goOnAfterRestore, historySettingFor, newIdentity, type Retention } from '../../session/index.ts';
import {
  createIdentityFile,
  deriveFileKey,
  type FileKey,
  openIdentityFile,
  readSalt,
  SALT_LENGTH,
  type SqliteStore,
} from '../../storage/index.ts';
import type { CommandContext } from '../context.ts';
import { explain } from '../terminal/error-messages.ts';
import { keySourceOf } from './key-source.ts';
import { chosenIdentity, homeOf, marksOf, pathOf } from './path.ts';
import { createKeyFile, type Secret, secretFor } from './secret.ts';

/** An identity file that is open: what the units of work need, and the file itself. */
export interface OpenIdentity extends Context {
  readonly store: SqliteStore;
  readonly name: string;
  readonly path: string;
}

/**
 * Opens the identity that was meant: the one place where the command line knows of storage. A file that was rolled back is
 * for reading only, until `--after-restore` is given.
 */
async function unlock(context: CommandContext, purpose: 'reads' | 'writes'): Promise<OpenIdentity> {
  const { io, options, reporter } = context;
  const { name, path } = chosenIdentity(context);
  await tighten(context, path);
  const salt = readSalt(path);
  // Whatever takes time comes before the file is opened: other commands need not wait for it.
  const key = await keyOf(context, await secretFor(context, path), salt);
  const store = openIdentityFile(
    path,
    { key, salt },
    {
      wait: options.wait * 1_000,
      marks: marksOf(context),
      whileBusy: (wait) => reporter.progress.blockedBy(`waiting for another pawl that uses ${name}`, wait),
    },
  );
  try {
    if (store.name !== name) throw new PawlError('misplaced', { path, name: store.name });
    const { random, now, isRunning } = io;
    const process = io.process();
    const identity = { store, random, now, process, isRunning, name, path };
    if (store.isRolledBack) {
      const error = new PawlError('rolled-back', { path });
      if (purpose === 'reads') await reporter.warn(explain(error).message);
      else if (options.afterRestore) await goOnAfterRestore(identity);
      else throw error;
    }
    return identity;
  } catch (error) {
    store.close();
    throw error;
  }
}

/** Runs `work` on the identity that was meant, and closes it whatever happens. */
export async function withIdentity<Result>(
  context: CommandContext,
  work: (identity: OpenIdentity) => Promise<Result>,
  purpose: 'reads' | 'writes' = 'writes',
): Promise<Result> {
  const identity = await unlock(context, purpose);
  try {
    return await work(identity);
  } finally {
    identity.store.close();
  }
}

/**
 * Locks the file with another secret, under a new salt, and closes it. Older copies of it still open with the old one.
 * @throws what `rekey` throws.
 */
export async function changeSecret(context: CommandContext, { store }: OpenIdentity, secret: Secret): Promise<void> {
  const salt = context.io.random(SALT_LENGTH);
  store.rekey({ key: await keyOf(context, secret, salt), salt });
}

/**
 * Makes an identity and its file; with `--key-file`, also the key file unless it exists.
 * @throws `exists`, `cannot-create`, and what reading the key throws.
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
  const key = await keyOf(context, secret, salt);
  const { identity, fingerprint } = newIdentity(io.random);
  const now = io.now();
  createIdentityFile(
    path,
    { salt, key },
    { name, identity, createdAt: now, historySetting: historySettingFor(history, now) },
  );
  return { path, fingerprint };
}

async function keyOf({ reporter }: CommandContext, secret: Secret, salt: Uint8Array): Promise<FileKey> {
  if (secret.kind === 'key') return secret.bytes as FileKey;
  // Whoever was asked has not been waiting.
  reporter.progress.clear();
  const key = await reporter.progress.during('deriving the key from the passphrase', deriveFileKey(secret.bytes, salt));
  secret.bytes.fill(0);
  return key;
}

async function tighten({ reporter }: CommandContext, path: string): Promise<void> {
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
    // Another pawl was faster.
    if (codeOf(cause) === 'EEXIST') return;
    throw new PawlError('cannot-create', { path: home, reason: reasonOf(cause) }, { cause });
  }
}
