import { equal } from '../../../src/primitives/index.ts';
import type { Contact, ContactId, ContactOverview, ContactStore, SessionOverview } from '../../../src/session/store.ts';
import { mustExist } from '../../../src/storage/transaction.ts';
import { copyOf, type MemoryTransaction, type StoredSession } from './data.ts';

export function contactStore(transaction: MemoryTransaction): ContactStore {
  const findContact = (matches: (contact: Contact) => boolean) => copyOf(transaction.data.contacts.find(matches));
  const change = (id: ContactId, difference: Partial<Contact>) => {
    const contact = requireContact(transaction, id);
    const changed = { ...contact, ...difference };
    transaction.change({ contacts: transaction.data.contacts.map((known) => (known === contact ? changed : known)) });
  };

  return {
    async contacts() {
      return copyOf(transaction.data.contacts.toSorted((a, b) => (a.name < b.name ? -1 : 1)));
    },

    async eachContact(visit) {
      const contacts: readonly ContactOverview[] = copyOf(
        transaction.data.contacts
          .toSorted((a, b) => (a.name < b.name ? -1 : 1))
          .map(({ invite, ...contact }) => ({
            ...contact,
            inviteWaits: invite !== undefined,
            sessions: transaction.data.sessions
              .filter((session) => session.contact === contact.id)
              .toSorted((a, b) => b.opened - a.opened || Buffer.compare(b.transcript, a.transcript))
              .map(overviewOf),
          })),
      );
      for (const contact of contacts) visit(contact);
    },

    async contact(id) {
      return copyOf(requireContact(transaction, id));
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
      const id = transaction.nextId() as ContactId;
      const contact = copyOf({ id, name, identity, addedAt, verifiedAt: undefined, invite });
      transaction.change({ contacts: [...transaction.data.contacts, contact] });
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
      requireContact(transaction, id);
      const isOfOthers = ({ contact }: { contact: ContactId }) => contact !== id;
      const { contacts, sessions, outbox, inbox, incoming, outgoing, routes, spentBoxes, lists, history } =
        transaction.data;
      transaction.change({
        contacts: contacts.filter((known) => known.id !== id),
        sessions: sessions.filter(isOfOthers),
        outbox: outbox.filter(isOfOthers),
        inbox: inbox.filter(isOfOthers),
        incoming: incoming.filter(isOfOthers),
        outgoing: outgoing.filter(isOfOthers),
        routes: routes.filter(({ owner }) => !('contact' in owner) || owner.contact !== id),
        spentBoxes: spentBoxes.filter(isOfOthers),
        lists: lists
          .map((list) => ({ ...list, contacts: list.contacts.filter((contact) => contact !== id) }))
          .filter((list) => list.contacts.length > 0),
        history: history.filter(isOfOthers),
      });
    },
  };
}

export function requireContact(transaction: MemoryTransaction, id: ContactId): Contact {
  return mustExist(
    transaction.data.contacts.find((contact) => contact.id === id),
    'contact',
  );
}

function overviewOf(session: StoredSession): SessionOverview {
  const { id, origin, createdAt, lastDhStepAt, held, fork, state, skipped } = session;
  const times = skipped.map(({ keptSince }) => keptSince);
  return {
    id,
    isTheirs: origin.role === 'responder',
    isUnanswered: origin.role === 'initiator' && origin.prefix !== undefined,
    createdAt,
    lastDhStepAt,
    held,
    fork,
    isDue: state.sending.kind === 'due',
    sent: state.sending.kind === 'chain' ? state.sending.n : 0,
    missing: times.length === 0 ? undefined : { count: times.length, since: Math.min(...times) },
  };
}
