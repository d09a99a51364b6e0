/**
 * Sends: encrypts contents into envelopes and puts them into the outbox, in one transaction (docs/PROTOCOL.md §8).
 * Opens a session where an invite waits (§4).
 * Does not write the envelopes out.
 */
import { type Content, encodeContent, encodeEnvelope } from '../envelope/index.ts';
import { PawlError } from '../errors.ts';
import { type Invite, inviteBox, inviteId, openSession, readInvite } from '../handshake/index.ts';
import { wipe } from '../primitives/index.ts';
import { initiatorState, LIMITS, wipeState } from '../ratchet/index.ts';
import { claimTime } from './claims.ts';
import { requireContact } from './contacts.ts';
import { recordSent } from './history.ts';
import { withOwnIdentity } from './identity.ts';
import { CLOCK_AHEAD, sweep } from './maintenance.ts';
import { RatchetSession } from './ratchet-session.ts';
import { dropIdleSessions, releaseOf, sendingSession } from './select-session.ts';
import type { Contact, Context, HistorySetting, OutboxId, Session, Transaction } from './store.ts';

/** An encrypted message, whose envelope is in the outbox. */
export interface SentMessage {
  readonly outboxId: OutboxId;
  /** Of the envelope, in bytes. */
  readonly length: number;
  readonly to: string;
  /** 16 bytes, the same on both sides. */
  readonly id: Uint8Array;
  readonly n: number;
  /** Whether it carries the prefix that opens the session. */
  readonly opening: boolean;
  /** The box for it, 16 bytes; `undefined` on a session of before there were boxes. */
  readonly box: Uint8Array | undefined;
  /**
   * When an invite of theirs expired that this was to answer: it is dropped, and the message is on the session that there
   * was. Only with the first message after that.
   */
  readonly expiredInvite: number | undefined;
}

/** An encrypted message with its envelope. */
export interface Sent extends SentMessage {
  /** What the peer gets. The caller writes it out, then calls `acknowledgeSent`. */
  readonly envelope: Uint8Array;
}

/**
 * Encrypts one content for a contact.
 * @throws what `encodeContent` and `sendAll` throw.
 */
export async function send(context: Context, name: string, content: Content): Promise<Sent> {
  const [sent] = await sendAll(context, name, [encodeContent(content)]);
  if (sent === undefined) throw new Error('one plaintext gives one envelope');
  return sent;
}

/** An encrypted message, and what it is stored with. */
export interface SealedContent {
  readonly contact: Contact;
  readonly messageId: Uint8Array;
  readonly n: number;
  readonly envelope: Uint8Array;
  readonly opening: boolean;
  readonly plaintext: Uint8Array;
  /** The box for it, 16 bytes; `undefined` on a session without boxes. */
  readonly box: Uint8Array | undefined;
}

/**
 * Encrypts contents for a contact, each into an envelope. The new ratchet state and the envelopes are committed
 * together.
 * @param plaintexts the results of `encodeContent`.
 * @param acknowledged envelopes that have been written out since the last call, and leave the outbox.
 * @throws `unknown-contact`, `no-session`, `held`, `invite-expired`, `exhausted`.
 */
export async function sendAll(
  context: Context,
  name: string,
  plaintexts: readonly Uint8Array[],
  acknowledged: readonly OutboxId[] = [],
): Promise<readonly Sent[]> {
  const now = context.now();
  return context.store.transaction(async (transaction) => {
    const { historySetting } = await sweep(transaction, now);
    await transaction.dropFromOutbox(acknowledged);
    return sealIntoOutbox(context, transaction, { name, plaintexts, now, historySetting });
  });
}

/** What is sealed for a contact, within a transaction that has begun with `sweep`. */
interface Sealing {
  readonly name: string;
  readonly plaintexts: readonly Uint8Array[];
  readonly now: number;
  /** Only on a session with boxes. */
  readonly needsBox?: boolean;
}

/**
 * Encrypts contents for a contact, and puts the envelopes into the outbox.
 * @throws as {@link sealFor}, which has stored nothing then that could be used twice.
 */
