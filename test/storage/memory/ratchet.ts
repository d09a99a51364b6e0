import type { FindEntry, KeptPosition, RatchetStore } from '../../../src/ratchet/index.ts';
import { found } from '../../../src/storage/transaction.ts';
import { copyOf, type StoredSession, type Unit } from './data.ts';
import { received } from './received.ts';
import { changeSession, requireSession } from './sessions.ts';

export function ratchetStore(unit: Unit): RatchetStore {
  const sessionOf = (id: number) => unit.data.sessions.find((session) => session.id === id);

  return {
    async findEntry(fits, id) {
      const sessions = unit.data.sessions
        .filter((session) => id === undefined || session.id === id)
        .toSorted((a, b) => b.lastReception - a.lastReception || b.id - a.id);
      return copyOf([...sessions.flatMap(unfinishedOf), ...sessions.flatMap(finishedOf)]).find(fits);
    },

    async ratchetState(id) {
      return copyOf(requireSession(unit, id).state);
    },

    async finishedChain(id, chain) {
      return copyOf(
        found(
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
      changeSession(unit, id, { state: copyOf(state) });
    },

    async saveReceived(id, accepted, at, limits) {
      unit.change({ receptions: unit.data.receptions + 1 });
      const session = received(requireSession(unit, id), copyOf(accepted), at, limits);
      changeSession(unit, id, { ...session, lastReception: unit.data.receptions });
    },

    async sweepSkippedKeys(keptBefore) {
      const sessions = unit.data.sessions.map((session) => {
        const skipped = session.skipped.filter(({ keptSince }) => keptSince >= keptBefore);
        return { ...session, skipped, lost: session.lost + session.skipped.length - skipped.length };
      });
      const count = () => unit.data.sessions.reduce((keys, { skipped }) => keys + skipped.length, 0);
      const before = count();
      unit.change({ sessions });
      return before - count();
    },

    async saveFork(id, reason, at) {
      const { fork } = requireSession(unit, id);
      changeSession(unit, id, { fork: fork ?? { reason, at } });
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
