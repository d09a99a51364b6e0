/**
 * How long a key may be kept: so long after each use, and so long in all.
 * Knows no key and sets no timer.
 */

/** Each in milliseconds since whenever. A suspended machine stops some monotonic clocks; anybody may set the wall clock. */
export interface Clocks {
  readonly wall: () => number;
  readonly monotonic: () => number;
}

/** It is over when one of the two clocks says so. */
export class Lease {
  readonly #leases: readonly OneClock[];

  /** @param idle, most milliseconds: after each use, and in all. */
  constructor({ wall, monotonic }: Clocks, idle: number, most: number) {
    this.#leases = [wall, monotonic].map((now) => new OneClock(now, idle, most));
  }

  /** Milliseconds until it is over: none or fewer once it is. */
  get left(): number {
    return Math.min(...this.#leases.map(({ left }) => left));
  }

  /** Starts the time after a use anew. @returns false, and starts nothing, where it is over. */
  use(): boolean {
    if (this.left <= 0) return false;
    for (const lease of this.#leases) lease.use();
    return true;
  }
}

class OneClock {
  readonly #now: () => number;
  readonly #idle: number;
  readonly #last: number;
  #end: number;

  constructor(now: () => number, idle: number, most: number) {
    this.#now = now;
    this.#idle = idle;
    this.#last = now() + most;
    this.#end = Math.min(now() + idle, this.#last);
  }

  get left(): number {
    return this.#end - this.#now();
  }

  use(): void {
    this.#end = Math.min(this.#now() + this.#idle, this.#last);
  }
}
