/**
 * What the handshake needs of a store. `storage` implements it.
 * Knows nothing of contacts, sessions or SQL.
 */
import type { IdentityKey } from '../primitives/index.ts';
import type { OwnIdentity } from './identity.ts';
import type { AnsweredInvite } from './opening.ts';

/**
 * An invite of ours. Its secrets are deleted once it is spent, withdrawn or expired; the record of its fate is kept longer.
 */
export interface StoredInvite {
  /** 16 bytes. */
  readonly id: Uint8Array;
  /** The contact name that its user gets. Users of a reusable invite get this name followed by a number: see `lastNumber`. */
  readonly contactName: string;
  /** Unix milliseconds. */
  readonly createdAt: number;
  /** Unix milliseconds, a whole number of seconds. */
  readonly expiresAt: number;
  /** The number of the last user of a reusable invite, 0 before the first; `undefined` for a single-use invite. */
  readonly lastUser: number | undefined;
  /** The users of a reusable invite get numbers above this one: it was the last when the invite was made. */
  readonly numbersAfter: number;
  readonly fate: InviteFate;
}

/** Whether an invite can still be used, and if not, why. */
export type InviteFate =
  | ({ readonly kind: 'open' } & AnsweredInvite)
  /** `at`: unix milliseconds. */
  | { readonly kind: 'spent'; readonly by: IdentityKey; readonly at: number }
  /** Its maker withdrew it. `at`: unix milliseconds. */
  | { readonly kind: 'withdrawn'; readonly at: number }
  | { readonly kind: 'expired' };

/** Our identity, our invites and the ledger of openings. Every value that a method returns is a copy of its own. */
export interface HandshakeStore {
  ownIdentity(): Promise<OwnIdentity>;
  invite(id: Uint8Array): Promise<StoredInvite | undefined>;
  /** Returns all our invites, whatever their fate, oldest first. */
  invites(): Promise<readonly StoredInvite[]>;
  addInvite(invite: StoredInvite): Promise<void>;
  /** Deletes an invite with its secrets and its record. */
  dropInvite(id: Uint8Array): Promise<void>;
  /**
   * Marks a single-use invite as spent: deletes its secrets and records who used it.
   * @param at unix milliseconds.
   */
  spendInvite(id: Uint8Array, by: IdentityKey, at: number): Promise<void>;
  /**
   * Marks an open invite as withdrawn: deletes its secrets and its ledger entries.
   * @param at unix milliseconds.
   */
  withdrawInvite(id: Uint8Array, at: number): Promise<void>;
  /** Records another user of a reusable invite, which stays open, and enters the opening into the ledger. */
  useInvite(id: Uint8Array, user: number, prefixDigest: Uint8Array): Promise<void>;
  /** Makes the open single-use invites for one contact name be for another. Returns how many there were. */
  renameInvites(name: string, newName: string): Promise<number>;
  /** Returns the largest number that `raiseNumber` was given for a name; 0 without one. */
  lastNumber(name: string): Promise<number>;
  /** Records that no number up to `number`, from 1 on, is given to a user of a reusable invite for a name any more. */
  raiseNumber(name: string, number: number): Promise<void>;
  /**
   * Tells whether an opening was accepted before by a reusable invite that still has its secrets.
   * @param prefixDigest 16 bytes.
   */
  isInLedger(prefixDigest: Uint8Array): Promise<boolean>;
  /**
   * Deletes the secrets of open invites that have expired, with their ledger entries, and the records of old invites.
   * Invites expire on whole seconds, so both times are rounded down to whole seconds.
   * @param expiredBefore unix milliseconds: open invites that expired before this lose their secrets.
   * @param forgetBefore unix milliseconds: invites that were spent, withdrawn or expired before this are deleted.
   * @returns how many invites lost their secrets.
   */
  sweepInvites(expiredBefore: number, forgetBefore: number): Promise<number>;
}
