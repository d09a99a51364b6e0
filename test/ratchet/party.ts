import { isDeepStrictEqual } from 'node:util';
import { expect } from 'vitest';
import { PawlError } from '../../src/errors.ts';
import { concat, digest, generateKeyPair, type Random, utf8 } from '../../src/primitives/index.ts';
import {
  type AgreedKeys,
  type Decrypted,
  decrypt,
  type Encrypted,
  encodeHeader,
  encrypt,
  type FinishedChain,
  type Header,
  type HeaderKeys,
  initiatorState,
  isSealedFor,
  type KeptPosition,
  LIMITS,
  type Limits,
  nextMessageKey,
  type OpenedHeader,
  openHeader,
  type Place,
  type RatchetState,
  type ReceivingStep,
  RULES,
  type Rules,
  responderState,
  type SealedMessage,
  type SkippedKey,
  sealBody,
  sealHeader,
} from '../../src/ratchet/index.ts';

/** The session's associated data in these tests. */
export const TRANSCRIPT = digest(32, utf8('transcript'));

/** When the two agreed on their keys, unix milliseconds. */
export const NOW = 1_900_000_000_000;

/** Each chain that owes no answer makes an offer: an exchange with every two chains, always by the same side. */
export const EAGER: Rules = { ...RULES, offerAfterSteps: 0 };

/** A chain without a KEM field between two exchanges, so that the sides take turns at offering. */
export const IN_TURNS: Rules = { ...RULES, offerAfterSteps: 1 };

/** A random source that gives the same bytes again for the same seed (at most 64 at a time). */
export function repeatable(seed: string): Random {
  let count = 0;
  return (length) => digest(length, utf8(`${seed} ${count++}`));
}

/** The known error that `work` must throw. */
export function refusal(work: () => unknown): PawlError {
  try {
    work();
  } catch (error) {
    if (error instanceof PawlError) return error;
    throw error;
  }
  throw new Error('expected a refusal');
}

export function flipped(bytes: Uint8Array, bit: number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return copy;
}

/** Runs `work` and holds it to the first law of a pure ratchet: the state that it was given is what it was. */
export function purely<Result>(state: RatchetState, work: () => Result): Result {
  const before = structuredClone(state);
  try {
    return work();
  } finally {
    expectSame(state, before);
  }
}

/** Deep equality of plain data, many times faster than the expectation that words the difference. */
export function expectSame<Data>(actual: Data, expected: Data): void {
  if (!isDeepStrictEqual(actual, expected)) expect(actual).toEqual(expected);
}

/** What a store holds beside the state of one session, and how it keeps to the limits (see src/ratchet/store.ts). */
export class Keeper {
  readonly limits: Limits;
  #skipped = new Map<string, SkippedKey>();
  #digests = new Map<string, { chain: number; digest: Uint8Array }>();
  #finished: FinishedChain[] = [];

  constructor(limits: Limits) {
    this.limits = limits;
  }

