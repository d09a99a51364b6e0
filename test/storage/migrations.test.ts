import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { decodeWhole, encodeContent, headOf } from '../../src/envelope/index.ts';
import { equal, utf8 } from '../../src/primitives/index.ts';
import { Connection } from '../../src/storage/connection.ts';
import { MIGRATIONS, migrate, schemaVersion } from '../../src/storage/migrations.ts';
import { addContact, bytesOf, incomingOf, outgoingTo, partRecord } from './fixtures.ts';
import { KEY, newFile, openStore, SALT, temporaryFolder } from './folder.ts';
import { contents, refusal } from './refusals.ts';
import { bytesIn, fileOfVersion1, tablesOfVersion1 } from './version-1.ts';

const ADD_NOTE = "ALTER TABLE contacts ADD COLUMN note TEXT; UPDATE contacts SET note = 'of ' || name";
const RENAME_NOTE = 'ALTER TABLE contacts RENAME COLUMN note TO remark';

const NEWEST = MIGRATIONS.length;

/** Bob's file as it was made at a version of the schema, with those rows, and is migrated to today's. */
function migratedFrom(version: number, rows = '') {
  const path = join(temporaryFolder(), 'bob.db');
  writeFileSync(path, '');
  const connection = new Connection(path, { key: KEY, salt: SALT }, 0);
  onTestFinished(() => connection.close());
  migrate(connection, MIGRATIONS.slice(0, version));
  connection.execute(`
    INSERT INTO identity (id, name, seed, public_key, created_at) VALUES (1, 'bob', zeroblob(32), zeroblob(32), 0);
    ${rows}`);
  migrate(connection);
  return openStore(path);
}

/** A file of today's version with a contact in it. */
async function fileOfToday() {
  const path = newFile();
  const store = openStore(path);
  await store.transaction((transaction) => addContact(transaction, 'alice'));
  store.close();
  const connection = new Connection(path, { key: KEY, salt: SALT }, 0);
  onTestFinished(() => connection.close());
  return { path, connection };
}

