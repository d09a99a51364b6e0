/**
 * Contacts: their names, their safety numbers, and what is deleted with them.
 * Knows nothing of how a contact comes to be: `invites.ts` and `accept-opening.ts` add contacts.
 */
import { PawlError } from '../errors.ts';
import { fingerprint, safetyNumber } from '../handshake/index.ts';
import { equal, utf8 } from '../primitives/index.ts';
import { checkName, ownKey } from './identity.ts';
import { invitesIn, retireName } from './invites.ts';
import { sweep } from './maintenance.ts';
import { routeOf } from './routes.ts';
import { type BoxToEmpty, boxOfKey } from './spent-boxes.ts';
import type { Contact, Context, PartialPlace, Transaction } from './store.ts';

/**
 * Returns the contact of a name.
 * @throws `unknown-contact`.
 */
export async function requireContact(view: Transaction, name: string): Promise<Contact> {
  const contact = await view.contactNamed(name);
  return contact ?? unknownContact(view, name);
}

async function unknownContact(view: Transaction, name: string): Promise<never> {
  const isInvited = (await invitesIn(view)).some(
    ({ contactName, fate }) => contactName === name && fate.kind === 'open',
  );
  const known = (await view.contacts()).map((contact) => contact.name);
  const isList = (await view.lists()).some((list) => list.name === name);
  throw new PawlError('unknown-contact', { name, known, ...(isInvited && { isInvited }), ...(isList && { isList }) });
}

/**
 * Renames a contact. Names are local: the peer does not learn of it. An invite is for a person: the open single-use
 * invites for the old name are for the new one from then on, so that nobody else gets the old name by them.
 * @param options.keepInvites they stay for the old name: whoever uses one gets it.
 * @returns how many open invites are for the new name now.
 * @throws `bad-name`, `unknown-contact`, `name-taken`.
 */
export async function rename(
  context: Context,
  name: string,
  newName: string,
  { keepInvites = false } = {},
): Promise<number> {
  checkName(newName);
  return context.store.transaction(async (transaction) => {
    await sweep(transaction, context.now());
    const contact = await requireContact(transaction, name);
    const named = await transaction.contactNamed(newName);
    if (named !== undefined && named.id !== contact.id) throw new PawlError('name-taken', { name: newName });
    if (newName === name) return 0;
    await transaction.renameContact(contact.id, newName);
    await retireName(transaction, name);
    if (keepInvites) return 0;
    await transaction.renameRoute(name, newName);
    return transaction.renameInvites(name, newName);
  });
}

/**
 * Acknowledges the contradictions in all sessions with a contact: reports do not ask for attention because of them any
 * more. They stay on record, and a new one asks for attention again.
 * @returns how many there were that were not acknowledged.
 * @throws `unknown-contact`.
 */
export async function acknowledgeForks(context: Context, name: string): Promise<number> {
  const now = context.now();
  return context.store.transaction(async (transaction) => {
    await sweep(transaction, now);
    const { id } = await requireContact(transaction, name);
    return transaction.acknowledgeForks(id, now);
  });
}

/** The number of records of each kind that `forget` deletes. */
export interface Forgotten {
  /** `undefined` when there are only invites for the name, and no contact. */
  readonly contact:
    | {
        readonly fingerprint: string;
        readonly sessions: number;
        /** Texts in the inbox. */
        readonly texts: number;
        /** Envelopes in the outbox. */
        readonly envelopes: number;
        /** Texts in the history. */
        readonly history: number;
        /** Contents that come or go in parts, and are not finished. */
        readonly unfinished: number;
        /** The names of the lists that the contact is in. */
        readonly lists: readonly string[];
      }
    | undefined;
  /** Open invites of ours for the name. */
  readonly invites: number;
  /** The partial files of contents that come in parts. The caller deletes them. */
  readonly partialFiles: readonly PartialPlace[];
  /** The boxes of contents that come or go in parts, where there is a route: the caller empties them. */
  readonly boxes: readonly BoxToEmpty[];
}

/**
 * Counts what `forget` would delete.
 * @throws `unknown-contact` when there is neither a contact nor an open invite of that name.
 */
export async function previewForget({ store }: Pick<Context, 'store'>, name: string): Promise<Forgotten> {
  return store.snapshot(async (view) => (await findByName(view, name)).forgotten);
}

/**
 * Deletes a contact with all keys and texts, and the open invites for that name, so that no opening can add the contact
 * again. The records of spent invites and the ledgers of other invites stay: a repeated opening is still refused.
 * @throws `unknown-contact` when there is neither a contact nor an open invite of that name.
 */
