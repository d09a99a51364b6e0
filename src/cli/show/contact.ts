import type { ContactReport } from '../../session/index.ts';
import { count, iso } from '../terminal/format.ts';

/** A contact as a row of a table: who, fingerprint, verified or not, sessions. */
export function contactRow({ name, fingerprint, verified, sessions }: ContactReport): readonly string[] {
  return [
    name,
    fingerprint,
    verified ? 'verified' : 'unverified',
    sessions > 0 ? count(sessions, 'session') : 'not begun',
  ];
}

/** What the JSON contract says of a contact. */
export function contactFields(contact: ContactReport) {
  return {
    name: contact.name,
    fingerprint: contact.fingerprint,
    verified: contact.verified,
    added_at: iso(contact.addedAt),
    sessions: contact.sessions,
    invite_waits: contact.inviteWaits,
    fork: contact.fork !== undefined,
    missing: contact.missing?.count ?? 0,
    missing_since: contact.missing === undefined ? null : iso(contact.missing.since),
    unanswered: contact.unanswered?.messages ?? 0,
    unanswered_since: contact.unanswered === undefined ? null : iso(contact.unanswered.since),
    held_until: contact.heldUntil ?? null,
  };
}
