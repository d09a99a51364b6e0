/**
 * Copies an identity from one database to another of the same schema.
 * Knows no tables: it copies all of them.
 */
import { wipe } from '../primitives/index.ts';
import type { Parameters, Statements } from './statements.ts';

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

function copyTable(name: string, from: Statements, to: Statements): void {
  const columns = from.all<{ readonly name: string }>(`PRAGMA table_info(${name})`).map((column) => column.name);
  const insert = `INSERT INTO ${name} (${columns.join(', ')}) VALUES (${columns.map((column) => `@${column}`).join(', ')})`;
  from.each<readonly Value[]>(`SELECT ${columns.join(', ')} FROM ${name}`, {}, (row) => {
    to.run(insert, Object.fromEntries(columns.map((column, index) => [column, row[index] ?? null])));
    wipe(...row.filter((value) => value instanceof Uint8Array));
  });
}
