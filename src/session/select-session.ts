import type { Release } from '../errors.ts';
import { toHex } from '../primitives/index.ts';
import type { RatchetState, SessionId } from '../ratchet/index.ts';
import type { Session, Transaction } from './store.ts';

/** Sessions kept of one contact: both sides may open at once, twice. */
const KEPT_SESSIONS = 4;
/** A session that one does not send on goes after this many messages over the others. */
const IDLE_MESSAGES = 64;

/**
 * The session that one sends on (docs/PROTOCOL.md §4): the one opened last, as both sides count it, so that they come to
 * agree. An opening of ours that was never answered is passed over while one that we accepted after it exists.
 */
export function sendingSession(sessions: readonly Session[]): Session | undefined {
  const isOvertaken = ({ id, origin }: Session) =>
    origin.role === 'initiator' &&
    origin.prefix !== undefined &&
    sessions.some((other) => other.origin.role === 'responder' && other.id > id);
  return sessions.filter((session) => !isOvertaken(session)).sort(notHeldFirst)[0];
}

/**
 * What lets a held session go. One that is due to begin a chain waits for it in vain: the peer begins no other before that
 * one has been heard, and if it has, because our file forgot that we began it, the answer is a fork.
 */
export function releaseOf({ sending }: RatchetState): Release {
  return sending.kind === 'due' ? 'invited' : 'answered';
}

/**
 * Drops the sessions of a contact that are too many or too long out of use; never the one that one sends on.
 * @returns those that went.
 */
export async function dropIdleSessions(
  transaction: Transaction,
  sessions: readonly Session[],
): Promise<readonly SessionId[]> {
  const sending = sendingSession(sessions);
  const others = sessions.filter(({ id }) => id !== sending?.id).sort((a, b) => a.idle - b.idle || b.id - a.id);
  const idle = others.filter(({ idle }, index) => index >= KEPT_SESSIONS - 1 || idle >= IDLE_MESSAGES);
  for (const { id } of idle) await transaction.dropSession(id);
  return idle.map(({ id }) => id);
}

/** One that is held is sent on as soon as the peer has begun a new chain; until then any other is better. */
function notHeldFirst(a: Session, b: Session): number {
  return Number(a.held) - Number(b.held) || openedLastFirst(a, b);
}

function openedLastFirst(a: Session, b: Session): number {
  return b.opened - a.opened || (toHex(a.transcript) < toHex(b.transcript) ? 1 : -1);
}
