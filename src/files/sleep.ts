/**
 * Waiting without letting anything else run.
 */

/** Blocks the process: what waits for a lock, or for room in a pipe, has nothing else to do. */
export function sleep(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}
