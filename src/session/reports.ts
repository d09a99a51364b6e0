/**
 * Read-only reports on an identity, its contacts and its sessions, without any secret.
 * Does not know how they are shown. Times are unix milliseconds.
 */
import { PawlError, type Release } from '../errors.ts';
import { fingerprint, type InviteFate, safetyNumber } from '../handshake/index.ts';
import { digest, toHex, utf8 } from '../primitives/index.ts';
import { chainFingerprint, type KemExchange, wipeState } from '../ratchet/index.ts';
import { requireContact } from './contacts.ts';
import { type HistoryReport, historyOf } from './history.ts';
import { ownKey } from './identity.ts';
import { TRIES } from './inbox.ts';
import { inviteName, invitesIn } from './invites.ts';
import { type Ladder, ladderOf } from './ladder.ts';
import { type ListReport, listsIn } from './lists.ts';
import { releaseOf, releaseWhere, selectSession, sendingSession } from './select-session.ts';
import type {
  Contact,
  ContactId,
  ContactOverview,
  Context,
  ForkMark,
  Session,
  SessionOverview,
  Transaction,
} from './store.ts';

/** An identity with its contacts, invites and boxes. */
export interface IdentityReport {
  readonly fingerprint: string;
  readonly contacts: readonly ContactReport[];
  readonly invites: readonly InviteReport[];
  /** The envelopes in the outbox, oldest first. */
  readonly outbox: readonly { readonly to: string; readonly createdAt: number; readonly bytes: number }[];
  /** The texts in the inbox, oldest first. */
  readonly inbox: readonly { readonly from: string; readonly receivedAt: number; readonly tries: number }[];
  /** How many texts of whom a command is not given any more, because it has failed on them. */
  readonly givenUp: readonly { readonly from: string; readonly texts: number }[];
  /** How many there are in the boxes before those. */
  readonly older: { readonly outbox: number; readonly inbox: number };
  readonly lists: readonly ListReport[];
  readonly history: HistoryReport;
}

/** A contact, and what the user should know of its sessions. */
export interface ContactReport {
  readonly name: string;
  readonly fingerprint: string;
  readonly verified: boolean;
  readonly addedAt: number;
  readonly sessions: number;
  /** Whether the next message answers an invite of theirs. */
  readonly inviteWaits: boolean;
  /** Where there is a fork that is not acknowledged: in the session that we send on, or in another. */
  readonly fork: 'current' | 'other' | undefined;
  /** The fork marks of all sessions, acknowledged or not, the oldest first. */
  readonly forks: readonly ForkMark[];
  /** The messages that are missing and whose keys are stored, and when the first was found to be missing. */
  readonly missing: { readonly count: number; readonly since: number } | undefined;
  /** How much we have sent since their last new chain, and when that began: since then no stolen key has healed. */
  readonly unanswered: { readonly messages: number; readonly since: number } | undefined;
  /** What has to happen before we can send to them again, if our file was restored. */
  readonly heldUntil: Release | undefined;
}

/** An invite of ours. */
export interface InviteReport {
  /** 16 hexadecimal digits: see `inviteName`. */
  readonly id: string;
  readonly name: string;
  readonly createdAt: number;
  readonly expiresAt: number;
  /** The number of the last user of a reusable invite, 0 before the first. */
  readonly lastUser?: number;
  readonly fate: InviteFate['kind'];
  readonly usedBy?: string;
  readonly usedAt?: number;
  readonly withdrawnAt?: number;
}

/** A chain of a session. */
export interface ChainReport {
  /** The number of its next message. */
  readonly n: number;
  /** 16 hexadecimal digits, the same on both sides. */
  readonly fingerprint: string;
}

/** A session. */
export interface SessionReport {
  readonly contact: string;
  readonly verified: boolean;
  readonly fingerprint: string;
  readonly safetyNumber: string;
  /** 16 hexadecimal digits, the same on both sides. */
  readonly id: string;
  /** Whether we send on it. */
  readonly sends: boolean;
  readonly role: 'initiator' | 'responder';
  /** Whether both sides are known to have it: the peer opened it, or has answered on it. */
  readonly established: boolean;
  readonly openedAt: number;
  /** The number of root steps, in both directions. */
  readonly dhSteps: number;
  readonly sending: ChainReport | undefined;
  readonly receiving: ChainReport | undefined;
  readonly previousN: number;
  readonly skipped: readonly { readonly chain: string; readonly n: number; readonly keptSince: number }[];
  readonly lost: number;
  readonly lastDhStepAt: number | undefined;
  /** Which root step mixed in the last KEM secret (0: the handshake), when, and the state of the next exchange. */
  readonly kem: {
    readonly mixedAtStep: number;
    readonly mixedAt: number;
    readonly exchange: KemExchange['kind'];
  };
  readonly fork: Session['fork'];
  /** What has to happen before we can send on it again, if our file was restored. */
  readonly heldUntil: Release | undefined;
  readonly ladder: Ladder;
}

