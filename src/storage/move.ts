/**
 * Moves an identity from one place to another, so that a crash at any time leaves exactly one that goes on
 * (docs/PROTOCOL.md §8).
 * Does not know what kind of place either is.
 */
import { isPawlError, type Leaving, PawlError } from '../errors.ts';
import { equal, type Random } from '../primitives/index.ts';
import type { IdentityStore } from './identity-store.ts';
import type { Move } from './moving.ts';
import type { Lock } from './sqlcipher.ts';

/** Where an identity is moved to. */
export interface Destination {
  /** What it is called in messages, which also names it in the identity that leaves for it. Another machine may call it so too. */
  readonly path: string;
  exists(): Promise<boolean>;
  /** Makes what is to hold the identity: what fails here fails before the identity leaves. */
  prepare(): Promise<void>;
  /** @throws `wrong-passphrase`, and what else opening a store throws. */
  open(lock: Lock): Promise<IdentityStore>;
  /**
   * Creates the identity with all that another store of it has, under the same key. It is newer than that one, and not being
   * moved. Never replaces one.
   * @param beforeMade is called just before there is one. If it throws, there is none.
   * @throws `exists`, `cannot-create`, `write-failed`, `commit-unknown`, `busy`, and what `beforeMade` throws.
   */
  createFrom(source: IdentityStore, lock: Lock, beforeMade: () => Promise<void>): Promise<void>;
}

/** Where a move is begun. */
interface Here {
  readonly random: Random;
  /** The machine. */
  readonly host: string;
}

/**
 * Moves an identity. Before anything is written at the destination, the source notes where it leaves for: from then on, no
 * process uses it. It is removed when the destination has been read back. Called once more after a crash or an error, it goes
 * on. Nothing ends a move by itself: what was written at the destination may become known only later.
 * @param source is closed if this returns, and stays open if it throws.
 * @param lock of both.
 * @throws `moving` where it leaves for somewhere else, or where it may have been there already and is not found there;
 * `exists` for a destination that is not of this move; `damaged`; what the methods of both throw, where it has left already
 * with `leaves`.
 */
export async function moveIdentity(
  source: IdentityStore,
  lock: Lock,
  destination: Destination,
  here: Here,
): Promise<void> {
  const { path } = destination;
  const { move: begun } = source;
  const leaving = { name: source.name, path: source.path, to: begun?.to ?? path };
  if (begun !== undefined && begun.to !== path) throw new PawlError('moving', leaving);
  const isThere = await destination.exists();
  if (begun === undefined && isThere) throw new PawlError('exists', { path });
  if (begun !== undefined && !isThere && !wasNeverThere(source, begun, here)) {
    throw new PawlError('moving', { ...leaving, wasThere: true });
  }
  const move = begun ?? { to: path, id: here.random(ID_LENGTH), host: here.host };
  if (begun === undefined) {
    await destination.prepare();
    await source.leaveBy(move);
  }
  try {
    if (begun !== undefined && !isThere) await destination.prepare();
    if (!isThere) await make(source, move, lock, destination);
    await checkMoved(move, lock, destination);
    await source.remove(move.id);
  } catch (error) {
    throw afterLeaving(error, leaving);
  }
}

const ID_LENGTH = 16;

/**
 * Whether the identity is not at its destination because it never came there: it could be in use, at a place of the same name
 * on another machine, or where somebody has put it since. Of an older copy of the source, the mark tells.
 */
function wasNeverThere(source: IdentityStore, { host }: Move, here: Here): boolean {
  return host === here.host && source.standing !== 'rolled-back' && source.standing !== 'unmarked';
}

function afterLeaving(error: unknown, leaves: Leaving): unknown {
  const told = { cause: error };
  if (isPawlError(error, 'cannot-create')) return new PawlError('cannot-create', { ...error.detail, leaves }, told);
  if (isPawlError(error, 'write-failed')) return new PawlError('write-failed', { ...error.detail, leaves }, told);
  if (isPawlError(error, 'database-unreachable')) return new PawlError(error.code, { ...error.detail, leaves }, told);
  return error;
}

/** Makes the identity at its destination. From then on, until that is known to have failed, no machine may make it again. */
async function make(source: IdentityStore, { id, host }: Move, lock: Lock, destination: Destination): Promise<void> {
  try {
    await destination.createFrom(source, lock, () => source.letMake(id, undefined));
  } catch (error) {
    // Another run of the same move may have made it.
    if (isPawlError(error, 'exists')) return;
    const isNotMade = error instanceof PawlError && error.code !== 'commit-unknown';
    if (isNotMade) await source.letMake(id, host).catch(() => undefined);
    throw error;
  }
}

/** @throws `exists` where the destination has something else; `damaged`. */
async function checkMoved({ id }: Move, lock: Lock, destination: Destination): Promise<void> {
  const { path } = destination;
  const store = await destination.open(lock).catch((error) => {
    const isOther = isPawlError(error, 'wrong-passphrase') || isPawlError(error, 'replaced');
    throw isOther ? new PawlError('exists', { path }, { cause: error }) : error;
  });
  try {
    const arrived = await store.arrivedBy();
    if (arrived === undefined || !equal(arrived, id)) throw new PawlError('exists', { path });
    if ((await store.check()).length > 0) throw new PawlError('damaged', { path });
  } finally {
    await store.close();
  }
}
