/**
 * The names of contacts and identities, and new identities.
 * Knows nothing of files: the caller stores the identity.
 */
import { PawlError } from '../errors.ts';
import { createIdentity, fingerprint, type OwnIdentity } from '../handshake/index.ts';
import type { Random } from '../primitives/index.ts';

const NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/;

/** Tells whether a name is `[a-z0-9][a-z0-9._-]{0,63}`, as the names of contacts and identities are. */
export function isName(name: string): boolean {
  return NAME.test(name);
}

/**
 * Checks the name of a contact or an identity, and returns it.
 * @throws `bad-name` unless `isName` accepts it.
 */
export function checkName(name: string): string {
  if (!isName(name)) throw new PawlError('bad-name', { name });
  return name;
}

/** Creates an identity for the caller to store, and its fingerprint to show. */
export function newIdentity(random: Random): { identity: OwnIdentity; fingerprint: string } {
  const identity = createIdentity(random);
  return { identity, fingerprint: fingerprint(identity.key) };
}
