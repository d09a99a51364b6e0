import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { releaseOf } from '../../src/session/select-session.ts';
import { other, RestoreModel, type Side, type Step } from './restore-model.ts';

/** How many conversations: `PAWL_RUNS=4000 npx vitest run test/session/restore.test.ts` also prints the figures. */
const RUNS = Number(process.env.PAWL_RUNS ?? 0);

const side = fc.constantFrom<Side>('alice', 'bob');
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ do: fc.constant('send' as const), from: side, count: fc.integer({ min: 1, max: 3 }) }),
  },
  { weight: 12, arbitrary: fc.record({ do: fc.constant('deliver' as const), to: side }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('deliver-any' as const), pick: fc.nat({ max: 1_000 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('lose' as const), to: side }) },
  { weight: 2, arbitrary: fc.constant({ do: 'wait' as const }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('introduce' as const), by: side }) },
);
const steps = fc.array(step, { minLength: 1, maxLength: 14 });

interface Script {
  readonly inviter: Side;
  readonly who: Side;
  readonly first: Side;
  readonly before: readonly Step[];
  readonly lost: readonly Step[];
  readonly after: readonly Step[];
}
const script: fc.Arbitrary<Script> = fc.record({
  inviter: side,
  who: side,
  first: side,
  before: steps,
  lost: steps,
  after: steps,
});

/** Counts, and the greatest first. */
class Tally {
  readonly #counts = new Map<string, number>();

  count(what: string): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + 1);
  }

  toString(): string {
    return [...this.#counts]
      .toSorted(([, a], [, b]) => b - a)
      .map(([what, count]) => `${String(count).padStart(6)}  ${what}`)
      .join('\n');
  }
}

/** Plays a conversation up to the moment at which a side's file is what it was before `lost`. */
async function untilRestored({ inviter, who, before, lost }: Script) {
  const model = new RestoreModel();
  await model.introduce(inviter);
  for (const one of before) await model.play(one);
  const restore = model.copy(who);
  for (const one of lost) await model.play(one);
  return { model, matters: restore() };
}

describe('a file that was restored or copied, and goes on as if nothing had happened', () => {
  it('is noticed at the first message that shows it, unless that is no message of a chain that is known', async () => {
    const tally = new Tally();
    await fc.assert(
      fc.asyncProperty(script, async (drawn) => {
        const { model, matters } = await untilRestored(drawn);
        for (const one of drawn.after) await model.play(one);
        await model.settle();
        for (let round = 0; round < 3; round++) await model.exchange(drawn.first);

        tally.count(matters ? 'restores that lose something' : 'restores that lose nothing');
        const first = model.events.find(({ contradiction }) => contradiction !== undefined);
        const seen = model.events.find(({ fork }) => fork !== undefined);
        // Before the restore, and where it lost nothing, nobody doubts anybody.
        for (const { fork, afterwards, contradiction } of model.events) {
          if (!afterwards || !matters) expect([fork, contradiction]).toEqual([undefined, undefined]);
        }
        expect(model.events.map(({ word }) => word)).not.toContain('refused: kem-missing');
        if (first === undefined) {
          if (matters) tally.count(seen === undefined ? 'never shows' : `seen before it shows: ${seen.fork}`);
          return;
        }
        const by = first.to === drawn.who ? 'oneself' : 'the peer';
        tally.count('shows');
        if (first.fork !== undefined) {
          tally.count('noticed at the first message that shows it');
          tally.count(`  by ${by}: ${first.fork}`);
        } else {
          tally.count(`not at the first, by ${by}: ${first.contradiction} -> ${kindOf(first.word)}`);
          if (seen !== undefined) tally.count('  but later');
          // A message that shows it is never taken for an ordinary one, nor for a peer's breach of the protocol.
          expect(kindOf(first.word)).not.toMatch(/accepted|kem-missing/);
        }
      }),
      { numRuns: RUNS || 60 },
    );
    if (RUNS > 0) console.log(`${tally}`);
  });
});

function kindOf(word: string): string {
  return /^(refused|duplicate|too-late)/.test(word) ? word : 'accepted';
}

describe('a file that was restored, and goes on with --after-restore', () => {
  it('never uses a position twice, and a new invite of either side heals', async () => {
    const tally = new Tally();
    await fc.assert(
      fc.asyncProperty(script, side, async (drawn, healer) => {
        const { model, matters } = await untilRestored(drawn);
        const { who } = drawn;
        tally.count(matters ? 'restores that lose something' : 'restores that lose nothing');
        await model.goOn(who);
        const { sessions } = model.parties[who].copy();
        const waiting = sessions.filter(({ state }) => releaseOf(state) === 'invited').map(({ id }) => id);
        for (const one of drawn.after) await model.play(one);
        await model.settle();
        // What an invite alone lets go, no message has let go.
        const letGo = model.parties[who].copy().sessions.filter(({ held }) => !held);
        expect(letGo.filter(({ id }) => waiting.includes(id))).toEqual([]);
        tally.count(`${waiting.length === 0 ? 'no session waits' : 'a session waits'} for an invite`);
        const talked = await model.exchange(other(who));
        if (matters) tally.count(talked ? 'talk on without an invite' : 'do not talk on without an invite');
        for (const { to, fork, message } of model.events.filter((event) => event.fork !== undefined)) {
          tally.count(`fork seen by ${to === who ? 'oneself' : `the peer, ${model.originOf(message)}`}: ${fork}`);
        }
        const ofPeer = model.events.filter(({ to, fork }) => to !== who && fork !== undefined);
        if (matters) tally.count(ofPeer.length > 0 ? 'the peer sees a fork' : 'the peer sees none');

        const forks = model.events.length;
        await model.introduce(healer);
        await model.send(other(healer));
        await model.deliver(model.messages.at(-1) as never);
        expect(await model.exchange(healer)).toBe(true);
        expect(await model.exchange(other(healer))).toBe(true);
        expect(model.events.slice(forks).filter(({ fork }) => fork !== undefined)).toEqual([]);
        expect(model.positionsUsedTwice()).toEqual([]);
      }),
      { numRuns: RUNS || 60 },
    );
    if (RUNS > 0) console.log(`${tally}`);
  });
});
