import { afterAll, describe, expect, it, vi } from 'vitest';
import { buildFaults, cleanUp, OUTSIDE, parallel, readOnly, SCENES, TOGETHER, tryOut } from '../../torture/index.ts';

// Fifty processes at once, on a machine that may have other things to do.
vi.setConfig({ testTimeout: 120_000 });

const impossible = buildFaults();
if (impossible !== undefined) console.warn(`${import.meta.filename}: skipped, as ${impossible}`);
afterAll(cleanUp);

const [sends, receives] = parallel(50);
const [, , both] = parallel(12);

const commandOf = (name: string) => /^\w+/.exec(name)?.[0];
/** The first scene of each command. */
const scenes = SCENES.filter(
  ({ name }) => SCENES.find((other) => commandOf(other.name) === commandOf(name))?.name === name,
);

const situations = [sends, receives, both, ...TOGETHER, ...OUTSIDE, ...readOnly(scenes)];

describe.skipIf(impossible !== undefined)('nothing is lost, nothing is used twice:', () => {
  it.each(situations.map((one) => [one.name, one] as const))('%s', async (_, situation) => {
    const t = performance.now();
    const { happened, violations } = await tryOut(situation);
    console.log(situation.name, happened, Math.round(performance.now() - t));
    expect(violations, happened).toEqual([]);
  });
});
