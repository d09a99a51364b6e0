/**
 * Waiting with an end: for what may never answer, and for the next look.
 */

/** So many bytes a time limit, or what carries them does not answer: 4 KiB a second, with 30 s. */
const SLOWEST = 2 ** 17;

/** The milliseconds that an answer may take for which so many bytes have to be carried. */
export function timeFor(bytes: number, timeLimit: number): number {
  return timeLimit * (1 + bytes / SLOWEST);
}

/**
 * Waits for work, at most so many milliseconds since it was begun or last said that it goes on. The work itself is not
 * ended: nobody can end what waits for a disk that is gone.
 * @param late makes the error.
 */
export async function within<Result>(
  milliseconds: number,
  work: (goesOn: () => void) => Promise<Result>,
  late: () => Error,
): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const end = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(late()), milliseconds);
  });
  try {
    return await Promise.race([work(() => timer?.refresh()), end]);
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