  get skipped(): readonly SkippedKey[] {
    return [...this.#skipped.values()];
  }

  get finished(): readonly FinishedChain[] {
    return this.#finished;
  }

  /** What is kept of a position, as the caller's own copy. */
  kept(chain: number, n: number): KeptPosition {
    const skipped = this.#skipped.get(`${chain}:${n}`);
    const taken = this.#digests.get(`${chain}:${n}`);
    return structuredClone({
      ...(skipped && { messageKey: skipped.messageKey }),
      ...(taken && { digest: taken.digest }),
    });
  }

  save(step: ReceivingStep, id: Uint8Array): void {
    const { chain, n, late, gained, finished } = structuredClone(step);
    if (late) this.#skipped.delete(`${chain}:${n}`);
    for (const key of gained) this.#skipped.set(`${key.chain}:${key.n}`, key);
    if (finished !== undefined) this.#finished.push(finished);
    this.#digests.set(`${chain}:${n}`, { chain, digest: id });
    this.#holdLimits();
  }

  copy(): Keeper {
    const copy = new Keeper(this.limits);
    copy.#skipped = new Map(this.#skipped);
    copy.#digests = new Map(this.#digests);
    copy.#finished = [...this.#finished];
    return copy;
  }

  #holdLimits(): void {
    const { keptKeys, recentChains, keptChains, keptDigests } = this.limits;
    dropOldest(this.#skipped, keptKeys);
    dropOldest(this.#digests, keptDigests);
    const recent = this.#finished.slice(this.#finished.length - Math.min(recentChains, this.#finished.length));
    const wanted = new Set([...recent, ...this.skipped].map(({ chain }) => chain));
    const kept = this.#finished.filter(({ chain }) => wanted.has(chain)).slice(-keptChains);
    for (const gone of this.#finished.filter((chain) => !kept.includes(chain))) {
      for (const map of [this.#skipped, this.#digests]) {
        for (const [position, { chain }] of map) if (chain === gone.chain) map.delete(position);
      }
    }
    this.#finished = kept;
  }
}

function dropOldest(map: Map<string, unknown>, limit: number): void {
  for (const key of [...map.keys()].slice(0, Math.max(0, map.size - limit))) map.delete(key);
}

/** No header key of this party's opens the header. */
export const NOT_FOUND = { kind: 'not-found' } as const;
export type Outcome = Decrypted | typeof NOT_FOUND;

/** A message whose header has authenticated, and where it belongs. */
export interface Found {
  readonly place: Place;
  readonly opened: OpenedHeader;
}

/** One side of a conversation: a state and its keeper. Every step is held to purity; a refused one saves nothing. */
export class Party {
  state: RatchetState;
  readonly keeper: Keeper;
  readonly random: Random;
  readonly rules: Rules;
  /** The party's own clock, in unix milliseconds. */
  now = NOW;

  constructor(state: RatchetState, random: Random, keeper = new Keeper(LIMITS), rules = RULES) {
    this.state = state;
    this.random = random;
    this.keeper = keeper;
    this.rules = rules;
  }

  /** As a copied identity file is: from here on the two go separate ways. */
  copy(seed: string): Party {
    const copy = new Party(structuredClone(this.state), repeatable(seed), this.keeper.copy(), this.rules);
    copy.now = this.now;
    return copy;
  }

  send(text: string): Encrypted {
    const encrypted = purely(this.state, () =>
      encrypt(this.state, utf8(text), {
        associatedData: TRANSCRIPT,
        random: this.random,
        now: this.now,
        rules: this.rules,
      }),
    );
    this.state = encrypted.state;
    return encrypted;
  }

  /** Sends `text 0`, `text 1`, … */
  sendMany(count: number): readonly Encrypted[] {
    return Array.from({ length: count }, (_, n) => this.send(`text ${n}`));
  }

  sendThree(): [Encrypted, Encrypted, Encrypted] {
    return [this.send('text 0'), this.send('text 1'), this.send('text 2')];
  }

  /** The next message with another header than it ought to have: the keys are right and everything authenticates. */
  sendAltered(text: string, alter: (header: Header) => Header): { message: SealedMessage } {
    const { state, header, messageKey } = nextMessageKey(this.state, this.random, this.now, this.rules);
    const altered = alter(header);
    const aad = concat(TRANSCRIPT, encodeHeader(altered));
    return sealHeader(state.sending.header, altered, sealBody(messageKey, this.random(12), utf8(text), aad), {
      associatedData: TRANSCRIPT,
      salt: this.random(16),
    });
  }

  find(message: SealedMessage): Found | undefined {
    for (const { place, keys } of this.#headerKeys()) {
      const opened = isSealedFor(keys.find, message) ? openHeader(keys, message, TRANSCRIPT) : undefined;
      if (opened !== undefined) return { place, opened };
    }
    return undefined;
  }

  receive({ message }: { message: SealedMessage }): Outcome {
    const found = this.find(message);
    if (found === undefined) return NOT_FOUND;
    const { place, opened } = found;
    const kept = this.keeper.kept(chainOf(this.state, place), opened.header.n);
    const outcome = purely(this.state, () =>
      decrypt(
        this.state,
        { place, opened, body: message.body },
        { kept, associatedData: TRANSCRIPT, limits: this.keeper.limits, now: this.now },
      ),
    );
    if (outcome.kind === 'accepted') {
      this.keeper.save(outcome.step, opened.digest);
      this.state = outcome.step.state;
    }
    return outcome;
  }

  /** The text of a message that must be accepted, and be held against nobody. */
  read(sent: { message: SealedMessage }): string {
    const { plaintext, step } = this.accept(sent);
    expect(step.fork).toBeUndefined();
    return Buffer.from(plaintext).toString();
  }

  accept(sent: { message: SealedMessage }): Extract<Decrypted, { kind: 'accepted' }> {
    const outcome = this.receive(sent);
    if (outcome.kind !== 'accepted') throw new Error(`not accepted: ${JSON.stringify(outcome)}`);
    return outcome;
  }

  #headerKeys(): { place: Place; keys: HeaderKeys }[] {
    const { receiving, nextReceiving } = this.state;
    return [
      ...(receiving.kind === 'chain' ? [{ place: 'current' as const, keys: receiving.header }] : []),
      { place: 'next', keys: nextReceiving },
      ...this.keeper.finished.map((place) => ({ place, keys: place.header })),
    ];
  }
}

/** The number of the peer's chain that a message belongs to. */
export function chainOf({ receiving }: RatchetState, place: Place): number {
  if (typeof place === 'object') return place.chain;
  const current = receiving.kind === 'chain' ? receiving.chain : -1;
  return place === 'current' ? current : current + 1;
}

/** What the two agreed on in these tests: the same keys again, in their own memory. */
export function agreed(): AgreedKeys {
  const random = repeatable('agreed');
  return { rootKey: random(32), initiatorHeader: random(32), responderHeader: random(32) } as AgreedKeys;
}

/** Two parties that have agreed on their keys and sent nothing yet: alice opened, bob was opened to. */
export function meet(limits: Limits = LIMITS, rules: Rules = RULES): { alice: Party; bob: Party } {
  const prekey = generateKeyPair(repeatable('prekey'));
  const random = repeatable('alice');
  const initiator = initiatorState(agreed(), prekey.publicKey, { random, now: NOW });
  return {
    alice: new Party(initiator, random, new Keeper(limits), rules),
    bob: new Party(responderState(agreed(), prekey, NOW), repeatable('bob'), new Keeper(limits), rules),
  };
}

/** Two parties that have heard each other once: alice has a chain of bob's, and bob owes no first word any more. */
export function converse(limits: Limits = LIMITS, rules: Rules = RULES): { alice: Party; bob: Party } {
  const parties = meet(limits, rules);
  parties.bob.read(parties.alice.send('hello'));
  parties.alice.read(parties.bob.send('hello, alice'));
  return parties;
}

/** Both have taken the same root steps, with the same outcome. */
export function expectAgreement({ state: one }: Party, { state: other }: Party): void {
  expect(one.rootSteps).toBe(other.rootSteps);
  expectSame(one.rootKey, other.rootKey);
  expect(one.rekeying.mixed.step).toBe(other.rekeying.mixed.step);
}

export function at<Item>(items: readonly Item[], index: number): Item {
  const item = items[index];
  if (item === undefined) throw new Error(`nothing at ${index}`);
  return item;
}

export function sendingChain({ state }: Party): Extract<RatchetState['sending'], { kind: 'chain' }> {
  if (state.sending.kind !== 'chain') throw new Error(`sending is ${state.sending.kind}`);
  return state.sending;
}

export function receivingChain({ state }: Party): Extract<RatchetState['receiving'], { kind: 'chain' }> {
  if (state.receiving.kind !== 'chain') throw new Error(`receiving is ${state.receiving.kind}`);
  return state.receiving;
}
