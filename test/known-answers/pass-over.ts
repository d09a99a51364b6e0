import { digest } from '../../src/primitives/index.ts';
import { chainStep, type SessionId } from '../../src/ratchet/index.ts';
import type { SessionStore } from '../../src/session/index.ts';

/** Takes the sending chain of a session past `count` positions, as `count` lost messages would. */
export async function passOver(store: SessionStore, session: SessionId, count: number): Promise<void> {
  await store.transaction(async (transaction) => {
    const state = await transaction.ratchetState(session);
    const { sending } = state;
    if (sending.kind !== 'chain') throw new Error('only of a chain that is begun can messages be lost');
    let { chainKey } = sending;
    for (let passed = 0; passed < count; passed++) chainKey = chainStep(chainKey).chainKey;
    await transaction.saveSent(session, { ...state, sending: { ...sending, chainKey, n: sending.n + count } });
  });
}

/** Takes the numbers of a reusable invite up to `upTo`, as that many users would whose openings nobody repeats. */
export async function takeNumbers(store: SessionStore, inviteId: Uint8Array, upTo: number): Promise<void> {
  await store.transaction((transaction) => transaction.useInvite(inviteId, upTo, digest(16, inviteId)));
}
