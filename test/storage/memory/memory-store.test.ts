import { storeContract } from '../contract/index.ts';
import { record } from '../fixtures.ts';
import { MemoryStore } from './index.ts';

storeContract('a store in memory', () => {
  const made = record();
  return { store: new MemoryStore(made), identity: made.identity };
});
