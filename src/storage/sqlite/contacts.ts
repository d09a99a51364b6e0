import type { IdentityKey } from '../../primitives/index.ts';
import type { Contact, ContactId, ContactStore } from '../../session/store.ts';
import { found } from '../found.ts';
import type { Unit } from './unit.ts';

interface ContactRow {
  readonly id: ContactId;
  readonly name: string;
  readonly identity: IdentityKey;
  readonly added_at: number;
  readonly verified_at: number | null;
  readonly invite: Uint8Array | null;
}

const SELECT = 'SELECT id, name, identity, added_at, verified_at, invite FROM contacts';

export function contactStore(unit: Unit): ContactStore {
  return {
    async contacts() {
      return unit.all<ContactRow>(`${SELECT} ORDER BY name`).map(contactIn);
    },

    async contact(id) {
      return contactIn(found(unit.get<ContactRow>(`${SELECT} WHERE id = @id`, { id }), 'contact'));
    },

    async contactNamed(name) {
      const row = unit.get<ContactRow>(`${SELECT} WHERE name = @name`, { name });
      return row && contactIn(row);
    },

    async contactOf(identity) {
      const row = unit.get<ContactRow>(`${SELECT} WHERE identity = @identity`, { identity });
      return row && contactIn(row);
    },

    async addContact({ name, identity, addedAt, invite }) {
      const { id } = unit.run(
        'INSERT INTO contacts (name, identity, added_at, invite) VALUES (@name, @identity, @addedAt, @invite)',
        { name, identity, addedAt, invite: invite ?? null },
      );
      return id as ContactId;
    },

    async setContactInvite(id, invite) {
      const row = { id, invite: invite ?? null };
      unit.update('contact', 'UPDATE contacts SET invite = @invite WHERE id = @id', row);
    },
  };
}

function contactIn({ id, name, identity, added_at, verified_at, invite }: ContactRow): Contact {
  return { id, name, identity, addedAt: added_at, verifiedAt: verified_at ?? undefined, invite: invite ?? undefined };
}
