/** The crash harness, as torture.ts runs it in full and the tests in part. */
export { crash, type Figures } from './crash.ts';
export { MODES } from './faults.ts';
export { OUTSIDE, parallel, readOnly, SCENES, smallDisks, TOGETHER } from './scenes/index.ts';
export { EVERYTHING, SAMPLE } from './selection.ts';
export { type Finding, type Situation, tryOut } from './situations.ts';
export { buildFaults, cleanUp } from './start.ts';
