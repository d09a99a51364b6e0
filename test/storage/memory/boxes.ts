import type { Boxes, InboxId, OutboxId } from '../../../src/session/store.ts';
import { mustExist } from '../../../src/storage/transaction.ts';
import { requireContact } from './contacts.ts';
import { copyOf, type MemoryTransaction } from './data.ts';

export function boxes(transaction: MemoryTransaction): Boxes {
  return {
    async addToOutbox(entry) {
      requireContact(transaction, entry.contact);
      const id = transaction.nextId() as OutboxId;
      transaction.change({ outbox: [...transaction.data.outbox, { ...copyOf(entry), id }] });
      return id;
    },

    async outbox(newest = Infinity) {
      const listed = transaction.data.outbox.map(({ envelope, ...entry }) => ({ ...entry, length: envelope.length }));
      return copyOf(newestOf(listed, newest));
    },

    async countOutbox() {
      const counts = new Map<string, number>();
      for (const { process } of transaction.data.outbox) counts.set(process, (counts.get(process) ?? 0) + 1);
      return counts;
    },

    async envelope(id) {
      return copyOf(transaction.data.outbox.find((entry) => entry.id === id)?.envelope);
    },

    async dropFromOutbox(ids) {
      transaction.change({ outbox: transaction.data.outbox.filter(({ id }) => !ids.includes(id)) });
    },

    async addToInbox(entry) {
      requireContact(transaction, entry.contact);
      const id = transaction.nextId() as InboxId;
      transaction.change({ inbox: [...transaction.data.inbox, { ...copyOf(entry), id }] });
      return id;
    },

    async inbox(newest = Infinity) {
      return newestOf(transaction.data.inbox, newest).map(({ content: _, ...entry }) => copyOf(entry));
    },

    async countInbox() {
      return transaction.data.inbox.length;
    },

    async claimInbox(id, process) {
      const entry = mustExist(
        transaction.data.inbox.find((known) => known.id === id),
        'text',
      );
      const claimed = { ...entry, process };
      transaction.change({ inbox: transaction.data.inbox.map((known) => (known === entry ? claimed : known)) });
      const { id: _, ...text } = claimed;
      return copyOf(text);
    },

    async takeFromInbox(id) {
      const entry = transaction.data.inbox.find((known) => known.id === id);
      if (entry === undefined) return undefined;
      transaction.change({ inbox: transaction.data.inbox.filter((known) => known !== entry) });
      const { id: _, ...text } = entry;
      return copyOf(text);
    },

    async dropFromInbox(ids) {
      transaction.change({ inbox: transaction.data.inbox.filter(({ id }) => !ids.includes(id)) });
    },
  };
}

function newestOf<Entry>(entries: readonly Entry[], newest: number): readonly Entry[] {
  return entries.slice(Math.max(0, entries.length - newest));
}
