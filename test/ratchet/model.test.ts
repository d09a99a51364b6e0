import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isPawlError, PawlError } from '../../src/errors.ts';
import { type Encrypted, LIMITS, type Limits, RULES, type Rules } from '../../src/ratchet/index.ts';
import { expectSame, meet, type Outcome, type Party } from './party.ts';

type Side = 'alice' | 'bob';

/** One side sends; then some of all the messages there are arrive. Order, loss and repetition are left to chance. */
interface Turn {
  readonly side: Side;
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
  texts: fc.array(fc.string(), { minLength: 1, maxLength: 6 }),
  deliveries: fc.array(fc.record({ among: fc.constantFrom('all', 'unread', 'latest', 'latest'), pick: fc.nat() })),
});
const anyScript = fc.array(anyTurn, { maxLength: 20, size: 'max' });

/** Limits that a short script reaches. */
const TIGHT: Limits = { ...LIMITS, gap: 3, keptKeys: 4, recentChains: 1, keptChains: 2, keptDigests: 5 };

/** An exchange of KEM keys with every chain: each chain offers, or answers. */
const EAGER: Rules = { ...RULES, offerAfterSteps: 0 };

/** Two parties, the messages between them, and what each message must come to. */
class Model {
  readonly #parties: Record<Side, Party>;
  readonly #sent: Sent[] = [];

  constructor(limits: Limits, rules: Rules = RULES) {
    this.#parties = meet(limits, rules);
  }

  get sent(): readonly Sent[] {
    return this.#sent;
  }

  play(script: readonly Turn[]): void {
    for (const { side, texts, deliveries } of script) {
      for (const text of texts) this.#send(side, text);
      for (const { among, pick } of deliveries) {
        const candidates = this.#candidates(among);
        const sent = candidates[pick % candidates.length];
        if (sent !== undefined) this.deliver(sent);
      }
    }
  }

  deliver(sent: Sent): void {
    const receiver = this.#parties[sent.from === 'alice' ? 'bob' : 'alice'];
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
  it('read every message that a key is kept for, each once, and never raise a fork', () => {
    fc.assert(
      fc.property(fc.constantFrom(TIGHT, LIMITS), fc.constantFrom(RULES, EAGER), anyScript, (limits, rules, script) => {
        const model = new Model(limits, rules);
        model.play(script);
      }),
      { numRuns: 200 },
    );
  }, 30_000);

  it('read everything in the end, in any order, where no limit is reached', () => {
    fc.assert(
      fc.property(fc.constantFrom(RULES, EAGER), anyScript, fc.infiniteStream(fc.nat()), (rules, script, order) => {
        const model = new Model(LIMITS, rules);
        model.play(script);
        const shuffled = model.sent.map((sent) => ({ sent, rank: Number(order.next().value) }));
        for (const { sent } of shuffled.toSorted((a, b) => a.rank - b.rank)) model.deliver(sent);
        expect(model.sent.every(({ read }) => read)).toBe(true);
      }),
      { numRuns: 50 },
    );
  }, 30_000);
});
