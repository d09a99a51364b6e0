import { fingerprint, safetyNumber } from '../../../../src/handshake/index.ts';
import {
  digest,
  type IdentityKey,
  type IdentitySeed,
  identityKeyOf,
  keyedBlake2b,
  type SharedSecret,
  toHex,
  toX25519PublicKey,
  toX25519SecretKey,
  utf8,
} from '../../../../src/primitives/index.ts';
import { type RootKey, RULES, rootStep } from '../../../../src/ratchet/index.ts';
import { hex } from '../../../primitives/hex.ts';
import type { Derivations, Identity, Vectors } from '../../format.ts';
import { drawing } from '../telling.ts';

const random = drawing('derivations');
const SEEDS = ['a0'.repeat(32), 'b0'.repeat(32), toHex(random(32))];

/** The constructions of docs/PROTOCOL.md that no RFC has values of. */
export function derivations(): Derivations {
  const key = random(32);
  const rootKey = random(32);
  return {
    digest: [16, 32, 64].map((length) => ({
      length,
      of: toHex(utf8('pawl')),
      is: toHex(digest(length, utf8('pawl'))),
    })),
    keyed: ['mk', 'ck', 'nonce'].map((personalization) => ({
      key: toHex(key),
      personalization,
      is: toHex(keyedBlake2b(key, personalization)),
    })),
    root: [32, 64].map((length) => {
      const input = random(length);
      const step = rootStep(rootKey as RootKey, input as SharedSecret, RULES.domain);
      const is = [toHex(step.rootKey), toHex(step.chainKey), toHex(step.nextHeaderKey)] as const;
      return { rootKey: toHex(rootKey), input: toHex(input), is };
    }),
  };
}

export function identities(): readonly Identity[] {
  return SEEDS.map((spelled) => {
    const seed = hex(spelled) as IdentitySeed;
    const identity = identityKeyOf(seed);
    return {
      seed: spelled,
      identity: toHex(identity),
      x25519Secret: toHex(toX25519SecretKey(seed)),
      x25519: toHex(toX25519PublicKey(identity)),
      fingerprint: fingerprint(identity),
    };
  });
}

export function safetyNumbers(): Vectors['safetyNumbers'] {
  const [a, b, c] = SEEDS.map((seed) => identityKeyOf(hex(seed) as IdentitySeed)) as [
    IdentityKey,
    IdentityKey,
    IdentityKey,
  ];
  const pairs = [
    [a, b],
    [b, a],
    [b, c],
  ] as const;
  return pairs.map(([one, other]) => ({ of: [toHex(one), toHex(other)], digits: safetyNumber(one, other) }));
}
