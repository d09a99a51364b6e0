/**
 * The page and the JSON document of `pawl inspect` without a name, and which states of it need the attention of the
 * person. Reads nothing from the store: it is given a report.
 */
import type { Release } from '../../errors.ts';
import { DAY, type IdentityReport, type IncomingContent, TRIES, type UnsentContent } from '../../session/index.ts';
import { HOLDS } from '../terminal/error-messages.ts';
import { count, day, facts, instant, isDatabase, iso, section, spanInWords, table } from '../terminal/format.ts';
import type { Document } from '../terminal/reporter.ts';
import { contactFields, contactRow } from './contact.ts';
import { historyFields, historyWords } from './history.ts';
import { listRow } from './list.ts';
import { incomingFields, incomingLine, unsentFields, unsentLine } from './transfers.ts';

export interface IdentityPage {
  readonly name: string;
  readonly path: string;
  readonly schema: number;
  readonly report: IdentityReport;
  /** Contents of which parts are missing. */
  readonly incoming: readonly IncomingContent[];
  /** Contents that were begun to be sent. */
  readonly unsent: readonly UnsentContent[];
  /** Unix milliseconds. */
  readonly now: number;
  /** The name of this machine. */
  readonly host: string;
}

export function identityPage({ name, path, schema, report, incoming, unsent, now, host }: IdentityPage): string {
  const { contacts, invites, lists, inbox, outbox, older } = report;
  return [
    facts([
      ['identity', name],
      ['fingerprint', report.fingerprint],
      [isDatabase(path) ? 'database' : 'file', `${path} (schema ${schema})`],
      ['history', historyWords(report.history)],
    ]),
    section('contacts', table(contacts.map(contactRow)), 'nobody yet: pawl invite NAME, or pawl add NAME FILE'),
    ...(lists.length > 0 ? [section('lists', table(lists.map(listRow)), 'none')] : []),
    section('invites', table(invites.map((invite) => inviteRow(invite, now))), 'none'),
    section(
      'waiting',
      [
        ...(older.inbox > 0 ? [`${count(older.inbox, 'older text')}: pawl recv --waiting`] : []),
        ...inbox.map(({ from, receivedAt }) => `a text of ${from}, since ${instant(receivedAt)}: pawl recv --waiting`),
        ...(older.outbox > 0 ? [`${count(older.outbox, 'older envelope')}: pawl outbox --all`] : []),
        ...outbox.map(({ to, createdAt }) => `an envelope for ${to}, since ${instant(createdAt)}, never fully written`),
        ...incoming.map((content) => incomingLine(content, host)),
        ...unsent.map((content) => unsentLine(content, host)),
      ],
      'nothing',
    ),
    section('attention', attention(report, now), 'nothing'),
  ].join('\n\n');
}

export function identityDocument({ name, path, schema, report, incoming, unsent, now }: IdentityPage): Document {
  return {
    type: 'identity',
    name,
    fingerprint: report.fingerprint,
    path,
    schema,
    contacts: report.contacts.map(contactFields),
    invites: report.invites.map(({ id, name: invitee, createdAt, expiresAt, fate, ...invite }) => ({
      for: invitee,
      id,
      state: fate === 'open' && expiresAt <= now ? 'expired' : fate,
      created_at: iso(createdAt),
      expires_at: iso(expiresAt),
      ...(invite.lastUser !== undefined && { reusable: true, last_user: invite.lastUser }),
      ...(invite.usedBy !== undefined && { used_by: invite.usedBy }),
      ...(invite.usedAt !== undefined && { used_at: iso(invite.usedAt) }),
      ...(invite.withdrawnAt !== undefined && { withdrawn_at: iso(invite.withdrawnAt) }),
    })),
    lists: report.lists,
    inbox: report.inbox.map(({ from, receivedAt, tries }) => ({
      from,
      received_at: iso(receivedAt),
      ...(tries > 0 && { tries }),
    })),
    outbox: report.outbox.map(({ to, createdAt, bytes }) => ({ to, created_at: iso(createdAt), bytes })),
    incoming: incoming.map(incomingFields),
    outgoing: unsent.map(unsentFields),
    history: historyFields(report.history),
    attention: attention(report, now),
  };
}

