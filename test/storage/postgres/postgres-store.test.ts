import { afterAll, beforeAll, describe, onTestFinished } from 'vitest';
import { storeContract } from '../contract/index.ts';
import { record } from '../fixtures.ts';
import { LaterStore, noServer, PostgresServer } from './server.ts';

describe.skipIf(noServer !== undefined)('PostgreSQL', () => {
  let server: PostgresServer;
  beforeAll(() => {
    server = new PostgresServer();
  });
  afterAll(() => server.remove());

  const make = (options?: { readonly anew: boolean }) => () => {
    const store = new LaterStore(server, options);
    onTestFinished(() => store.close());
    return { store, identity: record().identity };
  };
  storeContract('a store in PostgreSQL', make());
  storeContract('a store in PostgreSQL that is opened anew for each unit of work', make({ anew: true }));
});
