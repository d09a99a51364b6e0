import type { Boxes, InboxId, OutboxId } from '../../../src/session/store.ts';
import { found } from '../../../src/storage/transaction.ts';
import { requireContact } from './contacts.ts';
import { copyOf, type Unit } from './data.ts';

export function boxes(unit: Unit): Boxes {
  return {
    async addToOutbox(entry) {
      requireContact(unit, entry.contact);
      const id = unit.nextId() as OutboxId;
      unit.change({ outbox: [...unit.data.outbox, { ...copyOf(entry), id }] });
      return id;
    },

    async outbox() {
      return copyOf(unit.data.outbox);
    },

    async dropFromOutbox(ids) {
      unit.change({ outbox: unit.data.outbox.filter(({ id }) => !ids.includes(id)) });
    },

    async addToInbox(entry) {
      requireContact(unit, entry.contact);
      const id = unit.nextId() as InboxId;
      unit.change({ inbox: [...unit.data.inbox, { ...copyOf(entry), id }] });
      return id;
    },

    async inbox() {
      return unit.data.inbox.map(({ content: _, ...entry }) => copyOf(entry));
    },

    async claimInbox(id, process) {
      const entry = found(
        unit.data.inbox.find((known) => known.id === id),
        'text',
      );
      const claimed = { ...entry, process };
      unit.change({ inbox: unit.data.inbox.map((known) => (known === entry ? claimed : known)) });
      const { id: _, ...text } = claimed;
      return copyOf(text);
    },

    async takeFromInbox(id) {
      const entry = unit.data.inbox.find((known) => known.id === id);
      if (entry === undefined) return undefined;
      unit.change({ inbox: unit.data.inbox.filter((known) => known !== entry) });
      const { id: _, ...text } = entry;
      return copyOf(text);
    },

    async dropFromInbox(ids) {
      unit.change({ inbox: unit.data.inbox.filter(({ id }) => !ids.includes(id)) });
    },
  };
}
