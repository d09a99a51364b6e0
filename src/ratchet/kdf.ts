/**
 * The key derivations of the Double Ratchet, and the types of its keys (docs/PROTOCOL.md §1 and §5).
 * Does not know when a step is taken.
 */
import {
  type Branded,
  concat,
  hkdfBlake2b,
  hmacSha256,
  type KemSecret,
  keyedBlake2b,
  type SharedSecret,
  sharedSecret,
  utf8,
  wipe,
  type X25519PublicKey,
  type X25519SecretKey,
} from '../primitives/index.ts';

export interface RootStep {
  readonly rootKey: RootKey;
  readonly chainKey: ChainKey;
  /** The header key of the following chain in the same direction. */
  readonly nextHeaderKey: HeaderKey;
}

/**
 * Computes KDF_RK_HE (Double Ratchet §4.2; docs/PROTOCOL.md §1): mixes a DH output into the root key, followed by the
 * KEM secret if there is one. The first 64 of its 96 bytes equal libchat's output, because a longer HKDF output begins
 * with the shorter one.
 * @param secret 32 bytes; the caller wipes it.
 * @param kem 32 bytes; wiped here.
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

/**
 * Takes the root step with the DH output of our ratchet secret and the peer's ratchet key.
 * @throws `weak-key` when the DH output is all zero.
 */
export function dhStep(
  rootKey: RootKey,
  { secretKey, remote }: { readonly secretKey: X25519SecretKey; readonly remote: X25519PublicKey },
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

/** Derives a message key and the next chain key: KDF_CK (Double Ratchet §3.2; docs/PROTOCOL.md §1). */
export function chainStep(chainKey: ChainKey): ChainStep {
  return {
    chainKey: keyedBlake2b(chainKey, 'ck') as ChainKey,
    messageKey: keyedBlake2b(chainKey, 'mk') as MessageKey,
  };
}

/** 32 bytes: replaced at each DH step, which derives a chain key from it. */
export type RootKey = Branded<'root key'>;
/** 32 bytes: one message key and the next chain key are derived from it. */
export type ChainKey = Branded<'chain key'>;
/** 32 bytes: seals one body, once. */
export type MessageKey = Branded<'message key'>;
/** 32 bytes: seals the headers of one chain. */
export type HeaderKey = Branded<'header key'>;
/** 32 bytes, derived from a header key: computes and checks the find tags of its headers. */
export type FindKey = Branded<'find key'>;

export interface HeaderKeys {
  readonly header: HeaderKey;
  readonly find: FindKey;
}

const FIND = utf8('pawl/1 find');

/** Derives the find key of a header key (docs/PROTOCOL.md §5). */
export function headerKeysOf(header: HeaderKey): HeaderKeys {
  return { header, find: hmacSha256(header, FIND) as FindKey };
}
