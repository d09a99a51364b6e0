/**
 * Which entries of the boxes a running process has: nobody else may write those out.
 * Does not know how processes are named.
 */
import type { Context } from './store.ts';

/**
 * For how long an entry is left to a process of another machine or container, of which nobody here knows whether it runs,
 * in milliseconds. What such a process takes longer for is written out once more; what it left behind waits for so long.
 */
export const LEASE = 600_000;

/** Tells who has an entry that a process took at a time, in unix milliseconds. Looks each process up once. */
export function claimsOf({ isRunning, now }: Pick<Context, 'isRunning' | 'now'>) {
  const known = new Map<string, boolean | undefined>();
  const lookUp = (process: string): boolean | undefined => {
    if (!known.has(process)) known.set(process, isRunning(process));
    return known.get(process);
  };
  // A clock that is ahead of ours by more than the lease binds nobody.
  const isLeased = (since: number): boolean => Math.abs(now() - since) < LEASE;
  return {
    /** Whether a process has it that runs, or may run. */
    isHeld: (process: string | undefined, since: number): boolean =>
      process !== undefined && (lookUp(process) ?? isLeased(since)),
    /** Whether a process has it of which only the lease is known. */
    isLent: (process: string | undefined, since: number): boolean =>
      process !== undefined && lookUp(process) === undefined && isLeased(since),
  };
}