export async function sealIntoOutbox(
  context: Context,
  transaction: Transaction,
  { historySetting, ...sealing }: Sealing & { readonly historySetting: HistorySetting | undefined },
): Promise<readonly Sent[]> {
  const { now } = sealing;
  const { stored, expiredInvite } = await sealFor(context, transaction, sealing, async (sealed) => {
    const { contact, messageId: id, n, envelope, opening, plaintext, box } = sealed;
    const outboxId = await transaction.addToOutbox({
      contact: contact.id,
      messageId: id,
      envelope,
      process: context.process,
      createdAt: claimTime(context),
      box,
    });
    if (historySetting !== undefined) await recordSent(transaction, { contact: contact.id, id, n, plaintext }, now);
    return { envelope, length: envelope.length, outboxId, to: contact.name, id, n, opening, box };
  });
  return stored.map((one, index) => ({ ...one, expiredInvite: index === 0 ? expiredInvite : undefined }));
}

/**
 * Encrypts contents for a contact, and saves the new ratchet state. Where it throws an error of the contact, no key was used
 * and no envelope stored: what the transaction does for others can be committed.
 * @param store puts an envelope where it waits to be written out.
 * @returns what `store` has returned for each, and when an invite of theirs expired that is dropped.
 * @throws as {@link sendAll}; `no-boxes`, where a box is needed.
 */
export async function sealFor<Stored>(
  context: Context,
  transaction: Transaction,
  { name, plaintexts, now, needsBox = false }: Sealing,
  store: (sealed: SealedContent) => Promise<Stored>,
): Promise<{ readonly stored: readonly Stored[]; readonly expiredInvite: number | undefined }> {
  const contact = await requireContact(transaction, name);
  const { session, expiredInvite } = await sessionTo(context, transaction, contact, now);
  const prefix = session.origin.role === 'initiator' ? session.origin.prefix : undefined;
  const opening = prefix !== undefined;
  const { boxes } = session;
  const box = opening ? boxes?.invite : boxes?.outgoing;
  if (needsBox && box === undefined) throw new PawlError('no-boxes', { name });
  const ratchet = await RatchetSession.read(transaction, session);
  try {
    // All of them before the first is stored: the last may be one too many for the chain.
    const sealed = plaintexts.map((plaintext): SealedContent => {
      const { message, n, id: messageId } = ratchet.encrypt(plaintext, context.random, now);
      const envelope = encodeEnvelope(opening ? { kind: 'opening', prefix, message } : { kind: 'message', message });
      return { contact, messageId, n, envelope, opening, plaintext, box };
    });
    if (expiredInvite !== undefined) await transaction.setContactInvite(contact.id, undefined);
    const stored: Stored[] = [];
    for (const one of sealed) stored.push(await store(one));
    await ratchet.save(now, LIMITS);
    return { stored, expiredInvite };
  } finally {
    ratchet.wipe();
  }
}

/**
 * Checks that there is a contact of a name.
 * @throws `unknown-contact`.
 */
export async function checkContact({ store }: Pick<Context, 'store'>, name: string): Promise<void> {
  await store.snapshot((view) => requireContact(view, name));
}

/** Removes envelopes from the outbox that have been written out. */
export async function acknowledgeSent(context: Context, ids: readonly OutboxId[]): Promise<void> {
  if (ids.length === 0) return;
  await context.store.transaction((transaction) => transaction.dropFromOutbox(ids));
}

/**
 * Checks that a message for a contact could be encrypted now. Changes nothing.
 * @throws `unknown-contact`, `no-session`, `held`, `invite-expired`.
 */
export async function checkCanSend({ store, now }: Pick<Context, 'store' | 'now'>, name: string): Promise<void> {
  await store.snapshot(async (view) =>
    checkCanSendIn(view, await requireContact(view, name), { needsBox: false, now: now() }),
  );
}

/**
 * The same, within a snapshot.
 * @param needsBox whether it is to go along a route.
 * @throws `no-session`, `held`, `invite-expired`; `no-boxes`, where a box is needed.
 */
