import type { FindEntry, KeptPosition, RatchetStore } from '../../../src/ratchet/index.ts';
import { mustExist } from '../../../src/storage/transaction.ts';
import { copyOf, type MemoryTransaction, type StoredSession } from './data.ts';
import { markedBy, received } from './received.ts';
import { changeSession, requireSession } from './sessions.ts';

export function ratchetStore(transaction: MemoryTransaction): RatchetStore {
  const sessionOf = (id: number) => transaction.data.sessions.find((session) => session.id === id);

  return {
    async findEntry(fits, id) {
      const sessions = transaction.data.sessions
        .filter((session) => id === undefined || session.id === id)
        .toSorted((a, b) => b.lastReception - a.lastReception || b.id - a.id);
      return copyOf([...sessions.flatMap(unfinishedOf), ...sessions.flatMap(finishedOf)]).find(fits);
    },

    async ratchetState(id) {
      return copyOf(requireSession(transaction, id).state);
    },

    async finishedChain(id, chain) {
      return copyOf(
        mustExist(
          sessionOf(id)?.finished.find((finished) => finished.chain === chain),
          'finished chain',
        ),
      );
    },

    async keptPosition(id, chain, n) {
      const here = (position: { chain: number; n: number }) => position.chain === chain && position.n === n;
      const messageKey = sessionOf(id)?.skipped.find(here)?.messageKey;
      const digest = sessionOf(id)?.accepted.find(here)?.digest;
      const kept: KeptPosition = { ...(messageKey && { messageKey }), ...(digest && { digest }) };
      return copyOf(kept);
    },

    async saveSent(id, state) {
      changeSession(transaction, id, { state: copyOf(state) });
    },

    async saveReceived(id, accepted, at, limits) {
      transaction.change({ receptions: transaction.data.receptions + 1 });
      const session = received(requireSession(transaction, id), copyOf(accepted), at, limits);
      changeSession(transaction, id, { ...session, lastReception: transaction.data.receptions });
    },

    async sweepSkippedKeys(keptBefore) {
      const sessions = transaction.data.sessions.map((session) => {
        const skipped = session.skipped.filter(({ keptSince }) => keptSince >= keptBefore);
        return { ...session, skipped, lost: session.lost + session.skipped.length - skipped.length };
      });
      const count = () => transaction.data.sessions.reduce((keys, { skipped }) => keys + skipped.length, 0);
      const before = count();
      transaction.change({ sessions });
      return before - count();
    },

    async saveFork(id, reason, at) {
      const { fork } = requireSession(transaction, id);
      changeSession(transaction, id, { fork: markedBy(fork, reason, at) });
    },
  };
}

function unfinishedOf({ id, state }: StoredSession): FindEntry[] {
  const { receiving, nextReceiving } = state;
  const current = receiving.kind === 'chain' ? [receiving] : [];
  return [
    ...current.map(({ chain, header }) => ({ session: id, chain, find: header.find })),
    { session: id, chain: 'next' as const, find: nextReceiving.find },
  ];
}

function finishedOf({ id, finished }: StoredSession): FindEntry[] {
  return finished.toReversed().map(({ chain, header }) => ({ session: id, chain, find: header.find }));
}
