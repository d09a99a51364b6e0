import { equal } from '../../../src/primitives/index.ts';
import type { Contact, ContactId, ContactStore } from '../../../src/session/store.ts';
import { found } from '../../../src/storage/transaction.ts';
import { copyOf, type Unit } from './data.ts';

export function contactStore(unit: Unit): ContactStore {
  const findContact = (matches: (contact: Contact) => boolean) => copyOf(unit.data.contacts.find(matches));
  const change = (id: ContactId, difference: Partial<Contact>) => {
    const contact = requireContact(unit, id);
    const changed = { ...contact, ...difference };
    unit.change({ contacts: unit.data.contacts.map((known) => (known === contact ? changed : known)) });
  };

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
      change(id, { invite: copyOf(invite) });
    },

    async setVerified(id, verifiedAt) {
      change(id, { verifiedAt });
    },

    async renameContact(id, name) {
      if (findContact((known) => known.name === name && known.id !== id) !== undefined) {
        throw new Error('a contact has a name of its own');
      }
      change(id, { name });
    },

    async dropContact(id) {
      requireContact(unit, id);
      const isOfOthers = ({ contact }: { contact: ContactId }) => contact !== id;
      const { contacts, sessions, outbox, inbox, history } = unit.data;
      unit.change({
        contacts: contacts.filter((known) => known.id !== id),
        sessions: sessions.filter(isOfOthers),
        outbox: outbox.filter(isOfOthers),
        inbox: inbox.filter(isOfOthers),
        history: history.filter(isOfOthers),
      });
    },
  };
}

export function requireContact(unit: Unit, id: ContactId): Contact {
  return found(
    unit.data.contacts.find((contact) => contact.id === id),
    'contact',
  );
}
