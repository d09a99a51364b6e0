/**
 * Reads the row of an identity at the beginning of a transaction: under its lock, where something is to be written.
 */
import { PawlError } from '../../errors.ts';
import { equal, wipe } from '../../primitives/index.ts';
import { MIGRATIONS } from '../migrations.ts';
import type { Lock } from '../sqlcipher.ts';
import { decodeRecord, type IdentityRecord, type Server } from './identity-record.ts';
import type { Place, RowKeys } from './row-keys.ts';
import { LAYOUT } from './schema.ts';
import { expectingOne, type Statement } from './selection.ts';
import { type Answer, ConnectionLost, type ServerClient, whereReading } from './server-client.ts';

/** The row of an identity. */
export interface IdentityRow {
  /** Its number in the database. */
  readonly id: string;
  /** Of the last commit: 16 bytes. */
  readonly commitId: Uint8Array;
  readonly record: IdentityRecord;
  /** That we are connected to. */
  readonly server: Server;
  /** By the server's clock, in unix milliseconds. */
  readonly readAt: number;
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

/** Where the record of an identity of that name is sealed for. */
export function placeOfIdentity(keys: RowKeys, name: string, commitId: Uint8Array): Place {
  return { table: 'identity', key: keys.tag('identity', 'key', [name]), column: 'record', commitId };
}

/** Writes the row of an identity as it is. */
const TOUCH = expectingOne('UPDATE pawl.identities SET layout = layout WHERE name = $1');

const COMMIT: Statement = { text: 'COMMIT', values: [] };
export const ROLLBACK: Statement = { text: 'ROLLBACK', values: [] };

/** A transaction in which nothing was said for so long is ended by the server: its process has stopped, or its network. */
const LONGEST_SILENCE = '60s';

/** For a transaction that reads or writes all rows, which takes time between two statements. */
export const LONG_SILENCE: Statement = {
  text: "SELECT set_config('idle_in_transaction_session_timeout', '900s', TRUE)",
  values: [],
};

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
  extract(epoch FROM clock_timestamp())::float8 * 1000`;

/** What is found at the beginning of a transaction. */
export interface Beginning {
  /** In clear; `undefined` where there is no identity of that name. */
  readonly salt: Uint8Array | undefined;
  /** The columns of {@link SELECT}. */
  readonly columns: readonly unknown[] | undefined;
  readonly server: Server;
  readonly readAt: number;
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
  const [system, timeline, readAt] = answer?.rows[0] ?? [];
  return { server: { system: String(system), timeline: Number(timeline) }, readAt: Math.floor(Number(readAt)) };
}

/**
 * Ends a transaction that only reads the row of an identity, with a COMMIT that is as durable as those before it, which
 * standbys may not have had.
 * @returns whether it is known that what was read is as durable as it is to be.
 */
export async function commitAsRead(client: ServerClient, name: string, { columns }: Beginning): Promise<boolean> {
  const touching = columns === undefined ? [] : [{ text: TOUCH, values: [name] }];
  return (await commitAfter(client, touching)) === undefined;
}

/** With what an identity is opened. */
export interface Opening {
  readonly name: string;
  readonly lock: Lock;
  readonly keys: RowKeys;
  /** What the database is called in messages. */
  readonly path: string;
}

/**
 * Opens the record of an identity. It may be of an older schema.
 * @throws `not-an-identity` where there is none of that name, `newer-schema`, `replaced` where the salt is another by now,
 * `wrong-passphrase`, `damaged`.
 */
export function identityIn({ columns, server, readAt }: Beginning, { name, lock, keys, path }: Opening): IdentityRow {
  const damaged = (): never => {
    throw new PawlError('damaged', { path });
  };
  if (columns === undefined) throw new PawlError('not-an-identity', { path });
  const [id, layout, salt, checkValue, commitId, sealed] = columns;
  if (typeof layout !== 'number' || layout > LAYOUT) {
    throw new PawlError('newer-schema', { path, found: Number(layout), known: LAYOUT });
  }
  const isWhole = [salt, checkValue, commitId, sealed].every((bytes) => bytes instanceof Uint8Array);
  if (typeof id !== 'string' || !isWhole) return damaged();
  if (!equal(salt as Uint8Array, lock.salt)) throw new PawlError('replaced', { path });
  if (!keys.fits(checkValue as Uint8Array)) throw new PawlError('wrong-passphrase', { path });
  if (!Number.isSafeInteger(server.timeline) || !Number.isSafeInteger(readAt)) return damaged();
  const place = placeOfIdentity(keys, name, commitId as Uint8Array);
  const plain = keys.open(sealed as Uint8Array, place) ?? damaged();
  const record = decodeRecord(plain, damaged);
  wipe(plain);
  if (record.schema > MIGRATIONS.length) {
    throw new PawlError('newer-schema', { path, found: record.schema, known: MIGRATIONS.length });
  }
  return { id, commitId: place.commitId, record, server, readAt };
}
