/**
 * The checks of `pawl inspect --check`: every page and every row of the file.
 * Repairs nothing.
 */
import type { Connection } from './connection.ts';
import type { Statements } from './statements.ts';

/**
 * Rows that the commands cannot do without, and that no constraint of the schema demands. Each query returns a row if one
 * of them is missing.
 */
const REQUIRED: readonly { readonly problem: string; readonly sql: string }[] = [
  {
    problem: 'there is no identity',
    sql: 'SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM identity)',
  },
  {
    problem: 'a session has no next chain',
    sql: `SELECT 1 FROM sessions s WHERE NOT EXISTS
      (SELECT 1 FROM receiving_chains c WHERE c.session_id = s.id AND c.state = 'next') LIMIT 1`,
  },
];

/** In KiB. The three checks read the same pages, and each page costs an HMAC each time that it is read. */
const CACHE = 32 * 1_024;

/**
 * Checks everything: what `checkPages` checks, and that the rows which the commands require are there.
 * @returns one sentence for each problem.
 */
export function checkFile(connection: Connection): readonly string[] {
  return connection.caching(CACHE, () => checkRows(connection));
}

/** Checks everything in a database: see {@link checkFile}. */
export function checkRows(database: Statements): readonly string[] {
  return [
    ...checkPages(database),
    ...REQUIRED.filter(({ sql }) => database.get(sql) !== undefined).map(({ problem }) => problem),
  ];
}

/**
 * Checks the structure of the database, each row against the constraints of its table and against the indexes, and the
 * foreign keys. Reads every page that is in use, and so verifies its HMAC.
 * @returns one sentence for each problem.
 */
export function checkPages(connection: Statements): readonly string[] {
  const lines = connection.all<{ readonly integrity_check: string }>('PRAGMA integrity_check');
  const orphans = connection.all<{ readonly table: string }>('PRAGMA foreign_key_check');
  return [
    ...lines.map(({ integrity_check }) => integrity_check).filter((line) => line !== 'ok'),
    ...orphans.map(({ table }) => `a row of ${table} belongs to nothing`),
  ];
}
