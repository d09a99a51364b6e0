import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isPawlError, PawlError } from '../../src/errors.ts';
import { type Encrypted, LIMITS, type Limits, RULES, type Rules } from '../../src/ratchet/index.ts';
import { EAGER, expectAgreement, expectSame, IN_TURNS, meet, NOW, type Outcome, type Party } from './party.ts';

type Side = 'alice' | 'bob';
/** What a chain carries for the exchange of KEM keys. */
type Kind = 'offer' | 'answer' | undefined;

/** Hours pass on one side's clock, and it sends; then some of all the messages there are arrive. Order, loss and repetition are left to chance. */
interface Turn {
  readonly side: Side;
  readonly hours: number;
  readonly texts: readonly string[];
  readonly deliveries: readonly { readonly among: 'all' | 'unread' | 'latest'; readonly pick: number }[];
}

interface Sent {
  readonly encrypted: Encrypted;
  readonly text: string;
  readonly from: Side;
  /** Counted by the test itself: the sender's chains, from 0. */
  readonly chain: number;
  read: boolean;
}

const anyTurn: fc.Arbitrary<Turn> = fc.record({
  side: fc.constantFrom('alice', 'bob'),
  hours: fc.constantFrom(0, 0, 1, 25),
  texts: fc.array(fc.string(), { minLength: 1, maxLength: 6 }),
  deliveries: fc.array(fc.record({ among: fc.constantFrom('all', 'unread', 'latest', 'latest'), pick: fc.nat() })),
});
const anyScript = fc.array(anyTurn, { minLength: 6, maxLength: 20, size: 'max' });

/** Limits that a short script reaches. */
const TIGHT: Limits = { ...LIMITS, gap: 3, keptKeys: 4, recentChains: 1, keptChains: 2, keptDigests: 5 };

const anyRules = fc.constantFrom(RULES, EAGER, IN_TURNS);

/** Two parties, the messages between them, and what each message must come to. */
class Model {
  readonly #parties: Record<Side, Party>;
  readonly #rules: Rules;
  readonly #sent: Sent[] = [];
  /** What each chain carries, those of both sides in the order in which they began: the root steps, from 1. */
  readonly #fields: Kind[] = [];
  /** When each side mixed a KEM secret last, by its own clock. */
  readonly #mixedAt: Record<Side, number> = { alice: NOW, bob: NOW };

  constructor(limits: Limits, rules: Rules) {
    this.#parties = meet(limits, rules);
    this.#rules = rules;
  }

  get sent(): readonly Sent[] {
    return this.#sent;
  }

  /** How many KEM secrets both sides have mixed. */
  get mixes(): number {
    const { alice, bob } = this.#parties;
    const steps = Math.min(alice.state.rootSteps, bob.state.rootSteps);
    return this.#fields.slice(0, steps).filter((kind) => kind === 'answer').length;
  }

  play(script: readonly Turn[]): void {
    for (const { side, hours, texts, deliveries } of script) {
      this.#parties[side].now += hours * 3_600_000;
      for (const text of texts) this.#send(side, text);
      for (const { among, pick } of deliveries) {
        const candidates = this.#candidates(among);
        const sent = candidates[pick % candidates.length];
        if (sent !== undefined) this.deliver(sent);
      }
    }
  }

  deliver(sent: Sent): void {
    const side = sent.from === 'alice' ? 'bob' : 'alice';
    const receiver = this.#parties[side];
    const before = snapshot(receiver);
    const expected = expectation(receiver, sent);
    const outcome = attempt(receiver, sent);
    const kind = outcome instanceof PawlError ? outcome.code : outcome.kind;
    expect(kind).toBe(expected);

    if (outcome instanceof PawlError || outcome.kind !== 'accepted') {
      expectSame(snapshot(receiver), before);
      return;
    }
    expect(Buffer.from(outcome.plaintext).toString()).toBe(sent.text);
    expect(outcome.step).toMatchObject({ chain: sent.chain, n: sent.encrypted.header.n });
    expect(outcome.step.fork).toBeUndefined();
    expect(sent.read).toBe(false);
    sent.read = true;
    if (before.state.rootSteps === receiver.state.rootSteps) {
      expectSame(receiver.state.rekeying, before.state.rekeying);
      return;
    }
    if (sent.encrypted.header.kem?.kind === 'answer') this.#mixedAt[side] = receiver.now;
    this.#checkStep(side);
    expectAgreement(receiver, this.#parties[sent.from]);
  }

  #send(side: Side, text: string): void {
    const sender = this.#parties[side];
    if (sender.state.sending.kind === 'awaiting') {
      expect(() => sender.send(text)).toThrow(PawlError);
      return;
    }
    const last = this.#sent.findLast(({ from }) => from === side);
    const encrypted = sender.send(text);
    const chain = last === undefined ? 0 : last.chain + (encrypted.header.n === 0 ? 1 : 0);
    this.#sent.push({ encrypted, text, from: side, chain, read: false });
    if (last?.chain === chain) {
      expectSame(encrypted.header.kem, last.encrypted.header.kem);
      return;
    }
    const kind = this.#fieldDue(side);
    this.#fields.push(kind);
    if (kind === 'answer') this.#mixedAt[side] = sender.now;
    expect(encrypted.header.kem?.kind).toBe(kind);
    this.#checkStep(side);
  }

