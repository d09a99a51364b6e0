/**
 * Saves received messages: `RatchetStore.saveReceived` in SQL.
 * Does not decrypt: it stores the steps that the ratchet has taken.
 */

import { concatAll, wipe } from '../../primitives/index.ts';
import type { Accepted, Limits, ReceivingStep, SessionId, SkippedKey } from '../../ratchet/index.ts';
import type { SqlTransaction } from '../transaction.ts';
import { STATE_COLUMNS, stateColumns } from './ratchet-state.ts';
import { saveChains } from './receiving-chains.ts';
import { SET_FORK } from './sessions.ts';

const SAVE = `
UPDATE sessions SET ${STATE_COLUMNS.map((column) => `${column} = @${column}`).join(', ')},
  received = received + @count,
  received_order = (SELECT max(received_order) FROM sessions) + 1,
  last_dh_step_at = coalesce(@dhStepAt, last_dh_step_at),
  lost = lost + @lost,
  held = CASE WHEN @dhStepAt IS NULL THEN held ELSE 0 END,
  ${SET_FORK}
WHERE id = @session
RETURNING received`;

/**
 * Writes what the messages changed, then deletes what exceeds the limits.
 * @param options.at unix milliseconds.
 */
export function saveReceived(
  transaction: SqlTransaction,
  session: SessionId,
  accepted: readonly Accepted[],
  { at, limits }: { at: number; limits: Limits },
): void {
  const last = accepted.at(-1);
  if (last === undefined) return;
  // Steps in the middle of a chain need not be saved: a later step of the same chain replaces them.
  const saved = accepted.filter(({ step }, index) => {
    const next = accepted[index + 1];
    return next === undefined || next.step.finished !== undefined || step.finished !== undefined;
  });
  const begun = saved.filter(({ step }) => saveChains(transaction, session, step));
  const steps = accepted.map(({ step }) => step);
  const fork = steps.find((step) => step.fork !== undefined)?.fork;
  const { received } = transaction.change<{ received: number }>('session', SAVE, {
    session,
    ...stateColumns(last.step.state),
    count: accepted.length,
    dhStepAt: begun.length > 0 ? at : null,
    lost: steps.reduce((sum, step) => sum + step.lost, 0),
    forkReason: fork ?? null,
    forkAt: fork === undefined ? null : at,
  });
  const before = received - accepted.length;
  for (const [index, one] of accepted.entries()) insertAccepted(transaction, session, one, before + index + 1);
  transaction.run('DELETE FROM accepted WHERE session_id = @session AND sequence <= @last', {
    session,
    last: received - limits.keptDigests,
  });
  for (const step of steps) {
    for (const run of runsOf(step.gained)) insertSkippedKeys(transaction, session, run, at);
    if (step.late) deleteSkippedKey(transaction, session, step);
  }

  const hasGained = steps.some(({ gained }) => gained.length > 0);
  const tooMany = hasGained ? dropOldestKeys(transaction, session, limits.keptKeys) : 0;
  const lost = tooMany + dropOldestChains(transaction, session, limits);
  if (lost > 0) transaction.run('UPDATE sessions SET lost = lost + @lost WHERE id = @session', { session, lost });
}

/** Marks a position as accepted. The primary key of the table refuses a second message at the same position. */
function insertAccepted(
  transaction: SqlTransaction,
  session: SessionId,
  { step, digest }: Accepted,
  sequence: number,
): void {
  const { chain, n } = step;
  transaction.run(
    'INSERT INTO accepted (session_id, chain, n, digest, sequence) VALUES (@session, @chain, @n, @digest, @sequence)',
    { session, chain, n, digest, sequence },
  );
}

function deleteSkippedKey(transaction: SqlTransaction, session: SessionId, { chain, n }: ReceivingStep): void {
  const position = { session, chain, n };
  transaction.update(
    'skipped key',
    'DELETE FROM skipped_keys WHERE session_id = @session AND chain = @chain AND n = @n',
    position,
  );
}

/** Divides skipped keys into runs of one chain and of consecutive positions: mostly one, or two. */
function runsOf(keys: readonly SkippedKey[]): SkippedKey[][] {
  const runs: SkippedKey[][] = [];
  for (const key of keys) {
    const run = runs.at(-1);
    const last = run?.at(-1);
    if (run !== undefined && last?.chain === key.chain && last.n + 1 === key.n) run.push(key);
    else runs.push([key]);
  }
  return runs;
}

/** Inserts a run of keys by one statement: a statement for each takes most of the price of a gap. */
function insertSkippedKeys(
  transaction: SqlTransaction,
  session: SessionId,
  run: readonly SkippedKey[],
  at: number,
): void {
  const { chain = 0, n: first = 0 } = run[0] ?? {};
  const keys = concatAll(run.map(({ messageKey }) => messageKey));
  transaction.run(
    `WITH RECURSIVE run (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM run WHERE i + 1 < @count)
    INSERT INTO skipped_keys (session_id, chain, n, message_key, created_at)
    SELECT @session, @chain, @first + i, substr(@keys, 32 * i + 1, 32), @at FROM run`,
    { session, chain, first, count: run.length, keys, at },
  );
  wipe(keys);
}

/**
 * Deletes the oldest skipped keys beyond the limit. Keys are gained in the order of chain and position.
 * @returns how many were deleted.
 */
function dropOldestKeys(transaction: SqlTransaction, session: SessionId, kept: number): number {
  const last = transaction.get<{ chain: number; n: number }>(
    `SELECT chain, n FROM skipped_keys WHERE session_id = @session ORDER BY chain DESC, n DESC LIMIT 1 OFFSET @kept`,
    { session, kept },
  );
  if (last === undefined) return 0;
  const { changes } = transaction.run(
    'DELETE FROM skipped_keys WHERE session_id = @session AND (chain, n) <= (@chain, @n)',
    {
      session,
      ...last,
    },
  );
  return changes;
}

/**
 * Deletes the oldest finished chains beyond the limits, with their skipped keys.
 * @returns how many skipped keys were deleted.
 */
function dropOldestChains(
  transaction: SqlTransaction,
  session: SessionId,
  { recentChains, keptChains }: Limits,
): number {
  const old = finishedChainAfter(transaction, session, recentChains);
  if (old !== undefined) {
    transaction.run(
      `DELETE FROM receiving_chains WHERE session_id = @session AND chain <= @old AND NOT EXISTS
        (SELECT 1 FROM skipped_keys k WHERE k.session_id = @session AND k.chain = receiving_chains.chain)`,
      { session, old },
    );
  }
  const last = finishedChainAfter(transaction, session, keptChains);
  if (last === undefined) return 0;
  const row = transaction.get<{ count: number }>(
    'SELECT count(*) AS count FROM skipped_keys WHERE session_id = @session AND chain <= @last',
    { session, last },
  );
  transaction.run('DELETE FROM receiving_chains WHERE session_id = @session AND chain <= @last', { session, last });
  return row?.count ?? 0;
}

/** Returns the number of the finished chain that has exactly `count` newer finished chains. */
function finishedChainAfter(transaction: SqlTransaction, session: SessionId, count: number): number | undefined {
  const row = transaction.get<{ chain: number }>(
    `SELECT chain FROM receiving_chains WHERE session_id = @session AND state = 'finished'
    ORDER BY chain DESC LIMIT 1 OFFSET @count`,
    { session, count },
  );
  return row?.chain;
}
