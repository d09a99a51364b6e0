import { MemoryStore } from '../../src/storage/memory/index.ts';
import { storeContract } from './contract/index.ts';
import { record } from './fixtures.ts';

storeContract('a store in memory', () => {
  const made = record();
  return { store: new MemoryStore(made), identity: made.identity };
});
