import type { Random } from '../primitives/index.ts';
import type { SessionStore } from './store.ts';

/** What a unit of work is given: the store, and the world that it must not reach for by itself. */
export interface Context {
  readonly store: SessionStore;
  readonly random: Random;
  /** Unix milliseconds. */
  readonly now: () => number;
  /** Names this process in the boxes, so that another can tell a text in flight from one left behind. */
  readonly process: string;
  /** Whether the process of that name still runs. */
  readonly isRunning: (process: string) => boolean;
}
