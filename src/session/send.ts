import { type Content, encodeContent, encodeEnvelope } from '../envelope/index.ts';
import { PawlError } from '../errors.ts';
import { type Invite, inviteId, openSession, readInvite } from '../handshake/index.ts';
import { wipe } from '../primitives/index.ts';
import { initiatorState, LIMITS, wipeState } from '../ratchet/index.ts';
import { contactCalled } from './contacts.ts';
import { keepSent } from './history.ts';
import { CLOCK_AHEAD, SECOND, sweep } from './maintenance.ts';
import { RatchetSession } from './ratchet-session.ts';
import { dropIdleSessions, releaseOf, sendingSession } from './select-session.ts';
import type { Contact, Context, OutboxId, Session, Transaction } from './store.ts';

export interface Sent {
  /** What goes to the other side. Written out first, then dropped from the outbox. */
  readonly envelope: Uint8Array;
  readonly outboxId: OutboxId;
  readonly to: string;
  /** 16 bytes, the same on both sides. */
  readonly id: Uint8Array;
  readonly n: number;
  /** Whether it carries the prefix that opens a conversation. */
  readonly opening: boolean;
}

/** Encrypts one content for a contact. @throws what `encodeContent` and `sendAll` throw. */
export async function send(context: Context, name: string, content: Content): Promise<Sent> {
  const [sent] = await sendAll(context, name, [encodeContent(content)]);
  if (sent === undefined) throw new Error('one plaintext gives one envelope');
  return sent;
}

/**
 * Encrypts contents for a contact, each into an envelope: the new ratchet state and the envelopes are committed together.
 * @param plaintexts as `encodeContent` makes them. @param written envelopes that have been written meanwhile, and leave the outbox.
 * @throws `unknown-contact`, `no-session`, `held`, `invite-expired`, `exhausted`.
 */
export async function sendAll(
  context: Context,
  name: string,
  plaintexts: readonly Uint8Array[],
  written: readonly OutboxId[] = [],
): Promise<readonly Sent[]> {
  const now = context.now();
  return context.store.transaction(async (transaction) => {
    const { keeping } = await sweep(transaction, now);
    await transaction.dropFromOutbox(written);
    const contact = await contactCalled(transaction, name);
    const session = await sessionTo(context, transaction, contact, now);
    const ratchet = await RatchetSession.read(transaction, session);
    const prefix = session.origin.role === 'initiator' ? session.origin.prefix : undefined;
    const sent: Sent[] = [];
    for (const plaintext of plaintexts) {
      const { message, n, id } = ratchet.encrypt(plaintext, context.random, now);
      const envelope = encodeEnvelope(
        prefix === undefined ? { kind: 'message', message } : { kind: 'opening', prefix, message },
      );
      const outboxId = await transaction.addToOutbox({
        contact: contact.id,
        messageId: id,
        envelope,
        process: context.process,
        createdAt: now,
      });
      if (keeping !== undefined) await keepSent(transaction, { contact: contact.id, id, n, plaintext }, now);
      sent.push({ envelope, outboxId, to: contact.name, id, n, opening: prefix !== undefined });
    }
    await ratchet.save(now, LIMITS);
    ratchet.wipe();
    return sent;
  });
}

/** @throws `unknown-contact` where nobody has that name. */
export async function checkContact({ store }: Pick<Context, 'store'>, name: string): Promise<void> {
  await store.snapshot((view) => contactCalled(view, name));
}

/** The envelopes have been written: they need not be kept. */
export async function written(context: Context, ids: readonly OutboxId[]): Promise<void> {
  if (ids.length === 0) return;
  await context.store.transaction((transaction) => transaction.dropFromOutbox(ids));
}

/** The session to send on: a new one where an invite of theirs waits to be answered. */
async function sessionTo(context: Context, transaction: Transaction, contact: Contact, now: number): Promise<Session> {
  const sessions = await transaction.sessions(contact.id);
  const current = sendingSession(sessions);
  if (contact.invite !== undefined) {
    const invite = readInvite(contact.invite.bytes);
    if (invite.expires * SECOND > now) return open(context, transaction, contact, invite, sessions, now);
    if (current === undefined) throw new PawlError('invite-expired', { expired: invite.expires });
    await transaction.setContactInvite(contact.id, undefined);
  }
  if (current === undefined) throw new PawlError('no-session', { name: contact.name });
  if (current.held) {
    const until = releaseOf(await transaction.ratchetState(current.id));
    throw new PawlError('held', { name: contact.name, until });
  }
  return current;
}

async function open(
  context: Context,
  transaction: Transaction,
  contact: Contact,
  invite: Invite,
  sessions: readonly Session[],
  now: number,
): Promise<Session> {
  const self = await transaction.ownIdentity();
  const live = await dropRefused(transaction, sessions, now);
  const opened = Math.max(now, ...live.map((session) => session.opened + 1));
  const { prefix, agreement } = openSession(self, invite, opened, context.random);
  const state = initiatorState(agreement, invite.prekey, { random: context.random, now });
  const id = await transaction.addSession(
    {
      contact: contact.id,
      origin: { role: 'initiator', inviteId: inviteId(invite.bytes), prefix },
      transcript: agreement.transcript,
      opened,
      createdAt: now,
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
 * Drops the openings that our clock, when it was wrong, put so far ahead that the other side refuses them: a new one would
 * have to be later still, and be refused as well.
 */
async function dropRefused(
  transaction: Transaction,
  sessions: readonly Session[],
  now: number,
): Promise<readonly Session[]> {
  const isRefused = ({ origin, opened }: Session) =>
    origin.role === 'initiator' && origin.prefix !== undefined && opened > now + CLOCK_AHEAD;
  for (const { id } of sessions.filter(isRefused)) await transaction.dropSession(id);
  return sessions.filter((session) => !isRefused(session));
}
