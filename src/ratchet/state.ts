import {
  agreeAfresh,
  digest,
  type KeyPair,
  type Random,
  toHex,
  utf8,
  wipe,
  type X25519PublicKey,
} from '../primitives/index.ts';
import { type ChainKey, type HeaderKey, type HeaderKeys, headerKeysOf, type RootKey, rootStep } from './kdf.ts';
import { RULES, type Rules } from './parameters.ts';
import { afterHandshake, type KemField, type Rekeying } from './rekeying.ts';

/** One side of a conversation, without its skipped keys: those stay where they are kept (see store.ts). */
export interface RatchetState {
  readonly rootKey: RootKey;
  /** Root steps taken, in both directions; both sides count alike. */
  readonly rootSteps: number;
  readonly rekeying: Rekeying;
  readonly sending: Sending;
  readonly receiving: Receiving;
  /** Seals our next sending chain. */
  readonly nextSending: HeaderKeys;
  /** Seals the peer's next chain. */
  readonly nextReceiving: HeaderKeys;
}

export type Sending =
  /** The responder, before the first message: there is nobody's key to send to. */
  | { readonly kind: 'awaiting'; readonly self: KeyPair }
  /** The peer's new ratchet key is known; ours is made when next sending, and the old one is gone (§8.5 of the specification). */
  | { readonly kind: 'due'; readonly remote: X25519PublicKey; readonly previousN: number }
  | {
      readonly kind: 'chain';
      readonly self: KeyPair;
      readonly chainKey: ChainKey;
      readonly header: HeaderKeys;
      /** The next position. */
      readonly n: number;
      /** How many messages our chain before this one had. */
      readonly previousN: number;
      readonly kem: KemField | undefined;
    };

export type Receiving =
  | { readonly kind: 'awaiting' }
  | {
      readonly kind: 'chain';
      /** The peer's chains are numbered from 0. */
      readonly chain: number;
      readonly remote: X25519PublicKey;
      readonly chainKey: ChainKey;
      readonly header: HeaderKeys;
      /** The next position. */
      readonly n: number;
    };

/** A chain of the peer's that has ended, kept because messages of it may still come. */
export interface FinishedChain {
  readonly chain: number;
  readonly remote: X25519PublicKey;
  readonly header: HeaderKeys;
  readonly length: number;
}

/** What the handshake agrees on: three times 32 bytes (docs/PROTOCOL.md §4). */
export interface AgreedKeys {
  readonly rootKey: RootKey;
  /** Seals the initiator's first chain. */
  readonly initiatorHeader: HeaderKey;
  /** Seals the responder's first chain. */
  readonly responderHeader: HeaderKey;
}

/**
 * The side that opened: it can send at once (RatchetInitAliceHE, §4.4). `remote` is the prekey of the invite, `now` is in
 * unix milliseconds.
 */
export function initiatorState(
  agreed: AgreedKeys,
  remote: X25519PublicKey,
  { random, now, rules: { domain } = RULES }: { readonly random: Random; readonly now: number; readonly rules?: Rules },
): RatchetState {
  const { pair, secret } = agreeAfresh(random, remote);
  const step = rootStep(agreed.rootKey, secret, domain);
  wipe(secret);
  return {
    rootKey: step.rootKey,
    rootSteps: 1,
    rekeying: afterHandshake(now),
    sending: {
      kind: 'chain',
      self: pair,
      chainKey: step.chainKey,
      header: headerKeysOf(agreed.initiatorHeader),
      n: 0,
      previousN: 0,
      kem: undefined,
    },
    receiving: { kind: 'awaiting' },
    nextSending: headerKeysOf(step.nextHeaderKey),
    nextReceiving: headerKeysOf(agreed.responderHeader),
  };
}

/** The side that was opened to (RatchetInitBobHE, §4.4). `prekey` is the key pair of the invite, `now` in unix milliseconds. */
export function responderState(agreed: AgreedKeys, prekey: KeyPair, now: number): RatchetState {
  return {
    rootKey: agreed.rootKey,
    rootSteps: 0,
    rekeying: afterHandshake(now),
    sending: { kind: 'awaiting', self: prekey },
    receiving: { kind: 'awaiting' },
    nextSending: headerKeysOf(agreed.responderHeader),
    nextReceiving: headerKeysOf(agreed.initiatorHeader),
  };
}

/** 16 hex digits that name a chain by its DH key: one side's sending chain is the other's receiving one. */
export function chainFingerprint(dh: X25519PublicKey): string {
  return toHex(digest(8, utf8('pawl/1 chain'), dh));
}

/** Overwrites every secret of a state that has been saved, and so of every state that shares them. */
export function wipeState(state: RatchetState): void {
  wipe(...secretsOf(state));
}

/** Overwrites the secrets of a state that another has taken the place of, but for those that the two share. */
export function wipeReplaced(before: RatchetState, after: RatchetState): void {
  const kept = secretsOf(after);
  wipe(...secretsOf(before).filter((secret) => !kept.includes(secret)));
}

function secretsOf({ rootKey, rekeying, sending, receiving, nextSending, nextReceiving }: RatchetState): Uint8Array[] {
  const secrets: Uint8Array[] = [
    rootKey,
    nextSending.header,
    nextSending.find,
    nextReceiving.header,
    nextReceiving.find,
  ];
  if (rekeying.exchange.kind === 'offered') secrets.push(rekeying.exchange.seed);
  if (sending.kind !== 'due') secrets.push(sending.self.secretKey);
  for (const chain of [sending, receiving]) {
    if (chain.kind === 'chain') secrets.push(chain.chainKey, chain.header.header, chain.header.find);
  }
  return secrets;
}
