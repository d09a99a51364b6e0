/**
 * Accepts openings: the first message of a session that a peer opened (docs/PROTOCOL.md §4).
 * Does not decode envelopes and does not know how the text is delivered.
 */
import { type Content, decodeContent } from '../envelope/index.ts';
import { PawlError } from '../errors.ts';
import {
  type AnsweredInvite,
  acceptOpening,
  fingerprint,
  hintedInvite,
  inviteBox,
  type OwnIdentity,
  type StoredInvite,
} from '../handshake/index.ts';
import { digest, type IdentityKey, wipe } from '../primitives/index.ts';
import {
  decrypt,
  isSealedFor,
  type Limits,
  openHeader,
  responderState,
  type SealedMessage,
  wipeState,
  wipeStep,
} from '../ratchet/index.ts';
import { withOwnIdentity } from './identity.ts';
import { admitUser, type User, userOf, wipeInvites } from './invites.ts';
import { CLOCK_AHEAD, OPENING_GRACE } from './maintenance.ts';
import type { AcceptedMessage, Notice } from './outcome.ts';
import { dropUnusedRoutes, takeOverRoute } from './routes.ts';
import { dropIdleSessions } from './select-session.ts';
import type { Contact, Transaction } from './store.ts';

/** Throws to refuse a message before anything of it is saved. `known`: the contact, unless it is a new one. */
export type Admit = (content: Content, name: string, known?: Contact) => Promise<void>;

/**
 * Digests the prefix of an opening, to recognize it when it is repeated.
 * @param prefix 1,208 bytes.
 * @returns 16 bytes.
 */
export function prefixDigest(prefix: Uint8Array): Uint8Array {
  return digest(16, prefix);
}

/**
 * Creates the session, adds the contact and spends the invite. Writes only after the body has authenticated and `admit`
 * has returned.
 * @param options.now unix milliseconds.
 * @param options.admit is called once, and throws to refuse the message.
 * @returns `undefined` when a reusable invite accepted this opening before and its session has been dropped since.
 * @throws `not-for-you`, `unknown-invite`, `invite-expired`, `invite-spent`, `invite-withdrawn`, `invite-used-up`.
 * @throws `identity-changed`, `self`, `clock-ahead`, `corrupt`, `weak-key`, `gap-too-large`.
 * @throws what `options.admit` throws.
 */
export async function acceptFirst(
  transaction: Transaction,
  prefix: Uint8Array,
  message: SealedMessage,
  { now, limits, admit }: { now: number; limits: Limits; admit: Admit },
): Promise<AcceptedMessage | undefined> {
  const agreed = await withOwnIdentity(transaction, (self) => agreeOn(transaction, self, prefix, now));
  if (agreed === undefined) return undefined;
  const { invite, sender, agreement } = agreed;
  const state = responderState(agreement, invite.fate.secrets.prekey, now);
  try {
    const { transcript, opened } = agreement;
    const header = isSealedFor(state.nextReceiving.find, message)
      ? openHeader(state.nextReceiving, message, transcript)
      : undefined;
    if (header === undefined) throw new PawlError('corrupt', { what: 'opening' });
    const decrypted = decrypt(
      state,
      { place: 'next', opened: header, body: message.body },
      { kept: {}, associatedData: transcript, limits, now },
    );
    if (decrypted.kind !== 'accepted') throw new PawlError('corrupt', { what: 'opening' });
    const { step, plaintext } = decrypted;
    try {
      if (opened > now + CLOCK_AHEAD) throw new PawlError('clock-ahead', { opened });
      const content = decodeContent(plaintext);
      const user = await userOf(transaction, invite);
      const { contact, notices } = await introduce(transaction, {
        sender,
        invite,
        user,
        opened,
        now,
        admit: (name, known) => admit(content, name, known),
      });
      const origin = { role: 'responder', prefixDigest: prefixDigest(prefix) } as const;
      const session = await transaction.addSession(
        {
          contact: contact.id,
          origin,
          transcript,
          opened,
          createdAt: now,
          boxes: {
            outgoing: agreement.responderBox,
            incoming: agreement.initiatorBox,
            invite: inviteBox(invite.fate.bytes),
          },
        },
        state,
      );
      await transaction.saveReceived(session, [{ step, digest: header.digest }], now, limits);
      if (user.number === undefined) {
        await transaction.spendInvite(invite.id, sender, now);
        await dropUnusedRoutes(transaction);
      } else await admitUser(transaction, invite, user.number, origin.prefixDigest);
      await dropIdleSessions(transaction, await transaction.sessions(contact.id));
      return {
        contact,
        skipped: step.gained.length,
        id: header.digest,
        n: header.header.n,
        late: false,
        plaintext,
        content,
        lost: step.lost,
        notices,
      };
    } finally {
      wipeStep(step);
    }
  } finally {
    wipe(agreement.rootKey);
    wipeState(state);
  }
}

