import { type FaultMode, MODES } from './faults.ts';
import type { Step } from './start.ts';

export interface Selection {
  /** Every how many steps. */
  readonly every: number;
  readonly modes: readonly FaultMode[];
  /** The modes in which each outlet is tried, whatever the stride: a step by which something leaves the program. */
  readonly outlets: readonly FaultMode[];
  /** The steps that are tried of a scene that has more; they are spread evenly. */
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

/** What takes seconds: one step of a scene in each mode that differs, each elsewhere, and the outlets in the two that hurt. */
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

/** A step of a scene, and what is done to it. */
export interface Try {
  readonly step: number;
  readonly at: Step;
  readonly mode: FaultMode;
}

/** A mode at some of the steps that it suits, evenly spread, and at the outlets. */
export function triesOf(
  steps: readonly Step[],
  mode: FaultMode,
  { every, most, modes, outlets }: Selection,
): readonly Try[] {
  const suited = steps.filter(mode.suits);
  const stride = Math.max(every, Math.ceil(suited.length / most)) * mode.every;
  // Each mode begins elsewhere, so that with a stride they meet different steps.
  const first = Math.floor((Math.min(stride, suited.length) * (modes.indexOf(mode) + 0.5)) / modes.length);
  const tried = new Set(suited.filter((_, index) => index % stride === first));
  for (const at of outlets.includes(mode) ? outletsOf(suited) : []) tried.add(at);
  return [...tried].map((at) => ({ step: steps.indexOf(at) + 1, at, mode }));
}

/** The steps by which something leaves the program, the last one of each place. */
function outletsOf(steps: readonly Step[]): Iterable<Step> {
  return new Map(steps.filter(isOutlet).map((step) => [step.path, step])).values();
}

/** Standard output, and a file that is put in place or written to, other than marks, drafts and identity files. */
function isOutlet({ does, path }: Step): boolean {
  if (path === 'stdout') return true;
  if (/\/state\/|\/\.pawl-/.test(path)) return false;
  return /^(rename|link)$/.test(does) || (/write/.test(does) && !/\.db(-journal)?$/.test(path));
}
