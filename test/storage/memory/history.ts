import type { HistoryId, HistoryRange, HistoryStore } from '../../../src/session/store.ts';
import { requireContact } from './contacts.ts';
import { copyOf, type Unit } from './data.ts';

export function historyStore(unit: Unit): HistoryStore {
  const within = ({ contact, from = -Infinity, before = Infinity }: HistoryRange) =>
    unit.data.history.filter(
      (entry) => (contact === undefined || entry.contact === contact) && entry.at >= from && entry.at < before,
    );

  return {
    async keeping() {
      return copyOf(unit.data.keeping);
    },

    async setKeeping(keeping) {
      unit.change({ keeping: copyOf(keeping) });
    },

    async addToHistory(entry) {
      requireContact(unit, entry.contact);
      const id = unit.nextId() as HistoryId;
      unit.change({ history: [...unit.data.history, { ...copyOf(entry), id }] });
    },

    async history({ limit, after = 0, ...range }) {
      return copyOf(
        within(range)
          .filter(({ id }) => id > after)
          .slice(0, limit),
      );
    },

    async countHistory(range) {
      const times = within(range).map(({ at }) => at);
      return { count: times.length, first: times.length > 0 ? Math.min(...times) : undefined };
    },

    async sweepHistory(keptBefore) {
      const kept = within({ from: keptBefore });
      const swept = unit.data.history.length - kept.length;
      unit.change({ history: kept });
      return swept;
    },
  };
}
