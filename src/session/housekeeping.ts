import { LIMITS } from '../ratchet/index.ts';
import type { Transaction } from './store.ts';

export const SECOND = 1_000;
export const DAY = 86_400 * SECOND;

/** An opening is accepted this long after its invite expired: mail is slow. */
export const OPENING_GRACE = 7 * DAY;
/** An opener's clock may be this far ahead of ours: more, and no session of ours would ever be newer. */
export const CLOCK_AHEAD = DAY;
/** How long it is kept what became of an invite, so that its rightful user can be told. */
const FATE_KEPT = 90 * DAY;

/** Deletes secrets that have outlived their use: part of every command that writes. */
export async function sweep(transaction: Transaction, now: number): Promise<void> {
  await transaction.sweepInvites(Math.floor((now - OPENING_GRACE) / SECOND), Math.floor((now - FATE_KEPT) / SECOND));
  await transaction.sweepSkippedKeys(now - LIMITS.keptFor);
}
