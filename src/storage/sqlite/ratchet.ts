import type { FindEntry, KeptPosition, MessageKey, RatchetStore } from '../../ratchet/index.ts';
import { found } from '../found.ts';
import { saveReceived } from './received.ts';
import { finishedChain, unfinishedChains } from './receiving-chains.ts';
import { STATE_COLUMNS, type StateRow, stateColumns, stateIn } from './state-columns.ts';
import type { Unit } from './unit.ts';

type FindRow = Omit<FindEntry, 'chain'> & {
  readonly chain: number;
  readonly state: 'next' | 'current' | 'finished';
};

/** CROSS JOIN: the sessions first, by the index of their order, so that their own long rows are never read. */
const ENTRIES = `
SELECT c.session_id AS session, c.chain, c.state, c.find_key AS find
FROM sessions s CROSS JOIN receiving_chains c ON c.session_id = s.id`;

/** Where a message is likeliest first: the current chain, the next, then the finished ones, newest first. */
const LIKELIEST_FIRST = `
ORDER BY s.received_order DESC, s.id DESC, CASE c.state WHEN 'current' THEN 0 WHEN 'next' THEN 1 ELSE 2 END, c.chain DESC`;

const SAVE_SENT = `
UPDATE sessions SET ${STATE_COLUMNS.map((column) => `${column} = @${column}`).join(', ')} WHERE id = @session`;

export function ratchetStore(unit: Unit): RatchetStore {
  return {
    async findEntries(session) {
      const rows =
        session === undefined
          ? unit.all<FindRow>(`${ENTRIES} ${LIKELIEST_FIRST}`)
          : unit.all<FindRow>(`${ENTRIES} WHERE s.id = @session ${LIKELIEST_FIRST}`, { session });
      return rows.map(({ session, chain, state, find }) => ({
        session,
        chain: state === 'next' ? state : chain,
        find,
      }));
    },

    async ratchetState(session) {
      const row = unit.get<StateRow>(`SELECT ${STATE_COLUMNS.join(', ')} FROM sessions WHERE id = @session`, {
        session,
      });
      return { ...stateIn(found(row, 'session')), ...unfinishedChains(unit, session) };
    },

    async finishedChain(session, chain) {
      return finishedChain(unit, session, chain);
    },

    async keptPosition(session, chain, n) {
      const at = { session, chain, n };
      const skipped = unit.get<{ readonly messageKey: MessageKey }>(
        `SELECT message_key AS messageKey FROM skipped_keys WHERE session_id = @session AND chain = @chain AND n = @n`,
        at,
      );
      const accepted = unit.get<{ readonly digest: Uint8Array }>(
        'SELECT digest FROM accepted WHERE session_id = @session AND chain = @chain AND n = @n',
        at,
      );
      const kept: KeptPosition = { ...skipped, ...accepted };
      return kept;
    },

    // Sending never touches the peer's chains.
    async saveSent(session, state) {
      unit.update('session', SAVE_SENT, { session, ...stateColumns(state) });
    },

    async saveReceived(session, step, digest, at, limits) {
      saveReceived(unit, session, step, digest, at, limits);
    },

    async sweepSkippedKeys(keptBefore) {
      unit.run(
        `UPDATE sessions SET lost = lost +
          (SELECT count(*) FROM skipped_keys WHERE session_id = sessions.id AND created_at < @keptBefore)
        WHERE id IN (SELECT session_id FROM skipped_keys WHERE created_at < @keptBefore)`,
        { keptBefore },
      );
      return unit.run('DELETE FROM skipped_keys WHERE created_at < @keptBefore', { keptBefore }).changes;
    },

    async saveFork(session, reason, at) {
      unit.update(
        'session',
        `UPDATE sessions SET fork_reason = coalesce(fork_reason, @reason), fork_at = coalesce(fork_at, @at)
        WHERE id = @session`,
        { session, reason, at },
      );
    },
  };
}
