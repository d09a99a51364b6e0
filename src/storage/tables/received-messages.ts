import type { Accepted, Limits, ReceivingStep, SessionId, SkippedKey } from '../../ratchet/index.ts';
import type { Unit } from '../transaction.ts';
import { STATE_COLUMNS, stateColumns } from './ratchet-state.ts';
import { saveChains } from './receiving-chains.ts';

const SAVE = `
UPDATE sessions SET ${STATE_COLUMNS.map((column) => `${column} = @${column}`).join(', ')},
  received = received + @count,
  received_order = (SELECT max(received_order) FROM sessions) + 1,
  last_dh_step_at = coalesce(@dhStepAt, last_dh_step_at),
  lost = lost + @lost,
  held = CASE WHEN @dhStepAt IS NULL THEN held ELSE 0 END,
  fork_reason = coalesce(fork_reason, @forkReason),
  fork_at = coalesce(fork_at, @forkAt)
WHERE id = @session
RETURNING received`;

/** Writes the difference that messages make, then holds the limits: `RatchetStore.saveReceived`. */
export function saveReceived(
  unit: Unit,
  session: SessionId,
  accepted: readonly Accepted[],
  at: number,
  limits: Limits,
): void {
  const last = accepted.at(-1);
  if (last === undefined) return;
  // A chain that ended is saved as it was in the end, and the last one as it is now.
  const saved = accepted.filter(({ step }, index) => {
    const next = accepted[index + 1];
    return next === undefined || next.step.finished !== undefined || step.finished !== undefined;
  });
  const begun = saved.filter(({ step }) => saveChains(unit, session, step));
  const steps = accepted.map(({ step }) => step);
  const fork = steps.find((step) => step.fork !== undefined)?.fork;
  const { received } = unit.change<{ received: number }>('session', SAVE, {
    session,
    ...stateColumns(last.step.state),
    count: accepted.length,
    dhStepAt: begun.length > 0 ? at : null,
    lost: steps.reduce((sum, { lost }) => sum + lost, 0),
    forkReason: fork ?? null,
    forkAt: fork === undefined ? null : at,
  });
  const before = received - accepted.length;
  for (const [index, one] of accepted.entries()) takePosition(unit, session, one, before + index + 1);
  unit.run('DELETE FROM accepted WHERE session_id = @session AND sequence <= @last', {
    session,
    last: received - limits.keptDigests,
  });
  for (const step of steps) {
    for (const key of step.gained) keepKey(unit, session, key, at);
    if (step.late) useKey(unit, session, step);
  }

  const hasGained = steps.some(({ gained }) => gained.length > 0);
  const tooMany = hasGained ? dropOldestKeys(unit, session, limits.keptKeys) : 0;
  const lost = tooMany + dropOldestChains(unit, session, limits);
  if (lost > 0) unit.run('UPDATE sessions SET lost = lost + @lost WHERE id = @session', { session, lost });
}

/** Two messages at one position are refused by the table's primary key. */
function takePosition(unit: Unit, session: SessionId, { step, digest }: Accepted, sequence: number): void {
  const { chain, n } = step;
  unit.run(
    'INSERT INTO accepted (session_id, chain, n, digest, sequence) VALUES (@session, @chain, @n, @digest, @sequence)',
    { session, chain, n, digest, sequence },
  );
}

function useKey(unit: Unit, session: SessionId, { chain, n }: ReceivingStep): void {
  const position = { session, chain, n };
  unit.update(
    'skipped key',
    'DELETE FROM skipped_keys WHERE session_id = @session AND chain = @chain AND n = @n',
    position,
  );
}

function keepKey(unit: Unit, session: SessionId, { chain, n, messageKey }: SkippedKey, at: number): void {
  unit.run(
    `INSERT INTO skipped_keys (session_id, chain, n, message_key, created_at)
    VALUES (@session, @chain, @n, @messageKey, @at)`,
    { session, chain, n, messageKey, at },
  );
}

/** Keys are gained in the order of chain and position. @returns how many went. */
function dropOldestKeys(unit: Unit, session: SessionId, kept: number): number {
  const last = unit.get<{ chain: number; n: number }>(
    `SELECT chain, n FROM skipped_keys WHERE session_id = @session ORDER BY chain DESC, n DESC LIMIT 1 OFFSET @kept`,
    { session, kept },
  );
  if (last === undefined) return 0;
  const { changes } = unit.run('DELETE FROM skipped_keys WHERE session_id = @session AND (chain, n) <= (@chain, @n)', {
    session,
    ...last,
  });
  return changes;
}

/** @returns how many skipped keys went with the chains. */
function dropOldestChains(unit: Unit, session: SessionId, { recentChains, keptChains }: Limits): number {
  const old = newestFinishedBut(unit, session, recentChains);
  if (old !== undefined) {
    unit.run(
      `DELETE FROM receiving_chains WHERE session_id = @session AND chain <= @old AND NOT EXISTS
        (SELECT 1 FROM skipped_keys k WHERE k.session_id = @session AND k.chain = receiving_chains.chain)`,
      { session, old },
    );
  }
  const last = newestFinishedBut(unit, session, keptChains);
  if (last === undefined) return 0;
  const row = unit.get<{ count: number }>(
    'SELECT count(*) AS count FROM skipped_keys WHERE session_id = @session AND chain <= @last',
    { session, last },
  );
  unit.run('DELETE FROM receiving_chains WHERE session_id = @session AND chain <= @last', { session, last });
  return row?.count ?? 0;
}

/** The newest finished chain that comes after `count` newer ones. */
function newestFinishedBut(unit: Unit, session: SessionId, count: number): number | undefined {
  const row = unit.get<{ chain: number }>(
    `SELECT chain FROM receiving_chains WHERE session_id = @session AND state = 'finished'
    ORDER BY chain DESC LIMIT 1 OFFSET @count`,
    { session, count },
  );
  return row?.chain;
}
