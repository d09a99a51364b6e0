/**
 * Identities: the Ed25519 key pair of a person, and the fingerprint that names it (docs/PROTOCOL.md §2).
 * Knows nothing of contact names or of where an identity is stored.
 */
import {
  hexDigest,
  type IdentityKey,
  type IdentitySeed,
  identityKeyOf,
  type Random,
  utf8,
} from '../primitives/index.ts';

/** Our own identity: the 32-byte secret seed, and the Ed25519 public key derived from it. */
export interface OwnIdentity {
  readonly seed: IdentitySeed;
  readonly key: IdentityKey;
}

const FINGERPRINT = utf8('pawl/1 identity');

/** Creates an identity from a random seed. */
export function createIdentity(random: Random): OwnIdentity {
  const seed = random(32) as IdentitySeed;
  return { seed, key: identityKeyOf(seed) };
}

/**
 * Names an identity in output (docs/PROTOCOL.md §2). To verify a contact, people compare the safety number instead.
 * @returns 32 hexadecimal digits.
 */
export function fingerprint(key: IdentityKey): string {
  return hexDigest(16, FINGERPRINT, key);
}
