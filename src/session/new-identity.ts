import { createIdentity, fingerprint, type OwnIdentity } from '../handshake/index.ts';
import type { Random } from '../primitives/index.ts';

/** A fresh identity, for a store to keep, and its fingerprint for a person. */
export function newIdentity(random: Random): { identity: OwnIdentity; fingerprint: string } {
  const identity = createIdentity(random);
  return { identity, fingerprint: fingerprint(identity.key) };
}
