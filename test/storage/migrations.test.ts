import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Connection } from '../../src/storage/sqlite/connection.ts';
import { MIGRATIONS, migrate, schemaVersion } from '../../src/storage/sqlite/migrations.ts';
import { addContact } from './fixtures.ts';
import { KEY, newFile, openStore, SALT, temporaryFolder } from './folder.ts';
import { contents, refusal } from './refusals.ts';

const ADD_NOTE = "ALTER TABLE contacts ADD COLUMN note TEXT; UPDATE contacts SET note = 'of ' || name";
const RENAME_NOTE = 'ALTER TABLE contacts RENAME COLUMN note TO remark';

/** A file of the newest version with a contact in it. */
async function newestFile() {
  const path = newFile();
  const store = openStore(path);
  await store.transaction((transaction) => addContact(transaction, 'alice'));
  store.close();
  const connection = new Connection(path, { key: KEY, salt: SALT }, 0);
  onTestFinished(() => connection.close());
  return { path, connection };
}

describe('migrations', () => {
  it('bring an old file to the newest schema, with what is in it', async () => {
    const { connection } = await newestFile();
    migrate(connection, [...MIGRATIONS, ADD_NOTE, RENAME_NOTE]);
    expect(schemaVersion(connection)).toBe(MIGRATIONS.length + 2);
    expect(connection.all('SELECT name, remark FROM contacts')).toEqual([{ name: 'alice', remark: 'of alice' }]);
  });

  it('are done once', async () => {
    const { path, connection } = await newestFile();
    migrate(connection, [...MIGRATIONS, ADD_NOTE]);
    const before = contents(dirname(path));
    migrate(connection, [...MIGRATIONS, ADD_NOTE]);
    expect(contents(dirname(path))).toEqual(before);
  });

  it('leave the file byte for byte what it was when one of them fails', async () => {
    const { path, connection } = await newestFile();
    const before = contents(dirname(path));
    expect(() => migrate(connection, [...MIGRATIONS, ADD_NOTE, 'DROP TABLE no_such_table'])).toThrow('no_such_table');
    expect(contents(dirname(path))).toEqual(before);
    expect(schemaVersion(connection)).toBe(MIGRATIONS.length);
  });

  it('refuse a file of a newer schema', async () => {
    const { path, connection } = await newestFile();
    const error = await refusal(() => migrate(connection, []));
    expect([error.code, error.detail]).toEqual(['newer-schema', { path, found: MIGRATIONS.length, known: 0 }]);
  });

  it('wait for nobody who is migrating already', async () => {
    const { path, connection } = await newestFile();
    const other = new Connection(path, { key: KEY, salt: SALT }, 0);
    onTestFinished(() => other.close());
    other.begin('IMMEDIATE');
    expect((await refusal(() => migrate(connection, [...MIGRATIONS, ADD_NOTE]))).code).toBe('busy');
  });

  it('take the invites of version 2 for what they are: used once', async () => {
    const path = join(temporaryFolder(), 'bob.db');
    writeFileSync(path, '');
    const connection = new Connection(path, { key: KEY, salt: SALT }, 0);
    onTestFinished(() => connection.close());
    migrate(connection, MIGRATIONS.slice(0, 2));
    connection.execute(`INSERT INTO identity VALUES (1, 'bob', zeroblob(32), zeroblob(32), 0, 0);
      INSERT INTO invites (id, contact_name, created_at, expires, fate, spent_by, spent_at)
      VALUES (zeroblob(16), 'alice', 1, 2, 'spent', zeroblob(32), 3)`);
    migrate(connection);
    const store = openStore(path);
    const invites = await store.snapshot((view) => view.invites());
    expect(invites).toMatchObject([{ contactName: 'alice', lastUser: undefined, fate: { kind: 'spent', at: 3 } }]);
    expect(await store.snapshot((view) => view.isInLedger(new Uint8Array(16)))).toBe(false);
  });
});
