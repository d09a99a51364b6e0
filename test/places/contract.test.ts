import { makeRoute, openPlace } from '../../src/places/index.ts';
import { keepsTheContract } from './contract.ts';
import { contextWith, newFolder } from './places.ts';

keepsTheContract('dir', async () => {
  const context = contextWith();
  const route = await makeRoute({ kind: 'dir', path: newFolder() }, { create: true }, context);
  return () => openPlace(route, context);
});
