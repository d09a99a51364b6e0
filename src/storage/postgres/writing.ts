/**
 * Seals what a unit of work has changed.
 */
import { wipe } from '../../primitives/index.ts';
import { mustExist } from '../transaction.ts';
import { bytesIn, encodeRecord, type IdentityRecord } from './identity-record.ts';
import { placeOfIdentity } from './identity-row.ts';
import type { RowKeys } from './row-keys.ts';
import type { Rows } from './rows.ts';
import type { ServerClient } from './server-client.ts';
import type { Statement } from './statement.ts';
import type { WorkingSet } from './working-set.ts';

/** What is known of the identity beside its rows. */
export interface Sealing extends Pick<IdentityRecord, 'generation' | 'server' | 'bounds' | 'commits'> {
  /** Of the identity. */
  readonly name: string;
  readonly keys: RowKeys;
  /** Of this commit: 16 random bytes. */
  readonly commitId: Uint8Array;
}

/** Seals the changed rows of a working set, and the record of the identity that lists them. */
export function sealChanges(
  set: WorkingSet,
  rows: Rows,
  { name, keys, commitId, generation, commits, ...rest }: Sealing,
): { readonly statements: Iterable<Statement>; readonly record: Uint8Array } {
  set.loading(() => set.run('UPDATE identity SET generation = @generation', { generation }));
  const { statements, children } = rows.write(commitId);
  const row = mustExist(set.identityRow(), 'identity');
  const plain = encodeRecord({
    ...rest,
    holds: holdsIn(set),
    schema: set.schema,
    generation,
    row,
    sequences: set.sequences(),
    commits: commits.with(commitId),
    children,
  });
  const record = keys.seal(plain, placeOfIdentity(keys, name, commitId));
  wipe(plain, ...bytesIn(row));
  return { statements, record };
}

/** So many statements are sealed and sent at a time. */
const PIECE = 500;

/** Sends statements, and returns those of the last piece, which are to go with COMMIT. */
export async function sendPieces(client: ServerClient, statements: Iterable<Statement>): Promise<readonly Statement[]> {
  let piece: Statement[] = [];
  for (const statement of statements) {
    if (piece.length === PIECE) {
      await client.run(...piece);
      piece = [];
    }
    piece.push(statement);
  }
  return piece;
}

/** How often all sessions were held. A column that an old schema does not have. */
export function holdsIn(set: WorkingSet): number {
  return set.get<{ readonly holds?: number }>('SELECT * FROM identity')?.holds ?? 0;
}
