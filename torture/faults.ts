/** The kinds of faults that are injected at a step. */
import type { Step } from './start.ts';

export interface FaultMode {
  readonly name: string;
  /** How the process ends; `undefined` where the step fails and the process goes on. */
  readonly ends: 'SIGKILL' | 'SIGINT' | 'SIGTERM' | undefined;
  /** It is injected at every n-th step: more rarely where it differs little from another mode. */
  readonly every: number;
  /** Whether this fault can happen at a step. */
  readonly suits: (step: Step) => boolean;
}

const always = () => true;
const isWrite = ({ does, bytes }: Step) => /write/.test(does) && bytes > 1;
const needsSpace = ({ does }: Step) => /write|create|rename|^link|mkdir/.test(does);

export const MODES: readonly FaultMode[] = [
  { name: 'kill-before', ends: 'SIGKILL', every: 1, suits: always },
  { name: 'kill-half', ends: 'SIGKILL', every: 1, suits: isWrite },
  // The same as kill-before at the next step, except after the last one.
  { name: 'kill-after', ends: 'SIGKILL', every: 7, suits: always },
  { name: 'sigint', ends: 'SIGINT', every: 5, suits: always },
  { name: 'sigterm', ends: 'SIGTERM', every: 5, suits: always },
  { name: 'enospc', ends: undefined, every: 1, suits: needsSpace },
  { name: 'edquot', ends: undefined, every: 5, suits: needsSpace },
  { name: 'eio', ends: undefined, every: 1, suits: always },
  // The disk is full from this step on; half of the write at this step still fits.
  { name: 'full', ends: undefined, every: 2, suits: needsSpace },
  // From this step on every step fails, also writing to standard output, but not to standard error.
  { name: 'dead', ends: undefined, every: 2, suits: always },
];
