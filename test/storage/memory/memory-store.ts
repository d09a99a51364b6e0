import type { SessionStore, Transaction } from '../../../src/session/store.ts';
import type { NewIdentity } from '../../../src/storage/identity-file.ts';
import { Queue } from '../../../src/storage/queue.ts';
import { boxes } from './boxes.ts';
import { contactStore } from './contacts.ts';
import { copyOf, type Data, MemoryTransaction } from './data.ts';
import { historyStore } from './history.ts';
import { handshakeStore } from './invites.ts';
import { listsOf } from './lists.ts';
import { ratchetStore } from './ratchet.ts';
import { routesOf } from './routes.ts';
import { sessionTable } from './sessions.ts';
import { timesOf } from './times.ts';
import { transfers } from './transfers.ts';

/**
 * A store in memory. Its data is a value that nothing ever changes in place: a transaction works on its own version,
 * which takes the place of the old one at the end, or is forgotten. A transaction inside another waits for ever.
 */
export class MemoryStore implements SessionStore {
  #data: Data;
  readonly #queue = new Queue();

  constructor(record: NewIdentity) {
    this.#data = emptyData(record);
  }

  transaction<Result>(work: (transaction: Transaction) => Promise<Result>): Promise<Result> {
    return this.#queue.run(async () => {
      const { result, data } = await perform(this.#data, work);
      this.#data = data;
      return result;
    });
  }

  async snapshot<Result>(work: (view: Transaction) => Promise<Result>): Promise<Result> {
    const { result } = await perform(this.#data, work);
    return result;
  }
}

async function perform<Result>(data: Data, work: (transaction: Transaction) => Promise<Result>) {
  const transaction = new MemoryTransaction(data);
  try {
    const result = await work(transactionOn(transaction));
    return { result, data: transaction.data };
  } finally {
    transaction.end();
  }
}

/** What a new store holds. */
export function emptyData(record: NewIdentity): Data {
  return {
    record: copyOf(record),
    contacts: [],
    sessions: [],
    invites: [],
    ledger: [],
    numbers: new Map(),
    outbox: [],
    inbox: [],
    incoming: [],
    outgoing: [],
    routes: [],
    leftEntries: [],
    spentBoxes: [],
    lists: [],
    historySetting: copyOf(record.historySetting),
    history: [],
    lastId: 0,
    receptions: 0,
  };
}

/** Everything that can be read and written within a transaction. */
export function transactionOn(transaction: MemoryTransaction): Transaction {
  return {
    ...handshakeStore(transaction),
    ...contactStore(transaction),
    ...sessionTable(transaction),
    ...ratchetStore(transaction),
    ...boxes(transaction),
    ...transfers(transaction),
    ...routesOf(transaction),
    ...listsOf(transaction),
    ...historyStore(transaction),
    ...timesOf(transaction),
  };
}
