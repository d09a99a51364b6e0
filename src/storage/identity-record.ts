import type { OwnIdentity } from '../handshake/index.ts';
import type { Keeping } from '../session/store.ts';

/** What a store is made with. */
export interface IdentityRecord {
  /** The name of the identity, which is also that of its file. */
  readonly name: string;
  readonly identity: OwnIdentity;
  /** Unix milliseconds. */
  readonly createdAt: number;
  /** Whether delivered and sent texts are kept from the beginning. */
  readonly keeping?: Keeping | undefined;
}
