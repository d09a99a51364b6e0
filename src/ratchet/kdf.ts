import { hkdfBlake2b, keyedBlake2b, type SharedSecret } from '../primitives/index.ts';
import type { ChainKey, HeaderKey, MessageKey, RootKey } from './keys.ts';

/** The domain label of pawl's root KDF; libchat's two labels give libchat's keys. */
export const DOMAIN = 'pawl/1 root';

export interface RootStep {
  readonly rootKey: RootKey;
  readonly chainKey: ChainKey;
  /** Seals the chain that follows in the same direction. */
  readonly nextHeaderKey: HeaderKey;
}

/**
 * Mixes a DH output into the root key: KDF_RK_HE of the Double Ratchet, §4.2; docs/PROTOCOL.md §1.
 * The first 64 of its 96 bytes are libchat's 64, because HKDF's output has that prefix property.
 */
export function rootStep(rootKey: RootKey, secret: SharedSecret, domain: string): RootStep {
  const okm = hkdfBlake2b(rootKey, secret, domain, 96);
  return {
    rootKey: okm.slice(0, 32) as RootKey,
    chainKey: okm.slice(32, 64) as ChainKey,
    nextHeaderKey: okm.slice(64) as HeaderKey,
  };
}

export interface ChainStep {
  readonly chainKey: ChainKey;
  readonly messageKey: MessageKey;
}

/** One message key and the chain key that follows: KDF_CK of the Double Ratchet, §3.2; docs/PROTOCOL.md §1. */
export function chainStep(chainKey: ChainKey): ChainStep {
  return {
    chainKey: keyedBlake2b(chainKey, 'ck') as ChainKey,
    messageKey: keyedBlake2b(chainKey, 'mk') as MessageKey,
  };
}