/**
 * Finds the invite that an opening answers, and computes the agreed keys.
 * @returns `undefined` for an opening that a reusable invite has accepted before.
 * @throws what `openInvite` and `acceptOpening` throw. The secrets of the invite are overwritten then, as its prekey is
 * by `wipeState` otherwise.
 */
async function agreeOn(transaction: Transaction, self: OwnIdentity, prefix: Uint8Array, now: number) {
  const invite = await openInvite(transaction, self, prefix, now);
  const { prekey, kemSeed } = invite.fate.secrets;
  try {
    const isReusable = invite.lastUser !== undefined;
    if (!isReusable || !(await transaction.isInLedger(prefixDigest(prefix)))) {
      return { invite, ...acceptOpening(self, prefix, invite.fate) };
    }
    wipe(prekey.secretKey);
    return undefined;
  } catch (error) {
    wipe(prekey.secretKey);
    throw error;
  } finally {
    wipe(kemSeed);
  }
}

/**
 * Returns the open invite that an opening answers. It is accepted until `OPENING_GRACE` after its expiry.
 * @throws `not-for-you`, `unknown-invite`, `invite-expired`, `invite-spent`, `invite-withdrawn`, `weak-key`.
 */
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
  const { fate, expiresAt, contactName } = invite;
  if (fate.kind === 'spent') {
    throw new PawlError('invite-spent', { at: fate.at, by: fingerprint(fate.by), name: contactName });
  }
  if (fate.kind === 'withdrawn') throw new PawlError('invite-withdrawn', { at: fate.at, name: contactName });
  if (fate.kind === 'expired' || expiresAt + OPENING_GRACE <= now) {
    wipeInvites([invite]);
    throw new PawlError('invite-expired', { expiredAt: expiresAt });
  }
  return { ...invite, fate };
}

/** An opening whose sender has authenticated. */
interface AuthenticatedOpening {
  readonly sender: IdentityKey;
  readonly invite: StoredInvite;
  readonly user: User;
  /** Unix milliseconds. */
  readonly opened: number;
  readonly now: number;
  readonly admit: (name: string, known?: Contact) => Promise<void>;
}

interface Introduced {
  readonly contact: Contact;
  readonly notices: readonly Notice[];
}

async function introduce(transaction: Transaction, opening: AuthenticatedOpening): Promise<Introduced> {
  const known = await transaction.contactOf(opening.sender);
  return known === undefined ? addNewContact(transaction, opening) : updateKnownContact(transaction, known, opening);
}

/** A known identity keeps its name, whatever the invite says. */
async function updateKnownContact(
  transaction: Transaction,
  contact: Contact,
  { invite, opened, admit }: AuthenticatedOpening,
): Promise<Introduced> {
  const { name } = contact;
  await admit(name, contact);
  const notices: Notice[] = [];
  if (name !== invite.contactName) notices.push({ kind: 'known-as', name, invitedAs: invite.contactName });
  const sessions = await transaction.sessions(contact.id);
  if (sessions.length > 0) notices.push({ kind: 'new-session', invitedAt: invite.createdAt });
  // The peer may have lost the secrets of the invite of theirs that waits, since they opened this session after it.
  if (contact.invite !== undefined && opened > contact.invite.addedAt) {
    await transaction.setContactInvite(contact.id, undefined);
  }
  return { contact, notices };
}

/**
 * Adds a contact under the name that the invite was made for.
 * @throws `identity-changed` when another identity has that name.
 */
async function addNewContact(
  transaction: Transaction,
  { sender, invite, user, now, admit }: AuthenticatedOpening,
): Promise<Introduced> {
  const { name } = user;
  const offered = fingerprint(sender);
  const named = await transaction.contactNamed(name);
  if (named !== undefined) {
    throw new PawlError('identity-changed', { name, known: fingerprint(named.identity), offered });
  }
  await admit(name);
  const id = await transaction.addContact({ name, identity: sender, addedAt: now, invite: undefined });
  await takeOverRoute(transaction, invite.contactName, id);
  const contact = await transaction.contact(id);
  return { contact, notices: [{ kind: 'new-contact', name, fingerprint: offered, invitedAt: invite.createdAt }] };
}
