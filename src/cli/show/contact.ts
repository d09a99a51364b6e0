import type { ContactReport } from '../../session/index.ts';
import type { Document } from '../tell.ts';
import { count } from './page.ts';
import { iso } from './time.ts';

/** A contact as a row of a table: who, fingerprint, verified or not, sessions. */
export function contactRow({ name, fingerprint, verified, sessions }: ContactReport): readonly string[] {
  return [
    name,
    fingerprint,
    verified ? 'verified' : 'unverified',
    sessions > 0 ? count(sessions, 'session') : 'not begun',
  ];
}

export function contactDocument(contact: ContactReport): Document {
  return {
    type: 'contact',
    name: contact.name,
    fingerprint: contact.fingerprint,
    verified: contact.verified,
    added_at: iso(contact.addedAt),
    sessions: contact.sessions,
    invite_waits: contact.inviteWaits,
    fork: contact.fork,
  };
}
