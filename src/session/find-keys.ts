/**
 * The find keys of one transaction: which chain an unknown message belongs to. They are read once, however many messages
 * fit none of them; of a session that may have changed they are read again.
 * Opens no header.
 */
import { wipe } from '../primitives/index.ts';
import { type FindEntry, isSealedFor, type SealedMessage, type SessionId } from '../ratchet/index.ts';
import type { Transaction } from './store.ts';

export class FindKeys {
  readonly #transaction: Transaction;
  /** All that are stored, but for those of `#stale` sessions; `undefined` until they have been read to the end. */
  #entries: FindEntry[] | undefined;
  readonly #stale = new Set<SessionId>();
  #isFirst = true;

  constructor(transaction: Transaction) {
    this.#transaction = transaction;
  }

  /**
   * Finds the chain of a message.
   * @param only the only session to search; without it, all are searched.
   */
  async find(message: SealedMessage, only?: SessionId): Promise<FindEntry | undefined> {
    const fits = ({ find }: FindEntry) => isSealedFor(find, message);
    if (only !== undefined) return this.#transaction.findEntry(fits, only);
    // Most commands have one message, and it mostly fits one of the first keys: those behind it are not read.
    if (this.#isFirst) {
      this.#isFirst = false;
      return this.#readUntil(fits);
    }
    if (this.#entries === undefined) await this.#readUntil(() => false);
    await this.#refresh();
    return this.#entries?.find(fits);
  }

  /** The chains of a session may change from now on, or have changed. */
  markStale(session: SessionId): void {
    this.#stale.add(session);
  }

  /** Sessions have been added or dropped. */
  forget(): void {
    wipe(...(this.#entries ?? []).map(({ find }) => find));
    this.#entries = undefined;
  }

  async #readUntil(fits: (entry: FindEntry) => boolean): Promise<FindEntry | undefined> {
    const read: FindEntry[] = [];
    const found = await this.#transaction.findEntry((entry) => {
      read.push(entry);
      return fits(entry);
    });
    if (found === undefined) {
      this.#entries = read;
      this.#stale.clear();
    }
    return found;
  }

  /** Sessions that have received are put first, as the store orders them. */
  async #refresh(): Promise<void> {
    for (const session of this.#stale) {
      const fresh: FindEntry[] = [];
      await this.#transaction.findEntry((entry) => {
        fresh.push(entry);
        return false;
      }, session);
      this.#entries = [...fresh, ...(this.#entries ?? []).filter((entry) => entry.session !== session)];
    }
    this.#stale.clear();
  }
}
