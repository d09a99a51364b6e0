/**
 * The state of one side of a session: how it begins, and how its secrets are wiped (Double Ratchet §4.4).
 * Knows nothing of skipped message keys, which the store keeps: see store.ts.
 */
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

/** The state of one side of a session. */
export interface RatchetState {
  readonly rootKey: RootKey;
  /** Root steps taken in both directions, the same number on both sides. */
  readonly rootSteps: number;
  readonly rekeying: Rekeying;
  readonly sending: Sending;
  readonly receiving: Receiving;
  /** The header keys of our next sending chain. */
  readonly nextSending: HeaderKeys;
  /** The header keys of the peer's next chain. */
  readonly nextReceiving: HeaderKeys;
}

export type Sending =
  /** The responder before the first message, which brings the peer's ratchet key. */
  | { readonly kind: 'awaiting'; readonly self: KeyPair }
  /** The peer's new ratchet key is known. Ours is generated with the next message sent (Double Ratchet §8.5). */
  | { readonly kind: 'due'; readonly remote: X25519PublicKey; readonly previousN: number }
  | {
      readonly kind: 'chain';
      readonly self: KeyPair;
      readonly chainKey: ChainKey;
      readonly header: HeaderKeys;
      /** The next position. */
      readonly n: number;
      /** The length of our previous sending chain. */
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

/** A receiving chain that has ended. It is kept because some of its messages may still arrive. */
export interface FinishedChain {
  readonly chain: number;
  readonly remote: X25519PublicKey;
  readonly header: HeaderKeys;
  readonly length: number;
}

/** The keys that the handshake agrees on, 32 bytes each (docs/PROTOCOL.md §4). */
export interface AgreedKeys {
  readonly rootKey: RootKey;
  /** The header key of the initiator's first chain. */
  readonly initiatorHeader: HeaderKey;
  /** The header key of the responder's first chain. */
  readonly responderHeader: HeaderKey;
}

/**
 * The first state of the initiator, who can send at once (RatchetInitAliceHE, Double Ratchet §4.4).
 * @param remote the prekey of the invite.
 * @param now unix milliseconds.
 * @throws `weak-key` when the DH output is all zero.
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

/**
 * The first state of the responder (RatchetInitBobHE, Double Ratchet §4.4). It shares memory with `agreed` and
 * `prekey`.
 * @param prekey the key pair of the invite.
 * @param now unix milliseconds.
 */
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

/** 16 hex digits that identify a chain by its ratchet key, the same on both sides. */
export function chainFingerprint(dh: X25519PublicKey): string {
  return toHex(digest(8, utf8('pawl/1 chain'), dh));
}

/** Overwrites every secret of a state that has been saved. States that share memory with it become unusable. */
export function wipeState(state: RatchetState): void {
  wipe(...secretsOf(state));
}

/** Overwrites the secrets of `before`, except those that it shares with `after`. */
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
