/**
 * Invites: creating ours, storing those of others, and naming the users of ours (docs/PROTOCOL.md §3).
 * Does not know the wire format, and opens no session: `send.ts` does.
 */
import { PawlError } from '../errors.ts';
import { createInvite, fingerprint, inviteId, readInvite, type StoredInvite } from '../handshake/index.ts';
import { equal, toHex, wipe } from '../primitives/index.ts';
import { checkName, ownKey, withOwnIdentity } from './identity.ts';
import { sweep } from './maintenance.ts';
import { heldIn } from './reports.ts';
import { dropUnusedRoutes } from './routes.ts';
import type { Context, Transaction } from './store.ts';

/**
 * The most open invites for names that no contact has. Each one has secrets to store and admits a new contact; a reusable
 * one admits many.
 */
const OPEN_INVITES = 64;

/** An invite that was just created. */
export interface MadeInvite {
  /** Whom it is for. */
  readonly name: string;
  /** 16 bytes. */
  readonly id: Uint8Array;
  /** 1,321 bytes. */
  readonly invite: Uint8Array;
  /** Unix milliseconds. */
  readonly expiresAt: number;
}

/**
 * Creates an invite and stores its secrets. Its user becomes the contact `name`; the users of a reusable invite become
 * the contacts `name-1`, `name-2` and so on.
 * @param lifetime milliseconds.
 * @throws `bad-name`, `too-many-invites`.
 */
export async function invite(
  context: Context,
  name: string,
  lifetime: number,
  { reusable = false } = {},
): Promise<MadeInvite> {
  checkName(name);
  const now = context.now();
  return context.store.transaction(async (transaction) => {
    await sweep(transaction, now);
    const numbersAfter = reusable ? await transaction.lastNumber(name) : 0;
    if (reusable) checkName(`${name}-${numbersAfter + LAST_USER}`);
    await refuseTooMany(transaction, await usableInvites(transaction, now));
    return makeInvite(context, transaction, {
      name,
      createdAt: now,
      expiresAt: now + lifetime,
      reusable,
      numbersAfter,
    });
  });
}

/** @throws `too-many-invites`. */
async function refuseTooMany(transaction: Transaction, open: readonly StoredInvite[]): Promise<void> {
  let left = OPEN_INVITES;
  // Whose names are contacts' is looked up only where it matters.
  for (const { contactName } of open.length < OPEN_INVITES ? [] : open) {
    if ((await transaction.contactNamed(contactName)) === undefined) left--;
  }
  if (left <= 0) throw new PawlError('too-many-invites', { limit: OPEN_INVITES });
}

/**
 * Gives an invite for each contact that nothing is sent to before an answer or a new one: the open invite for that name
 * if there is one, so that what was not written out comes again, else one that is created. All in one transaction.
 * @param lifetime of a new one, in milliseconds.
 */
export async function inviteHeld(context: Context, lifetime: number): Promise<readonly MadeInvite[]> {
  const now = context.now();
  return context.store.transaction(async (transaction) => {
    await sweep(transaction, now);
    const open = await usableInvites(transaction, now);
    const made: MadeInvite[] = [];
    for (const { name } of await heldIn(transaction)) {
      const known = open.findLast(({ contactName, lastUser }) => contactName === name && lastUser === undefined);
      const terms = { name, createdAt: now, expiresAt: now + lifetime, reusable: false, numbersAfter: 0 };
      made.push(
        known?.fate.kind === 'open'
          ? { id: known.id, name, invite: known.fate.bytes, expiresAt: known.expiresAt }
          : await makeInvite(context, transaction, terms),
      );
    }
    return made;
  });
}

async function usableInvites(transaction: Transaction, now: number): Promise<readonly StoredInvite[]> {
  return (await invitesIn(transaction)).filter(({ fate, expiresAt }) => fate.kind === 'open' && expiresAt > now);
}

/** What an invite is made for, and until when. Times are unix milliseconds. */
interface Terms extends Pick<StoredInvite, 'createdAt' | 'expiresAt' | 'numbersAfter'> {
  readonly name: string;
  readonly reusable: boolean;
}

