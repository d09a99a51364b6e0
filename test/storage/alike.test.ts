import fc from 'fast-check';
import { expect, it } from 'vitest';
import { EAGER, expectSame, IN_TURNS } from '../ratchet/party.ts';
import { exchangeIn, play, scripts } from './conversations.ts';
import { record } from './fixtures.ts';
import { newFile, openStore } from './folder.ts';
import { MemoryStore } from './memory/index.ts';

it('the two stores hold the same, after every event of any conversation', async () => {
  const memory = new MemoryStore(record());
  const file = openStore(newFile());
  let count = 0;
  const exchanges = new Set<string>();
  await fc.assert(
    fc.asyncProperty(scripts, fc.constantFrom(EAGER, IN_TURNS), async (script, rules) => {
      const name = `conversation-${count++}`;
      const playing = { name, script, rules };
      const history = await play(file, playing);
      expectSame(history, await play(memory, playing));
      for (const event of history) if (typeof event === 'object') exchanges.add(exchangeIn(event.state));
    }),
    { numRuns: 40 },
  );
  // All that a row can say of an exchange was said.
  expect([...exchanges].sort()).toEqual(['idle', 'idle, carries answer', 'offered, carries offer', 'owed']);
});
