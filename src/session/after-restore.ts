import type { Context } from './context.ts';

/**
 * Goes on with an identity file that is older than it was: every session receives, but is not sent on until the peer
 * begins a new chain, or a new invite of theirs opens a new one (docs/PROTOCOL.md §8). What we sent since then may have
 * used the positions that the file believes to be free.
 */
export async function goOnAfterRestore({ store }: Context): Promise<void> {
  await store.transaction((transaction) => transaction.holdSessions());
}
