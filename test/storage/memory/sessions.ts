import { equal } from '../../../src/primitives/index.ts';
import type { SessionId } from '../../../src/ratchet/index.ts';
import type { Session, SessionTable } from '../../../src/session/store.ts';
import { found } from '../../../src/storage/transaction.ts';
import { requireContact } from './contacts.ts';
import { copyOf, type StoredSession, type Unit } from './data.ts';

export function sessionTable(unit: Unit): SessionTable {
  const sessionOfPrefix = (digest: Uint8Array) =>
    unit.data.sessions.find(({ origin }) => origin.role === 'responder' && equal(origin.prefixDigest, digest));

  return {
    async session(id) {
      return sessionIn(requireSession(unit, id));
    },

    async sessions(contact) {
      return unit.data.sessions.filter((session) => session.contact === contact).map(sessionIn);
    },

    async sessionOfPrefix(prefixDigest) {
      const stored = sessionOfPrefix(prefixDigest);
      return stored && sessionIn(stored);
    },

    async addSession({ contact, origin, transcript, opened, createdAt }, state) {
      requireContact(unit, contact);
      if (origin.role === 'responder' && sessionOfPrefix(origin.prefixDigest) !== undefined) {
        throw new Error('a prefix opens one session');
      }
      const id = unit.nextId() as SessionId;
      const session: StoredSession = {
        ...copyOf({ id, contact, origin, transcript, opened, createdAt, state }),
        lastDhStepAt: undefined,
        idle: 0,
        lost: 0,
        held: false,
        fork: undefined,
        finished: [],
        skipped: [],
        accepted: [],
        received: 0,
        lastReception: 0,
      };
      unit.change({ sessions: [...unit.data.sessions, session] });
      return id;
    },

    async answerSession(id) {
      const { origin } = requireSession(unit, id);
      if (origin.role !== 'initiator') throw new Error('the session was opened by the peer');
      changeSession(unit, id, { origin: { ...origin, prefix: undefined } });
    },

    async useSession(id) {
      const used = requireSession(unit, id);
      const sessions = unit.data.sessions.map((session) => {
        if (session.contact !== used.contact) return session;
        return { ...session, idle: session === used ? 0 : session.idle + 1 };
      });
      unit.change({ sessions });
    },

    async holdSessions() {
      unit.change({ sessions: unit.data.sessions.map((session) => ({ ...session, held: true })) });
    },

    async dropSession(id) {
      unit.change({ sessions: unit.data.sessions.filter((session) => session.id !== id) });
    },

    async finishedChains(id) {
      const { finished } = requireSession(unit, id);
      return copyOf(finished.map(({ chain, remote, length }) => ({ chain, remote, length })));
    },

    async missingMessages(id) {
      const session = unit.data.sessions.find((known) => known.id === id);
      return (session?.skipped ?? []).map(({ chain, n, keptSince }) => ({ chain, n, keptSince }));
    },
  };
}

export function requireSession(unit: Unit, id: SessionId): StoredSession {
  return found(
    unit.data.sessions.find((session) => session.id === id),
    'session',
  );
}

export function changeSession(unit: Unit, id: SessionId, difference: Partial<StoredSession>): void {
  const session = requireSession(unit, id);
  const changed = { ...session, ...difference };
  unit.change({ sessions: unit.data.sessions.map((known) => (known === session ? changed : known)) });
}

/** The part of it that `SessionTable` tells about. */
function sessionIn(stored: StoredSession): Session {
  const { id, contact, origin, transcript, opened, createdAt, lastDhStepAt, idle, lost, held, fork } = stored;
  return copyOf({ id, contact, origin, transcript, opened, createdAt, lastDhStepAt, idle, lost, held, fork });
}
