import fc from 'fast-check';
import { afterAll, beforeAll, describe, it, onTestFinished } from 'vitest';
import { EAGER, expectSame, IN_TURNS } from '../../ratchet/party.ts';
import { playApart, scripts } from '../conversations.ts';
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
    await fc.assert(
      fc.asyncProperty(scripts, fc.constantFrom(EAGER, IN_TURNS), async (script, rules) => {
        const playing = { name: `conversation-${count++}`, script, rules };
        expectSame(await playApart(database, playing), await playApart(memory, playing));
      }),
      { numRuns: anew ? 5 : 15 },
    );
  });
});
