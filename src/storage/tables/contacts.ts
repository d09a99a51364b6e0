/**
 * The table `contacts`: `ContactStore` in SQL.
 * Relies on foreign keys to delete what belongs to a contact.
 */
import type { IdentityKey } from '../../primitives/index.ts';
import type { Contact, ContactId, ContactStore, WaitingInvite } from '../../session/store.ts';
import { mustExist, type SqlTransaction } from '../transaction.ts';

interface ContactRow {
  readonly id: ContactId;
  readonly name: string;
  readonly identity: IdentityKey;
  readonly added_at: number;
  readonly verified_at: number | null;
  readonly invite: Uint8Array | null;
  readonly invite_added_at: number | null;
}

const SELECT = 'SELECT id, name, identity, added_at, verified_at, invite, invite_added_at FROM contacts';

export function contactStore(transaction: SqlTransaction): ContactStore {
  return {
    async contacts() {
      return transaction.all<ContactRow>(`${SELECT} ORDER BY name`).map(contactIn);
    },

    async contact(id) {
      return contactIn(mustExist(transaction.get<ContactRow>(`${SELECT} WHERE id = @id`, { id }), 'contact'));
    },

    async contactNamed(name) {
      const row = transaction.get<ContactRow>(`${SELECT} WHERE name = @name`, { name });
      return row && contactIn(row);
    },

    async contactOf(identity) {
      const row = transaction.get<ContactRow>(`${SELECT} WHERE identity = @identity`, { identity });
      return row && contactIn(row);
    },

    async addContact({ name, identity, addedAt, invite }) {
      const { id } = transaction.run(
        `INSERT INTO contacts (name, identity, added_at, invite, invite_added_at)
        VALUES (@name, @identity, @addedAt, @invite, @inviteAddedAt)`,
        { name, identity, addedAt, ...inviteColumns(invite) },
      );
      return id as ContactId;
    },

    async setContactInvite(id, invite) {
      transaction.update(
        'contact',
        'UPDATE contacts SET invite = @invite, invite_added_at = @inviteAddedAt WHERE id = @id',
        {
          id,
          ...inviteColumns(invite),
        },
      );
    },

    async setVerified(id, at) {
      transaction.update('contact', 'UPDATE contacts SET verified_at = @at WHERE id = @id', { id, at: at ?? null });
    },

    async renameContact(id, name) {
      transaction.update('contact', 'UPDATE contacts SET name = @name WHERE id = @id', { id, name });
    },

    // ON DELETE CASCADE deletes all rows that refer to it.
    async dropContact(id) {
      transaction.update('contact', 'DELETE FROM contacts WHERE id = @id', { id });
    },
  };
}

function inviteColumns(invite: WaitingInvite | undefined) {
  return { invite: invite?.bytes ?? null, inviteAddedAt: invite?.addedAt ?? null };
}

function contactIn(row: ContactRow): Contact {
  const { id, name, identity, added_at: addedAt, verified_at, invite, invite_added_at } = row;
  const waiting = invite === null || invite_added_at === null ? undefined : { bytes: invite, addedAt: invite_added_at };
  return { id, name, identity, addedAt, verifiedAt: verified_at ?? undefined, invite: waiting };
}
