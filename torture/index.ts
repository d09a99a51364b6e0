/** The crash harness. torture.ts runs all of it, test/torture a sample. */
export { crash, type Figures, sideBySide } from './crash.ts';
export { MODES } from './faults.ts';
export { PostgresServer } from './postgres.ts';
export {
  failingPlaces,
  IN_DATABASE,
  MOVING,
  OUTSIDE,
  parallel,
  readOnly,
  SCENES,
  SERVERS,
  STANDBYS,
  smallDisks,
  TOGETHER,
  twoHosts,
} from './scenes/index.ts';
export { EVERYTHING, SAMPLE } from './selection.ts';
export { type Finding, type Situation, tryOut } from './situations.ts';
export { buildFaults, cleanUp } from './start.ts';
export { ALL_STEPS, onWire, SOME_STEPS } from './wire.ts';