describe('migrations', () => {
  it('find out what the texts in the inbox of version 6 are, and keep every byte of them', async () => {
    const plaintexts = [
      encodeContent({ type: 'text', sentAt: 1_767_225_600_123, bytes: utf8('hi') }),
      encodeContent({ type: 'file', name: 'a list ä.txt', sentAt: 0, bytes: bytesOf('list', 300) }),
      encodeContent({ type: 'file', name: 'photo.jpg', sentAt: 8.64e15, bytes: bytesOf('photo', 5_000) }),
      encodeContent({ type: 'text', sentAt: 1, bytes: bytesOf('large', 3 * 2 ** 20) }),
      encodeContent({ type: 'file', name: 'empty', sentAt: 2, bytes: new Uint8Array(0) }),
    ];
    const hex = (bytes: Uint8Array) => `x'${Buffer.from(bytes).toString('hex')}'`;
    const rows = plaintexts.map((content, index) => {
      const rest = [];
      for (let at = 2 ** 20; at < content.length; at += 2 ** 20) rest.push(content.subarray(at, at + 2 ** 20));
      return `INSERT INTO inbox VALUES (${index + 1}, 1, zeroblob(16), 0, 0, 7, NULL, ${hex(content.subarray(0, 2 ** 20))});
        ${rest.map((bytes) => `INSERT INTO inbox_rest (entry, bytes) VALUES (${index + 1}, ${hex(bytes)});`).join('')}`;
    });
    const contact = "INSERT INTO contacts VALUES (1, 'alice', zeroblob(32), 0, NULL, NULL, NULL);";
    const store = migratedFrom(6, `${contact}${rows.join('')}`);
    await store.transaction(async (transaction) => {
      const inbox = await transaction.inbox();
      // Whether a text can be shown is not known of these, and is found out when they are read.
      const heads = plaintexts.map((content) => headOf(decodeWhole(content)));
      expect(inbox.map(({ head }) => head)).toEqual(
        heads.map((head) => (head.kind === 'bytes' ? { ...head, kind: 'text' } : head)),
      );
      for (const [index, { id }] of inbox.entries()) {
        const content = await transaction.inboxContent(id);
        expect(content !== undefined && equal(content, plaintexts[index] as Uint8Array)).toBe(true);
      }
    });
  });

  it('bring an old file to the newest schema, with what is in it', async () => {
    const { connection } = await fileOfToday();
    migrate(connection, [...MIGRATIONS, ADD_NOTE, RENAME_NOTE]);
    expect(schemaVersion(connection)).toBe(NEWEST + 2);
    expect(connection.all('SELECT name, remark FROM contacts')).toEqual([{ name: 'alice', remark: 'of alice' }]);
  });

  it('are done once', async () => {
    const { path, connection } = await fileOfToday();
    migrate(connection, [...MIGRATIONS, ADD_NOTE]);
    const before = contents(dirname(path));
    migrate(connection, [...MIGRATIONS, ADD_NOTE]);
    expect(contents(dirname(path))).toEqual(before);
  });

  it('leave the file byte for byte what it was when one of them fails', async () => {
    const { path, connection } = await fileOfToday();
    const before = contents(dirname(path));
    expect(() => migrate(connection, [...MIGRATIONS, ADD_NOTE, 'DROP TABLE no_such_table'])).toThrow('no_such_table');
    expect(contents(dirname(path))).toEqual(before);
    expect(schemaVersion(connection)).toBe(NEWEST);
  });

  it('refuse a file of a newer schema', async () => {
    const { path, connection } = await fileOfToday();
    const error = await refusal(() => migrate(connection, []));
    expect([error.code, error.detail]).toEqual(['newer-schema', { path, found: NEWEST, known: 0 }]);
  });

  it('wait for nobody who is migrating already', async () => {
    const { path, connection } = await fileOfToday();
    const other = new Connection(path, { key: KEY, salt: SALT }, 0);
    onTestFinished(() => other.close());
    other.begin('IMMEDIATE');
    expect((await refusal(() => migrate(connection, [...MIGRATIONS, ADD_NOTE]))).code).toBe('busy');
  });

  it('give a file of version 7 room for contents in parts, with nothing in it, and leave the rest', async () => {
    const contact = "INSERT INTO contacts (name, identity, added_at) VALUES ('alice', zeroblob(32), 0)";
    const store = migratedFrom(7, contact);
    await store.transaction(async (transaction) => {
      expect([await transaction.incoming(), await transaction.outgoing()]).toEqual([[], []]);
      const [alice] = await transaction.contacts();
      if (alice === undefined) throw new Error('she is gone');
      const id = await transaction.addIncoming(incomingOf(alice.id));
      await transaction.addReceivedParts(id, [partRecord(0)]);
      await transaction.addOutgoing(outgoingTo(alice.id));
    });
    expect(await store.check()).toEqual([]);
  });

  it('give a file of version 9 room for lists, with none in it, and leave its contacts', async () => {
    const contact = "INSERT INTO contacts (name, identity, added_at) VALUES ('alice', zeroblob(32), 0)";
    const store = migratedFrom(9, contact);
    await store.transaction(async (transaction) => {
      expect(await transaction.lists()).toEqual([]);
      const [alice] = await transaction.contacts();
      if (alice === undefined) throw new Error('she is gone');
      await transaction.setList('ops', [alice.id]);
      expect(await transaction.lists()).toEqual([{ name: 'ops', contacts: [alice.id] }]);
    });
    expect(await store.check()).toEqual([]);
  });

  it('leave the history of version 4 what it was: off', async () => {
    const store = migratedFrom(4);
    expect(await store.snapshot((view) => view.historySetting())).toBeUndefined();
    expect(await store.snapshot((view) => view.countHistory({}))).toEqual({ count: 0, first: undefined });
  });

  it('take the invites of version 2 for what they are: used once', async () => {
    const store = migratedFrom(
      2,
      `INSERT INTO invites (id, contact_name, created_at, expires, fate, spent_by, spent_at)
      VALUES (zeroblob(16), 'alice', 1, 2, 'spent', zeroblob(32), 3)`,
    );
    const invites = await store.snapshot((view) => view.invites());
    expect(invites).toMatchObject([{ contactName: 'alice', lastUser: undefined, fate: { kind: 'spent', at: 3 } }]);
    expect(await store.snapshot((view) => view.isInLedger(new Uint8Array(16)))).toBe(false);
  });
});

