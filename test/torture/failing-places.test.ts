import { afterAll, describe, expect, it } from 'vitest';
import { cleanUp, failingPlaces, tryOut } from '../../torture/index.ts';

afterAll(cleanUp);

const situations = failingPlaces({ text: 1, large: 13 });

describe('everything comes once along a route that fails', () => {
  it.for(situations.map((situation) => [situation.name, situation] as const))('%s', async ([, situation], { skip }) => {
    const { happened, violations } = await tryOut(situation);
    expect(violations, happened).toEqual([]);
    skip(happened.startsWith('skipped'), happened);
  });
});
