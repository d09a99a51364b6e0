/**
 * Migrates a file to the newest schema.
 * The statements are in `schema.ts`.
 */
import { PawlError } from '../errors.ts';
import type { Connection } from './connection.ts';
import {
  VERSION_1,
  VERSION_2,
  VERSION_3,
  VERSION_4,
  VERSION_5,
  VERSION_6,
  VERSION_7,
  VERSION_8,
  VERSION_9,
  VERSION_10,
  VERSION_11,
} from './schema.ts';
import type { Statements } from './statements.ts';

/** The migration at index i leads from schema version i to version i + 1. A released migration never changes. */
export const MIGRATIONS: readonly string[] = [
  VERSION_1,
  VERSION_2,
  VERSION_3,
  VERSION_4,
  VERSION_5,
  VERSION_6,
  VERSION_7,
  VERSION_8,
  VERSION_9,
  VERSION_10,
  VERSION_11,
];

/** Returns the schema version of a file: its `user_version`. */
export function schemaVersion(connection: Statements): number {
  return connection.get<{ user_version: number }>('PRAGMA user_version')?.user_version ?? 0;
}

/**
 * Migrates a file in one transaction. Does not write to a file that has the newest schema.
 * @throws `newer-schema`, `busy`, `write-failed`.
 */
export function migrate(connection: Connection, migrations = MIGRATIONS): void {
  if (hasNewestSchema(connection, migrations)) return;
  connection.atomically(() => applyMigrations(connection, migrations));
}

/** @throws `newer-schema` */
export function hasNewestSchema(connection: Statements, migrations = MIGRATIONS): boolean {
  return versionToMigrate(connection, migrations) === migrations.length;
}

/** Does so inside a transaction that is open. */
export function applyMigrations(connection: Statements, migrations = MIGRATIONS): void {
  // Read again, because another process may have migrated the file in the meantime.
  for (const migration of migrations.slice(versionToMigrate(connection, migrations))) connection.execute(migration);
  connection.execute(`PRAGMA user_version = ${migrations.length}`);
}

function versionToMigrate(connection: Statements, migrations: readonly string[]): number {
  const found = schemaVersion(connection);
  const known = migrations.length;
  if (found > known) throw new PawlError('newer-schema', { path: connection.path, found, known });
  return found;
}
