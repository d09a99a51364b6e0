import type { Boxes, ContactId, InboxId, OutboxId } from '../../../src/session/store.ts';
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
      const counts = new Map<string, { count: number; latest: number }>();
      for (const { process, createdAt } of transaction.data.outbox) {
        counts.set(process, { count: (counts.get(process)?.count ?? 0) + 1, latest: createdAt });
      }
      return counts;
    },

    async envelope(id) {
      return copyOf(transaction.data.outbox.find((entry) => entry.id === id)?.envelope);
    },

    async dropFromOutbox(ids) {
      transaction.change({ outbox: transaction.data.outbox.filter(({ id }) => !ids.includes(id)) });
    },

    async addToInbox(entry, content) {
      requireContact(transaction, entry.contact);
      const id = transaction.nextId() as InboxId;
      transaction.change({
        inbox: [
          ...transaction.data.inbox,
          {
            ...copyOf(entry),
            tries: 0,
            triedAt: undefined,
            content: copyOf(content),
            id,
          },
        ],
      });
      return id;
    },

    async inbox(newest = Infinity) {
      return newestOf(transaction.data.inbox, newest).map(({ content: _, ...entry }) => copyOf(entry));
    },

    async countInbox() {
      return transaction.data.inbox.length;
    },

    async inboxEntry(id) {
      const found = transaction.data.inbox.find((known) => known.id === id);
      if (found === undefined) return undefined;
      const { content: _, ...entry } = found;
      return copyOf(entry);
    },

    async inboxContent(id) {
      return copyOf(transaction.data.inbox.find((known) => known.id === id)?.content);
    },

    async handOver(id, from, to, at) {
      const entry = transaction.data.inbox.find((known) => known.id === id && known.process === from);
      if (entry === undefined) return false;
      const changed = { ...entry, process: to, claimedAt: at };
      transaction.change({ inbox: transaction.data.inbox.map((known) => (known === entry ? changed : known)) });
      return true;
    },

    async noteTry(id, at) {
      const { inbox } = transaction.data;
      transaction.change({
        inbox: inbox.map((known) => (known.id === id ? { ...known, tries: known.tries + 1, triedAt: at } : known)),
      });
    },

    async countTried(least) {
      const counts = new Map<ContactId, number>();
      for (const { contact, tries } of transaction.data.inbox) {
        if (tries >= Math.max(least, 1)) counts.set(contact, (counts.get(contact) ?? 0) + 1);
      }
      return [...counts].map(([contact, texts]) => ({ contact, texts })).sort((a, b) => a.contact - b.contact);
    },

    async waitingOf(contact, process) {
      const waiting = transaction.data.inbox.filter((one) => one.contact === contact && one.process !== process);
      return { texts: waiting.length, bytes: waiting.reduce((sum, { head }) => sum + head.length, 0) };
    },

    async dropFromInbox(ids) {
      transaction.change({ inbox: transaction.data.inbox.filter(({ id }) => !ids.includes(id)) });
    },
  };
}

function newestOf<Entry>(entries: readonly Entry[], newest: number): readonly Entry[] {
  return entries.slice(Math.max(0, entries.length - newest));
}
