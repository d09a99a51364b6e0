import type { Lists } from '../../../src/session/store.ts';
import { requireContact } from './contacts.ts';
import { copyOf, type MemoryTransaction } from './data.ts';

export function listsOf(transaction: MemoryTransaction): Lists {
  return {
    async lists() {
      return copyOf(transaction.data.lists);
    },

    async setList(name, contacts) {
      for (const id of contacts) requireContact(transaction, id);
      const others = transaction.data.lists.filter((one) => one.name !== name);
      const list = { name, contacts: [...new Set(contacts)].sort((a, b) => a - b) };
      const lists = contacts.length === 0 ? others : [...others, list];
      transaction.change({ lists: lists.sort((a, b) => (a.name < b.name ? -1 : 1)) });
    },
  };
}
