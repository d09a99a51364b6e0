/**
 * The table `list_members`: `Lists` in SQL.
 * Relies on a foreign key to take a contact that is deleted out of its lists.
 */
import type { ContactId, ContactList, Lists } from '../../session/store.ts';
import type { SqlTransaction } from '../transaction.ts';

interface MemberRow {
  readonly list: string;
  readonly contact: ContactId;
}

export function listsOf(transaction: SqlTransaction): Lists {
  return {
    async lists() {
      const lists: (ContactList & { readonly contacts: ContactId[] })[] = [];
      const sql = 'SELECT list, contact_id AS contact FROM list_members ORDER BY list, contact_id';
      for (const { list, contact } of transaction.all<MemberRow>(sql)) {
        const last = lists.at(-1);
        if (last?.name === list) last.contacts.push(contact);
        else lists.push({ name: list, contacts: [contact] });
      }
      return lists;
    },

    async setList(name, contacts) {
      transaction.run('DELETE FROM list_members WHERE list = @name', { name });
      for (const contact of new Set(contacts)) {
        transaction.run('INSERT INTO list_members (list, contact_id) VALUES (@name, @contact)', { name, contact });
      }
    },
  };
}
