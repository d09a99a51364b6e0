/**
 * Decides which session of a contact is sent on, and which sessions are dropped (docs/PROTOCOL.md §4).
 * Does not encrypt or decrypt.
 */
import type { Release } from '../errors.ts';
import { toHex } from '../primitives/index.ts';
import type { RatchetState, SessionId } from '../ratchet/index.ts';
import type { Session, Transaction } from './store.ts';

/** The most sessions of one contact: both sides may open one at the same time, twice. */
const MAX_SESSIONS = 4;
/** A session that is not sent on is dropped after this many messages over the other sessions. */
const IDLE_MESSAGES = 64;

/**
 * Selects the session to send on: the one opened last. Both sides compare the same opening times, so they agree. An
 * unanswered opening of ours is skipped if we have accepted an opening of theirs after it, and a held session is chosen
 * only if there is no other.
 */
export function sendingSession(sessions: readonly Session[]): Session | undefined {
  const isOvertaken = ({ id, origin }: Session) =>
    origin.role === 'initiator' &&
    origin.prefix !== undefined &&
    sessions.some((other) => other.origin.role === 'responder' && other.id > id);
  return sessions.filter((session) => !isOvertaken(session)).sort(notHeldFirst)[0];
}

/**
 * Returns what releases a held session. If a new chain of ours is due, the peer never begins another: it waits for
 * ours, or it has received one that our restored file does not know, and its answer is a fork. Only a new session helps
 * then.
 */
export function releaseOf({ sending }: RatchetState): Release {
  return sending.kind === 'due' ? 'invited' : 'answered';
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
  const dropped = others.filter(({ idle }, index) => index >= MAX_SESSIONS - 1 || idle >= IDLE_MESSAGES);
  for (const { id } of dropped) await transaction.dropSession(id);
  return dropped.map(({ id }) => id);
}

function notHeldFirst(a: Session, b: Session): number {
  return Number(a.held) - Number(b.held) || openedLastFirst(a, b);
}

function openedLastFirst(a: Session, b: Session): number {
  return b.opened - a.opened || (toHex(a.transcript) < toHex(b.transcript) ? 1 : -1);
}
