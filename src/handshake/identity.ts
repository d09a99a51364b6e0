import {
  digest,
  type IdentityKey,
  type IdentitySeed,
  identityKeyOf,
  type Random,
  toHex,
  utf8,
} from '../primitives/index.ts';

/** Who we are: a 32-byte seed and the Ed25519 key that others know us by (docs/PROTOCOL.md §2). */
export interface OwnIdentity {
  readonly seed: IdentitySeed;
  readonly key: IdentityKey;
}

const FINGERPRINT = utf8('pawl/1 identity');

export function createIdentity(random: Random): OwnIdentity {
  const seed = random(32) as IdentitySeed;
  return { seed, key: identityKeyOf(seed) };
}

/** 32 hex digits that name an identity to a person. Two people compare the safety number instead. */
export function fingerprint(key: IdentityKey): string {
  return toHex(digest(16, FINGERPRINT, key));
}
