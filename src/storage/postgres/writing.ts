/**
 * Seals what a unit of work has changed.
 */
import { wipe } from '../../primitives/index.ts';
import { mustExist } from '../transaction.ts';
import { encodeRecord, type IdentityRecord } from './identity-record.ts';
import { IDENTITY_PLACE } from './identity-row.ts';
import type { RowKeys } from './row-keys.ts';
import type { Rows } from './rows.ts';
import type { Statement } from './selection.ts';
import type { WorkingSet } from './working-set.ts';

/** What is known of the identity beside its rows. */
export interface Sealing extends Pick<IdentityRecord, 'generation' | 'server' | 'bounds' | 'commits'> {
  readonly keys: RowKeys;
  /** Of this commit: 16 random bytes. */
  readonly commitId: Uint8Array;
}

/** Seals the changed rows of a working set, and the record of the identity that lists them. */
export function sealChanges(
  set: WorkingSet,
  rows: Rows,
  { keys, commitId, generation, commits, ...rest }: Sealing,
): { readonly statements: readonly Statement[]; readonly record: Uint8Array } {
  set.loading(() => set.run('UPDATE identity SET generation = @generation', { generation }));
  const { statements, children } = rows.write(commitId);
  const plain = encodeRecord({
    ...rest,
    holds: holdsIn(set),
    schema: set.schema,
    generation,
    row: mustExist(set.identityRow(), 'identity'),
    sequences: set.sequences(),
    commits: commits.with(commitId),
    children,
  });
  const record = keys.seal(plain, { ...IDENTITY_PLACE, commitId });
  wipe(plain);
  return { statements, record };
}

/** How often all sessions were held. A column that an old schema does not have. */
export function holdsIn(set: WorkingSet): number {
  return set.get<{ readonly holds?: number }>('SELECT * FROM identity')?.holds ?? 0;
}
