/**
 * Opens the row of an identity that a transaction has read.
 */
import { PawlError } from '../../errors.ts';
import { equal, wipe } from '../../primitives/index.ts';
import { MIGRATIONS } from '../migrations.ts';
import type { Lock } from '../sqlcipher.ts';
import { decodeRecord, type IdentityRecord, type Server } from './identity-record.ts';
import type { Place, RowKeys } from './row-keys.ts';
import { LAYOUT } from './schema.ts';
import type { Beginning } from './server-transaction.ts';

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
  /** See `Beginning`. */
  readonly hasStandbys: boolean;
}

/** The place that the record of an identity of that name is sealed for. */
export function placeOfIdentity(keys: RowKeys, name: string, commitId: Uint8Array): Place {
  return { table: 'identity', key: keys.tag('identity', 'key', [name]), column: 'record', commitId };
}

/** With what an identity is opened. */
export interface Credentials {
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
export function identityIn(
  { columns, server, readAt, hasStandbys }: Beginning,
  { name, lock, keys, path }: Credentials,
): IdentityRow {
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
  return { id, commitId: place.commitId, record, server, readAt, hasStandbys };
}
