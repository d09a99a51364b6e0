/**
 * All that a transaction can read and write, in SQL: one file for each group of tables.
 */
import type { Transaction } from '../../session/store.ts';
import type { SqlTransaction } from '../transaction.ts';
import { boxes } from './boxes.ts';
import { contactStore } from './contacts.ts';
import { historyStore } from './history.ts';
import { handshakeStore } from './invites.ts';
import { listsOf } from './lists.ts';
import { ratchetStore } from './ratchet.ts';
import { routesOf } from './routes.ts';
import { sessionTable } from './sessions.ts';
import { timesOf } from './times.ts';
import { transfers } from './transfers.ts';

/** Everything that can be read and written within a transaction, in SQL. */
export function transactionOn(transaction: SqlTransaction): Transaction {
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
