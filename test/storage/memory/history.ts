import type { HistoryId, HistoryRange, HistoryStore } from '../../../src/session/store.ts';
import { requireContact } from './contacts.ts';
import { copyOf, type MemoryTransaction } from './data.ts';

export function historyStore(transaction: MemoryTransaction): HistoryStore {
  const within = ({ contact, from = -Infinity, before = Infinity }: HistoryRange) =>
    transaction.data.history.filter(
      (entry) => (contact === undefined || entry.contact === contact) && entry.at >= from && entry.at < before,
    );

  return {
    async historySetting() {
      return copyOf(transaction.data.historySetting);
    },

    async setHistorySetting(historySetting) {
      transaction.change({ historySetting: copyOf(historySetting) });
    },

    async addToHistory(entry) {
      requireContact(transaction, entry.contact);
      const id = transaction.nextId() as HistoryId;
      transaction.change({ history: [...transaction.data.history, { ...copyOf(entry), id }] });
    },

    async history({ limit, after = 0, newest = false, ...range }) {
      const entries = within(range).filter(({ id }) => id > after);
      return copyOf(entries.slice(newest ? Math.max(0, entries.length - limit) : 0).slice(0, limit));
    },

    async countHistory(range) {
      const times = within(range).map(({ at }) => at);
      return { count: times.length, first: times.length > 0 ? Math.min(...times) : undefined };
    },

    async sweepHistory(keptBefore) {
      const kept = within({ from: keptBefore });
      const swept = transaction.data.history.length - kept.length;
      transaction.change({ history: kept });
      return swept;
    },
  };
}
