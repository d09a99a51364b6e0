/**
 * The times of our own clock in all tables: `Times` in SQL.
 * Times that a peer says, or that both sides compare (`opened`), are not of our clock, and are not among them. Nor are those
 * of claims: other machines compare them, and one that is far ahead binds nobody (`session/claims.ts`).
 */
import type { Times } from '../../session/store.ts';
import { mustExist, type SqlTransaction } from '../transaction.ts';

/** The columns that hold a time of our own clock. Invites have one more, their expiry: see `MOVE_INVITES`. */
export const TIMES: Readonly<Record<string, readonly string[]>> = {
  identity: ['created_at', 'history_since'],
  invites: ['spent_at', 'withdrawn_at'],
  contacts: ['added_at', 'verified_at', 'invite_added_at'],
  sessions: ['created_at', 'last_dh_step_at', 'kem_mixed_at', 'fork_at', 'fork_acknowledged_at'],
  skipped_keys: ['created_at'],
  outbox: ['created_at'],
  inbox: ['received_at', 'tried_at'],
  incoming: ['received_at'],
  outgoing: ['created_at'],
  routes: ['set_at'],
  left_entries: ['tried_at'],
  spent_boxes: ['spent_at'],
  history: ['at'],
};

const CORRECTIONS = Object.entries(TIMES).map(([table, columns]) => {
  const values = columns.map((column) => `${column} = CASE WHEN ${column} > @latest THEN @now ELSE ${column} END`);
  const isLater = columns.map((column) => `${column} > @latest`);
  return `UPDATE ${table} SET ${values.join(', ')} WHERE ${isLater.join(' OR ')}`;
});

/** An invite lives as long as it was made for, from now on. The expiry is in whole seconds. */
const MOVE_INVITES = `
UPDATE invites SET expires = @seconds + expires - created_at / 1000, created_at = @now WHERE created_at > @latest`;

/** In milliseconds. */
const SECOND = 1_000;

export function timesOf(transaction: SqlTransaction): Times {
  return {
    async correctTimes(now, ahead) {
      const latest = now + ahead;
      const row = transaction.get<{ readonly clock: number | null }>('SELECT clock FROM identity');
      const { clock } = mustExist(row, 'identity');
      if (clock !== null && clock <= latest) {
        transaction.clock = Math.max(clock, now);
        return;
      }
      for (const sql of CORRECTIONS) transaction.run(sql, { now, latest });
      transaction.run(MOVE_INVITES, { now, latest, seconds: Math.floor(now / SECOND) });
      transaction.clock = latest;
    },
  };
}
