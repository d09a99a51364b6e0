/**
 * Keeps the memory of a long command near that of a short one: V8 lets garbage pile up, above all outside of its heap.
 * Knows nothing of what the memory holds.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** The bytes of large contents after which the garbage is collected. */
const MUCH = 8 * 2 ** 20;
/**
 * The bytes, since the last time or at once, after which that goes through the whole heap: it takes ten times as long as
 * for what is new in it, where a large message does not stay for long.
 */
const WHOLE = 32 * 2 ** 20;
const LARGE = 12 * 2 ** 20;

/**
 * Keeps the heap about as large as it is, so that a stream of any length takes the memory of a short one. By default V8
 * lets 40 MB of garbage pile up before it collects. This costs about a twentieth of the time.
 */
export function keepHeapSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
  setFlagsFromString('--heap-growing-percent=20');
}

/** Counts the bytes that are not needed any more, and has them collected when they are many. */
export class Garbage {
  #bytes = 0;
  /** Since the whole heap was gone through. */
  #more = 0;

  add(bytes: number): void {
    this.#bytes += bytes;
  }

  /** Is called before the next bytes are read. What the callers of the caller still hold stays. */
  collect(): void {
    if (this.#bytes < MUCH) return;
    this.#more += this.#bytes;
    const isWhole = this.#more >= WHOLE || this.#bytes >= LARGE;
    this.#bytes = 0;
    if (isWhole) this.#more = 0;
    collector ??= makeCollector();
    // `{ type: 'major' }` leaves what is outside of the heap for later.
    if (isWhole) collector();
    else collector({ type: 'minor' });
  }
}

type Collector = (options?: { readonly type: 'minor' }) => void;
let collector: Collector | undefined;

function makeCollector(): Collector {
  setFlagsFromString('--expose-gc');
  // The flag holds for contexts that are made from now on.
  const collect: unknown = runInNewContext('globalThis.gc');
  return typeof collect === 'function'
    ? (options) => (options === undefined ? collect() : collect(options))
    : () => undefined;
}
