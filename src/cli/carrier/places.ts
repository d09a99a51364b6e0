/**
 * Reaches the places that routes lead to. Each is opened once, when it is first needed.
 * Does not know what is put there or taken.
 */
import { PawlError } from '../../errors.ts';
import { formatRoute, openPlace, type Place, type PlaceContext, type Route } from '../../places/index.ts';
import { keyOfRoute } from '../../session/index.ts';
import type { CommandContext } from '../context.ts';
import { explain } from '../terminal/error-messages.ts';

/** A route, and whether its owner has typed it on this machine. */
export interface KnownRoute {
  readonly route: Route;
  readonly isTrusted: boolean;
}

/** The variables that a command, or a client of a server, does not get: they may hold a passphrase or a password. */
const OURS = /^(PAWL_|PGPASSWORD$)/;

/** What places need of the outside world. */
export function placeContext({ io }: CommandContext): PlaceContext {
  return {
    environment: io.variables((name) => !OURS.test(name)),
    now: io.now,
    random: io.random,
    killGroup: io.killGroup,
  };
}

/**
 * A command of a file from elsewhere is somebody else's word, and so is a server that gets credentials. A folder is known
 * by its mark.
 * @throws `untrusted-route`.
 */
export function checkTrust({ route, isTrusted }: KnownRoute): void {
  if (route.kind !== 'dir' && !isTrusted) throw new PawlError('untrusted-route', { route: formatRoute(route) });
}

/** What leads to one place: `first` of `all`. */
interface AtOnePlace<Item> {
  readonly key: string;
  readonly first: Item;
  readonly all: Item[];
}

/** Groups what has a route by the place that it leads to. */
export function byPlace<Item extends KnownRoute>(items: readonly Item[]): readonly AtOnePlace<Item>[] {
  const places = new Map<string, AtOnePlace<Item>>();
  for (const item of items) {
    const key = keyOfRoute(item.route);
    const there = places.get(key);
    if (there === undefined) places.set(key, { key, first: item, all: [item] });
    else there.all.push(item);
  }
  return [...places.values()];
}

/** How many places are reached at the same time. */
const AT_ONCE = 8;

/** Works on items, some of them at the same time, and gives the results as they come. @throws what `work` throws. */
export async function* asTheyCome<Item, Result>(
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
): AsyncGenerator<Result, void, undefined> {
  const left = [...items];
  const running = new Map<object, Promise<{ readonly key: object; readonly result: Result }>>();
  const begin = (): void => {
    for (const item of left.splice(0, AT_ONCE - running.size)) {
      const key = {};
      const result = work(item).then((done) => ({ key, result: done }));
      // Where nobody waits for it any more.
      result.catch(() => undefined);
      running.set(key, result);
    }
  };
  try {
    for (begin(); running.size > 0; begin()) {
      const { key, result } = await Promise.race(running.values());
      running.delete(key);
      yield result;
    }
  } catch (error) {
    // Nothing is under way any more when it is told.
    await Promise.allSettled(running.values());
    throw error;
  }
}

/** Tells of places that fail: of a trouble that goes on from round to round, once. */
export class Troubles {
  readonly #context: CommandContext;
  #before: ReadonlySet<string> = new Set();
  #now = new Set<string>();

  constructor(context: CommandContext) {
    this.#context = context;
  }

  /** @returns the exit code of the error. */
  async tell(error: PawlError, about?: string): Promise<number> {
    const { message, exit } = explain(error);
    const words = `${about}: ${message}`;
    const isKnown = this.#now.has(words) || this.#before.has(words);
    this.#now.add(words);
    return isKnown ? exit : this.#context.reporter.error(error, about);
  }

  /** A round is over: what was not told of again in it is over, and told of when it comes back. */
  endRound(): void {
    this.#before = this.#now;
    this.#now = new Set();
  }
}

export class Places {
  readonly troubles: Troubles;
  readonly #context: CommandContext;
  readonly #open = new Map<string, Promise<Place>>();

  constructor(context: CommandContext) {
    this.#context = context;
    this.troubles = new Troubles(context);
  }

  /**
   * Reaches a place.
   * @throws `untrusted-route`, `unreachable`, `other-place`, `no-addon`.
   */
  async at(known: KnownRoute): Promise<Place> {
    checkTrust(known);
    const { route } = known;
    const name = keyOfRoute(route);
    const opening = this.#open.get(name) ?? openPlace(route, placeContext(this.#context));
    this.#open.set(name, opening);
    try {
      return await opening;
    } catch (error) {
      this.#open.delete(name);
      throw error;
    }
  }

  /** Leaves a place that has failed: it is reached anew. */
  async leave({ route }: Pick<KnownRoute, 'route'>): Promise<void> {
    const name = keyOfRoute(route);
    const place = this.#open.get(name);
    this.#open.delete(name);
    await place?.then((one) => one.close()).catch(() => undefined);
  }

  async close(): Promise<void> {
    for (const place of this.#open.values()) await place.then((one) => one.close()).catch(() => undefined);
    this.#open.clear();
  }
}
