/**
 * Opens the identity file that a command uses, and closes it.
 * Knows nothing of what a command does with an open identity.
 */
import { PawlError } from '../../errors.ts';
import { wipe } from '../../primitives/index.ts';
import { type Context, distrustRoutes, goOnAfterRestore } from '../../session/index.ts';
import { type Lock, loadArgon2, loadDatabase, openIdentityFile, type SqliteStore } from '../../storage/index.ts';
import type { CommandContext } from '../context.ts';
import { explain } from '../terminal/error-messages.ts';
import type { Io } from '../terminal/io.ts';
import { mayBeUnlocked } from './agent.ts';
import { keepOthersOut } from './exposure.ts';
import { keySourceOf } from './key-source.ts';
import { tellOfMarks, warnOfMark } from './marks.ts';
import { chosenIdentity, marksOf } from './path.ts';
import { tryKeys } from './unlock.ts';

/**
 * What an identity is opened for. `reads`: a file that was rolled back or is unmarked is accepted, with a warning.
 * `unlocks`: the same, and no agent is asked for the key, which is to be given to one. `rekeys`: as `writes`, and no agent
 * is asked, so that its owner cannot be locked out by one who came to an unlocked machine. `peeks`: as `reads`; nothing is
 * told, the mode of the file is left alone, and the time of an agent goes on. That is for what nobody has asked for, as completion.
 */
export type Purpose = 'writes' | 'reads' | 'unlocks' | 'rekeys' | 'peeks';

const ASKED_OF_AGENT = { writes: 'give', reads: 'give', unlocks: 'nothing', rekeys: 'nothing', peeks: 'peek' } as const;

/**
 * Loads the native parts that opening or making the identity file takes: an installation that lacks one is told before
 * any input is read, or a secret asked.
 * @param options.isNewPassphrase whether a passphrase is needed whatever opens the file.
 * @param options.asksAgent whether an agent may have the key.
 * @throws `no-addon`, and what finding the source of the key throws.
 */
export async function loadNativeParts(
  context: CommandContext,
  { isNewPassphrase = false, asksAgent = true } = {},
): Promise<void> {
  loadDatabase();
  const { kind } = keySourceOf(context);
  const isDerived = kind !== 'key-file' && !(kind === 'terminal' && asksAgent && mayBeUnlocked(context));
  if (isNewPassphrase || isDerived) await loadArgon2();
}

/** An identity whose file is open: the context of the session functions, and the store itself. */
export interface OpenIdentity extends Context {
  readonly store: SqliteStore;
  readonly name: string;
  readonly path: string;
  /** What has opened the file. */
  readonly lock: Lock;
  /** Closes the file, and overwrites its key. */
  close(): void;
}

/**
 * Opens the identity file that the command uses. A file that is not known to be the newest copy is opened only for
 * reading, unless `--after-restore` or `--moved` says what it is.
 */
async function openIdentity(context: CommandContext, purpose: Purpose): Promise<OpenIdentity> {
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
    return { store, lock, close };
  };
  const opened = await tryKeys(context, path, openWith, { agent: ASKED_OF_AGENT[purpose] });
  const { store, close } = opened;
  try {
    if (purpose !== 'peeks') await keepOthersOut(context, store);
    if (store.name !== name) throw new PawlError('misplaced', { path, name: store.name });
    const identity = { ...sessionContext(io, store), ...opened, name, path };
    if (purpose === 'peeks') return identity;
    if (options.afterRestore) await goOnAfterRestore(identity);
    else if (store.standing === 'unmarked' && options.moved) {
      // Before the mark: a kill in between leaves a file that still has to be accepted.
      await distrustRoutes(identity);
      store.mark();
    } else if (store.standing !== 'current' && store.standing !== 'joined') {
      const error = new PawlError(store.standing, { path });
      if (purpose === 'writes' || purpose === 'rekeys') throw error;
      await reporter.warn(explain(error).message);
    }
    await tellOfMarks(context, marks, store.markTrouble);
    return identity;
  } catch (error) {
    close();
    throw error;
  }
}

/** The context of the session functions, on a store. */
export function sessionContext({ random, now, isRunning, process }: Io, store: SqliteStore): Context {
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
  const identity = await openIdentity(context, purpose);
  const { store } = identity;
  const troubleBefore = store.markTrouble;
  try {
    return await work(identity);
  } finally {
    identity.close();
    if (store.markTrouble !== troubleBefore) await warnOfMark(context, store.markTrouble);
  }
}
