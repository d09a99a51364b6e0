import { equal } from '../../../src/primitives/index.ts';
import type { SessionId } from '../../../src/ratchet/index.ts';
import type { ContactId, Session, SessionTable } from '../../../src/session/store.ts';
import { mustExist } from '../../../src/storage/transaction.ts';
import { requireContact } from './contacts.ts';
import { copyOf, type MemoryTransaction, type StoredSession } from './data.ts';

export function sessionTable(transaction: MemoryTransaction): SessionTable {
  const sessionOfPrefix = (digest: Uint8Array) =>
    transaction.data.sessions.find(({ origin }) => origin.role === 'responder' && equal(origin.prefixDigest, digest));

  return {
    async session(id) {
      return sessionIn(requireSession(transaction, id));
    },

    async sessions(contact) {
      return transaction.data.sessions.filter((session) => session.contact === contact).map(sessionIn);
    },

    async routedSessions() {
      const { contacts, routes, sessions } = transaction.data;
      const hasRoute = (contact: ContactId) =>
        routes.some(({ owner }) => 'contact' in owner && owner.contact === contact);
      return contacts
        .filter(({ id }) => hasRoute(id))
        .toSorted((a, b) => (a.name < b.name ? -1 : 1))
        .flatMap(({ id: contact, name }) =>
          sessions
            .filter((session) => session.contact === contact)
            .map(({ id, origin, createdAt, readWith, boxes }) => ({
              id,
              contact,
              name,
              isTheirs: origin.role === 'responder',
              createdAt,
              readWith,
              boxes: boxes && copyOf({ incoming: boxes.incoming, invite: boxes.invite }),
            })),
        );
    },

    async sessionOfPrefix(prefixDigest) {
      const stored = sessionOfPrefix(prefixDigest);
      return stored && sessionIn(stored);
    },

    async addSession({ contact, origin, transcript, opened, createdAt, boxes }, state) {
      requireContact(transaction, contact);
      if (origin.role === 'responder' && sessionOfPrefix(origin.prefixDigest) !== undefined) {
        throw new Error('a prefix opens one session');
      }
      const id = transaction.nextId() as SessionId;
      const session: StoredSession = {
        ...copyOf({ id, contact, origin, transcript, opened, createdAt, boxes, state }),
        lastDhStepAt: undefined,
        idle: 0,
        lost: 0,
        held: false,
        fork: undefined,
        readWith: undefined,
        finished: [],
        skipped: [],
        accepted: [],
        received: 0,
        lastReception: 0,
      };
      transaction.change({ sessions: [...transaction.data.sessions, session] });
      return id;
    },

    async answerSession(id) {
      const { origin, boxes } = requireSession(transaction, id);
      if (origin.role !== 'initiator') throw new Error('the session was opened by the peer');
      changeSession(transaction, id, {
        origin: { ...origin, prefix: undefined },
        boxes: boxes && { ...boxes, invite: undefined },
      });
    },

    async setReadWith(id, newest) {
      if (transaction.data.sessions.some((session) => session.id === id))
        changeSession(transaction, id, { readWith: newest });
    },

    async useSession(id) {
      const used = requireSession(transaction, id);
      const sessions = transaction.data.sessions.map((session) => {
        if (session.contact !== used.contact) return session;
        return { ...session, idle: session === used ? 0 : session.idle + 1 };
      });
      transaction.change({ sessions });
    },

    async holdSessions(contact) {
      const { sessions } = transaction.data;
      const isMeant = (session: (typeof sessions)[number]) => contact === undefined || session.contact === contact;
      transaction.change({
        sessions: sessions.map((session) => (isMeant(session) ? { ...session, held: true } : session)),
      });
    },

    async acknowledgeForks(contact, at) {
      const isNew = ({ fork, ...session }: StoredSession) =>
        session.contact === contact && fork !== undefined && fork.acknowledgedAt === undefined;
      const { sessions } = transaction.data;
      transaction.change({
        sessions: sessions.map((session) =>
          session.fork && isNew(session) ? { ...session, fork: { ...session.fork, acknowledgedAt: at } } : session,
        ),
      });
      return sessions.filter(isNew).length;
    },

    async dropSession(id) {
      transaction.change({ sessions: transaction.data.sessions.filter((session) => session.id !== id) });
    },

    async finishedChains(id) {
      const { finished } = requireSession(transaction, id);
      return copyOf(finished.map(({ chain, remote, length }) => ({ chain, remote, length })));
    },

    async missingMessages(id) {
      const session = transaction.data.sessions.find((known) => known.id === id);
      return (session?.skipped ?? []).map(({ chain, n, keptSince }) => ({ chain, n, keptSince }));
    },
  };
}

export function requireSession(transaction: MemoryTransaction, id: SessionId): StoredSession {
  return mustExist(
    transaction.data.sessions.find((session) => session.id === id),
    'session',
  );
}

export function changeSession(transaction: MemoryTransaction, id: SessionId, difference: Partial<StoredSession>): void {
  const session = requireSession(transaction, id);
  const changed = { ...session, ...difference };
  transaction.change({ sessions: transaction.data.sessions.map((known) => (known === session ? changed : known)) });
}

/** The part of it that `SessionTable` tells about. */
function sessionIn(stored: StoredSession): Session {
  const { id, contact, origin, transcript, opened, createdAt, lastDhStepAt, idle, lost, held, fork, boxes, readWith } =
    stored;
  return copyOf({
    id,
    contact,
    origin,
    transcript,
    opened,
    createdAt,
    lastDhStepAt,
    idle,
    lost,
    held,
    fork,
    boxes,
    readWith,
  });
}
