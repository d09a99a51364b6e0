import type { Context } from './context.ts';
import { type Swept, sweep } from './housekeeping.ts';

/**
 * Deletes old secrets now: skipped keys that are older than `olderThan` milliseconds, and the secrets of invites that
 * expired longer ago than that, or than the time for which a late opening is accepted.
 */
export async function prune({ store, now }: Context, olderThan: number): Promise<Swept> {
  return store.transaction((transaction) => sweep(transaction, now(), olderThan));
}
