import { afterAll, describe, expect, it } from 'vitest';
import { cleanUp, failingPlaces, tryOut } from '../../torture/index.ts';

afterAll(cleanUp);

/** Each way of failing at a few steps; `npm run torture` tries all of them, and a large content as well. */
const situations = failingPlaces(23, ['text']);

describe('everything comes once along a route that fails', () => {
  it.for(situations.map((situation) => [situation.name, situation] as const))('%s', async ([, situation], { skip }) => {
    const { happened, violations } = await tryOut(situation);
    expect(violations, happened).toEqual([]);
    skip(happened.startsWith('skipped'), happened);
  });
});
