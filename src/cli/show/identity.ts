import type { IdentityReport } from '../../session/index.ts';
import type { Document } from '../tell.ts';
import { count, facts, section, table } from './page.ts';
import { day, instant, iso } from './time.ts';

export interface IdentityPage {
  readonly name: string;
  readonly path: string;
  readonly schema: number;
  readonly report: IdentityReport;
  /** Unix milliseconds. */
  readonly now: number;
}

/** The identity as a page: who, with whom, what is open, what needs attention. */
export function identityPage({ name, path, schema, report, now }: IdentityPage): string {
  const { contacts, invites, inbox, outbox } = report;
  return [
    facts([
      ['identity', name],
      ['fingerprint', report.fingerprint],
      ['file', `${path} (schema ${schema})`],
    ]),
    section('contacts', table(contacts.map(contactRow)), 'nobody yet: pawl invite NAME, or pawl add NAME FILE'),
    section('invites', table(invites.map((invite) => inviteRow(invite, now))), 'none'),
    section(
      'waiting',
      [
        ...inbox.map(
          ({ from, receivedAt }) => `a text of ${from}, since ${instant(receivedAt)}: pawl recv < /dev/null`,
        ),
        ...outbox.map(({ to, createdAt }) => `an envelope for ${to}, since ${instant(createdAt)}, never fully written`),
      ],
      'nothing',
    ),
    section('attention', attention(report), 'nothing'),
  ].join('\n\n');
}

export function identityDocument({ name, path, schema, report, now }: IdentityPage): Document {
  return {
    type: 'identity',
    name,
    fingerprint: report.fingerprint,
    path,
    schema,
    contacts: report.contacts.map((contact) => ({
      name: contact.name,
      fingerprint: contact.fingerprint,
      verified: contact.verified,
      added_at: iso(contact.addedAt),
      sessions: contact.sessions,
      invite_waits: contact.inviteWaits,
      fork: contact.fork,
    })),
    invites: report.invites.map(({ name, createdAt, expires, fate, lastUser, usedBy, usedAt }) => ({
      for: name,
      state: fate === 'open' && expires * 1_000 <= now ? 'expired' : fate,
      created_at: iso(createdAt),
      expires_at: iso(expires * 1_000),
      ...(lastUser !== undefined && { reusable: true, last_user: lastUser }),
      ...(usedBy !== undefined && usedAt !== undefined && { used_by: usedBy, used_at: iso(usedAt) }),
    })),
    inbox: report.inbox.map(({ from, receivedAt }) => ({ from, received_at: iso(receivedAt) })),
    outbox: report.outbox.map(({ to, createdAt, bytes }) => ({ to, created_at: iso(createdAt), bytes })),
  };
}

function contactRow(contact: IdentityReport['contacts'][number]): readonly string[] {
  const state = contact.sessions > 0 ? count(contact.sessions, 'session') : 'not begun';
  return [contact.name, contact.fingerprint, contact.verified ? 'verified' : 'unverified', state];
}

function inviteRow(
  { name, createdAt, expires, fate, lastUser, usedBy, usedAt }: IdentityReport['invites'][number],
  now: number,
) {
  const until = day(expires * 1_000);
  const state =
    usedBy !== undefined && usedAt !== undefined
      ? `used ${instant(usedAt)} by ${usedBy}`
      : fate === 'open' && expires * 1_000 > now
        ? `open until ${until}${lastUser === undefined ? '' : `, reusable, last user ${lastUser || 'none'}`}`
        : `expired ${until}`;
  return [`for ${name}`, `made ${day(createdAt)}`, state];
}

function attention({ contacts }: IdentityReport): readonly string[] {
  return contacts.flatMap(({ name, verified, fork, inviteWaits }) => [
    ...(fork ? [`${name}: messages contradict each other: pawl inspect ${name}`] : []),
    ...(inviteWaits ? [`${name}: the invite is not answered yet: pawl send ${name}`] : []),
    ...(verified ? [] : [`${name}: unverified; compare the safety number: pawl verify ${name}`]),
  ]);
}
