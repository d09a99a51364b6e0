import { equal } from '../../primitives/index.ts';
import type { Contact, ContactId, ContactStore } from '../../session/store.ts';
import { found } from '../found.ts';
import { copyOf, type Unit } from './data.ts';

export function contactStore(unit: Unit): ContactStore {
  const findContact = (matches: (contact: Contact) => boolean) => copyOf(unit.data.contacts.find(matches));

  return {
    async contacts() {
      return copyOf(unit.data.contacts.toSorted((a, b) => (a.name < b.name ? -1 : 1)));
    },

    async contact(id) {
      return copyOf(requireContact(unit, id));
    },

    async contactNamed(name) {
      return findContact((contact) => contact.name === name);
    },

    async contactOf(identity) {
      return findContact((contact) => equal(contact.identity, identity));
    },

    async addContact({ name, identity, addedAt, invite }) {
      const taken = findContact((known) => known.name === name || equal(known.identity, identity));
      if (taken !== undefined) throw new Error('a contact has a name and an identity of its own');
      const id = unit.nextId() as ContactId;
      const contact = copyOf({ id, name, identity, addedAt, verifiedAt: undefined, invite });
      unit.change({ contacts: [...unit.data.contacts, contact] });
      return id;
    },

    async setContactInvite(id, invite) {
      const contact = requireContact(unit, id);
      const changed = { ...contact, invite: copyOf(invite) };
      unit.change({ contacts: unit.data.contacts.map((known) => (known === contact ? changed : known)) });
    },
  };
}

export function requireContact(unit: Unit, id: ContactId): Contact {
  return found(
    unit.data.contacts.find((contact) => contact.id === id),
    'contact',
  );
}
