/**
 * Waits for news at places.
 * Reads nothing there, and does not know what becomes of what has come.
 */
import { boxOf, pause } from '../../places/index.ts';
import { isOfPlace } from './hand-over.ts';
import type { WatchedBoxes } from './part-boxes.ts';
import type { Places } from './places.ts';

/** Milliseconds after which a place that could not be reached is tried again. */
const RETRY_INTERVAL = 10_000;

interface WaitOptions {
  /** The most milliseconds to wait. */
  readonly most?: number | undefined;
  /** Ends the waiting. */
  readonly signal?: AbortSignal;
}

/**
 * Waits until something may have come at one of the places. One that cannot be reached is tried again after a while.
 * @throws what a place throws that is no error of places.
 */
export async function waitForNews(
  places: Places,
  read: readonly WatchedBoxes[],
  { most, signal }: WaitOptions = {},
): Promise<void> {
  const over = new AbortController();
  const end = () => over.abort();
  signal?.addEventListener('abort', end);
  if (signal?.aborted) end();
  const news = read.map(async (mailboxesThere) => {
    try {
      const place = await places.at(mailboxesThere);
      await place.wait(
        mailboxesThere.boxes.map(({ box }) => boxOf(box)),
        over.signal,
      );
    } catch (error) {
      if (!isOfPlace(error)) throw error;
      await pause(RETRY_INTERVAL, over.signal);
    }
  });
  if (news.length === 0) news.push(pause(RETRY_INTERVAL, over.signal));
  if (most !== undefined) news.push(pause(most, over.signal));
  try {
    await Promise.race(news);
  } finally {
    end();
    signal?.removeEventListener('abort', end);
    await Promise.allSettled(news);
  }
}
