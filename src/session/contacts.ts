import { PawlError } from '../errors.ts';
import { fingerprint, safetyNumber } from '../handshake/index.ts';
import { equal, utf8 } from '../primitives/index.ts';
import { checkName } from './identity.ts';
import { sweep } from './maintenance.ts';
import type { Contact, Context, Transaction } from './store.ts';

/** The contact of that name. @throws `unknown-contact`. */
export async function contactCalled(view: Transaction, name: string): Promise<Contact> {
  const contact = await view.contactNamed(name);
  if (contact === undefined) throw new PawlError('unknown-contact', { name });
  return contact;
}

/** Gives a contact another name: here only, the other side never knows. @throws `bad-name`, `unknown-contact`, `name-taken`. */
export async function rename(context: Context, name: string, newName: string): Promise<void> {
  checkName(newName);
  await context.store.transaction(async (transaction) => {
    await sweep(transaction, context.now());
    const contact = await contactCalled(transaction, name);
    const named = await transaction.contactNamed(newName);
    if (named !== undefined && named.id !== contact.id) throw new PawlError('name-taken', { name: newName });
    await transaction.renameContact(contact.id, newName);
  });
}

/** All that goes when a name is forgotten. */
export interface Forgotten {
  /** `undefined` where there is no contact, only invites. */
  readonly contact:
    | {
        readonly fingerprint: string;
        readonly sessions: number;
        /** Texts accepted and not known to be delivered. */
        readonly texts: number;
        /** Envelopes committed and not known to be written. */
        readonly envelopes: number;
        /** Texts that history keeps. */
        readonly history: number;
      }
    | undefined;
  /** Open invites of ours for that name. */
  readonly invites: number;
}

/** What `forget` would forget. @throws `unknown-contact` where there is neither a contact nor an invite of that name. */
export async function forgettable({ store }: Pick<Context, 'store'>, name: string): Promise<Forgotten> {
  return store.snapshot(async (view) => (await find(view, name)).forgotten);
}

/**
 * Forgets a contact with all keys and texts, and withdraws the open invites for that name: nobody comes in under it any
 * more. What became of other invites is kept for its time, and so is the ledger of reusable ones: an opening that was
 * accepted once brings nobody back.
 * @throws `unknown-contact` where there is neither a contact nor an invite of that name.
 */
export async function forget(context: Context, name: string): Promise<Forgotten> {
  return context.store.transaction(async (transaction) => {
    await sweep(transaction, context.now());
    const { contact, inviteIds, forgotten } = await find(transaction, name);
    if (contact !== undefined) await transaction.dropContact(contact.id);
    for (const id of inviteIds) await transaction.dropInvite(id);
    return forgotten;
  });
}

async function find(view: Transaction, name: string) {
  const contact = await view.contactNamed(name);
  const invites = await view.invites();
  const inviteIds = invites.filter((i) => i.contactName === name && i.fate.kind === 'open').map(({ id }) => id);
  if (contact === undefined && inviteIds.length === 0) throw new PawlError('unknown-contact', { name });
  const forgotten: Forgotten = { contact: contact && (await allOf(view, contact)), invites: inviteIds.length };
  return { contact, inviteIds, forgotten };
}

async function allOf(view: Transaction, { id, identity }: Contact): Promise<Forgotten['contact']> {
  const isTheirs = ({ contact }: { contact: Contact['id'] }) => contact === id;
  return {
    fingerprint: fingerprint(identity),
    sessions: (await view.sessions(id)).length,
    texts: (await view.inbox()).filter(isTheirs).length,
    envelopes: (await view.outbox()).filter(isTheirs).length,
    history: (await view.countHistory({ contact: id })).count,
  };
}

/** What two people compare to know that nobody stands between them (docs/PROTOCOL.md §2). */
export interface Verification {
  readonly name: string;
  readonly fingerprint: string;
  /** 60 digits in 12 groups of 5, the same on both sides. */
  readonly safetyNumber: string;
  /** When it was compared, unix milliseconds. */
  readonly verifiedAt: number | undefined;
}

/** The safety number that we and a contact have. @throws `unknown-contact`. */
export async function verification({ store }: Pick<Context, 'store'>, name: string): Promise<Verification> {
  return store.snapshot(async (view) => verificationOf(view, await contactCalled(view, name)));
}

/**
 * Compares the number that a contact sees on their side, 60 digits, with ours, and marks the contact verified. A number
 * that differs takes the mark away: whatever was compared before, what the contact sees now is not what we have, and to
 * compare once more costs less than to trust the wrong key.
 * @throws `unknown-contact`; `wrong-safety-number`, once that is committed.
 */
export async function verify(context: Context, name: string, digits: string): Promise<Verification> {
  const now = context.now();
  const { before, isRight } = await context.store.transaction(async (transaction) => {
    await sweep(transaction, now);
    const contact = await contactCalled(transaction, name);
    const before = await verificationOf(transaction, contact);
    const isRight = equal(utf8(before.safetyNumber.replaceAll(' ', '')), utf8(digits));
    if (isRight) await transaction.setVerified(contact.id, now);
    else if (before.verifiedAt !== undefined) await transaction.setVerified(contact.id, undefined);
    return { before, isRight };
  });
  if (!isRight) throw new PawlError('wrong-safety-number', { name, wasVerified: before.verifiedAt !== undefined });
  return { ...before, verifiedAt: now };
}

async function verificationOf(view: Transaction, contact: Contact): Promise<Verification> {
  const { name, identity, verifiedAt } = contact;
  const self = await view.ownIdentity();
  return { name, fingerprint: fingerprint(identity), safetyNumber: safetyNumber(self.key, identity), verifiedAt };
}
