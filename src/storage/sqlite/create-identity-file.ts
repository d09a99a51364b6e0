import { makeFile } from '../../files/index.ts';
import type { IdentityRecord } from '../identity-record.ts';
import { Connection } from './connection.ts';
import type { Lock } from './database.ts';
import { keepingRow } from './history.ts';
import { applyMigrations } from './migrations.ts';

/** Makes an identity file, for our eyes only; one that is there is never replaced. @throws `exists`, `cannot-create`. */
export function createIdentityFile(path: string, lock: Lock, record: IdentityRecord): void {
  makeFile(path, (draft) => build(draft, lock, record));
}

/** One transaction, whose commit makes it durable. */
function build(path: string, lock: Lock, { name, identity, createdAt, keeping }: IdentityRecord): void {
  const connection = new Connection(path, lock, 0);
  try {
    // Works only while a file is empty. It lets the file shrink again.
    connection.execute('PRAGMA auto_vacuum = INCREMENTAL');
    connection.atomically(() => {
      applyMigrations(connection);
      connection.run(
        `INSERT INTO identity (id, name, seed, public_key, created_at, history_since, history_for)
        VALUES (1, @name, @seed, @key, @createdAt, @since, @keptFor)`,
        { name, seed: identity.seed, key: identity.key, createdAt, ...keepingRow(keeping) },
      );
    });
  } finally {
    connection.close();
  }
}
