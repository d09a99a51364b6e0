import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Action, Model, other, type Side } from './model.ts';
import { type PartsAction, PartsModel } from './parts-model.ts';
import { FileParty } from './party.ts';

const side = fc.constantFrom<Side>('alice', 'bob');
const pick = fc.nat({ max: 1_000 });
const talk: fc.Arbitrary<Action> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('send' as const), from: side }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('deliver' as const), pick }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('deliver-some' as const), picks: fc.array(pick, { maxLength: 8 }) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('tamper' as const), pick, at: fc.nat() }) },
  { weight: 2, arbitrary: fc.constant({ do: 'wait' as const }) },
);
const restart: fc.Arbitrary<Action> = fc.record({ do: fc.constant('restart' as const), who: side });
/** What becomes of contents in parts. */
const transfer: fc.Arbitrary<PartsAction> = fc.oneof(
  fc.record({ do: fc.constant('begin' as const), from: side, length: pick, isStream: fc.boolean() }),
  { weight: 3, arbitrary: fc.record({ do: fc.constant('seal' as const), pick, isSaved: fc.boolean() }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('take' as const),
      picks: fc.array(pick, { minLength: 1, maxLength: 5 }),
      isSaved: fc.boolean(),
    }),
  },
  fc.record({ do: fc.constant('damage' as const), pick, at: fc.nat() }),
);
const talks = fc.array(talk, { maxLength: 24 });

describe('two parties, whatever the channel does', () => {
  it('read every message once and never doubt one another', async () => {
    await fc.assert(
      fc.asyncProperty(side, talks, async (inviter, actions) => {
        const model = new Model();
        await model.introduce(inviter);
        for (const action of actions) await model.play(action);
        await model.deliver(model.messages.map((_, i) => model.messages.length - 1 - i));
      }),
      { numRuns: 200 },
    );
  });

  it('agree after both have opened at once', async () => {
    await fc.assert(
      fc.asyncProperty(talks, talks, async (before, after) => {
        const model = new Model();
        await model.introduce('alice');
        await model.introduce('bob');
        await model.send('alice');
        await model.send('bob');
        for (const action of before) await model.play(action);
        await model.deliver(model.messages.map((_, i) => i));
        for (const action of after) await model.play(action);
        // Once each has heard the other, both send on the same session.
        for (const from of ['alice', 'bob', 'alice', 'bob'] as const) {
          await model.send(from);
          await model.deliver([model.messages.length - 1]);
        }
        expect(model.messages.at(-1)?.session).toBe(model.messages.at(-2)?.session);
      }),
      { numRuns: 100 },
    );
  });

  it('recover by a new invite from either side after one has lost its file', async () => {
    await fc.assert(
      fc.asyncProperty(side, side, side, talks, talks, async (inviter, loser, healer, before, after) => {
        const model = new Model();
        await model.introduce(inviter);
        for (const action of before) await model.play(action);
        model.loseFile(loser);
        for (const action of after) await model.play(action);
        await model.recover(healer);
        await model.deliver(model.messages.map((_, i) => i));
        await model.recover(other(healer));
      }),
      { numRuns: 150 },
    );
  });

  it('have contents in parts whole and once, exactly when all of them came', async () => {
    let whole = 0;
    const eventful = fc.oneof({ weight: 3, arbitrary: talk }, { weight: 6, arbitrary: transfer }, restart);
    const actions = fc.array(eventful, { minLength: 8, maxLength: 24 });
    await fc.assert(
      fc.asyncProperty(side, actions, fc.option(side, { freq: 1 }), actions, async (inviter, before, loser, after) => {
        const model = new PartsModel();
        await model.introduce(inviter);
        for (const action of before) await model.play(action);
        if (loser !== null) model.loseFile(loser);
        for (const action of after) await model.play(action);
        await model.settle();
        for (const { delivered } of model.contents) whole += delivered;
      }),
      { numRuns: 30 },
    );
    expect(whole).toBeGreaterThan(8);
  });

  it.each([
    ['do so', talk, 25],
    ['have contents in parts', fc.oneof(talk, transfer), 10],
  ])('%s on identity files, with restarts in between', async (_, happening, numRuns) => {
    const folder = mkdtempSync(join(tmpdir(), 'pawl-model-'));
    try {
      const eventful = fc.array(fc.oneof({ weight: 4, arbitrary: happening }, restart), { maxLength: 24 });
      let run = 0;
      await fc.assert(
        fc.asyncProperty(side, eventful, async (inviter, actions) => {
          run += 1;
          const parties = {
            alice: new FileParty('alice', join(folder, `alice-${run}.db`)),
            bob: new FileParty('bob', join(folder, `bob-${run}.db`)),
          };
          const model = new PartsModel(parties);
          await model.introduce(inviter);
          for (const action of actions) await model.play(action);
          await model.settle();
          for (const party of Object.values(parties)) party.close();
        }),
        { numRuns },
      );
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
