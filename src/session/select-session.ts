/**
 * Decides which session of a contact is sent on, and which sessions are dropped (docs/PROTOCOL.md §4).
 * Does not encrypt or decrypt.
 */
import type { Release } from '../errors.ts';
import { toHex } from '../primitives/index.ts';
import type { RatchetState, SessionId } from '../ratchet/index.ts';
import { hasRoute } from './routes.ts';
import type { Session, SessionOverview, Transaction } from './store.ts';

/** The most sessions of one contact: both sides may open one at the same time, twice. */
const MAX_SESSIONS = 4;
/** A session that is not sent on is dropped after this many messages over the other sessions. */
const IDLE_MESSAGES = 64;
/** The most sessions beyond these limits that are kept because their boxes are not read yet. */
const MAX_UNREAD = 60;

/**
 * Selects the session to send on: the one opened last. Both sides compare the same opening times, so they agree. An
 * unanswered opening of ours is skipped if we have accepted an opening of theirs after it, and a held session is chosen
 * only if there is no other.
 */
export function sendingSession(sessions: readonly Session[]): Session | undefined {
  return selectSession(
    sessions.toSorted(openedLastFirst).map((session) => {
      const { id, origin, held } = session;
      const isTheirs = origin.role === 'responder';
      return { id, isTheirs, isUnanswered: !isTheirs && origin.prefix !== undefined, held, session };
    }),
  )?.session;
}

/** The same of sessions of which only this is known, the one that was opened last first. */
export function selectSession<Of extends Pick<SessionOverview, 'id' | 'isTheirs' | 'isUnanswered' | 'held'>>(
  sessions: readonly Of[],
): Of | undefined {
  const isOvertaken = ({ id, isUnanswered }: Of) =>
    isUnanswered && sessions.some((other) => other.isTheirs && other.id > id);
  const candidates = sessions.filter((session) => !isOvertaken(session));
  return candidates.find(({ held }) => !held) ?? candidates[0];
}

/**
 * Returns what releases a held session. If a new chain of ours is due, the peer never begins another: it waits for
 * ours, or it has received one that our restored file does not know, and its answer is a fork. Only a new session helps
 * then.
 */
export function releaseOf({ sending }: Pick<RatchetState, 'sending'>): Release {
  return releaseWhere(sending.kind === 'due');
}

/** @param isDue whether a new chain of ours is due. */
export function releaseWhere(isDue: boolean): Release {
  return isDue ? 'invited' : 'answered';
}

/**
 * Drops the sessions of a contact that exceed the limits; never the one that is sent on.
 * @returns the dropped sessions.
 */
export async function dropIdleSessions(
  transaction: Transaction,
  sessions: readonly Session[],
): Promise<readonly SessionId[]> {
  const sending = sendingSession(sessions);
  const others = sessions.filter(({ id }) => id !== sending?.id).sort((a, b) => a.idle - b.idle || b.id - a.id);
  const surplus = others.filter(({ idle }, index) => index >= MAX_SESSIONS - 1 || idle >= IDLE_MESSAGES);
  const unread = surplus.length === 0 ? [] : await unreadSessions(transaction, sessions);
  const dropped = surplus.filter((session, index) => index >= MAX_UNREAD || !unread.includes(session));
  for (const { id } of dropped) await transaction.dropSession(id);
  return dropped.map(({ id }) => id);
}

/**
 * Those whose box may still hold messages of before the newest session: the contact is reached by a route, and the box was
 * not read empty since. An unread session is not dropped for the number of its idle messages, which were read first.
 */
async function unreadSessions(transaction: Transaction, sessions: readonly Session[]): Promise<readonly Session[]> {
  const [first] = sessions;
  if (first === undefined || !(await hasRoute(transaction, first.contact))) return [];
  const newest = Math.max(...sessions.map(({ id }) => id));
  return sessions.filter(({ boxes, readWith }) => boxes !== undefined && (readWith === undefined || readWith < newest));
}

function openedLastFirst(a: Session, b: Session): number {
  return b.opened - a.opened || (toHex(a.transcript) < toHex(b.transcript) ? 1 : -1);
}
