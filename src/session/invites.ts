import { PawlError } from '../errors.ts';
import { createInvite, fingerprint, inviteId, readInvite, type StoredInvite } from '../handshake/index.ts';
import { equal } from '../primitives/index.ts';
import { checkName } from './identity.ts';
import { SECOND, sweep } from './maintenance.ts';
import type { Context, Transaction } from './store.ts';

/** Each open invite holds secrets, and each is a way in: a person who needs more than this wants a reusable one. */
const OPEN_INVITES = 64;

export interface MadeInvite {
  /** 16 bytes. */
  readonly id: Uint8Array;
  /** 1,321 bytes. */
  readonly invite: Uint8Array;
  /** Unix seconds. */
  readonly expires: number;
}

/**
 * Makes an invite for the person that we call `name`, or for many whom we call `name-1`, `name-2` … `lifetime`:
 * milliseconds.
 * @throws `bad-name`, `too-many-invites`.
 */
export async function invite(
  context: Context,
  name: string,
  lifetime: number,
  { reusable = false } = {},
): Promise<MadeInvite> {
  checkName(reusable ? `${name}-${LAST_USER}` : name);
  const createdAt = context.now();
  const expires = Math.floor((createdAt + lifetime) / SECOND);
  return context.store.transaction(async (transaction) => {
    await sweep(transaction, createdAt);
    const open = (await transaction.invites()).filter(
      ({ fate, expires }) => fate.kind === 'open' && expires * SECOND > createdAt,
    );
    if (open.length >= OPEN_INVITES) throw new PawlError('too-many-invites', { limit: OPEN_INVITES });

    const self = await transaction.ownIdentity();
    const { invite, secrets } = createInvite(self, { reusable, expires }, context.random);
    const id = inviteId(invite.bytes);
    const fate = { kind: 'open', bytes: invite.bytes, secrets } as const;
    const lastUser = reusable ? 0 : undefined;
    await transaction.addInvite({ id, contactName: name, createdAt, expires, lastUser, fate });
    return { id, invite: invite.bytes, expires };
  });
}

/** Takes back an invite that was never handed out. */
export async function withdrawInvite({ store }: Context, id: Uint8Array): Promise<void> {
  await store.transaction((transaction) => transaction.dropInvite(id));
}

export interface Added {
  /** The name the contact goes by: their own where the identity was known already. */
  readonly name: string;
  readonly fingerprint: string;
  readonly isNew: boolean;
  /** The invite was used for a session already, and only once can it be: nothing was changed. */
  readonly answeredBefore: boolean;
}

/**
 * Keeps an invite under `name`: the next message to that contact opens a session with it.
 * @param inviteBytes 1,321 bytes.
 * @throws what `readInvite` throws, `bad-name`, `self`, `invite-expired`, `identity-changed`.
 */
export async function add(context: Context, name: string, inviteBytes: Uint8Array): Promise<Added> {
  checkName(name);
  const invite = readInvite(inviteBytes);
  const now = context.now();
  if (invite.expires * SECOND <= now) throw new PawlError('invite-expired', { expired: invite.expires });
  const offered = fingerprint(invite.identity);

  return context.store.transaction(async (transaction) => {
    await sweep(transaction, now);
    const self = await transaction.ownIdentity();
    if (equal(self.key, invite.identity)) throw new PawlError('self', { what: 'invite' });

    const known = await transaction.contactOf(invite.identity);
    if (known === undefined) {
      const named = await transaction.contactNamed(name);
      if (named !== undefined) {
        throw new PawlError('identity-changed', { name, known: fingerprint(named.identity), offered });
      }
      await transaction.addContact({
        name,
        identity: invite.identity,
        addedAt: now,
        invite: { bytes: inviteBytes, addedAt: now },
      });
      return { name, fingerprint: offered, isNew: true, answeredBefore: false };
    }
    const sessions = await transaction.sessions(known.id);
    const id = inviteId(inviteBytes);
    const answeredBefore =
      !invite.reusable && sessions.some(({ origin }) => origin.role === 'initiator' && equal(origin.inviteId, id));
    if (!answeredBefore) await transaction.setContactInvite(known.id, { bytes: inviteBytes, addedAt: now });
    return { name: known.name, fingerprint: offered, isNew: false, answeredBefore };
  });
}

/**
 * A reusable invite lets in no more than these. Each may be a contact, whose find keys every unknown message is compared
 * with, and is a digest in the ledger; more people than this want an invite of their own.
 */
export const LAST_USER = 1_000;

/** Whoever comes in by an invite. */
export interface User {
  /** What they are called unless they are known already. */
  readonly name: string;
  /** Of a reusable invite: theirs, larger than any before, so that a name it once gave is never another's. */
  readonly number: number | undefined;
}

/**
 * The next user of an invite. Those of a reusable one are numbered; a number whose name belongs to somebody, or is
 * promised by another invite, is passed over.
 * @throws `invite-used-up`.
 */
export async function userOf(transaction: Transaction, { contactName, lastUser }: StoredInvite): Promise<User> {
  if (lastUser === undefined) return { name: contactName, number: undefined };
  const invites = await transaction.invites();
  const promised = invites.filter(({ fate }) => fate.kind === 'open').map((invite) => invite.contactName);
  for (let number = lastUser + 1; number <= LAST_USER; number++) {
    const name = `${contactName}-${number}`;
    const isTaken = promised.includes(name) || (await transaction.contactNamed(name)) !== undefined;
    if (!isTaken) return { name, number };
  }
  throw new PawlError('invite-used-up', { name: contactName, limit: LAST_USER });
}

/** What an invite says to anybody. */
export interface InviteView {
  readonly fingerprint: string;
  readonly reusable: boolean;
  /** Unix seconds. */
  readonly expires: number;
}

/** Checks an invite and says what it shows. @param bytes 1,321 bytes. @throws what `readInvite` throws. */
export function viewInvite(bytes: Uint8Array): InviteView {
  const { identity, reusable, expires } = readInvite(bytes);
  return { fingerprint: fingerprint(identity), reusable, expires };
}
