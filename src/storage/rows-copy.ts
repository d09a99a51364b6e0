/**
 * Copies an identity from one database to another of the same schema.
 * Knows no tables: it copies all of them.
 */
import { type IdentitySeed, wipe } from '../primitives/index.ts';
import type { IdentityStore } from './identity-store.ts';
import { Mark } from './rollback-mark.ts';
import type { Parameters, Statements } from './statements.ts';
import { mustExist } from './transaction.ts';

type Value = Parameters[string];

/**
 * Copies all rows, and which ids were given. To be called within a transaction.
 * @param to has the tables, and no rows.
 */
export function copyRows(from: Statements, to: Statements): void {
  // Tables that a migration has made anew stand behind those that refer to them.
  to.execute('PRAGMA defer_foreign_keys = ON');
  const tables = from.all<{ readonly name: string }>(
    "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY rowid",
  );
  for (const { name } of tables) copyTable(name, from, to);
  to.execute('DELETE FROM sqlite_sequence');
  copyTable('sqlite_sequence', from, to);
}

/** An identity on its way to another place. */
export interface Departing {
  readonly generation: number;
  /** Where it is noted that this machine has seen that generation; `undefined` where no marks are kept. */
  readonly mark: Mark | undefined;
  /** By how much the clock that has timed its claims is ahead of ours, in milliseconds. */
  readonly clockAhead: number;
}

/**
 * Copies all that a store has, for another place: newer than it is here, and than the mark of this machine, also as to how often
 * all sessions were held; and not being moved.
 * @param to has the tables, and no rows.
 * @param marks the folder of the rollback marks.
 */
export async function copyForElsewhere(
  source: IdentityStore,
  to: Statements,
  marks: string | undefined,
): Promise<Departing> {
  await source.copyRowsInto(to);
  const row = to.get<{ readonly seed: IdentitySeed; readonly last: number }>(
    'SELECT seed, generation AS last FROM identity',
  );
  const { seed, last } = mustExist(row, 'identity');
  const mark = marks === undefined ? undefined : new Mark(marks, seed);
  wipe(seed);
  const { generation: marked = 0, commit } = mark?.read() ?? {};
  // One commit is still to come here, which says that the other may have been made.
  const generation = Math.max(last, marked) + 2;
  to.run(
    `UPDATE identity SET moving_to = NULL, moving_from = NULL, generation = @generation, holds = max(holds, @holds)`,
    { generation, holds: commit?.holds ?? 0 },
  );
  return { generation, mark, clockAhead: source.clockAhead ?? 0 };
}

/**
 * Has claims run out when they would have: where they are now, another clock times them.
 * @param by how far that clock is ahead of the former one, in milliseconds.
 */
export function shiftClaims(to: Statements, by: number): void {
  to.run('UPDATE inbox SET claimed_at = claimed_at + @by WHERE process IS NOT NULL', { by });
  to.run('UPDATE incoming SET claimed_at = claimed_at + @by WHERE process IS NOT NULL', { by });
  to.run('UPDATE outgoing SET advanced_at = advanced_at + @by', { by });
  to.run('UPDATE outbox SET created_at = created_at + @by WHERE process IS NOT NULL', { by });
}

function copyTable(name: string, from: Statements, to: Statements): void {
  const columns = from.all<{ readonly name: string }>(`PRAGMA table_info(${name})`).map((column) => column.name);
  const insert = `INSERT INTO ${name} (${columns.join(', ')}) VALUES (${columns.map((column) => `@${column}`).join(', ')})`;
  from.each<readonly Value[]>(`SELECT ${columns.join(', ')} FROM ${name}`, {}, (row) => {
    to.run(insert, Object.fromEntries(columns.map((column, index) => [column, row[index] ?? null])));
    wipe(...row.filter((value) => value instanceof Uint8Array));
  });
}
