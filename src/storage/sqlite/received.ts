import type { Limits, ReceivingStep, SessionId, SkippedKey } from '../../ratchet/index.ts';
import { found } from '../found.ts';
import { saveChains } from './receiving-chains.ts';
import { STATE_COLUMNS, stateColumns } from './state-columns.ts';
import type { Unit } from './unit.ts';

const SAVE_STEP = `
UPDATE sessions SET ${STATE_COLUMNS.map((column) => `${column} = @${column}`).join(', ')},
  received = received + 1,
  received_order = (SELECT max(received_order) FROM sessions) + 1,
  last_dh_step_at = coalesce(@dhStepAt, last_dh_step_at),
  lost = lost + @lost,
  held = CASE WHEN @dhStepAt IS NULL THEN held ELSE 0 END,
  fork_reason = coalesce(fork_reason, @forkReason),
  fork_at = coalesce(fork_at, @forkAt)
WHERE id = @session`;

/** Writes the difference that a step makes, then holds the limits: `RatchetStore.saveReceived`. */
export function saveReceived(
  unit: Unit,
  session: SessionId,
  step: ReceivingStep,
  digest: Uint8Array,
  at: number,
  limits: Limits,
): void {
  const isNewChain = saveChains(unit, session, step);
  unit.update('session', SAVE_STEP, {
    session,
    ...stateColumns(step.state),
    dhStepAt: isNewChain ? at : null,
    lost: step.lost,
    forkReason: step.fork ?? null,
    forkAt: step.fork === undefined ? null : at,
  });
  takePosition(unit, session, step, digest, limits.keptDigests);
  if (step.late) useKey(unit, session, step);
  for (const key of step.gained) keepKey(unit, session, key, at);

  const tooMany = step.gained.length === 0 ? 0 : dropOldestKeys(unit, session, limits.keptKeys);
  const lost = tooMany + dropOldestChains(unit, session, limits);
  if (lost > 0) unit.run('UPDATE sessions SET lost = lost + @lost WHERE id = @session', { session, lost });
}

/** Two messages at one position are refused by the table's primary key. */
function takePosition(unit: Unit, session: SessionId, { chain, n }: ReceivingStep, digest: Uint8Array, kept: number) {
  const row = unit.get<{ received: number }>('SELECT received FROM sessions WHERE id = @session', { session });
  const { received } = found(row, 'session');
  unit.run(
    `INSERT INTO accepted (session_id, chain, n, digest, sequence) VALUES (@session, @chain, @n, @digest, @received)`,
    { session, chain, n, digest, received },
  );
  unit.run('DELETE FROM accepted WHERE session_id = @session AND sequence <= @last', {
    session,
    last: received - kept,
  });
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
