/**
 * Waits for news at places.
 * Reads nothing there, and does not know what becomes of what has come.
 */
import { boxOf, pause } from '../../places/index.ts';
import { toHex } from '../../primitives/index.ts';
import { keyOfRoute } from '../../session/index.ts';
import { isAway } from '../identity/open.ts';
import { isOfPlace } from './hand-over.ts';
import type { WatchedBoxes } from './part-boxes.ts';
import { byPlace, type Places } from './places.ts';

/** Milliseconds after which a place that could not be reached is tried again. */
const RETRY_INTERVAL = 10_000;
/** Milliseconds between two looks whether a route was changed, or a conversation begun, by another command. */
const BOXES_INTERVAL = 10_000;

interface WaitOptions {
  /** Lists the boxes to read as they are by now, of those that were given. */
  readonly boxesNow: () => Promise<readonly WatchedBoxes[]>;
  /** The most milliseconds to wait. */
  readonly most?: number | undefined;
  /** Ends the waiting. */
  readonly signal?: AbortSignal;
}

/**
 * Waits until something may have come at one of the places, or other boxes are to be read. A place that cannot be reached is
 * tried again after a while.
 * @param read the boxes that were read.
 * @param others more of them, which no other command changes.
 * @throws what a place throws that is no error of places.
 */
export async function waitForNews(
  places: Places,
  { read, others = [] }: { readonly read: readonly WatchedBoxes[]; readonly others?: readonly WatchedBoxes[] },
  { boxesNow, most, signal }: WaitOptions,
): Promise<void> {
  const over = new AbortController();
  const end = () => over.abort();
  signal?.addEventListener('abort', end);
  if (signal?.aborted) end();
  const news = byPlace([...read, ...others]).map(async ({ first, all }) => {
    try {
      const place = await places.at(first);
      await place.wait(
        all.flatMap(({ boxes }) => boxes.map(({ box }) => boxOf(box))),
        over.signal,
      );
    } catch (error) {
      if (!isOfPlace(error)) throw error;
      await pause(RETRY_INTERVAL, over.signal);
    }
  });
  news.push(otherBoxes(read, boxesNow, over.signal));
  if (most !== undefined) news.push(pause(most, over.signal));
  try {
    await Promise.race(news);
  } finally {
    end();
    signal?.removeEventListener('abort', end);
    await Promise.allSettled(news);
  }
}

/** Waits until other boxes are to be read than those. */
async function otherBoxes(
  read: readonly WatchedBoxes[],
  boxesNow: WaitOptions['boxesNow'],
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    await pause(BOXES_INTERVAL, signal);
    if (signal.aborted) return;
    try {
      if (keyOf(await boxesNow()) !== keyOf(read)) return;
    } catch (error) {
      if (!isAway(error)) throw error;
    }
  }
}

/** Two lists of boxes have the same key where the same are to be read at the same places. */
function keyOf(watched: readonly WatchedBoxes[]): string {
  return watched
    .flatMap(({ route, boxes }) => boxes.map(({ box }) => `${keyOfRoute(route)} ${toHex(box)}`))
    .sort()
    .join('\n');
}