async function makeInvite(
  { random }: Context,
  transaction: Transaction,
  { name, createdAt, expiresAt, reusable, numbersAfter }: Terms,
): Promise<MadeInvite> {
  const { invite: made, secrets } = await withOwnIdentity(transaction, (self) =>
    createInvite(self, { reusable, expiresAt }, random),
  );
  const id = inviteId(made.bytes);
  const added: StoredInvite = {
    id,
    contactName: name,
    createdAt,
    expiresAt: made.expiresAt,
    lastUser: reusable ? 0 : undefined,
    numbersAfter,
    fate: { kind: 'open', bytes: made.bytes, secrets },
  };
  await transaction.addInvite(added);
  wipeInvites([added]);
  return { id, name, invite: made.bytes, expiresAt: made.expiresAt };
}

/** Names an invite of ours to its owner: the first 16 hexadecimal digits of its id. */
export function inviteName(id: Uint8Array): string {
  return toHex(id).slice(0, 16);
}

/** Lists the open invites of ours, oldest first. */
export async function openInvites({
  store,
}: Pick<Context, 'store'>): Promise<readonly { readonly id: string; readonly name: string }[]> {
  return store.snapshot(async (view) => {
    const open = (await invitesIn(view)).filter(({ fate }) => fate.kind === 'open');
    return open.map(({ id, contactName: name }) => ({ id: inviteName(id), name }));
  });
}

/**
 * Withdraws open invites of ours: their secrets are deleted at once, and an opening that answers one is refused. That it
 * was withdrawn is remembered for 90 days.
 * @param only the `inviteName` of one of them; without it, all that are open for the name, or may still let in an opening
 * that was made in time.
 * @returns the names of the invites that were withdrawn.
 * @throws `no-open-invite`.
 */
export async function withdraw(context: Context, name: string, only?: string): Promise<readonly string[]> {
  const now = context.now();
  return context.store.transaction(async (transaction) => {
    await sweep(transaction, now);
    const found = (await invitesIn(transaction)).filter(
      ({ id, contactName, fate }) =>
        contactName === name && fate.kind === 'open' && (only === undefined || inviteName(id) === only),
    );
    if (found.length === 0) throw new PawlError('no-open-invite', { name, ...(only !== undefined && { id: only }) });
    for (const { id } of found) await transaction.withdrawInvite(id, now);
    await dropUnusedRoutes(transaction);
    return found.map(({ id }) => inviteName(id));
  });
}

/** The invites that are stored, with their secrets overwritten: what is wanted of them is what else they say. */
export async function invitesIn(view: Pick<Transaction, 'invites'>): Promise<readonly StoredInvite[]> {
  const invites = await view.invites();
  wipeInvites(invites);
  return invites;
}

/** Overwrites the secrets of invites that were read from the store, or have been stored. */
export function wipeInvites(invites: readonly StoredInvite[]): void {
  for (const { fate } of invites) if (fate.kind === 'open') wipe(fate.secrets.prekey.secretKey, fate.secrets.kemSeed);
}

/** Deletes an invite of ours that was never handed out. */
export async function discardInvite({ store }: Context, id: Uint8Array): Promise<void> {
  await store.transaction((transaction) => transaction.dropInvite(id));
}

/** The result of `add`. */
export interface Added {
  /** The name of the contact. A known identity keeps the name that it had. */
  readonly name: string;
  readonly fingerprint: string;
  readonly isNew: boolean;
  /** We opened a session with this single-use invite before. Nothing was changed. */
  readonly answeredBefore: boolean;
}

/**
 * Stores the invite of a contact. The next message to that contact opens a session with it.
 * @param inviteBytes 1,321 bytes.
 * @throws what `readInvite` throws.
 * @throws `bad-name`, `self`, `invite-expired`, `identity-changed`.
 */
