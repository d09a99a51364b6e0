/**
 * Waiting with an end: for what may never answer, for what answers a byte at a time, and for the next look.
 */

/** So many bytes a time limit, or what carries them does not answer: 4 KiB a second, with 30 s. */
const SLOWEST = 2 ** 17;

/** The most bytes that may be on their way while nothing is heard: in pipes, in buffers of the system, in the window of ssh. */
export const ON_ITS_WAY = 4 * 2 ** 20;

/** Milliseconds by which a timer is late where the process stood still. */
const STILL = 1_000;

/** The milliseconds that an answer may take for which so many bytes have to be carried. */
export function timeFor(bytes: number, timeLimit: number): number {
  return timeLimit * (1 + bytes / SLOWEST);
}

/**
 * The patience with one who is waited for. Waiting uses it up; what he carries brings it back, and so does the time in which
 * nobody waits for him. So whoever gives a byte now and then is given up, however much he gave before.
 */
export class Patience {
  readonly #timeLimit: number;
  readonly #most: number;
  #left: number;
  #isUsed = false;
  #at = performance.now();

  /** @param first what there is at first, and `most` in any case: milliseconds. */
  constructor(timeLimit: number, first: number, most = first) {
    this.#timeLimit = timeLimit;
    this.#left = first;
    this.#most = most;
  }

  /** In milliseconds; none, or less, when it is used up. */
  get left(): number {
    this.#settle();
    return this.#left;
  }

  begin(): void {
    this.#set(true);
  }

  end(): void {
    this.#set(false);
  }

  /** He has carried so many bytes. */
  carried(bytes: number): void {
    // What has passed so far is taken from what there was before.
    this.#settle();
    this.#gain((bytes / SLOWEST) * this.#timeLimit);
  }

  #set(isUsed: boolean): void {
    this.#settle();
    this.#isUsed = isUsed;
  }

  #settle(): void {
    const now = performance.now();
    const passed = now - this.#at;
    this.#at = now;
    if (this.#isUsed) this.#left -= passed;
    else this.#gain(passed);
  }

  #gain(milliseconds: number): void {
    this.#left = Math.min(this.#left + milliseconds, this.#most);
  }
}

/**
 * Waits for work. The work itself is not ended: nobody can end what waits for a disk that is gone.
 * @param left the milliseconds in which it is asked again; it throws what the waiting ends with.
 */
export async function within<Result>(work: Promise<Result>, left: () => number): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const end = new Promise<never>((_, reject) => {
    let due = Number.POSITIVE_INFINITY;
    const lookIn = (milliseconds: number) => {
      due = performance.now() + milliseconds;
      timer = setTimeout(look, milliseconds);
    };
    const look = () => {
      // This process stood still, as where it writes to a pipe that nobody reads: what has come meanwhile is not seen yet.
      if (performance.now() - due > STILL) return lookIn(STILL);
      try {
        lookIn(left() + 1);
      } catch (error) {
        reject(error);
      }
    };
    look();
  });
  try {
    return await Promise.race([work, end]);
  } finally {
    clearTimeout(timer);
  }
}

/** Waits so many milliseconds, or until the signal is aborted. */
export function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    signal.addEventListener('abort', end);
  });
}
