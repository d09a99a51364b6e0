import { PawlError, type Release } from '../errors.ts';
import { fingerprint, type InviteFate, safetyNumber } from '../handshake/index.ts';
import { digest, toHex, utf8 } from '../primitives/index.ts';
import { chainFingerprint, type KemExchange } from '../ratchet/index.ts';
import { type HistoryReport, historyOf } from './history.ts';
import { type Ladder, ladderOf } from './ladder.ts';
import { releaseOf, sendingSession } from './select-session.ts';
import type { Contact, Context, Session, Transaction } from './store.ts';

/** An identity and all it knows, without any secret. Times in unix milliseconds, expiries in unix seconds. */
export interface IdentityReport {
  readonly fingerprint: string;
  readonly contacts: readonly ContactReport[];
  readonly invites: readonly InviteReport[];
  /** Envelopes committed and not known to be written. */
  readonly outbox: readonly { readonly to: string; readonly createdAt: number; readonly bytes: number }[];
  /** Texts accepted and not known to be delivered. */
  readonly inbox: readonly { readonly from: string; readonly receivedAt: number }[];
  readonly history: HistoryReport;
}

export interface ContactReport {
  readonly name: string;
  readonly fingerprint: string;
  readonly verified: boolean;
  readonly addedAt: number;
  readonly sessions: number;
  /** An invite of theirs waits to be answered by the next message. */
  readonly inviteWaits: boolean;
  /** Which of the sessions shows one: that which we send on, or another. */
  readonly fork: 'current' | 'other' | undefined;
  /** Messages that have not come and could still be read, and since when the first of them has been missed. */
  readonly missing: { readonly count: number; readonly since: number } | undefined;
  /** What we have sent since they last began a chain, and when that was: so long, a stolen key has not healed. */
  readonly unanswered: { readonly messages: number; readonly since: number } | undefined;
  /** Nothing is sent to them before this, as our file was restored. */
  readonly heldUntil: Release | undefined;
}

export interface InviteReport {
  readonly name: string;
  readonly createdAt: number;
  readonly expires: number;
  /** Of a reusable invite: the number of its last user, 0 before the first. */
  readonly lastUser?: number;
  readonly fate: InviteFate['kind'];
  readonly usedBy?: string;
  readonly usedAt?: number;
}

export interface ChainReport {
  /** The next position. */
  readonly n: number;
  /** 16 hex digits: our sending chain's are those of their receiving one. */
  readonly fingerprint: string;
}

/** A stored session, without any secret. */
export interface SessionReport {
  readonly contact: string;
  readonly verified: boolean;
  readonly fingerprint: string;
  readonly safetyNumber: string;
  /** 16 hex digits, the same on both sides. */
  readonly id: string;
  /** Whether it is the one that we send on. */
  readonly sends: boolean;
  readonly role: 'initiator' | 'responder';
  /** Both sides are known to hold it: an answer has come, or it was theirs to open. */
  readonly established: boolean;
  readonly openedAt: number;
  /** Root steps, in both directions. */
  readonly dhSteps: number;
  readonly sending: ChainReport | undefined;
  readonly receiving: ChainReport | undefined;
  readonly previousN: number;
  readonly skipped: readonly { readonly chain: string; readonly n: number; readonly keptSince: number }[];
  readonly lost: number;
  readonly lastDhStepAt: number | undefined;
  /** The KEM secret that was mixed last: by which root step, 0 being the handshake; and whether another is under way. */
  readonly kem: {
    readonly mixedAtStep: number;
    readonly mixedAt: number;
    readonly exchange: KemExchange['kind'];
  };
  readonly fork: Session['fork'];
  /** Nothing is sent on it before this, as our file was restored. */
  readonly heldUntil: Release | undefined;
  readonly ladder: Ladder;
}

/** What `contacts` shows: in the order of their names. */
export async function contactReports({ store }: Pick<Context, 'store'>): Promise<readonly ContactReport[]> {
  return store.snapshot(async (view) =>
    Promise.all((await view.contacts()).map((contact) => contactReport(view, contact))),
  );
}

/** The names of all contacts, in their order. */
export async function contactNames({ store }: Pick<Context, 'store'>): Promise<readonly string[]> {
  return store.snapshot(async (view) => (await view.contacts()).map(({ name }) => name));
}