export async function add(context: Context, name: string, inviteBytes: Uint8Array): Promise<Added> {
  checkName(name);
  const { identity, reusable, expiresAt } = readInvite(inviteBytes);
  const now = context.now();
  if (expiresAt <= now) throw new PawlError('invite-expired', { expiredAt: expiresAt });
  const offered = fingerprint(identity);

  return context.store.transaction(async (transaction) => {
    await sweep(transaction, now);
    if (equal(await ownKey(transaction), identity)) throw new PawlError('self', { what: 'invite' });

    const known = await transaction.contactOf(identity);
    if (known === undefined) {
      const named = await transaction.contactNamed(name);
      if (named !== undefined) {
        throw new PawlError('identity-changed', { name, known: fingerprint(named.identity), offered });
      }
      await transaction.addContact({
        name,
        identity,
        addedAt: now,
        invite: { bytes: inviteBytes, addedAt: now },
      });
      return { name, fingerprint: offered, isNew: true, answeredBefore: false };
    }
    const sessions = await transaction.sessions(known.id);
    const id = inviteId(inviteBytes);
    const answeredBefore =
      !reusable && sessions.some(({ origin }) => origin.role === 'initiator' && equal(origin.inviteId, id));
    if (!answeredBefore) await transaction.setContactInvite(known.id, { bytes: inviteBytes, addedAt: now });
    return { name: known.name, fingerprint: offered, isNew: false, answeredBefore };
  });
}

/**
 * The most numbers that a reusable invite gives or passes over. Each of its users may become a contact, whose header keys
 * are tried on every unknown message, and has a digest in the ledger.
 */
export const LAST_USER = 1_000;

/** The user of an invite. */
export interface User {
  /** The contact name that they get, unless their identity is known already. */
  readonly name: string;
  /** Their number, for a reusable invite. */
  readonly number: number | undefined;
}

/**
 * Names the next user of an invite. The users of all reusable invites for a name are numbered together, so that a name
 * that a contact had and has no more is not given to another one. A number is skipped if its name belongs to a contact
 * or to another open invite.
 * @throws `invite-used-up`.
 */
export async function userOf(
  transaction: Transaction,
  { contactName, lastUser, numbersAfter }: StoredInvite,
): Promise<User> {
  if (lastUser === undefined) return { name: contactName, number: undefined };
  const last = Math.max(lastUser, await transaction.lastNumber(contactName));
  const invites = await invitesIn(transaction);
  const reserved = invites.filter(({ fate }) => fate.kind === 'open').map((open) => open.contactName);
  for (let number = last + 1; number <= numbersAfter + LAST_USER; number++) {
    const name = `${contactName}-${number}`;
    const isTaken = reserved.includes(name) || (await transaction.contactNamed(name)) !== undefined;
    if (!isTaken) return { name, number };
  }
  throw new PawlError('invite-used-up', { name: contactName, limit: LAST_USER });
}

/** Records the user of a reusable invite, and that nobody else gets that number. */
export async function admitUser(
  transaction: Transaction,
  { id, contactName }: StoredInvite,
  number: number,
  prefixDigest: Uint8Array,
): Promise<void> {
  await transaction.useInvite(id, number, prefixDigest);
  await transaction.raiseNumber(contactName, number);
}

/** No invite comes near it: it would be a millionth of a million, each with a thousand users. */
const LARGEST_NUMBER = 10 ** 15;

/**
 * Records that a contact has a name no more. If it is one that the users of a reusable invite get, however the contact
 * came by it, none of them gets it any more.
 */
export async function retireName(transaction: Transaction, name: string): Promise<void> {
  const [, base, digits] = /^(.+)-([1-9][0-9]*)$/.exec(name) ?? [];
  const number = Number(digits);
  if (base !== undefined && number <= LARGEST_NUMBER) await transaction.raiseNumber(base, number);
}

/** The public contents of an invite. */
export interface InviteView {
  readonly fingerprint: string;
  readonly reusable: boolean;
  /** Unix milliseconds. */
  readonly expiresAt: number;
}

/**
 * Decodes an invite to be shown.
 * @param bytes 1,321 bytes.
 * @throws what `readInvite` throws.
 */
export function viewInvite(bytes: Uint8Array): InviteView {
  const { identity, reusable, expiresAt } = readInvite(bytes);
  return { fingerprint: fingerprint(identity), reusable, expiresAt };
}
