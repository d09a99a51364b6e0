import {
  concat,
  hkdfBlake2b,
  type KemSecret,
  keyedBlake2b,
  type SharedSecret,
  sharedSecret,
  wipe,
  type X25519PublicKey,
  type X25519SecretKey,
} from '../primitives/index.ts';
import type { ChainKey, HeaderKey, MessageKey, RootKey } from './keys.ts';

export interface RootStep {
  readonly rootKey: RootKey;
  readonly chainKey: ChainKey;
  /** Seals the chain that follows in the same direction. */
  readonly nextHeaderKey: HeaderKey;
}

/**
 * Mixes a DH output into the root key, and behind it the KEM secret of a step that has one, which is wiped: KDF_RK_HE of the Double Ratchet, §4.2; docs/PROTOCOL.md §1.
 * The first 64 of its 96 bytes are libchat's 64, because HKDF's output has that prefix property.
 */
export function rootStep(rootKey: RootKey, secret: SharedSecret, domain: string, kem?: KemSecret): RootStep {
  const mixed = kem === undefined ? secret : concat(secret, kem);
  const okm = hkdfBlake2b(rootKey, mixed, domain, 96);
  const step = {
    rootKey: okm.slice(0, 32) as RootKey,
    chainKey: okm.slice(32, 64) as ChainKey,
    nextHeaderKey: okm.slice(64) as HeaderKey,
  };
  wipe(okm);
  if (kem !== undefined) wipe(mixed, kem);
  return step;
}

/** A DH step: the root step with the DH output of our secret and their public ratchet key. @throws `weak-key`. */
export function dhStep(
  rootKey: RootKey,
  secretKey: X25519SecretKey,
  remote: X25519PublicKey,
  domain: string,
  kem?: KemSecret,
): RootStep {
  const secret = sharedSecret(secretKey, remote);
  const step = rootStep(rootKey, secret, domain, kem);
  wipe(secret);
  return step;
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
