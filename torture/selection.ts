/** Which faults are injected at which steps: everything, or a sample for the tests. */
import { type FaultMode, MODES } from './faults.ts';
import type { Step } from './start.ts';

export interface Selection {
  /** Every n-th step is tried. */
  readonly every: number;
  readonly modes: readonly FaultMode[];
  /** The modes that are tried at every outlet, whatever the stride. An outlet is a step that outputs something. */
  readonly outlets: readonly FaultMode[];
  /** The largest number of steps that are tried in one scene and mode; they are spread evenly. */
  readonly most: number;
  /** How many processes run side by side. */
  readonly parallel: number;
}

export const EVERYTHING: Selection = {
  every: 1,
  modes: MODES,
  outlets: MODES.filter(({ every }) => every === 1),
  most: 150,
  parallel: 2,
};

/** Takes seconds: in each of the main modes another step of a scene, and all outlets in the two worst modes. */
export const SAMPLE: Selection = {
  every: 1,
  modes: named('kill-before', 'kill-half', 'sigterm', 'enospc', 'eio'),
  outlets: named('kill-half', 'eio'),
  most: 1,
  parallel: 2,
};

function named(...names: readonly string[]): readonly FaultMode[] {
  return MODES.filter(({ name }) => names.includes(name));
}

/** A step of a scene, and the fault that is injected there. */
export interface Try {
  readonly step: number;
  readonly at: Step;
  readonly mode: FaultMode;
}

/** The tries of one mode: some of the steps that it suits, evenly spread, and the outlets. */
export function triesOf(
  steps: readonly Step[],
  mode: FaultMode,
  { every, most, modes, outlets }: Selection,
): readonly Try[] {
  const suited = steps.filter(mode.suits);
  const stride = Math.max(every, Math.ceil(suited.length / most)) * mode.every;
  // Each mode starts at another step, so that with a stride the modes meet different steps.
  const first = Math.floor((Math.min(stride, suited.length) * (modes.indexOf(mode) + 0.5)) / modes.length);
  const tried = new Set(suited.filter((_, index) => index % stride === first));
  for (const at of outlets.includes(mode) ? outletsOf(suited) : []) tried.add(at);
  return [...tried].map((at) => ({ step: steps.indexOf(at) + 1, at, mode }));
}

/** The steps that output something: the last one for each path. */
function outletsOf(steps: readonly Step[]): Iterable<Step> {
  return new Map(steps.filter(isOutlet).map((step) => [step.path, step])).values();
}

/** Standard output, and files that are written or put in place, without marks, drafts and identity files. */
function isOutlet({ does, path }: Step): boolean {
  if (path === 'stdout') return true;
  if (/\/state\/|\/\.pawl-/.test(path)) return false;
  return /^(rename|link)$/.test(does) || (/write/.test(does) && !/\.db(-journal)?$/.test(path));
}
