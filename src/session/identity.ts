/**
 * The names of contacts and identities, new identities, and the use of our own.
 * Knows nothing of files: the caller stores the identity.
 */
import { PawlError } from '../errors.ts';
import { createIdentity, fingerprint, type OwnIdentity } from '../handshake/index.ts';
import { type IdentityKey, type Random, wipe } from '../primitives/index.ts';
import type { Transaction } from './store.ts';

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

/** Runs `work` with our own identity, and overwrites its seed afterwards. */
export async function withOwnIdentity<Result>(
  view: Pick<Transaction, 'ownIdentity'>,
  work: (self: OwnIdentity) => Result | Promise<Result>,
): Promise<Result> {
  const self = await view.ownIdentity();
  try {
    return await work(self);
  } finally {
    wipe(self.seed);
  }
}

/** Our own public key. */
export function ownKey(view: Pick<Transaction, 'ownIdentity'>): Promise<IdentityKey> {
  return withOwnIdentity(view, ({ key }) => key);
}