it('the numbers of version 6 are found in invites and in the names of contacts', async () => {
  const names = [
    'friends-2',
    'friends-12',
    'room-7',
    'room-0',
    'a-b-3',
    'year-2026',
    'plain',
    '9',
    '-1',
    'x-01',
    'x-1000',
  ];
  const invites = Object.entries({ friends: 9, party: 4, none: 0 });
  const store = migratedFrom(
    6,
    [
      ...names.map((name) => `INSERT INTO contacts (name, identity, added_at) VALUES ('${name}', randomblob(32), 0)`),
      ...invites.map(
        ([name, last]) => `INSERT INTO invites (id, contact_name, created_at, expires, fate, last_user)
        VALUES (randomblob(16), '${name}', 1, 2, 'expired', ${last})`,
      ),
    ].join(';'),
  );
  const found = { friends: 12, room: 7, 'a-b': 3, x: 1000, party: 4, none: 0, a: 0, year: 0, plain: 0, '': 0 };
  await store.snapshot(async (view) => {
    for (const [name, last] of Object.entries(found)) expect([name, await view.lastNumber(name)]).toEqual([name, last]);
    expect((await view.invites()).map(({ numbersAfter }) => numbersAfter)).toEqual([0, 0, 0]);
  });
});

describe.each(['alice', 'bob'] as const)('the file of version 1 of %s', (name) => {
  const open = (path: string) => {
    const connection = new Connection(path, { key: KEY, salt: SALT }, 0);
    onTestFinished(() => connection.close());
    return connection;
  };
  const sessionsIn = (connection: Connection) =>
    connection.all<Record<string, unknown>>('SELECT * FROM sessions ORDER BY id');

  it('is one', () => {
    const connection = open(fileOfVersion1(name));
    expect(schemaVersion(connection)).toBe(1);
    expect(() => connection.all('SELECT kem_exchange FROM sessions')).toThrow('no such column');
  });

  it('keeps every row that it had, and says of its sessions that the handshake was their last mix', () => {
    const path = fileOfVersion1(name);
    openStore(path).close();
    const connection = open(path);
    expect(schemaVersion(connection)).toBe(NEWEST);
    for (const [table, rows] of Object.entries(tablesOfVersion1(name))) {
      const found = connection.all<Record<string, unknown>>(`SELECT * FROM ${table} ORDER BY 1, 2`);
      expect(found).toHaveLength(rows.length);
      for (const [index, row] of rows.entries()) {
        const before = Object.fromEntries(Object.entries(row).map(([column, value]) => [column, bytesIn(value)]));
        expect(found[index]).toMatchObject(before);
      }
    }
    for (const session of sessionsIn(connection)) {
      const { kem_mixed_step, kem_mixed_at, kem_exchange, kem_seed, kem_owed, sending_kem } = session;
      expect([kem_mixed_step, kem_mixed_at]).toEqual([0, session.created_at]);
      expect([kem_exchange, kem_seed, kem_owed, sending_kem]).toEqual(['idle', null, null, null]);
    }
  });

  it('is then like a file that was made today, to the last constraint', () => {
    const path = fileOfVersion1(name);
    openStore(path).close();
    const schema = (file: string) => open(file).all('SELECT type, name, sql FROM sqlite_schema ORDER BY name');
    expect(schema(path)).toEqual(schema(newFile()));
  });

  it('is whole, with nothing left over', () => {
    const path = fileOfVersion1(name);
    openStore(path).close();
    const connection = open(path);
    expect(connection.all('PRAGMA integrity_check')).toEqual([{ integrity_check: 'ok' }]);
    expect(connection.all('PRAGMA foreign_key_check')).toEqual([]);
  });
});
