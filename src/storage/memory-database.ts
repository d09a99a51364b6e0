/**
 * A database in memory with the tables of an identity, and without rows.
 * Does not know whose rows it gets, and where they go.
 */
import Database from 'better-sqlite3-multiple-ciphers';
import { applyMigrations, MIGRATIONS, schemaVersion } from './migrations.ts';
import { Statements } from './statements.ts';

const SETTINGS = `
PRAGMA foreign_keys = ON;
PRAGMA secure_delete = ON;
PRAGMA temp_store = MEMORY;
PRAGMA trusted_schema = OFF;
`;

export class MemoryDatabase extends Statements {
  readonly #database: Database.Database;

  /**
   * @param path what the store is called in error messages.
   * @param version of the schema: an older one for rows that are to be migrated.
   */
  constructor(path: string, version = MIGRATIONS.length) {
    const database = new Database(':memory:');
    super(database, path);
    this.#database = database;
    this.execute(SETTINGS);
    applyMigrations(this, MIGRATIONS.slice(0, version));
  }

  /** The version of the schema that its rows are of. */
  get schema(): number {
    return schemaVersion(this);
  }

  close(): void {
    this.#database.close();
  }
}
