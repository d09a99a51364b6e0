/**
 * `recv --fetch` and `recv --follow`: hands over what waits, fetches what has come along the routes, once or for as long as
 * the command runs.
 * Does not know what places are.
 */
import { PawlError } from '../../../errors.ts';
import { pause } from '../../../places/index.ts';
import {
  claimTime,
  hasAnyRoute,
  isGivenUp,
  listWaiting,
  type Mailboxes,
  mailboxes,
  pauseOf,
  untilLeaseEnds,
} from '../../../session/index.ts';
import { handOverAll } from '../../carrier/hand-over.ts';
import { waitForNews } from '../../carrier/news.ts';
import { PartBoxes } from '../../carrier/part-boxes.ts';
import { Places, Troubles } from '../../carrier/places.ts';
import { Round } from '../../carrier/round.ts';
import type { CommandContext } from '../../context.ts';
import { isAway, type OpenIdentity } from '../../identity/open.ts';
import { Batches } from '../../stream/batches.ts';
import { lengthOf, type ReceiveOptions, receiveAll } from './receive.ts';

/** Milliseconds after which it is tried again when the identity cannot be had. */
const AWAY_PAUSE = 1_000;
/** Milliseconds between two looks of a follower whether something waits to be handed over. */
const HAND_OVER_INTERVAL = 45_000;

export interface FetchOptions extends ReceiveOptions {
  /** Go on with what comes, until the process is stopped. */
  readonly follows: boolean;
}

/**
 * Receives what has come along the routes, or along the one to `options.from`.
 * @returns the exit code.
 * @throws `usage` where there is no route.
 */
export async function fetchMessages(
  context: CommandContext,
  identity: OpenIdentity,
  options: FetchOptions,
): Promise<number> {
  if (!(await hasAnyRoute(identity))) {
    throw new PawlError('usage', { problem: 'there is no route to fetch along', hint: 'pawl route NAME dir:FOLDER' });
  }
  const { follows } = options;
  const places = new Places(context);
  const partBoxes = new PartBoxes(context, identity, places, options);
  const round = { places, partBoxes, options };
  const over = new AbortController();
  const { signal } = over;
  // Beside the fetching: neither keeps the other back.
  const handingOver = follows
    ? handOverOnAndOn(context, identity, places, signal)
    : handOverAll(context, identity, places);
  handingOver.catch(() => over.abort());
  try {
    if (!follows) {
      const { exit: ownExit, isEmpty, hasMore, news } = await fetchOnce(context, identity, round);
      const exit = ownExit || (await handingOver);
      if (hasMore) await context.reporter.notice('there is more at the places: fetch again');
      else if (isEmpty && exit === 0) await context.reporter.notice('nothing new');
      return exit || news;
    }
    let read: readonly Mailboxes[] = [];
    for (;;) {
      let untilNext: number | undefined;
      let isHere = true;
      try {
        ({ untilNext, read } = await fetchOnce(context, identity, round));
      } catch (error) {
        if (!isAway(error)) throw error;
        await places.troubles.tell(error);
        places.troubles.endRound();
        [untilNext, isHere] = [AWAY_PAUSE, false];
      }
      const boxesNow = () => mailboxes(identity, options.from);
      const most = soonest([untilNext, partBoxes.untilNext]);
      if (!isHere || !partBoxes.hasMore) {
        await waitForNews(places, { read, others: partBoxes.watched }, { boxesNow, most, signal });
      }
      // Why handing over has failed.
      if (signal.aborted) return await handingOver;
    }
  } finally {
    over.abort();
    // What waits is handed over also where what has come cannot be told.
    if (!follows) await handingOver.catch(() => undefined);
    await places.close();
    await handingOver.catch(() => undefined);
  }
}

/** Hands over what waits, also what other commands leave, until it is over. */
async function handOverOnAndOn(
  context: CommandContext,
  identity: OpenIdentity,
  places: Places,
  signal: AbortSignal,
): Promise<number> {
  const troubles = new Troubles(context);
  while (!signal.aborted) {
    try {
      await handOverAll(context, identity, places, { troubles, signal });
    } catch (error) {
      if (!isAway(error)) throw error;
    }
    troubles.endRound();
    await pause(HAND_OVER_INTERVAL, signal);
  }
  return 0;
}

interface RoundOptions {
  readonly places: Places;
  readonly partBoxes: PartBoxes;
  readonly options: FetchOptions;
}

async function fetchOnce(
  context: CommandContext,
  identity: OpenIdentity,
  { places, partBoxes, options }: RoundOptions,
) {
  const round = new Round(context, identity, places);
  partBoxes.begin(round.failed);
  const read = await mailboxes(identity, options.from);
  // What waits here is told before any place is asked.
  const input = new Batches(round.items(read), { lengthOf });
  const received = await receiveAll(context, identity, input, {
    ...options,
    partBoxes,
    onCommitted: (items, outcomes) => round.settle(items, outcomes),
  }).finally(() => round.finish());
  await partBoxes.emptySpent(options.from);
  const code = received.exit || round.exit || partBoxes.exit;
  const waiting = options.follows ? [await untilNextTry(identity, options), await untilLeaseEnds(identity)] : [];
  const untilNext = soonest([round.untilNext, ...waiting]);
  places.troubles.endRound();
  const { hasMore } = round;
  return { news: received.news ?? 0, exit: code, isEmpty: received.isEmpty, hasMore, untilNext, read };
}

/** In how many milliseconds the command is to be given a text again on which it has failed; `undefined`: there is none. */
async function untilNextTry(identity: OpenIdentity, { command }: FetchOptions): Promise<number | undefined> {
  if (command === undefined) return undefined;
  const now = claimTime(identity);
  const tried = (await listWaiting(identity)).filter((text) => text.tries > 0 && !isGivenUp(text));
  return soonest(tried.map((text) => pauseOf(text, now)));
}

/** The shortest of the times; `undefined` where there is none. */
function soonest(times: readonly (number | undefined)[]): number | undefined {
  const known = times.filter((time) => time !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}
