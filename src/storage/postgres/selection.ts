/**
 * Which rows are read from the database, as SQL.
 */
import type { Statement } from './statement.ts';
import type { Table } from './tables.ts';

/** Rows with all that they are deleted with, and what else is wanted. */
export interface Selection {
  /** Without it, the rows of all tables. */
  readonly tables?: readonly Table[];
  /** The rows with these keys. */
  readonly keys?: readonly Uint8Array[];
  /** The rows that are looked up by this. */
  readonly lookup?: Uint8Array;
  /** The rows whose parent has one of these keys. */
  readonly parents?: readonly Uint8Array[];
  /** Only those whose ordinal is at most this. */
  readonly upTo?: number;
  /** With all that lies below them in these tables; and below the parents that they have, all the way up. */
  readonly below?: readonly Table[];
  /** With the contents of the rows. */
  readonly withContent?: boolean;
}

/** The columns of each row: kind, key, commit_id, record, content (`null` if it is not wanted). */
export function statementOf(identity: string, selection: Selection): Statement {
  const { tables, keys, lookup, parents, upTo, below = [], withContent = false } = selection;
  const values: unknown[] = [identity];
  const parameter = (value: unknown) => `$${values.push(value)}`;
  const conditions = ['identity = $1'];
  if (tables !== undefined) conditions.push(`kind = ANY (${parameter(tables.map(({ kind }) => kind))}::smallint[])`);
  if (keys !== undefined) conditions.push(`key = ANY (${parameter(keys)}::bytea[])`);
  if (lookup !== undefined) {
    const value = parameter(lookup);
    conditions.push(`(lookup = ${value}::bytea OR other_lookup = ${value}::bytea)`);
  }
  if (parents !== undefined) conditions.push(`parent = ANY (${parameter(parents)}::bytea[])`);
  if (upTo !== undefined) conditions.push(`ordinal <= ${parameter(upTo)}`);
  const beneath = below.length === 0 ? '' : descent(parameter(below.map(({ kind }) => kind)));
  return {
    text: `
WITH RECURSIVE found AS (SELECT key, parent FROM pawl.rows WHERE ${conditions.join(' AND ')}),
above AS (
  SELECT key, parent FROM found
  UNION SELECT r.key, r.parent FROM pawl.rows r JOIN above a ON r.identity = $1 AND r.key = a.parent
)${beneath}
SELECT r.kind, r.key, r.commit_id, r.record, ${withContent ? 'r.content' : 'NULL::bytea'}
FROM pawl.rows r JOIN ${beneath === '' ? 'above' : 'below'} chosen ON r.identity = $1 AND r.key = chosen.key`,
    values,
  };
}

function descent(kinds: string): string {
  return `,
below AS (
  SELECT key FROM above
  UNION SELECT r.key FROM pawl.rows r JOIN below b ON r.identity = $1 AND r.parent = b.key AND r.kind = ANY (${kinds}::smallint[])
)`;
}
