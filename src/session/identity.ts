import { PawlError } from '../errors.ts';
import { createIdentity, fingerprint, type OwnIdentity } from '../handshake/index.ts';
import type { Random } from '../primitives/index.ts';

const NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/;

/** Whether it is `[a-z0-9][a-z0-9._-]{0,63}`, as the names of contacts and identities are. */
export function isName(name: string): boolean {
  return NAME.test(name);
}

/** Checks the name of a contact or an identity. @throws `bad-name` unless it is `[a-z0-9][a-z0-9._-]{0,63}`. */
export function checkName(name: string): string {
  if (!isName(name)) throw new PawlError('bad-name', { name });
  return name;
}

/** A fresh identity, for a store to keep, and its fingerprint for a person. */
export function newIdentity(random: Random): { identity: OwnIdentity; fingerprint: string } {
  const identity = createIdentity(random);
  return { identity, fingerprint: fingerprint(identity.key) };
}
