/**
 * `RatchetStore` in SQL: header keys, ratchet states, skipped message keys and accepted positions.
 * `ratchet-state.ts`, `receiving-chains.ts` and `received-messages.ts` have the larger parts.
 */
import type { FindEntry, KeptPosition, MessageKey, RatchetStore } from '../../ratchet/index.ts';
import { mustExist, type SqlTransaction } from '../transaction.ts';
import { STATE_COLUMNS, type StateRow, stateColumns, stateIn } from './ratchet-state.ts';
import { saveReceived } from './received-messages.ts';
import { finishedChain, unfinishedChains } from './receiving-chains.ts';
import { SET_FORK } from './sessions.ts';

interface FindRow extends Omit<FindEntry, 'chain'> {
  readonly chain: number;
  readonly state: 'next' | 'current' | 'finished';
}

/**
 * CROSS JOIN makes SQLite read the sessions first, through the index of their order, without their long rows. Both
 * orders below are orders of indexes, so that reading can stop at the first match.
 */
const ENTRIES = `
SELECT c.session_id AS session, c.chain, c.state, c.find_key AS find
FROM sessions s CROSS JOIN receiving_chains c ON c.session_id = s.id`;
const UNFINISHED = `${ENTRIES} AND c.state <> 'finished'`;
const FINISHED = `${ENTRIES} AND c.state = 'finished'`;
/** In alphabetical order, the state `current` precedes `next`. */
const UNFINISHED_ORDER = 'ORDER BY s.received_order DESC, s.id DESC, c.state';
const FINISHED_ORDER = 'ORDER BY s.received_order DESC, s.id DESC, c.chain DESC';

const SAVE_SENT = `
UPDATE sessions SET ${STATE_COLUMNS.map((column) => `${column} = @${column}`).join(', ')} WHERE id = @session`;

export function ratchetStore(transaction: SqlTransaction): RatchetStore {
  return {
    async findEntry(fits, session) {
      const of = session === undefined ? '' : 'WHERE s.id = @session';
      const parameters = session === undefined ? {} : { session };
      const find = (sql: string) => transaction.find<FindRow>(sql, parameters, (candidate) => fits(entryIn(candidate)));
      const row = find(`${UNFINISHED} ${of} ${UNFINISHED_ORDER}`) ?? find(`${FINISHED} ${of} ${FINISHED_ORDER}`);
      return row && entryIn(row);
    },

    async ratchetState(session) {
      const row = transaction.get<StateRow>(`SELECT ${STATE_COLUMNS.join(', ')} FROM sessions WHERE id = @session`, {
        session,
      });
      return { ...stateIn(mustExist(row, 'session')), ...unfinishedChains(transaction, session) };
    },

    async finishedChain(session, chain) {
      return finishedChain(transaction, session, chain);
    },

    async keptPosition(session, chain, n) {
      const at = { session, chain, n };
      const skipped = transaction.get<{ readonly messageKey: MessageKey }>(
        `SELECT message_key AS messageKey FROM skipped_keys WHERE session_id = @session AND chain = @chain AND n = @n`,
        at,
      );
      const accepted = transaction.get<{ readonly digest: Uint8Array }>(
        'SELECT digest FROM accepted WHERE session_id = @session AND chain = @chain AND n = @n',
        at,
      );
      const kept: KeptPosition = { ...skipped, ...accepted };
      return kept;
    },

    // Sending does not change the receiving chains.
    async saveSent(session, state) {
      transaction.update('session', SAVE_SENT, { session, ...stateColumns(state) });
    },

    async saveReceived(session, accepted, at, limits) {
      saveReceived(transaction, session, accepted, { at, limits });
    },

    async sweepSkippedKeys(keptBefore) {
      transaction.run(
        `UPDATE sessions SET lost = lost +
          (SELECT count(*) FROM skipped_keys WHERE session_id = sessions.id AND created_at < @keptBefore)
        WHERE id IN (SELECT session_id FROM skipped_keys WHERE created_at < @keptBefore)`,
        { keptBefore },
      );
      return transaction.run('DELETE FROM skipped_keys WHERE created_at < @keptBefore', { keptBefore }).changes;
    },

    async saveFork(session, reason, at) {
      transaction.update('session', `UPDATE sessions SET ${SET_FORK} WHERE id = @session`, {
        session,
        forkReason: reason,
        forkAt: at,
      });
    },
  };
}

function entryIn({ session, chain, state, find }: FindRow): FindEntry {
  return { session, chain: state === 'next' ? state : chain, find };
}
