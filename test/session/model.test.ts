import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Action, Model, other, type Side } from './model.ts';
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

  it('do so on identity files, with restarts in between', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'pawl-model-'));
    try {
      const eventful = fc.array(fc.oneof({ weight: 4, arbitrary: talk }, restart), { maxLength: 24 });
      let run = 0;
      await fc.assert(
        fc.asyncProperty(side, eventful, async (inviter, actions) => {
          run += 1;
          const parties = {
            alice: new FileParty('alice', join(folder, `alice-${run}.db`)),
            bob: new FileParty('bob', join(folder, `bob-${run}.db`)),
          };
          const model = new Model(parties);
          await model.introduce(inviter);
          for (const action of actions) await model.play(action);
          await model.deliver(model.messages.map((_, i) => model.messages.length - 1 - i));
          for (const party of Object.values(parties)) party.close();
        }),
        { numRuns: 25 },
      );
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
