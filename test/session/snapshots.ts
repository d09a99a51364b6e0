import type { OwnIdentity } from '../../src/handshake/index.ts';
import type { SessionStore, Transaction } from '../../src/session/index.ts';
import { Queue } from '../../src/storage/store.ts';
import { boxes } from '../storage/memory/boxes.ts';
import { contactStore } from '../storage/memory/contacts.ts';
import { copyOf, type Data, MemoryTransaction } from '../storage/memory/data.ts';
import { historyStore } from '../storage/memory/history.ts';
import { handshakeStore } from '../storage/memory/invites.ts';
import { ratchetStore } from '../storage/memory/ratchet.ts';
import { sessionTable } from '../storage/memory/sessions.ts';
import { Party, START } from './party.ts';

/** What a file was at one moment: a value that nothing changes. */
export type Snapshot = Data;

/** The store in memory, of which an older version can be put back: a file restored from a backup. */
export class RestorableStore implements SessionStore {
  #data: Data;
  readonly #queue = new Queue();

  constructor(name: string, identity: OwnIdentity) {
    this.#data = {
      record: copyOf({ name, identity, createdAt: START }),
      contacts: [],
      sessions: [],
      invites: [],
      ledger: [],
      outbox: [],
      inbox: [],
      historySetting: undefined,
      history: [],
      lastId: 0,
      receptions: 0,
    };
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

function transactionOn(transaction: MemoryTransaction): Transaction {
  return {
    ...handshakeStore(transaction),
    ...contactStore(transaction),
    ...sessionTable(transaction),
    ...ratchetStore(transaction),
    ...boxes(transaction),
    ...historyStore(transaction),
  };
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
