import type { OwnIdentity } from '../handshake/index.ts';

/** What a store is made with. */
export interface IdentityRecord {
  /** The name of the identity, which is also that of its file. */
  readonly name: string;
  readonly identity: OwnIdentity;
  /** Unix milliseconds. */
  readonly createdAt: number;
}
