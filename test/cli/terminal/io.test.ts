import { expect, it } from 'vitest';
import { systemIo } from '../../../src/cli/terminal/io.ts';
import { systemRandom } from '../../../src/primitives/index.ts';

it('has the random source that ML-KEM leaves to Node: a wrapped one would be given to noble, which is slower', () => {
  expect(systemIo(process).random).toBe(systemRandom);
});
