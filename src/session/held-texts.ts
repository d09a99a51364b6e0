/**
 * The texts that this process has claimed and not told yet. Claims that grow old are renewed before a text is told, and what
 * another process has taken over meanwhile is known, so that it is not told twice (docs/PROTOCOL.md §8).
 * Does not know where texts are told.
 */
import { claimTime, isDue } from './claims.ts';
import { dropDelivered } from './history.ts';
import { type Claim, defer, type Settled, TIME_LIMIT } from './inbox.ts';
import { sweep } from './maintenance.ts';
import type { Context, InboxId } from './store.ts';

const NOTHING: Settled = { delivered: [], deferred: [] };

export class HeldTexts {
  readonly #context: Context;
  /** When each was claimed, those of the oldest claims first. */
  readonly #claimedAt = new Map<InboxId, number>();

  constructor(context: Context) {
    this.#context = context;
  }

  /** Adds texts that were claimed, or claimed anew. */
  add(claims: Iterable<Pick<Claim, 'inboxId' | 'claimedAt'>>): void {
    for (const { inboxId, claimedAt } of claims) {
      this.#claimedAt.delete(inboxId);
      this.#claimedAt.set(inboxId, claimedAt);
    }
  }

  /** Whether this process has a text, as far as it knows: `renew` first. */
  has(id: InboxId): boolean {
    return this.#claimedAt.has(id);
  }

  /** Takes out what a transaction has noted. */
  drop({ delivered, deferred, failed = [] }: Settled): void {
    for (const id of [...delivered, ...deferred, ...failed]) this.#claimedAt.delete(id);
  }

  /** Whether a claim is so old that it is to be renewed before anything is told. */
  get isDue(): boolean {
    const [oldest] = this.#claimedAt.values();
    return oldest !== undefined && isDue(this.#context, oldest);
  }

  /**
   * Renews all claims where one is old, in one transaction or a few, and notes what is settled in the first of them. What
   * another process has taken over is taken out.
   * @returns whether it has noted what is settled: not where no claim is old.
   */
  async renew(settled: Settled): Promise<boolean> {
    if (!this.isDue) return false;
    const { delivered, deferred, failed = [] } = settled;
    const isSettled = new Set([...delivered, ...deferred, ...failed]);
    const ids = [...this.#claimedAt.keys()].filter((id) => !isSettled.has(id));
    let done = await this.#renewSome(ids, settled);
    this.drop(settled);
    while (done < ids.length) done += await this.#renewSome(ids.slice(done), NOTHING);
    return true;
  }

  /** @returns how many were renewed, or found to be taken over. */
  async #renewSome(ids: readonly InboxId[], settled: Settled): Promise<number> {
    const context = this.#context;
    const { process } = context;
    const outcomes = await context.store.transaction(async (transaction) => {
      const begin = context.now();
      const { historySetting } = await sweep(transaction, begin);
      await dropDelivered(transaction, settled.delivered, historySetting, begin);
      await defer(context, transaction, settled);
      const claimedAt = claimTime(context);
      const found: (Pick<Claim, 'inboxId' | 'claimedAt'> & { readonly isOurs: boolean })[] = [];
      for (const inboxId of ids) {
        const isOurs = await transaction.handOver(inboxId, process, process, claimedAt);
        found.push({ inboxId, claimedAt, isOurs });
        // At least one, however slow.
        if (context.now() - begin > TIME_LIMIT) break;
      }
      return found;
    });
    for (const { inboxId, isOurs } of outcomes) if (!isOurs) this.#claimedAt.delete(inboxId);
    this.add(outcomes.filter(({ isOurs }) => isOurs));
    return outcomes.length;
  }
}
