import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { EAGER, expectSame, IN_TURNS } from '../../ratchet/party.ts';
import { exchangeIn, playApart, scripts } from '../conversations.ts';
import { record } from '../fixtures.ts';
import { MemoryStore } from '../memory/index.ts';
import { LaterStore, noServer, PostgresServer } from './server.ts';

describe.skipIf(noServer !== undefined)('PostgreSQL', () => {
  let server: PostgresServer;
  beforeAll(() => {
    server = new PostgresServer();
  });
  afterAll(() => server.remove());

  it.each([false, true])('holds what the store in memory holds, opened anew each time: %s', async (anew) => {
    const memory = new MemoryStore(record());
    const database = new LaterStore(server, { anew });
    onTestFinished(() => database.close());
    let count = 0;
    const exchanges = new Set<string>();
    await fc.assert(
      fc.asyncProperty(scripts, fc.constantFrom(EAGER, IN_TURNS), async (script, rules) => {
        const playing = { name: `conversation-${count++}`, script, rules };
        const history = await playApart(database, playing);
        expectSame(history, await playApart(memory, playing));
        for (const event of history) if (typeof event === 'object') exchanges.add(exchangeIn(event.state));
      }),
      { numRuns: anew ? 5 : 15 },
    );
    expect(exchanges.size).toBeGreaterThan(2);
  });
});
