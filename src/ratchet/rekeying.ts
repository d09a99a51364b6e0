/**
 * Sparse post-quantum rekeying (docs/PROTOCOL.md §6): when an ML-KEM key is offered and answered.
 * Does not mix secrets into the root key: see kdf.ts.
 */
import type { ForkReason } from '../errors.ts';
import {
  decapsulate,
  type EncapsulationKey,
  encapsulate,
  generateKemKey,
  type KemCiphertext,
  type KemSecret,
  type KemSeed,
  type Random,
  readEncapsulationKey,
} from '../primitives/index.ts';
import type { Rules } from './parameters.ts';

/**
 * The rekeying part of a state. Every few root steps one side offers an ML-KEM key in a new chain. The peer's next
 * chain answers with a ciphertext, and both mix its secret into the root key.
 */
export interface Rekeying {
  /** The last root step that mixed a KEM secret, and its time in unix milliseconds. Step 0 is the handshake. */
  readonly mixed: { readonly step: number; readonly at: number };
  readonly exchange: KemExchange;
}

/** The state of an exchange. Chains alternate, so there is at most one at a time. */
export type KemExchange =
  | { readonly kind: 'idle' }
  /** We have offered a key; the peer's next chain answers it. */
  | { readonly kind: 'offered'; readonly seed: KemSeed }
  /** They have offered a key; our next chain answers it. */
  | { readonly kind: 'owed'; readonly key: EncapsulationKey };

/** The KEM field of a chain. Every header of the chain carries it, because any of them may arrive first. */
export type KemField =
  | { readonly kind: 'offer'; readonly key: EncapsulationKey }
  | { readonly kind: 'answer'; readonly ciphertext: KemCiphertext };

/** A KEM field as it came: its key, if it is an offer, has not been checked. */
export type ReceivedKemField =
  | { readonly kind: 'offer'; readonly key: Uint8Array }
  | { readonly kind: 'answer'; readonly ciphertext: KemCiphertext };

/** What a root step does with the KEM. */
export interface KemTurn {
  readonly rekeying: Rekeying;
  /** To be mixed into the root key after the DH output; `rootStep` wipes it. */
  readonly secret?: KemSecret;
  /** The chain does not answer our offer, so it must not be accepted. */
  readonly isUnanswered?: true;
}

/**
 * The state after the handshake, which has mixed a KEM secret.
 * @param at unix milliseconds.
 */
export function afterHandshake(at: number): Rekeying {
  return { mixed: { step: 0, at }, exchange: IDLE };
}

/**
 * Takes the KEM turn of our root step: answers the key that was offered to us, or offers one if it is due.
 * @param steps root steps taken before this one.
 * @param now unix milliseconds.
 */
export function kemTurnOfSender(
  { mixed, exchange }: Rekeying,
  steps: number,
  { random, now, rules }: { readonly random: Random; readonly now: number; readonly rules: Rules },
): KemTurn & { readonly field?: KemField } {
  if (exchange.kind === 'owed') {
    const { ciphertext, secret } = encapsulate(exchange.key, random);
    const rekeying: Rekeying = { mixed: { step: steps + 1, at: now }, exchange: IDLE };
    return { rekeying, secret, field: { kind: 'answer', ciphertext } };
  }
  const isTime = steps - mixed.step >= rules.offerAfterSteps || now - mixed.at >= rules.offerAfter;
  if (exchange.kind === 'offered' || !isTime) return { rekeying: { mixed, exchange } };
  const { seed, encapsulationKey: key } = generateKemKey(random);
  return { rekeying: { mixed, exchange: { kind: 'offered', seed } }, field: { kind: 'offer', key } };
}

/**
 * Takes the KEM turn of the peer's root step: reads the answer to our offer, or the peer's offer.
 * @param steps root steps taken before this one.
 * @param now unix milliseconds.
 * @returns a `ForkReason` when the field contradicts our state.
 * @throws `weak-key` for an offer that `readEncapsulationKey` refuses.
 */
export function kemTurnOfReceiver(
  { mixed, exchange }: Rekeying,
  field: ReceivedKemField | undefined,
  steps: number,
  now: number,
): KemTurn | ForkReason {
  if (exchange.kind === 'offered') {
    if (field?.kind !== 'answer') return { rekeying: { mixed, exchange }, isUnanswered: true };
    const secret = decapsulate(exchange.seed, field.ciphertext);
    return { rekeying: { mixed: { step: steps + 1, at: now }, exchange: IDLE }, secret };
  }
  if (field?.kind === 'answer') return 'answer-without-an-offer';
  if (field === undefined) return { rekeying: { mixed, exchange } };
  return { rekeying: { mixed, exchange: { kind: 'owed', key: readEncapsulationKey(field.key) } } };
}

const IDLE: KemExchange = { kind: 'idle' };
