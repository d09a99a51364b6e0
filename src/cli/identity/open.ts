/**
 * Opens the identity that a command uses, and closes it.
 * Knows nothing of what a command does with an open identity.
 */
import { isPawlError, PawlError } from '../../errors.ts';
import { wipe } from '../../primitives/index.ts';
import { type Context, distrustRoutes, goOnAfterRestore } from '../../session/index.ts';
import { type IdentityStore, type Lock, loadArgon2, loadDatabase } from '../../storage/index.ts';
import type { CommandContext } from '../context.ts';
import { explain } from '../terminal/error-messages.ts';
import { isDatabase } from '../terminal/format.ts';
import type { Io } from '../terminal/io.ts';
import { mayBeUnlocked } from './agent.ts';
import { chosenIdentity, type Home, inPeekTime, withHome } from './home.ts';
import { keySourceOf } from './key-source.ts';
import { tellOfMarks, warnOfMark } from './marks.ts';
import { homeOf, type Marks, marksOf } from './path.ts';
import { tryKeys } from './unlock.ts';

/**
 * What an identity is opened for. `reads`: one that was rolled back, is unmarked or is being moved is accepted, with a warning.
 * `unlocks`: the same, and no agent is asked for the key, which is to be given to one. `rekeys`: as `writes`, and no agent
 * is asked, so that its owner cannot be locked out by one who came to an unlocked machine. `moves`: as `writes`, and one that is
 * being moved is accepted. `peeks`: as `reads`; nothing is
 * told, the mode of the file is left alone, and the time of an agent goes on. That is for what nobody has asked for, as completion.
 */
export type Purpose = 'writes' | 'moves' | 'reads' | 'unlocks' | 'rekeys' | 'peeks';

const CHANGING: ReadonlySet<Purpose> = new Set(['writes', 'moves', 'rekeys']);

const ASKED_OF_AGENT = {
  writes: 'give',
  moves: 'give',
  reads: 'give',
  unlocks: 'nothing',
  rekeys: 'nothing',
  peeks: 'peek',
} as const;

/**
 * Loads the packages that opening or making the identity takes: an installation that lacks one is told before
 * any input is read, or a secret asked.
 * @param options.isNewPassphrase whether a passphrase is needed whatever opens it.
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

/** An identity that is open: the context of the session functions, and the store itself. */
export interface OpenIdentity extends Context {
  readonly store: IdentityStore;
  readonly name: string;
  /** What results and messages call its place: the path of a file, or the address of a database. */
  readonly path: string;
  /** The same, where others in a database could be meant. */
  readonly title: string;
  /** What `--home` or `PAWL_HOME` names, or the usual folder. It may have a password in it. */
  readonly home: string;
  /** What has opened it. */
  readonly lock: Lock;
  /** Closes the store, and overwrites its key. */
  close(): Promise<void>;
}

/**
 * Opens the identity that the command uses. One that is not known to be the newest copy is opened only for reading, unless
 * `--after-restore` or `--moved` says what it is.
 */
async function openIdentity(context: CommandContext, home: Home, purpose: Purpose): Promise<OpenIdentity> {
  const place = await chosenIdentity(context, home);
  const { name, path, title } = place;
  const peeks = purpose === 'peeks';
  // What is wrong with it is told before a passphrase is asked for.
  const marks = marksOf(context);
  const openWith = async (lock: Lock) => {
    const store = await place.open(lock, { peeks, onlyLooks: !CHANGING.has(purpose) });
    const close = async () => {
      await store.close();
      wipe(lock.key);
    };
    return { store, lock, close };
  };
  const opened = await tryKeys(context, place, openWith, { agent: ASKED_OF_AGENT[purpose] });
  const identity = { ...sessionContext(context.io, opened.store), ...opened, name, path, title, home: homeOf(context) };
  try {
    if (!peeks) await settleStanding(context, identity, { purpose, marks });
    return identity;
  } catch (error) {
    await identity.close();
    throw error;
  }
}

/** Does what the owner says of a copy that may not be the newest, and refuses or tells of one of which nothing is said. */
async function settleStanding(
  context: CommandContext,
  identity: OpenIdentity,
  { purpose, marks }: { readonly purpose: Purpose; readonly marks: Marks },
): Promise<void> {
  const { options, reporter } = context;
  const { store, title } = identity;
  const refusal = refusalOf(identity);
  if (options.afterRestore) {
    if (store.move !== undefined) store.stay();
    await goOnAfterRestore(identity);
  } else if (refusal?.code === 'unmarked' && options.moved) {
    // A file may have been given to this machine by somebody. Before the mark: a kill in between leaves an identity that still
    // has to be accepted.
    if (!isDatabase(identity.path)) await distrustRoutes(identity);
    await store.mark();
  } else if (refusal !== undefined) {
    const isKnown = purpose === 'moves' && refusal.code === 'moving';
    if (CHANGING.has(purpose) && !isKnown) throw refusal;
    if (!isKnown) await reporter.warn(explain(refusal).message);
  } else if (store.standing === 'joined') {
    await reporter.notice(`this machine uses ${title} from now on, with any others that do`);
    await store.mark();
  }
  await tellOfMarks(context, marks, { path: identity.path, trouble: store.markTrouble });
}

/** Whether the identity may be had later, by a command that waits: others hold it, or its database cannot be reached. */
export function isAway(error: unknown): error is PawlError {
  return isPawlError(error, 'busy') || isPawlError(error, 'database-unreachable');
}

/** Why an identity is not written to as it is, if so. */
function refusalOf({ store, name, path, title }: OpenIdentity): PawlError | undefined {
  if (store.move !== undefined) return new PawlError('moving', { name, path, to: store.move.to });
  const { standing } = store;
  return standing === 'current' || standing === 'joined' ? undefined : new PawlError(standing, { path: title });
}

/** The context of the session functions, on a store. */
export function sessionContext({ random, now, isRunning, process }: Io, store: IdentityStore): Context {
  return { store, random, now, isRunning, process: process() };
}

/**
 * Opens the identity that the command uses, runs `work` on it, and closes it, also after an error.
 * @throws what choosing the identity, reading the key, opening it, and `work` throw; `rolled-back`, `unmarked`, `moving`.
 */
export function withIdentity<Result>(
  context: CommandContext,
  work: (identity: OpenIdentity) => Promise<Result>,
  purpose: Purpose = 'writes',
): Promise<Result> {
  const done = withHome(context, async (home) => {
    const identity = await openIdentity(context, home, purpose);
    const { store, path } = identity;
    const troubleBefore = store.markTrouble;
    try {
      return await work(identity);
    } finally {
      await identity.close();
      if (store.markTrouble !== troubleBefore) await warnOfMark(context, { path, trouble: store.markTrouble });
    }
  });
  return purpose === 'peeks' ? inPeekTime(done) : done;
}
