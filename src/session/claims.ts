/**
 * Which entries of the boxes a running process has: nobody else may write those out. And by which clock that is timed.
 * Does not know how processes are named.
 */
import type { Context } from './store.ts';

/**
 * For how long an entry is left to a process of another machine or container, of which nobody here knows whether it runs,
 * in milliseconds. What such a process left behind waits for so long.
 */
export const LEASE = 600_000;

/**
 * A claim that is as old is renewed before its entry is written out, in milliseconds. Writing it out may take the rest of the
 * lease.
 */
const RENEWED_AFTER = LEASE / 2;

/** The time by which claims are made and run out, in unix milliseconds: see `SessionStore.clockAhead`. */
export function claimTime({ store, now }: Pick<Context, 'store' | 'now'>): number {
  return now() + (store.clockAhead ?? 0);
}

/** Whether a claim of this process is to be renewed before its entry is written out. A clock that was moved makes it so. */
export function isDue(context: Pick<Context, 'store' | 'now'>, since: number): boolean {
  return Math.abs(claimTime(context) - since) >= RENEWED_AFTER;
}

/** Tells who has an entry that a process took at a time, in unix milliseconds. Looks each process up once. */
export function claimsOf(context: Pick<Context, 'isRunning' | 'store' | 'now'>) {
  const known = new Map<string, boolean | undefined>();
  const lookUp = (process: string): boolean | undefined => {
    if (!known.has(process)) known.set(process, context.isRunning(process));
    return known.get(process);
  };
  // A clock that is ahead of ours by more than the lease binds nobody.
  const isLeased = (since: number): boolean => Math.abs(claimTime(context) - since) < LEASE;
  return {
    /** Whether a process has it that runs, or may run. */
    isHeld: (process: string | undefined, since: number): boolean =>
      process !== undefined && (lookUp(process) ?? isLeased(since)),
    /** Whether a process has it of which only the lease is known. */
    isLent: (process: string | undefined, since: number): boolean =>
      process !== undefined && lookUp(process) === undefined && isLeased(since),
  };
}
