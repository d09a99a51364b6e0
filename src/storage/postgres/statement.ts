/**
 * A statement of SQL that is sent to the server.
 */

/** A statement, and the values of its parameters in their order. */
export interface Statement {
  readonly text: string;
  readonly values: readonly unknown[];
}

/**
 * A change of exactly one row. Where another number is changed, the server divides by zero, and commits nothing of the
 * transaction.
 */
export function expectingOne(change: string): string {
  return `WITH changed AS (${change} RETURNING 1) SELECT 1 / (count(*) = 1)::int FROM changed`;
}
