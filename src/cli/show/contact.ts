/**
 * A contact as a row of a table and as JSON.
 * Knows nothing of where it is shown.
 */
import type { ContactReport, ForkMark } from '../../session/index.ts';
import { count, iso } from '../terminal/format.ts';

/** The columns: name, fingerprint, verified or not, number of sessions. */
export function contactRow({ name, fingerprint, verified, sessions }: ContactReport): readonly string[] {
  return [
    name,
    fingerprint,
    verified ? 'verified' : 'unverified',
    sessions > 0 ? count(sessions, 'session') : 'not begun',
  ];
}

/** The fields of a contact in the JSON output. */
export function contactFields(contact: ContactReport) {
  return {
    name: contact.name,
    fingerprint: contact.fingerprint,
    verified: contact.verified,
    added_at: iso(contact.addedAt),
    sessions: contact.sessions,
    invite_waits: contact.inviteWaits,
    fork: contact.fork !== undefined,
    forks: contact.forks.map(forkFields),
    missing: contact.missing?.count ?? 0,
    missing_since: contact.missing === undefined ? null : iso(contact.missing.since),
    unanswered: contact.unanswered?.messages ?? 0,
    unanswered_since: contact.unanswered === undefined ? null : iso(contact.unanswered.since),
    held_until: contact.heldUntil ?? null,
  };
}

/** A fork mark in the JSON output. */
export function forkFields({ reason, at, acknowledgedAt }: ForkMark) {
  return { reason, at: iso(at), acknowledged_at: acknowledgedAt === undefined ? null : iso(acknowledgedAt) };
}