/** What `inspect` shows of the identity. */
export async function identityReport({ store, now }: Pick<Context, 'store' | 'now'>): Promise<IdentityReport> {
  return store.snapshot(async (view) => {
    const self = await view.ownIdentity();
    const contacts = await view.contacts();
    const nameOf = new Map(contacts.map(({ id, name }) => [id, name]));
    return {
      fingerprint: fingerprint(self.key),
      contacts: await Promise.all(contacts.map((contact) => contactReport(view, contact))),
      invites: (await view.invites()).map(({ contactName: name, createdAt, expires, lastUser, fate }) => ({
        name,
        createdAt,
        expires,
        ...(lastUser !== undefined && { lastUser }),
        fate: fate.kind,
        ...(fate.kind === 'spent' && { usedBy: fingerprint(fate.by), usedAt: fate.at }),
      })),
      outbox: (await view.outbox()).map(({ contact, createdAt, envelope }) => ({
        to: nameOf.get(contact) ?? '',
        createdAt,
        bytes: envelope.length,
      })),
      inbox: (await view.inbox()).map(({ contact, receivedAt }) => ({ from: nameOf.get(contact) ?? '', receivedAt })),
      history: await historyOf(view, now()),
    };
  });
}

/**
 * What `inspect NAME` shows: the session that we send on first, then the others, the newest first.
 * @throws `unknown-contact`; `no-session` while there is no conversation yet.
 */
export async function sessionReports(
  { store }: Pick<Context, 'store'>,
  name: string,
): Promise<readonly [SessionReport, ...SessionReport[]]> {
  return store.snapshot(async (view) => {
    const contact = await view.contactNamed(name);
    if (contact === undefined) throw new PawlError('unknown-contact', { name });
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

async function contactReport(view: Transaction, contact: Contact): Promise<ContactReport> {
  const sessions = await view.sessions(contact.id);
  const current = sendingSession(sessions);
  const inviteWaits = contact.invite !== undefined;
  const isHeld = current?.held === true && !inviteWaits;
  return {
    name: contact.name,
    fingerprint: fingerprint(contact.identity),
    verified: contact.verifiedAt !== undefined,
    addedAt: contact.addedAt,
    sessions: sessions.length,
    inviteWaits,
    fork: forkIn(sessions, current),
    missing: await missingOf(view, sessions),
    unanswered: await unansweredIn(view, current),
    heldUntil: isHeld ? releaseOf(await view.ratchetState(current.id)) : undefined,
  };
}

async function missingOf(view: Transaction, sessions: readonly Session[]): Promise<ContactReport['missing']> {
  const missing = (await Promise.all(sessions.map(({ id }) => view.missingMessages(id)))).flat();
  if (missing.length === 0) return undefined;
  return {
    count: missing.length,
    since: missing.reduce((first, { keptSince }) => Math.min(first, keptSince), Infinity),
  };
}

async function unansweredIn(view: Transaction, session: Session | undefined): Promise<ContactReport['unanswered']> {
  if (session === undefined) return undefined;
  const { sending } = await view.ratchetState(session.id);
  if (sending.kind !== 'chain' || sending.n === 0) return undefined;
  return { messages: sending.n, since: session.lastDhStepAt ?? session.createdAt };
}

function forkIn(sessions: readonly Session[], current: Session | undefined): ContactReport['fork'] {
  if (current?.fork !== undefined) return 'current';
  return sessions.some(({ fork }) => fork !== undefined) ? 'other' : undefined;
}

async function sessionReport(
  view: Transaction,
  contact: Contact,
  session: Session,
  sends: boolean,
): Promise<SessionReport> {
  const self = await view.ownIdentity();
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
  return {
    contact: contact.name,
    verified: contact.verifiedAt !== undefined,
    fingerprint: fingerprint(contact.identity),
    safetyNumber: safetyNumber(self.key, contact.identity),
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
    heldUntil: session.held ? releaseOf(state) : undefined,
  };
}

/** How many messages of a contact are missing, and can still be read when they come. */
export async function missing({ store }: Pick<Context, 'store'>, name: string): Promise<number> {
  return store.snapshot(async (view) => {
    const contact = await view.contactNamed(name);
    let count = 0;
    for (const { id } of contact === undefined ? [] : await view.sessions(contact.id)) {
      count += (await view.missingMessages(id)).length;
    }
    return count;
  });
}
