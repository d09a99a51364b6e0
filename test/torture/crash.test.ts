import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { buildFaults, cleanUp, crash, SAMPLE, SCENES } from '../../torture/index.ts';

const impossible = buildFaults();
if (impossible !== undefined) console.warn(`${import.meta.filename}: skipped, as ${impossible}`);
beforeEach(({ skip }) => skip(impossible !== undefined, impossible));
afterAll(cleanUp);

/** The large ones, with their thousands of steps, are left to `npm run torture`. */
const scenes = SCENES.filter(({ large }) => !large);

describe('a command that is ended at some step, or whose step fails, loses nothing and uses nothing twice', () => {
  it.each(scenes.map((scene) => [scene.name, scene] as const))('%s', async (_, scene) => {
    const figures = await crash(scene, SAMPLE);
    expect(figures.flatMap(({ mode, violations }) => violations.map((one) => `${mode}, ${one}`))).toEqual([]);
  });
});
