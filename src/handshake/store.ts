import type { IdentityKey } from '../primitives/index.ts';
import type { OwnIdentity } from './identity.ts';
import type { AnsweredInvite } from './opening.ts';

/** An invite of ours. Its secrets live until it is spent or long expired; what became of it is kept a while longer. */
export interface StoredInvite {
  /** 16 bytes. */
  readonly id: Uint8Array;
  /** The name that its first user gets; users of a reusable one get it with a number behind. */
  readonly contactName: string;
  /** Unix milliseconds. */
  readonly createdAt: number;
  /** Unix seconds. */
  readonly expires: number;
  /** Of a reusable invite: the number of its last user, 0 before the first. One that is used once has none. */
  readonly lastUser: number | undefined;
  readonly fate: InviteFate;
}

export type InviteFate =
  | ({ readonly kind: 'open' } & AnsweredInvite)
  /** `at`: unix milliseconds. */
  | { readonly kind: 'spent'; readonly by: IdentityKey; readonly at: number }
  | { readonly kind: 'expired' };

/** What the handshake needs of a store, in its own words. Every value that comes out is the caller's own copy. */
export interface HandshakeStore {
  ownIdentity(): Promise<OwnIdentity>;
  invite(id: Uint8Array): Promise<StoredInvite | undefined>;
  /** All that is known of our invites, oldest first. */
  invites(): Promise<readonly StoredInvite[]>;
  addInvite(invite: StoredInvite): Promise<void>;
  /** With its secrets, as if it had never been. */
  dropInvite(id: Uint8Array): Promise<void>;
  /** Deletes the secrets and keeps by whom the invite was used, `at` in unix milliseconds. */
  spendInvite(id: Uint8Array, by: IdentityKey, at: number): Promise<void>;
  /** Counts another user of a reusable invite, which stays open, and enters the opening into the ledger. */
  useInvite(id: Uint8Array, user: number, prefixDigest: Uint8Array): Promise<void>;
  /** Whether a reusable invite that still has its secrets let in the opening whose prefix has this digest of 16 bytes. */
  isInLedger(prefixDigest: Uint8Array): Promise<boolean>;
  /**
   * Deletes the secrets of open invites that expired before `expiredBefore`, with their part of the ledger, and all about
   * those that were spent or expired before `forgetBefore` (both unix seconds). @returns how many lost their secrets.
   */
  sweepInvites(expiredBefore: number, forgetBefore: number): Promise<number>;
}
