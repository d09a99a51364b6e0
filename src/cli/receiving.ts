import type { PawlError } from '../errors.ts';
import { type Arrival, type Delivery, type Outcome, receive } from '../session/index.ts';
import type { Deliveries } from './deliveries.ts';
import type { Read } from './read-envelopes.ts';
import type { Unlocked } from './unlock.ts';

export interface ReceivingOptions {
  readonly output?: string;
  /** No input is read: what waits is all there is. */
  readonly waiting?: true;
  readonly maxGap?: number;
  readonly from?: string;
}

/** So many messages may share a commit. */
export const TOGETHER = 256;

/** Receives what has come, and hands it out. Texts that earlier commands left behind come first. */
export class Receiving {
  readonly #identity: Unlocked;
  readonly #deliveries: Deliveries;
  readonly #options: ReceivingOptions;
  readonly #gaps = new Set<string>();
  #waiting: number | undefined;

  constructor(identity: Unlocked, deliveries: Deliveries, options: ReceivingOptions) {
    this.#identity = identity;
    this.#deliveries = deliveries;
    this.#options = options;
  }

  /** How many earlier texts still wait. */
  get waiting(): number {
    return this.#waiting ?? 0;
  }

  /** The contacts of whom messages were found to be missing on the way. */
  get gaps(): Iterable<string> {
    return this.#gaps;
  }

  async receive(reads: readonly Read<Arrival>[]): Promise<void> {
    for (let rest = reads; rest.length > 0 || this.#waiting === undefined; ) {
      rest = rest.slice(await this.#receiveSome(rest));
    }
  }

  /** Commits, then speaks. @returns how many it has come to. */
  async #receiveSome(reads: readonly Read<Arrival>[]): Promise<number> {
    const { output, maxGap, from } = this.#options;
    const { earlier, outcomes, gaps, waiting } = await this.#deliveries.noting((delivered) =>
      receive(this.#identity, reads.filter(isArrival), {
        delivered,
        ...(this.#waiting === undefined && {
          earlier: output === undefined || this.#options.waiting ? 'deliver' : 'count',
        }),
        ...(maxGap !== undefined && { gap: maxGap }),
        ...(from !== undefined && { from }),
      }),
    );
    this.#waiting ??= waiting;
    const inOrder = asTheyStood(reads, outcomes);
    for (const name of gaps) this.#gaps.add(name);
    if (reads.length > 0) await this.#deliveries.announce(earlier.length);
    await this.#deliveries.deliver([...earlier, ...inOrder]);
    return inOrder.length;
  }
}

export function isArrival(read: Read<Arrival>): read is Arrival {
  return 'envelope' in read;
}

export function refused({ source, error }: { source: string; error: PawlError }): Exclude<Outcome, Delivery> {
  return { type: 'refused', from: undefined, error, source };
}

/** What became of each, as far as there are outcomes. */
function asTheyStood(reads: readonly Read<Arrival>[], outcomes: readonly Outcome[]): readonly Outcome[] {
  const inOrder: Outcome[] = [];
  const ofArrivals = outcomes.values();
  for (const read of reads) {
    const outcome = isArrival(read) ? ofArrivals.next().value : refused(read);
    if (outcome === undefined) break;
    inOrder.push(outcome);
  }
  return inOrder;
}
