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
 * Sparse post-quantum rekeying (docs/PROTOCOL.md §6): every few root steps one side offers an ML-KEM key with a chain of
 * its own, and the other's next chain answers with a ciphertext, whose secret both mix into the root.
 */
export interface Rekeying {
  /** The root step that mixed a KEM secret last, and when that was, in unix milliseconds. Step 0 is the handshake. */
  readonly mixed: { readonly step: number; readonly at: number };
  readonly exchange: KemExchange;
}

/** Chains alternate, so one exchange is under way at most, and needs no number. */
export type KemExchange =
  | { readonly kind: 'idle' }
  /** We have offered a key; the peer's next chain answers it. */
  | { readonly kind: 'offered'; readonly seed: KemSeed }
  /** They have offered a key; our next chain answers it. */
  | { readonly kind: 'owed'; readonly key: EncapsulationKey };

/** What a chain carries behind the header of each of its messages, because any of them may arrive first. */
export type KemField =
  | { readonly kind: 'offer'; readonly key: EncapsulationKey }
  | { readonly kind: 'answer'; readonly ciphertext: KemCiphertext };

/** A KEM field as it came: its key, if it is an offer, has not been checked. */
export type ReceivedKemField =
  | { readonly kind: 'offer'; readonly key: Uint8Array }
  | { readonly kind: 'answer'; readonly ciphertext: KemCiphertext };

/** What a root step has to do with the KEM. */
export interface KemTurn {
  readonly rekeying: Rekeying;
  /** Mixed into the root key behind the DH output, and wiped there. */
  readonly secret?: KemSecret;
  /** Our offer is left without its answer: no such chain is ever accepted, whatever it carries. */
  readonly isUnanswered?: true;
}

/** The handshake has mixed a KEM secret. `at`: unix milliseconds. */
export function afterHandshake(at: number): Rekeying {
  return { mixed: { step: 0, at }, exchange: IDLE };
}

/** At our root step, the one after `steps`: answers the key that is owed, or offers one where it is time. */
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
 * At the peer's root step, the one after `steps`: takes the answer to our offer, or an offer of theirs.
 * @returns why the peer's file and ours contradict each other, where they do.
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
