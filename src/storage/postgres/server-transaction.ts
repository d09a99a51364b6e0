/**
 * Transactions of the server, each of which begins with the row of an identity: under its lock, where something is to be written.
 * Knows nothing of what is in the row.
 */
import type { Server } from './identity-record.ts';
import { type Answer, ConnectionLost, type ServerClient, whereReading } from './server-client.ts';
import { expectingOne, type Statement } from './statement.ts';

const COMMIT: Statement = { text: 'COMMIT', values: [] };
export const ROLLBACK: Statement = { text: 'ROLLBACK', values: [] };

/** A transaction in which nothing was said for so long is ended by the server: its process has stopped, or its network. */
const LONGEST_SILENCE = '60s';

/** A transaction that reads or writes all rows takes time between two statements, except at its end. */
export const LONG_SILENCE = silenceOf('900s');
export const USUAL_SILENCE = silenceOf(LONGEST_SILENCE);

function silenceOf(time: string): Statement {
  return { text: "SELECT set_config('idle_in_transaction_session_timeout', $1, TRUE)", values: [time] };
}

/** Whatever the server's defaults are. Who waits for the lock is to see what the one before has committed. */
const BEGIN = {
  writes: 'BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE',
  reads: 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY',
} as const;

/**
 * COMMIT is as strong as the server's own setting, and at least on the disk of the server and of its synchronous standbys. That
 * none of these may have it, the server only warns of.
 */
const SETTINGS = `
SELECT set_config('bytea_output', 'hex', TRUE), set_config('lock_timeout', $1, TRUE),
  set_config('client_min_messages', 'warning', TRUE),
  set_config('idle_in_transaction_session_timeout', '${LONGEST_SILENCE}', TRUE),
  CASE WHEN current_setting('synchronous_commit') IN ('off', 'local', 'remote_write')
    THEN set_config('synchronous_commit', 'on', TRUE) END`;

const SELECT = 'SELECT id::text, layout, salt, check_value, commit_id, record FROM pawl.identities WHERE name = $1';

/** The server that we are connected to, and its clock: see `Server`. */
const SELECT_SERVER = `
SELECT (SELECT system_identifier::text FROM pg_control_system()),
  CASE WHEN pg_is_in_recovery() THEN (SELECT timeline_id FROM pg_control_checkpoint())
    ELSE ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int END,
  extract(epoch FROM clock_timestamp())::float8 * 1000,
  current_setting('synchronous_standby_names') <> '' AND NOT pg_is_in_recovery()`;

/** What is found at the beginning of a transaction. */
export interface Beginning {
  /** In clear; `undefined` where there is no identity of that name. */
  readonly salt: Uint8Array | undefined;
  /** The columns of {@link SELECT}. */
  readonly columns: readonly unknown[] | undefined;
  readonly server: Server;
  readonly readAt: number;
  /** Whether COMMIT waits for standbys: one whose waiting was broken off is seen, and may be on none of them. */
  readonly hasStandbys: boolean;
}

/**
 * Begins a transaction, and reads the row of an identity, in one round trip.
 * @param wait how long others who use the identity are waited for, in milliseconds.
 * @throws `busy`, and what `ServerClient.run` throws. No transaction is open then.
 */
export async function beginTransaction(
  client: ServerClient,
  name: string,
  { kind, wait }: { readonly kind: 'reads' | 'writes'; readonly wait: number },
): Promise<Beginning> {
  try {
    const [, , identity, server] = await client.run(
      { text: BEGIN[kind], values: [] },
      { text: SETTINGS, values: [`${Math.max(1, Math.round(wait))}`] },
      { text: kind === 'writes' ? `${SELECT} FOR UPDATE` : SELECT, values: [name] },
      { text: SELECT_SERVER, values: [] },
    );
    const columns = identity?.rows[0];
    const salt = columns?.[2];
    return { columns, salt: salt instanceof Uint8Array ? salt : undefined, ...serverIn(server) };
  } catch (error) {
    await client.run(ROLLBACK).catch(() => undefined);
    throw kind === 'reads' ? whereReading(error) : error;
  }
}

function serverIn(answer: Answer | undefined) {
  const [system, timeline, readAt, hasStandbys] = answer?.rows[0] ?? [];
  return {
    server: { system: String(system), timeline: Number(timeline) },
    readAt: Math.floor(Number(readAt)),
    hasStandbys: hasStandbys !== false,
  };
}

/**
 * Sends statements, and COMMIT behind them.
 * @returns why it is not known whether the transaction is committed, and as durable as it is to be; `undefined`: it is.
 * @throws the error of the first statement that the server refuses: nothing is committed then.
 */
export async function commitAfter(
  client: ServerClient,
  statements: readonly Statement[],
): Promise<ConnectionLost | undefined> {
  const [changing, committing] = await Promise.allSettled([client.run(...statements), client.run(COMMIT)]);
  if (changing.status === 'rejected') {
    if (changing.reason instanceof ConnectionLost) return changing.reason;
    throw changing.reason;
  }
  // How grave an error is, a server says in its own language: of one at COMMIT it is not asked.
  if (committing.status === 'rejected') {
    const { reason } = committing;
    return reason instanceof ConnectionLost ? reason : new ConnectionLost(String(reason), { cause: reason });
  }
  const [done] = committing.value;
  if (done?.command !== 'COMMIT') throw new Error('the database has not committed');
  return done.isDoubtful ? new ConnectionLost('its standby has not confirmed it') : undefined;
}

/** Writes the row of an identity as it is. */
const TOUCH = expectingOne('UPDATE pawl.identities SET layout = layout WHERE name = $1');

/**
 * Ends a transaction that only reads the row of an identity, with a COMMIT that is as durable as those before it, which
 * standbys may not have had.
 * @returns whether it is known that what was read is as durable as it is to be.
 */
export async function commitAsRead(client: ServerClient, name: string, { columns }: Beginning): Promise<boolean> {
  const touching = columns === undefined ? [] : [{ text: TOUCH, values: [name] }];
  return (await commitAfter(client, touching)) === undefined;
}