/** Reports on all contacts, in the order of their names. */
export async function contactReports({ store }: Pick<Context, 'store'>): Promise<readonly ContactReport[]> {
  return store.snapshot(async (view) => {
    const reports: ContactReport[] = [];
    await view.eachContact((contact) => reports.push(contactReport(contact)));
    return reports;
  });
}

/** A contact that nothing is sent to yet, because our file was restored or is behind. */
export interface HeldContact {
  readonly name: string;
  /** What has to happen before. */
  readonly until: Release;
}

/** Lists the contacts whose session is held, in the order of their names. */
export async function heldContacts({ store }: Pick<Context, 'store'>): Promise<readonly HeldContact[]> {
  return store.snapshot(heldIn);
}

/** The same, within a transaction. */
export async function heldIn(view: Transaction): Promise<readonly HeldContact[]> {
  const held: HeldContact[] = [];
  await view.eachContact((contact) => {
    const { name, heldUntil: until } = contactReport(contact);
    if (until !== undefined) held.push({ name, until });
  });
  return held;
}

/** Lists the names of all contacts, in alphabetical order. */
export async function contactNames({ store }: Pick<Context, 'store'>): Promise<readonly string[]> {
  return store.snapshot(async (view) => (await view.contacts()).map(({ name }) => name));
}

/**
 * Reports on the identity.
 * @param newest lists only so many of the newest entries of each box.
 */
export async function identityReport(
  { store, now }: Pick<Context, 'store' | 'now'>,
  newest?: number,
): Promise<IdentityReport> {
  return store.snapshot(async (view) => {
    const own = await ownKey(view);
    const contacts: ContactReport[] = [];
    const nameOf = new Map<ContactId, string>();
    await view.eachContact((contact) => {
      contacts.push(contactReport(contact));
      nameOf.set(contact.id, contact.name);
    });
    const outbox = await view.outbox(newest);
    const inbox = await view.inbox(newest);
    return {
      fingerprint: fingerprint(own),
      contacts,
      invites: (await invitesIn(view)).map(({ id, contactName: name, createdAt, expiresAt, lastUser, fate }) => ({
        id: inviteName(id),
        name,
        createdAt,
        expiresAt,
        ...(lastUser !== undefined && { lastUser }),
        fate: fate.kind,
        ...(fate.kind === 'spent' && { usedBy: fingerprint(fate.by), usedAt: fate.at }),
        ...(fate.kind === 'withdrawn' && { withdrawnAt: fate.at }),
      })),
      outbox: outbox.map(({ contact, createdAt, length }) => ({
        to: nameOf.get(contact) ?? '',
        createdAt,
        bytes: length,
      })),
      inbox: inbox.map(({ contact, receivedAt, tries }) => ({ from: nameOf.get(contact) ?? '', receivedAt, tries })),
      givenUp: (await view.countTried(TRIES)).map(({ contact, texts }) => ({ from: nameOf.get(contact) ?? '', texts })),
      older: {
        outbox: [...(await view.countOutbox()).values()].reduce((total, { count }) => total + count, -outbox.length),
        inbox: (await view.countInbox()) - inbox.length,
      },
      lists: await listsIn(view),
      history: await historyOf(view, now()),
    };
  });
}

/**
 * Reports on the sessions of a contact: first the one that we send on, then the others, newest first.
 * @throws `unknown-contact`.
 * @throws `no-session` when the contact has none yet.
 */