  /** What a chain must carry that `side` begins now: the rule of docs/PROTOCOL.md §6, of what an observer of both sees. */
  #fieldDue(side: Side): Kind {
    if (this.#fields.length === 0) return undefined;
    if (this.#fields.at(-1) === 'offer') return 'answer';
    const stepsSince = this.#fields.length - 1 - this.#fields.lastIndexOf('answer');
    const timeSince = this.#parties[side].now - this.#mixedAt[side];
    return stepsSince >= this.#rules.offerAfterSteps || timeSince >= this.#rules.offerAfter ? 'offer' : undefined;
  }

  /** After a root step of `side`: it was the one that the chain is counted as, and mixed what was due. */
  #checkStep(side: Side): void {
    const { rootSteps, rekeying } = this.#parties[side].state;
    expect(rootSteps).toBe(this.#fields.length);
    expect(rekeying.mixed).toEqual({ step: this.#fields.lastIndexOf('answer') + 1, at: this.#mixedAt[side] });
    const isSender = (rootSteps % 2 === 1) === (side === 'alice');
    const pending = isSender ? 'offered' : 'owed';
    expect(rekeying.exchange.kind).toBe(this.#fields.at(-1) === 'offer' ? pending : 'idle');
  }

  #candidates(among: 'all' | 'unread' | 'latest'): readonly Sent[] {
    switch (among) {
      case 'all':
        return this.#sent;
      case 'unread':
        return this.#sent.filter(({ read }) => !read);
      case 'latest':
        return this.#sent.slice(-3);
    }
  }
}

/** What must become of a message, by what is kept of its position and its chain. Never `fork`. */
function expectation({ state, keeper }: Party, { chain, encrypted }: Sent): string {
  const { n } = encrypted.header;
  const { receiving } = state;
  const current = receiving.kind === 'chain' ? receiving.chain : -1;
  const reached = receiving.kind === 'chain' && chain === current ? receiving.n : 0;
  const kept = keeper.kept(chain, n);
  if (kept.digest !== undefined) return 'duplicate';
  if (kept.messageKey !== undefined) return 'accepted';
  if (chain < current) return keeper.finished.some((finished) => finished.chain === chain) ? 'too-late' : 'not-found';
  if (n < reached) return 'too-late';
  // Chains alternate, so the peer is never more than one ahead.
  expect(chain).toBeLessThanOrEqual(current + 1);
  return n - reached > keeper.limits.gap ? 'gap-too-large' : 'accepted';
}

function attempt(receiver: Party, { encrypted }: Sent): Outcome | PawlError {
  try {
    return receiver.receive(encrypted);
  } catch (error) {
    if (isPawlError(error, 'gap-too-large')) return error;
    throw error;
  }
}

function snapshot({ state, keeper }: Party) {
  return structuredClone({ state, skipped: keeper.skipped, finished: keeper.finished });
}

describe('two parties, whatever their messages go through', () => {
  it('read every message that a key is kept for, each once, agree on every mix, and never raise a fork', () => {
    let mixes = 0;
    fc.assert(
      fc.property(fc.constantFrom(TIGHT, LIMITS), anyRules, anyScript, (limits, rules, script) => {
        const model = new Model(limits, rules);
        model.play(script);
        mixes += model.mixes;
      }),
      { numRuns: 150 },
    );

    expect(mixes).toBeGreaterThan(100);
  });

  it('read everything in the end, in any order, where no limit is reached', () => {
    let mixes = 0;
    fc.assert(
      fc.property(anyRules, anyScript, fc.infiniteStream(fc.nat()), (rules, script, order) => {
        const model = new Model(LIMITS, rules);
        model.play(script);
        const shuffled = model.sent.map((sent) => ({ sent, rank: Number(order.next().value) }));
        for (const { sent } of shuffled.toSorted((a, b) => a.rank - b.rank)) model.deliver(sent);
        expect(model.sent.every(({ read }) => read)).toBe(true);
        mixes += model.mixes;
      }),
      { numRuns: 50 },
    );

    expect(mixes).toBeGreaterThan(25);
  });
});
