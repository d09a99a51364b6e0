import { storeContract } from './contract/index.ts';
import { record } from './fixtures.ts';
import { newFile, openStore } from './folder.ts';

storeContract('a store in an identity file', () => {
  const made = record();
  return { store: openStore(newFile(made)), identity: made.identity };
});