export async function checkCanSendIn(
  view: Transaction,
  contact: Contact,
  { needsBox, now }: { readonly needsBox: boolean; readonly now: number },
): Promise<void> {
  const invite = contact.invite && readInvite(contact.invite.bytes);
  // It opens a session with boxes.
  if (invite !== undefined && invite.expiresAt > now) return;
  const { boxes, origin } = await existingSession(view, contact, await view.sessions(contact.id), invite);
  const isOpening = origin.role === 'initiator' && origin.prefix !== undefined;
  if (needsBox && (isOpening ? boxes?.invite : boxes?.outgoing) === undefined) {
    throw new PawlError('no-boxes', { name: contact.name });
  }
}

/** The session to send on, and when an invite of theirs expired that is to be dropped. */
interface Chosen {
  readonly session: Session;
  readonly expiredInvite?: number;
}

/** Chooses the session to send on. If an invite of theirs waits that has not expired, opens a new one with it. */
async function sessionTo(context: Context, transaction: Transaction, contact: Contact, now: number): Promise<Chosen> {
  const sessions = await transaction.sessions(contact.id);
  const invite = contact.invite && readInvite(contact.invite.bytes);
  if (invite !== undefined && invite.expiresAt > now) {
    return { session: await open(context, transaction, { contact, invite, sessions }, now) };
  }
  const session = await existingSession(transaction, contact, sessions, invite);
  return invite === undefined ? { session } : { session, expiredInvite: invite.expiresAt };
}

/** The session that is open already, where no invite of theirs opens a new one. @param invite has expired. */
async function existingSession(
  view: Transaction,
  { name }: Contact,
  sessions: readonly Session[],
  invite: Invite | undefined,
): Promise<Session> {
  const session = sendingSession(sessions);
  if (session === undefined) {
    if (invite !== undefined) throw new PawlError('invite-expired', { expiredAt: invite.expiresAt });
    throw new PawlError('no-session', { name });
  }
  if (!session.held) return session;
  const state = await view.ratchetState(session.id);
  const until = releaseOf(state);
  wipeState(state);
  throw new PawlError('held', { name, until });
}

/** Opens a session later than all others of the contact, so that both sides send on it. */
async function open(
  context: Context,
  transaction: Transaction,
  { contact, invite, sessions }: { contact: Contact; invite: Invite; sessions: readonly Session[] },
  now: number,
): Promise<Session> {
  const refused = sessions.filter((session) => isRefused(session, now));
  const live = sessions.filter((session) => !refused.includes(session));
  const opened = Math.max(now, ...live.map((session) => session.opened + 1));
  const { prefix, agreement } = await withOwnIdentity(transaction, (self) =>
    openSession(self, invite, opened, context.random),
  );
  // Not before: an invite with a weak key changes nothing.
  for (const { id } of refused) await transaction.dropSession(id);
  const state = initiatorState(agreement, invite.prekey, { random: context.random, now });
  const id = await transaction.addSession(
    {
      contact: contact.id,
      origin: { role: 'initiator', inviteId: inviteId(invite.bytes), prefix },
      transcript: agreement.transcript,
      opened,
      createdAt: now,
      boxes: {
        outgoing: agreement.initiatorBox,
        incoming: agreement.responderBox,
        invite: inviteBox(invite.bytes),
      },
    },
    state,
  );
  wipe(agreement.rootKey);
  wipeState(state);
  await transaction.setContactInvite(contact.id, undefined);
  await dropIdleSessions(transaction, await transaction.sessions(contact.id));
  return transaction.session(id);
}

/**
 * Whether it is an unanswered opening of ours whose time is so far ahead that the peer refuses it, because our clock was
 * wrong. A new opening would have to be later still, and would be refused too: it is dropped instead.
 */
function isRefused({ origin, opened }: Session, now: number): boolean {
  return origin.role === 'initiator' && origin.prefix !== undefined && opened > now + CLOCK_AHEAD;
}