export async function sessionReports(
  { store }: Pick<Context, 'store'>,
  name: string,
): Promise<readonly [SessionReport, ...SessionReport[]]> {
  return store.snapshot(async (view) => {
    const contact = await requireContact(view, name);
    const sessions = await view.sessions(contact.id);
    const current = sendingSession(sessions);
    if (current === undefined) throw new PawlError('no-session', { name });
    const others = sessions.filter(({ id }) => id !== current.id).reverse();
    return [
      await sessionReport(view, contact, current, true),
      ...(await Promise.all(others.map((session) => sessionReport(view, contact, session, false)))),
    ];
  });
}

function contactReport(contact: ContactOverview): ContactReport {
  const { sessions, inviteWaits } = contact;
  const current = selectSession(sessions);
  const isHeld = current?.held === true && !inviteWaits;
  return {
    name: contact.name,
    fingerprint: fingerprint(contact.identity),
    verified: contact.verifiedAt !== undefined,
    addedAt: contact.addedAt,
    sessions: sessions.length,
    inviteWaits,
    fork: findFork(sessions, current),
    forks: sessions.flatMap(({ fork }) => fork ?? []).sort((a, b) => a.at - b.at),
    missing: reportMissing(sessions),
    unanswered: reportUnanswered(current),
    heldUntil: isHeld ? releaseWhere(current.isDue) : undefined,
  };
}

function reportMissing(sessions: readonly SessionOverview[]): ContactReport['missing'] {
  const missing = sessions.flatMap((session) => session.missing ?? []);
  if (missing.length === 0) return undefined;
  return {
    count: missing.reduce((total, { count }) => total + count, 0),
    since: Math.min(...missing.map(({ since }) => since)),
  };
}

function reportUnanswered(session: SessionOverview | undefined): ContactReport['unanswered'] {
  if (session === undefined || session.sent === 0) return undefined;
  return { messages: session.sent, since: session.lastDhStepAt ?? session.createdAt };
}

function findFork(sessions: readonly SessionOverview[], current: SessionOverview | undefined): ContactReport['fork'] {
  if (current !== undefined && isForked(current)) return 'current';
  return sessions.some(isForked) ? 'other' : undefined;
}

function isForked({ fork }: SessionOverview): boolean {
  return fork !== undefined && fork.acknowledgedAt === undefined;
}

async function sessionReport(
  view: Transaction,
  contact: Contact,
  session: Session,
  sends: boolean,
): Promise<SessionReport> {
  const own = await ownKey(view);
  const state = await view.ratchetState(session.id);
  const { origin, lost, lastDhStepAt, fork } = session;
  const ladder = ladderOf(
    origin.role,
    state,
    await view.finishedChains(session.id),
    await view.missingMessages(session.id),
  );
  const { sending, receiving } = state;
  const { mixed, exchange } = state.rekeying;
  const heldUntil = session.held ? releaseOf(state) : undefined;
  wipeState(state);
  return {
    contact: contact.name,
    verified: contact.verifiedAt !== undefined,
    fingerprint: fingerprint(contact.identity),
    safetyNumber: safetyNumber(own, contact.identity),
    id: toHex(digest(8, utf8('pawl/1 session'), session.transcript)),
    sends,
    role: origin.role,
    established: origin.role === 'responder' || origin.prefix === undefined,
    openedAt: session.opened,
    dhSteps: state.rootSteps,
    sending:
      sending.kind === 'chain' ? { n: sending.n, fingerprint: chainFingerprint(sending.self.publicKey) } : undefined,
    receiving:
      receiving.kind === 'chain' ? { n: receiving.n, fingerprint: chainFingerprint(receiving.remote) } : undefined,
    previousN: sending.kind === 'awaiting' ? 0 : sending.previousN,
    skipped: ladder.chains.flatMap(({ fingerprint: chain, missing }) =>
      chain === undefined ? [] : missing.map(({ n, keptSince }) => ({ chain, n, keptSince })),
    ),
    lost,
    lastDhStepAt,
    kem: { mixedAtStep: mixed.step, mixedAt: mixed.at, exchange: exchange.kind },
    fork,
    ladder,
    heldUntil,
  };
}

/**
 * Counts the messages of a contact that are missing and whose keys are stored.
 * @returns 0 for an unknown contact.
 */
export async function countMissing({ store }: Pick<Context, 'store'>, name: string): Promise<number> {
  return store.snapshot(async (view) => {
    const contact = await view.contactNamed(name);
    let count = 0;
    for (const { id } of contact === undefined ? [] : await view.sessions(contact.id)) {
      count += (await view.missingMessages(id)).length;
    }
    return count;
  });
}
