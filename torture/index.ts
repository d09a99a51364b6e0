/** The crash harness. torture.ts runs all of it, test/torture a sample. */
export { crash, type Figures, sideBySide } from './crash.ts';
export { MODES } from './faults.ts';
export { failingPlaces, OUTSIDE, parallel, readOnly, SCENES, smallDisks, TOGETHER } from './scenes/index.ts';
export { EVERYTHING, SAMPLE } from './selection.ts';
export { type Finding, type Situation, tryOut } from './situations.ts';
export { buildFaults, cleanUp } from './start.ts';
