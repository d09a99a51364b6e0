/**
 * Groups the items of a stream into batches: everything that has arrived already goes into one batch, so that it can
 * share one commit, and nothing waits for items that have not arrived. A batch is bounded, and so is what is read ahead.
 * Knows nothing of what the items are.
 */
import { Garbage, keepHeapSmall } from './memory.ts';

/** The number of items after which the heap is kept small. */
const LONG_STREAM = 100;

/**
 * The most items that share a commit, and the bytes from which on nothing more joins them. With one message of the largest
 * size behind these bytes, a transaction has less than 32 MiB; a larger bound would save no time, because syncing a commit
 * takes less than encrypting as much.
 */
export const BOUND: Bound = { items: 256, bytes: 8 * 2 ** 20 };

interface Bound {
  readonly items: number;
  readonly bytes: number;
}

interface BatchOptions<Item> {
  /** The result of the first `stream.next()`, where that was called already. */
  readonly first?: IteratorResult<Item[], unknown>;
  /** How many bytes an item takes in memory, about. */
  readonly lengthOf: (item: Item) => number;
  readonly bound?: Bound;
}

/**
 * @example
 * const batches = new Batches(stream, { first: await stream.next(), lengthOf: ({ length }) => length });
 * for (let batch = await batches.next(); batch !== undefined; batch = await batches.next()) {
 *   await work(batch);
 *   if (await batches.isIdle()) await acknowledge();
 * }
 */
export class Batches<Item> {
  readonly #stream: AsyncIterator<Item[], unknown>;
  readonly #lengthOf: (item: Item) => number;
  readonly #bound: Bound;
  /** What was asked of the stream and is in no batch yet. */
  #asked: Promise<IteratorResult<Item[], unknown>> | undefined;
  #count = 0;
  readonly #garbage = new Garbage();

  /** @param stream items in groups, as each read of the input gives them. The groups are emptied into the batches. */
  constructor(stream: AsyncIterator<Item[], unknown>, { first, lengthOf, bound = BOUND }: BatchOptions<Item>) {
    this.#stream = stream;
    this.#lengthOf = lengthOf;
    this.#bound = bound;
    this.#asked = first && Promise.resolve(first);
  }

  /** Whether the next items have not arrived yet. The end of the stream counts as having arrived. */
  async isIdle(): Promise<boolean> {
    return !(await hasSettled(this.#ask()));
  }

  /**
   * Returns the next items, in an array that belongs to the caller; `undefined` at the end. It takes no further group of
   * the stream from the bound on.
   * @throws what the stream throws, after the batch of the items that came before it.
   */
  async next(): Promise<Item[] | undefined> {
    const group = await this.#ask();
    if (group.done) return undefined;
    const batch: Item[] = [];
    let bytes = 0;
    const add = (items: Item[]): void => {
      this.#asked = undefined;
      for (const item of items) bytes += this.#lengthOf(item);
      // The stream may hold its groups for long, and a large item is to be let go when its batch is.
      batch.push(...items.splice(0));
    };
    add(group.value);
    while (batch.length < this.#bound.items && bytes < this.#bound.bytes && (await hasSettled(this.#ask()))) {
      const more = await this.#ask().catch(() => undefined);
      if (more === undefined || more.done) break;
      add(more.value);
    }
    if (this.#count <= LONG_STREAM && this.#count + batch.length > LONG_STREAM) keepHeapSmall();
    this.#count += batch.length;
    // What reading has left behind; later, the batch itself.
    this.#garbage.add(bytes);
    this.#garbage.collect();
    this.#garbage.add(bytes);
    return batch;
  }

  #ask(): Promise<IteratorResult<Item[], unknown>> {
    if (this.#asked === undefined) {
      this.#garbage.collect();
      this.#asked = this.#stream.next();
      // It is awaited later; until then a failure must not count as unhandled.
      this.#asked.catch(() => undefined);
    }
    return this.#asked;
  }
}

/** Whether a promise has settled, or settles as soon as the operating system was asked once for pending input. */
async function hasSettled(promise: Promise<unknown>): Promise<boolean> {
  const settled = () => true;
  const polled = new Promise<boolean>((resolve) => setImmediate(resolve, false));
  return Promise.race([promise.then(settled, settled), polled]);
}
