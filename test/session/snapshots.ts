import type { OwnIdentity } from '../../src/handshake/index.ts';
import type { SessionStore, Transaction } from '../../src/session/index.ts';
import { Queue } from '../../src/storage/queue.ts';
import { type Data, MemoryTransaction } from '../storage/memory/data.ts';
import { emptyData, transactionOn } from '../storage/memory/memory-store.ts';
import { Party, START } from './party.ts';

/** What a file was at one moment: a value that nothing changes. */
export type Snapshot = Data;

/** The store in memory, of which an older version can be put back: a file restored from a backup. */
export class RestorableStore implements SessionStore {
  #data: Data;
  readonly #queue = new Queue();

  constructor(name: string, identity: OwnIdentity) {
    this.#data = emptyData({ name, identity, createdAt: START });
  }

  /** The data as it is; it can be put back as often as one likes. */
  get data(): Snapshot {
    return this.#data;
  }

  restore(data: Snapshot): void {
    this.#data = data;
  }

  transaction<Result>(work: (transaction: Transaction) => Promise<Result>): Promise<Result> {
    return this.#queue.run(async () => {
      const changed = new MemoryTransaction(this.#data);
      const result = await work(transactionOn(changed));
      this.#data = changed.data;
      return result;
    });
  }

  async snapshot<Result>(work: (view: Transaction) => Promise<Result>): Promise<Result> {
    return work(transactionOn(new MemoryTransaction(this.#data)));
  }
}

/** A person whose file can be copied, and an older copy put back. */
export class RestorableParty extends Party {
  declare store: RestorableStore;

  override freshStore(): RestorableStore {
    return new RestorableStore(this.name, this.identity);
  }

  copy(): Snapshot {
    return this.store.data;
  }

  restore(copy: Snapshot): void {
    this.store.restore(copy);
  }

  /** Whether a fork is marked in any of the sessions, and by which rule. */
  async forks(): Promise<readonly string[]> {
    return this.store.data.sessions.flatMap(({ fork }) => (fork === undefined ? [] : [fork.reason]));
  }
}
