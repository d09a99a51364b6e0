/**
 * Moves an identity from one place to another, so that a crash at any time leaves exactly one that goes on
 * (docs/PROTOCOL.md §8).
 * Does not know what kind of place either is.
 */
import { isPawlError, type Leaving, PawlError } from '../errors.ts';
import { equal, wipe } from '../primitives/index.ts';
import type { IdentityStore } from './identity-store.ts';
import type { Lock } from './sqlcipher.ts';

/** Where an identity is moved to. */
export interface Destination {
  /** What it is called in messages, which also names it in the identity that leaves for it. */
  readonly path: string;
  exists(): Promise<boolean>;
  /** Makes what is to hold the identity: what fails here fails before the identity leaves. */
  prepare(): Promise<void>;
  /** @throws `wrong-passphrase`, and what else opening a store throws. */
  open(lock: Lock): Promise<IdentityStore>;
  /**
   * Creates the identity with all that another store of it has, under the same key. It is newer than that one, and not being
   * moved. Never replaces one.
   * @throws `exists`, `cannot-create`, `write-failed`, `commit-unknown`, `busy`.
   */
  createFrom(source: IdentityStore, lock: Lock): Promise<void>;
}

/**
 * Moves an identity. Before anything is written at the destination, the source notes where it leaves for: from then on, no
 * process uses it. It is removed when the destination has been read back. Called once more after a crash or an error, it goes
 * on. Nothing ends a move by itself: what was written at the destination may become known only later.
 * @param source is closed if this returns, and stays open if it throws.
 * @param lock of both.
 * @throws `moving` where it leaves for somewhere else; `exists` for a destination that is not of this move; `damaged`; what
 * the methods of both throw, where it has left already with `leaves`.
 */
export async function moveIdentity(source: IdentityStore, lock: Lock, destination: Destination): Promise<void> {
  const { path } = destination;
  const { movingTo } = source;
  if (movingTo !== undefined && movingTo !== path) throw new PawlError('moving', { path: source.path, to: movingTo });
  const isThere = await destination.exists();
  if (movingTo === undefined) {
    if (isThere) throw new PawlError('exists', { path });
    await destination.prepare();
    await source.leaveFor(path);
  }
  try {
    if (!isThere) await unless('exists', destination.createFrom(source, lock));
    await checkMoved(source, lock, destination);
    await source.remove(path);
  } catch (error) {
    throw afterLeaving(error, { path: source.path, to: path });
  }
}

function afterLeaving(error: unknown, leaves: Leaving): unknown {
  const told = { cause: error };
  if (isPawlError(error, 'cannot-create')) return new PawlError('cannot-create', { ...error.detail, leaves }, told);
  if (isPawlError(error, 'write-failed')) return new PawlError('write-failed', { ...error.detail, leaves }, told);
  return error;
}

/** Another run of the same move may have made it. */
async function unless(code: PawlError['code'], work: Promise<void>): Promise<void> {
  await work.catch((error) => {
    if (!isPawlError(error, code)) throw error;
  });
}

/** @throws `exists` where the destination has something else, or an older copy; `damaged`. */
async function checkMoved(source: IdentityStore, lock: Lock, destination: Destination): Promise<void> {
  const { path } = destination;
  const store = await destination.open(lock).catch((error) => {
    const isOther = isPawlError(error, 'wrong-passphrase') || isPawlError(error, 'replaced');
    throw isOther ? new PawlError('exists', { path }, { cause: error }) : error;
  });
  try {
    const isNewer = (await store.generation()) > (await source.generation());
    if (!(isNewer && (await areSame(source, store)))) throw new PawlError('exists', { path });
    if ((await store.check()).length > 0) throw new PawlError('damaged', { path });
  } finally {
    await store.close();
  }
}

async function areSame(...stores: readonly [IdentityStore, IdentityStore]): Promise<boolean> {
  const [one, other] = await Promise.all(stores.map((store) => store.snapshot((view) => view.ownIdentity())));
  if (one === undefined || other === undefined) return false;
  wipe(one.seed, other.seed);
  return equal(one.key, other.key);
}
