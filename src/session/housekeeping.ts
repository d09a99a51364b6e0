import { LIMITS } from '../ratchet/index.ts';
import type { Keeping, Transaction } from './store.ts';

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
