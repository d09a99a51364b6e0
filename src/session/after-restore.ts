import type { Context } from './context.ts';

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
