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

/** One message key and the chain key that follows: KDF_CK of the Double Ratchet, §3.2; docs/PROTOCOL.md §1. */
export function chainStep(chainKey: ChainKey): ChainStep {
  return {
    chainKey: keyedBlake2b(chainKey, 'ck') as ChainKey,
    messageKey: keyedBlake2b(chainKey, 'mk') as MessageKey,
  };
}

/** 32 bytes: stands behind every chain; replaced at each DH step. */
export type RootKey = Branded<'root key'>;
/** 32 bytes: gives one message key and the next chain key. */
export type ChainKey = Branded<'chain key'>;
/** 32 bytes: seals one body, once. */
export type MessageKey = Branded<'message key'>;
/** 32 bytes: seals the headers of one chain. */
export type HeaderKey = Branded<'header key'>;
/** 32 bytes: tells cheaply whether a header was sealed under the header key that it belongs to. */
export type FindKey = Branded<'find key'>;

export interface HeaderKeys {
  readonly header: HeaderKey;
  readonly find: FindKey;
}

const FIND = utf8('pawl/1 find');

/** A header key with its find key (docs/PROTOCOL.md §5). */
export function headerKeysOf(header: HeaderKey): HeaderKeys {
  return { header, find: hmacSha256(header, FIND) as FindKey };
}