function inviteRow(invite: IdentityReport['invites'][number], now: number): readonly string[] {
  return [`for ${invite.name}`, invite.id, `made ${day(invite.createdAt)}`, inviteState(invite, now)];
}

function inviteState(invite: IdentityReport['invites'][number], now: number): string {
  const { expiresAt, fate, lastUser, usedBy, usedAt, withdrawnAt } = invite;
  const until = day(expiresAt);
  if (usedBy !== undefined && usedAt !== undefined) return `used ${instant(usedAt)} by ${usedBy}`;
  if (withdrawnAt !== undefined) return `withdrawn ${instant(withdrawnAt)}`;
  if (fate !== 'open' || expiresAt <= now) return `expired ${until}`;
  return `open until ${until}${lastUser === undefined ? '' : `, reusable, last user ${lastUser || 'none'}`}`;
}

/** Sent messages without an answer from which on there is a warning: without an answer, a stolen key does not heal. */
const MANY_UNANSWERED = 100;
/** The same in milliseconds since the first of them. */
const LONG_UNANSWERED = 7 * DAY;
/** Milliseconds from which on a missing message most likely never comes, while a thief of the file could read it. */
const LONG_MISSING = 7 * DAY;

/** One line for each state that the person should know of or do something about. */
function attention({ contacts, invites, givenUp }: IdentityReport, now: number): readonly string[] {
  return [
    ...givenUp.map(
      ({ from, texts }) =>
        `${from}: the command of recv --exec failed ${TRIES} times on ${count(texts, 'message')}: pawl recv --waiting`,
    ),
    ...contacts.flatMap((contact) => {
      const { name, verified, fork, inviteWaits, heldUntil } = contact;
      return [
        ...(fork === 'current'
          ? [
              `${name}: messages contradict each other: pawl inspect ${name}; once you know why: pawl acknowledge ${name}`,
            ]
          : []),
        ...(fork === 'other'
          ? [
              `${name}: messages of another session contradict each other: pawl inspect ${name} --all; once you know why: pawl acknowledge ${name}`,
            ]
          : []),
        ...(heldUntil === undefined ? [] : [`${name}: ${heldWords(name, heldUntil)}`]),
        ...missingWords(contact, now),
        ...unansweredWords(contact, now),
        ...(inviteWaits ? [`${name}: the invite is not answered yet: pawl send ${name}`] : []),
        ...(verified ? [] : [`${name}: unverified; compare the safety number: pawl verify ${name}`]),
      ];
    }),
    ...invites
      .filter(
        ({ fate, expiresAt, lastUser }) => (fate === 'open' || fate === 'expired') && expiresAt <= now && !lastUser,
      )
      .map(({ name, expiresAt }) => `the invite for ${name} was not used before it expired on ${day(expiresAt)}`),
  ];
}

function missingWords({ name, missing }: IdentityReport['contacts'][number], now: number): readonly string[] {
  if (missing === undefined) return [];
  const age = now - missing.since;
  const old = age >= LONG_MISSING ? '; a thief of this file could read them still' : '';
  return [
    `${name}: ${count(missing.count, 'message')} missing, the first for ${spanInWords(age)}${old}: pawl inspect ${name}`,
  ];
}

function unansweredWords({ name, unanswered }: IdentityReport['contacts'][number], now: number): readonly string[] {
  if (unanswered === undefined) return [];
  const { messages, since } = unanswered;
  if (messages < MANY_UNANSWERED && now - since < LONG_UNANSWERED) return [];
  return [
    `${name}: ${count(messages, 'message')} in ${spanInWords(now - since)} without an answer; a key that was stolen heals only when ${name} writes`,
  ];
}

function heldWords(name: string, until: Release): string {
  const command = until === 'answered' ? 'pawl recv' : `pawl invite ${name}`;
  return `nothing is sent before ${HOLDS[until]}: ${command}`;
}
