/**
 * Groups the items of a stream into batches: everything that has arrived already goes into one batch, so that it can
 * share one commit, and nothing waits for items that have not arrived.
 * Knows nothing of what the items are.
 */
import { setFlagsFromString } from 'node:v8';

/** The number of items after which the heap is kept small. */
const LONG_STREAM = 100;

type Next<Item> = Promise<IteratorResult<readonly Item[], unknown>>;

/**
 * @example
 * const batches = new Batches(stream, { first: await stream.next(), size: 256 });
 * for await (const batch of batches) {
 *   await work(batch);
 *   if (await batches.isIdle()) await acknowledge();
 * }
 */
export class Batches<Item> implements AsyncIterable<readonly Item[]> {
  readonly #stream: AsyncIterator<readonly Item[], unknown>;
  readonly #size: number;
  #next: Next<Item>;

  /**
   * @param stream items in groups, as each read of the input gives them.
   * @param options.first the result of the first `stream.next()`.
   * @param options.size the number of items from which on a batch takes no further group.
   */
  constructor(
    stream: AsyncIterator<readonly Item[], unknown>,
    { first, size }: { first: IteratorResult<readonly Item[], unknown>; size: number },
  ) {
    this.#stream = stream;
    this.#size = size;
    this.#next = Promise.resolve(first);
  }

  /** Whether the next items have not arrived yet. The end of the stream counts as having arrived. */
  async isIdle(): Promise<boolean> {
    return !(await hasSettled(this.#next));
  }

  /** Throws what the stream throws, after the batch of the items that came before it. */
  async *[Symbol.asyncIterator](): AsyncGenerator<readonly Item[], void, undefined> {
    let count = 0;
    for (let group = await this.#next; !group.done; group = await this.#next) {
      const batch = [...group.value];
      this.#advance();
      while (batch.length < this.#size && (await hasSettled(this.#next))) {
        const more = await this.#next.catch(() => undefined);
        if (more === undefined || more.done) break;
        batch.push(...more.value);
        this.#advance();
      }
      yield batch;
      if (count <= LONG_STREAM && count + batch.length > LONG_STREAM) keepHeapSmall();
      count += batch.length;
    }
  }

  #advance(): void {
    this.#next = this.#stream.next();
    // It is awaited later; until then a failure must not count as unhandled.
    this.#next.catch(() => undefined);
  }
}

/** Whether a promise has settled, or settles as soon as the operating system was asked once for pending input. */
async function hasSettled(promise: Promise<unknown>): Promise<boolean> {
  const settled = () => true;
  const polled = new Promise<boolean>((resolve) => setImmediate(resolve, false));
  return Promise.race([promise.then(settled, settled), polled]);
}

/**
 * Keeps the heap about as large as it is, so that a stream of any length takes the memory of a short one. By default V8
 * lets 40 MB of garbage pile up before it collects. This costs about a twentieth of the time.
 */
function keepHeapSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
  setFlagsFromString('--heap-growing-percent=20');
}
