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

    async outbox() {
      return copyOf(transaction.data.outbox);
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

    async inbox() {
      return transaction.data.inbox.map(({ content: _, ...entry }) => copyOf(entry));
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
