import type Database from 'better-sqlite3-multiple-ciphers';
import { type FileKey, readSalt } from '../../src/storage/index.ts';
import { openDatabase } from '../../src/storage/sqlcipher.ts';
import type { Home } from './shell.ts';

/** Opens the identity file of that name past the program, with the home's key file or another key. */
export function withDatabase<Result>(
  home: Home,
  name: string,
  work: (database: Database.Database) => Result,
  key: Uint8Array = home.read('.key'),
): Result {
  const database = openIdentity(home, name, key);
  try {
    return work(database);
  } finally {
    database.close();
  }
}

export function openIdentity(home: Home, name: string, key: Uint8Array = home.read('.key')): Database.Database {
  const path = home.identity(name);
  return openDatabase(path, { key: new Uint8Array(key) as FileKey, salt: readSalt(path) }, { wait: 0 });
}
