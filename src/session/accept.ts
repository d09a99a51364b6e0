import { decodeContent } from '../envelope/index.ts';
import { PawlError } from '../errors.ts';
import {
  type AnsweredInvite,
  acceptOpening,
  fingerprint,
  hintedInvite,
  type OwnIdentity,
  type StoredInvite,
} from '../handshake/index.ts';
import { digest, wipe } from '../primitives/index.ts';
import {
  decrypt,
  isSealedFor,
  type Limits,
  openHeader,
  responderState,
  type SealedMessage,
  wipeState,
} from '../ratchet/index.ts';
import { CLOCK_AHEAD, OPENING_GRACE, SECOND } from './housekeeping.ts';
import type { AcceptedMessage, Notice } from './received.ts';
import { dropIdleSessions } from './sending-session.ts';
import type { Contact, Transaction } from './store.ts';

/** 16 bytes that name the prefix of an opening. */
export function prefixDigest(prefix: Uint8Array): Uint8Array {
  return digest(16, prefix);
}

/**
 * Accepts the first message of a session that another opened (docs/PROTOCOL.md §4): creates the session, pins the
 * identity, spends the invite. All of it only after the body has authenticated, and `admit` has let its contact in.
 * @throws `not-for-you`, `unknown-invite`, `invite-expired`, `invite-spent`, `identity-changed`, `self`, `clock-ahead`,
 * `corrupt`, `weak-key`, `gap-too-large`, what `admit` throws; nothing is saved then.
 */
export async function acceptFirst(
  transaction: Transaction,
  prefix: Uint8Array,
  message: SealedMessage,
  { now, limits, admit }: { now: number; limits: Limits; admit: (contactName: string) => void },
): Promise<AcceptedMessage> {
  const self = await transaction.ownIdentity();
  const invite = await openInvite(transaction, self, prefix, now);
  const { sender, agreement } = acceptOpening(self, prefix, invite.fate);
  const { transcript, opened } = agreement;

  const state = responderState(agreement, invite.fate.secrets.prekey);
  const header = isSealedFor(state.nextReceiving.find, message)
    ? openHeader(state.nextReceiving, message, transcript)
    : undefined;
  if (header === undefined) throw new PawlError('corrupt', { what: 'opening' });
  const decrypted = decrypt(state, 'next', header, message.body, {}, transcript, limits);
  if (decrypted.kind !== 'accepted') throw new PawlError('corrupt', { what: 'opening' });
  if (opened > now + CLOCK_AHEAD) throw new PawlError('clock-ahead', { opened });
  decodeContent(decrypted.plaintext);

  const { contact, notices } = await contactFor(transaction, sender, invite, now, admit);
  const session = await transaction.addSession(
    {
      contact: contact.id,
      origin: { role: 'responder', prefixDigest: prefixDigest(prefix) },
      transcript,
      opened,
      createdAt: now,
    },
    state,
  );
  await transaction.saveReceived(session, decrypted.step, header.digest, now, limits);
  await transaction.spendInvite(invite.id, sender, now);
  await dropIdleSessions(transaction, await transaction.sessions(contact.id));
  wipe(agreement.rootKey, ...decrypted.step.gained.map(({ messageKey }) => messageKey));
  wipeState(state);
  wipeState(decrypted.step.state);
  return {
    contact,
    id: header.digest,
    n: header.header.n,
    late: false,
    plaintext: decrypted.plaintext,
    lost: decrypted.step.lost,
    notices,
  };
}

/** The open invite that an opening answers. */
async function openInvite(
  transaction: Transaction,
  self: OwnIdentity,
  prefix: Uint8Array,
  now: number,
): Promise<StoredInvite & { fate: AnsweredInvite }> {
  const id = hintedInvite(self, prefix);
  if (id === undefined) throw new PawlError('not-for-you', {});
  const invite = await transaction.invite(id);
  if (invite === undefined) throw new PawlError('unknown-invite', {});
  const { fate, expires, contactName } = invite;
  if (fate.kind === 'spent') {
    throw new PawlError('invite-spent', { at: fate.at, by: fingerprint(fate.by), name: contactName });
  }
  if (fate.kind === 'expired' || expires * SECOND + OPENING_GRACE <= now) {
    throw new PawlError('invite-expired', { expired: expires });
  }
  return { ...invite, fate };
}

/** A known identity keeps its name; a new one gets that of the invite, unless it belongs to somebody else. */
async function contactFor(
  transaction: Transaction,
  sender: Contact['identity'],
  invite: StoredInvite,
  now: number,
  admit: (contactName: string) => void,
): Promise<{ contact: Contact; notices: readonly Notice[] }> {
  const name = invite.contactName;
  const known = await transaction.contactOf(sender);
  admit(known?.name ?? name);
  if (known !== undefined) {
    const notices: Notice[] = known.name === name ? [] : [{ kind: 'known-as', name: known.name, invitedAs: name }];
    const sessions = await transaction.sessions(known.id);
    if (sessions.length > 0) notices.push({ kind: 'new-session', invitedAt: invite.createdAt });
    return { contact: known, notices };
  }
  const named = await transaction.contactNamed(name);
  const offered = fingerprint(sender);
  if (named !== undefined) {
    throw new PawlError('identity-changed', { name, known: fingerprint(named.identity), offered });
  }
  const id = await transaction.addContact({ name, identity: sender, addedAt: now, invite: undefined });
  const contact = await transaction.contact(id);
  return { contact, notices: [{ kind: 'new-contact', name, fingerprint: offered, invitedAt: invite.createdAt }] };
}
