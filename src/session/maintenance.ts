/**
 * Deletes what is past its time: skipped message keys, secrets of invites, texts of the history; and corrects times that
 * a wrong clock gave, because they would never be past. Also holds the sessions of a restored file.
 * Does not know when it runs: every operation that writes calls `sweep`.
 */
import { LIMITS } from '../ratchet/index.ts';
import { spendBoxOf } from './spent-boxes.ts';
import type { Context, HistorySetting, Transaction } from './store.ts';

/** In milliseconds. */
export const SECOND = 1_000;
/** In milliseconds. */
export const DAY = 86_400 * SECOND;

/** An opening is accepted this long after its invite has expired, because mail is slow. In milliseconds. */
export const OPENING_GRACE = 7 * DAY;
/** How far the clock of an opener may be ahead of ours. Without a limit, no session of ours would ever be newer. */
export const CLOCK_AHEAD = DAY;
/**
 * How long the record of a spent or expired invite is stored, so that its rightful user can be told. In milliseconds.
 */
const FATE_RETENTION = 90 * DAY;

/**
 * No time of our own clock that is stored may be further ahead than this: it counts as now, or what it belongs to would
 * not grow old. In milliseconds.
 */
const TIMES_AHEAD = DAY;
/**
 * A clock that shows an earlier time is certainly wrong, because there was no pawl: that of a machine that has started
 * without a battery or a network. If it corrected the true times, all would be deleted as soon as it is right again. In
 * unix milliseconds.
 */
const FIRST_YEAR = Date.UTC(2026);

/** For how long parts of a content are awaited, or written on. In milliseconds. */
export const TRANSFER_RETENTION = 30 * DAY;

/** What a sweep deleted. */
export interface Swept {
  readonly skippedKeys: number;
  /** Invites that lost their secrets. */
  readonly invites: number;
  /** Contents that were being sent in parts. */
  readonly outgoing: number;
  /** The setting that the sweep read, so that the caller does not read it again. */
  readonly historySetting: HistorySetting | undefined;
}

/**
 * Corrects the times that were stored while our clock was far ahead: see `Times`. Every transaction that stores `now`
 * begins with it, or with `sweep`.
 * @param now unix milliseconds.
 */
export async function correctTimes(transaction: Transaction, now: number): Promise<void> {
  if (now >= FIRST_YEAR) await transaction.correctTimes(now, TIMES_AHEAD);
}

/**
 * Deletes secrets that are past their use, and texts that the history no longer stores.
 * @param now unix milliseconds.
 * @param olderThan milliseconds: the age from which skipped keys, and the secrets of expired invites, are deleted.
 * Secrets of invites are deleted after `OPENING_GRACE` in any case.
 */
export async function sweep(transaction: Transaction, now: number, olderThan = LIMITS.keptFor): Promise<Swept> {
  await correctTimes(transaction, now);
  const expiredFor = Math.min(olderThan, OPENING_GRACE);
  const historySetting = await transaction.historySetting();
  if (historySetting?.maxAge !== undefined) await transaction.sweepHistory(now - historySetting.maxAge);
  return {
    historySetting,
    outgoing: await sweepOutgoing(transaction, now, Math.min(olderThan, TRANSFER_RETENTION)),
    invites: await transaction.sweepInvites(now - expiredFor, now - FATE_RETENTION),
    skippedKeys: await transaction.sweepSkippedKeys(now - olderThan),
  };
}

/**
 * Gives up the contents that were begun to be sent too long ago. No descriptor of those whose parts were put at a place is
 * out, because it is put last: nobody will ask for them.
 */
async function sweepOutgoing(transaction: Transaction, now: number, olderThan: number): Promise<number> {
  const swept = await transaction.sweepOutgoing(now - olderThan);
  for (const { contact, key, partsAt } of swept) {
    if (partsAt !== undefined) await spendBoxOf(transaction, contact, key, now);
  }
  return swept.length;
}

/**
 * Runs `sweep` in a transaction of its own.
 * @param olderThan milliseconds.
 */
export async function prune({ store, now }: Context, olderThan: number): Promise<Swept> {
  return store.transaction((transaction) => sweep(transaction, now(), olderThan));
}

/**
 * Accepts a restored identity file (docs/PROTOCOL.md §8). Holds every session: it receives, but is not sent on until
 * the peer begins a new chain, because messages sent since the copy was made may have used the positions that the file
 * takes for free. Gives up open invites of ours and waiting invites of theirs, because they may have been used since, and
 * contents that are being sent in parts. What of those lies at places is left: a newer copy of the file may go on with it.
 */
export async function goOnAfterRestore({ store }: Context): Promise<void> {
  await store.transaction(async (transaction) => {
    await transaction.holdSessions();
    await transaction.sweepInvites(Number.MAX_SAFE_INTEGER, 0);
    for (const { id } of await transaction.contacts()) await transaction.setContactInvite(id, undefined);
    await transaction.sweepOutgoing(Number.MAX_SAFE_INTEGER);
    await transaction.distrustRoutes();
  });
}
