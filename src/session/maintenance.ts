import { LIMITS } from '../ratchet/index.ts';
import type { Context, Keeping, Transaction } from './store.ts';

export const SECOND = 1_000;
export const DAY = 86_400 * SECOND;

/** An opening is accepted this long after its invite expired: mail is slow. */
export const OPENING_GRACE = 7 * DAY;
/** An opener's clock may be this far ahead of ours: more, and no session of ours would ever be newer. */
export const CLOCK_AHEAD = DAY;
/** How long it is kept what became of an invite, so that its rightful user can be told. */
const FATE_KEPT = 90 * DAY;

/** How many secrets a sweep deleted, and what it goes by with texts. */
export interface Swept {
  readonly skippedKeys: number;
  readonly invites: number;
  /** Whether texts are kept, and for how long: it reads this for itself, and the caller needs not read it again. */
  readonly keeping: Keeping | undefined;
}

/**
 * Deletes secrets that have outlived their use, and texts that history keeps no longer: part of every command that writes.
 * @param olderThan milliseconds: skipped keys that are older go before their time, and invites that expired longer ago.
 */
export async function sweep(transaction: Transaction, now: number, olderThan = LIMITS.keptFor): Promise<Swept> {
  const expiredFor = Math.min(olderThan, OPENING_GRACE);
  const keeping = await transaction.keeping();
  if (keeping?.keptFor !== undefined) await transaction.sweepHistory(now - keeping.keptFor);
  return {
    keeping,
    invites: await transaction.sweepInvites(
      Math.floor((now - expiredFor) / SECOND),
      Math.floor((now - FATE_KEPT) / SECOND),
    ),
    skippedKeys: await transaction.sweepSkippedKeys(now - olderThan),
  };
}

/**
 * Deletes old secrets now: skipped keys that are older than `olderThan` milliseconds, and the secrets of invites that
 * expired longer ago than that, or than the time for which a late opening is accepted.
 */
export async function prune({ store, now }: Context, olderThan: number): Promise<Swept> {
  return store.transaction((transaction) => sweep(transaction, now(), olderThan));
}

/**
 * Goes on with an identity file that is older than it was (docs/PROTOCOL.md §8). Every session receives, but is not sent
 * on until the peer begins a new chain, or a new invite of theirs opens a new one: what we sent since then may have used
 * the positions that the file believes to be free. Invites that are open again, of ours and of theirs, may have been used
 * already, and are given up.
 */
export async function goOnAfterRestore({ store }: Context): Promise<void> {
  await store.transaction(async (transaction) => {
    await transaction.holdSessions();
    await transaction.sweepInvites(Number.MAX_SAFE_INTEGER, 0);
    for (const { id } of await transaction.contacts()) await transaction.setContactInvite(id, undefined);
  });
}