export async function forget(context: Context, name: string): Promise<Forgotten> {
  return context.store.transaction(async (transaction) => {
    await sweep(transaction, context.now());
    const { contact, inviteIds, forgotten } = await findByName(transaction, name);
    if (contact !== undefined) {
      await transaction.dropContact(contact.id);
      await retireName(transaction, name);
    }
    for (const id of inviteIds) await transaction.dropInvite(id);
    await transaction.dropRoute({ inviteName: name });
    return forgotten;
  });
}

async function findByName(view: Transaction, name: string) {
  const contact = await view.contactNamed(name);
  const invites = await invitesIn(view);
  const inviteIds = invites
    .filter(({ contactName, fate }) => contactName === name && fate.kind === 'open')
    .map(({ id }) => id);
  if (contact === undefined && inviteIds.length === 0) return unknownContact(view, name);
  const incoming = (await view.incoming()).filter((content) => content.contact === contact?.id);
  const forgotten: Forgotten = {
    contact: contact && {
      ...(await countRecords(view, contact)),
      unfinished: incoming.length + (await countOutgoing(view, contact)),
    },
    invites: inviteIds.length,
    partialFiles: incoming.flatMap(({ place }) => place ?? []),
    boxes: contact === undefined ? [] : await boxesOf(view, contact),
  };
  return { contact, inviteIds, forgotten };
}

/** Boxes at the place of a contact in which parts may lie. */
async function boxesOf(view: Transaction, { id, name }: Contact): Promise<readonly BoxToEmpty[]> {
  const stored = routeOf(await view.routes(), id);
  if (stored === undefined) return [];
  const isTheirs = ({ contact }: { readonly contact: Contact['id'] }) => contact === id;
  const incoming = (await view.incoming()).filter(isTheirs).map(({ descriptor }) => boxOfKey(descriptor.key));
  const outgoing = (await view.outgoing())
    .filter((row) => isTheirs(row) && row.partsAt !== undefined)
    .map(({ descriptor }) => boxOfKey(descriptor.key));
  const spent = (await view.spentBoxes()).filter(isTheirs).map(({ box }) => box);
  const { route, isTrusted } = stored;
  return [...incoming, ...outgoing, ...spent].map((box) => ({ box, name, route, isTrusted }));
}

async function countOutgoing(view: Transaction, { id }: Contact): Promise<number> {
  return (await view.outgoing()).filter(({ contact }) => contact === id).length;
}

async function countRecords(view: Transaction, { id, identity }: Contact) {
  const isTheirs = ({ contact }: { contact: Contact['id'] }) => contact === id;
  return {
    fingerprint: fingerprint(identity),
    sessions: (await view.sessions(id)).length,
    texts: (await view.inbox()).filter(isTheirs).length,
    envelopes: (await view.outbox()).filter(isTheirs).length,
    history: (await view.countHistory({ contact: id })).count,
    lists: (await view.lists()).flatMap(({ name, contacts }) => (contacts.includes(id) ? [name] : [])),
  };
}

/** What two people compare to rule out a machine in the middle (docs/PROTOCOL.md §2). */
export interface Verification {
  readonly name: string;
  readonly fingerprint: string;
  /** 60 digits in 12 groups of 5, the same on both sides. */
  readonly safetyNumber: string;
  /** When the safety numbers were compared, in unix milliseconds. */
  readonly verifiedAt: number | undefined;
}

/**
 * Returns the safety number that we share with a contact.
 * @throws `unknown-contact`.
 */
export async function verification({ store }: Pick<Context, 'store'>, name: string): Promise<Verification> {
  return store.snapshot(async (view) => verificationOf(view, await requireContact(view, name)));
}

/**
 * Compares the safety number that the contact sees with ours. If they are equal, marks the contact verified; if not,
 * removes the mark, because trusting a wrong key costs more than comparing once more.
 * @param digits 60 digits without spaces.
 * @throws `unknown-contact`.
 * @throws `wrong-safety-number` after the removal is committed.
 */
export async function verify(context: Context, name: string, digits: string): Promise<Verification> {
  const now = context.now();
  const { previous, isRight } = await context.store.transaction(async (transaction) => {
    await sweep(transaction, now);
    const contact = await requireContact(transaction, name);
    const current = await verificationOf(transaction, contact);
    const isEqual = equal(utf8(current.safetyNumber.replaceAll(' ', '')), utf8(digits));
    if (isEqual) await transaction.setVerified(contact.id, now);
    else if (current.verifiedAt !== undefined) await transaction.setVerified(contact.id, undefined);
    return { previous: current, isRight: isEqual };
  });
  if (!isRight) throw new PawlError('wrong-safety-number', { name, wasVerified: previous.verifiedAt !== undefined });
  return { ...previous, verifiedAt: now };
}

async function verificationOf(view: Transaction, contact: Contact): Promise<Verification> {
  const { name, identity, verifiedAt } = contact;
  const own = await ownKey(view);
  return { name, fingerprint: fingerprint(identity), safetyNumber: safetyNumber(own, identity), verifiedAt };
}
