/**
 * The `sessions` step: which sessions there are with a contact, how idle they are, which is sent on.
 * Knows nothing of who reads or makes the vectors.
 */
import type { Session } from '../../src/session/index.ts';
import { sendingSession } from '../../src/session/select-session.ts';
import type { SessionsStep } from './format.ts';
import { sessionName } from './session-name.ts';

/** What a `sessions` step states of the sessions with one contact. */
export function sessionsOf(sessions: readonly Session[]): Pick<SessionsStep, 'sessions' | 'sends'> {
  const sending = sendingSession(sessions);
  if (sending === undefined) throw new Error('there is no session');
  return { sessions: sessions.map((session) => [sessionName(session), session.idle]), sends: sessionName(sending) };
}
