import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { buildFaults, cleanUp, OUTSIDE, parallel, readOnly, SCENES, TOGETHER, tryOut } from '../../torture/index.ts';

const impossible = buildFaults();
if (impossible !== undefined) console.warn(`${import.meta.filename}: skipped, as ${impossible}`);
beforeEach(({ skip }) => skip(impossible !== undefined, impossible));
afterAll(cleanUp);

const [sending, receiving] = parallel(50);
const [, , both] = parallel(12);
/** The first scene of each command. */
const scenes = new Map(SCENES.toReversed().map((scene) => [/^\w+/.exec(scene.name)?.[0], scene])).values();

const situations = [sending, receiving, both, ...TOGETHER, ...OUTSIDE, ...readOnly([...scenes])];

describe('nothing is lost and nothing used twice', () => {
  it.for(situations.map((situation) => [situation.name, situation] as const))('%s', async ([, situation], { skip }) => {
    const { happened, violations } = await tryOut(situation);
    expect(violations, happened).toEqual([]);
    skip(happened.startsWith('skipped'), happened);
  });
});
