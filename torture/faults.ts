import type { Step } from './start.ts';

export interface FaultMode {
  readonly name: string;
  /** How the process ends; `undefined` where the step fails and the process goes on. */
  readonly ends: 'SIGKILL' | 'SIGINT' | 'SIGTERM' | undefined;
  /** Whether everything after the step fails as well. */
  readonly lasts: boolean;
  /** Whether this can happen at such a step. */
  readonly suits: (step: Step) => boolean;
}

const always = () => true;
const isWrite = ({ does, bytes }: Step) => /write/.test(does) && bytes > 1;
const needsSpace = ({ does }: Step) => /write|create|rename|link|mkdir/.test(does) && does !== 'unlink';

export const MODES: readonly FaultMode[] = [
  { name: 'kill-before', ends: 'SIGKILL', lasts: false, suits: always },
  { name: 'kill-half', ends: 'SIGKILL', lasts: false, suits: isWrite },
  { name: 'kill-after', ends: 'SIGKILL', lasts: false, suits: always },
  { name: 'sigint', ends: 'SIGINT', lasts: false, suits: always },
  { name: 'sigterm', ends: 'SIGTERM', lasts: false, suits: always },
  { name: 'enospc', ends: undefined, lasts: false, suits: needsSpace },
  { name: 'edquot', ends: undefined, lasts: false, suits: needsSpace },
  { name: 'eio', ends: undefined, lasts: false, suits: always },
  // The disk is full from this step on: half of a first write still fits.
  { name: 'full', ends: undefined, lasts: true, suits: needsSpace },
  // Nothing works any more from this step on, standard output included.
  { name: 'dead', ends: undefined, lasts: true, suits: always },
];
