import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Connection } from '../../src/storage/connection.ts';
import { applyMigrations, MIGRATIONS } from '../../src/storage/migrations.ts';
import old from '../vectors/version-1.json' with { type: 'json' };
import { KEY, SALT, temporaryFolder } from './folder.ts';

/** A value of a row: bytes as hex. */
type Value = string | number | { readonly hex: string };
type Tables = Readonly<Record<string, readonly Readonly<Record<string, Value>>[]>>;

/** Envelopes of that time that have not arrived. */
export const LATE: readonly { to: string; text: string; envelope: Uint8Array }[] = old.late.map((message) => ({
  ...message,
  envelope: new Uint8Array(Buffer.from(message.envelope, 'hex')),
}));

export function tablesOfVersion1(name: 'alice' | 'bob'): Tables {
  return old[name] as unknown as Tables;
}

/** The identity file of that person as a pawl of schema version 1 left it. @returns its path. */
export function fileOfVersion1(name: 'alice' | 'bob'): string {
  const path = join(temporaryFolder(), `${name}.db`);
  writeFileSync(path, '');
  const connection = new Connection(path, { key: KEY, salt: SALT }, 0);
  connection.execute('PRAGMA auto_vacuum = INCREMENTAL');
  connection.atomically(() => {
    applyMigrations(connection, MIGRATIONS.slice(0, 1));
    for (const [table, rows] of Object.entries(tablesOfVersion1(name))) {
      for (const row of rows) {
        const columns = Object.keys(row);
        const values = columns.map((column) => `@${column}`);
        const bound = Object.entries(row).map(([column, value]) => [column, bytesIn(value)]);
        connection.run(`INSERT INTO ${table} (${columns}) VALUES (${values})`, Object.fromEntries(bound));
      }
    }
  });
  connection.close();
  return path;
}

export function bytesIn(value: Value): string | number | Uint8Array {
  return typeof value === 'object' ? new Uint8Array(Buffer.from(value.hex, 'hex')) : value;
}
