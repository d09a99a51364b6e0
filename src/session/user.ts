import { PawlError } from '../errors.ts';
import type { StoredInvite } from '../handshake/index.ts';
import type { Transaction } from './store.ts';

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
