import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { systemRandom as random } from '../../../src/primitives/index.ts';
import { PostgresDatabase } from '../../../src/storage/postgres/database.ts';
import { decodeRecord, encodeRecord } from '../../../src/storage/postgres/identity-record.ts';
import { RowKeys } from '../../../src/storage/postgres/row-keys.ts';
import { hex, toHexText } from '../../primitives/hex.ts';
import stored from '../../vectors/database-1.json' with { type: 'json' };
import { readAll } from '../contents.ts';
import { addContact, bytesOf, identityOf, inviteFor, NOW } from '../fixtures.ts';
import { LOCK } from '../folder.ts';
import { noServer, OPTIONS, PostgresServer } from './server.ts';

describe.skipIf(noServer !== undefined)('PostgreSQL: an identity that an earlier pawl has stored', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = new PostgresServer();
    const database = new PostgresDatabase(server.address);
    await database.prepare();
    await database.close();
  });
  afterAll(() => server.remove());
  beforeEach(() => {
    server.sql('DELETE FROM pawl.identities');
    insert('identities', stored.identity);
    const identity = server.sql('SELECT id FROM pawl.identities').trim();
    // A parent is there before its children, whichever comes first.
    const rows = stored.rows.map((row) => insertion('rows', { identity, ...row }));
    server.sql(`BEGIN; SET session_replication_role = replica; ${rows.join('; ')}; COMMIT`);
  });

  const insert = (table: string, row: Row) => server.sql(insertion(table, row));
  const open = async () => {
    const database = new PostgresDatabase(server.address);
    const store = await database.open('bob', LOCK, OPTIONS);
    onTestFinished(() => store.close());
    return store;
  };

  it('is read, found and checked', async () => {
    const store = await open();
    expect(await store.check()).toEqual([]);
    const anew = await open();
    await anew.snapshot(async (view) => {
      const alice = await view.contactNamed('alice');
      expect(alice?.id).toBe(1);
      expect((await view.contactOf(alice?.identity ?? expect.fail()))?.name).toBe('alice');
      expect(await view.invite(inviteFor('for-carol').id)).toBeDefined();
      expect(await view.isInLedger(bytesOf('prefix digest', 16))).toBe(true);
      expect(await view.lastNumber('for-all')).toBe(3);
      const [waiting] = await view.outbox();
      expect(await view.envelope(waiting?.id ?? expect.fail())).toEqual(bytesOf('envelope', 300));
      const [text] = await view.inbox();
      const content = await view.inboxContent(text?.id ?? expect.fail());
      expect(new TextDecoder().decode(content)).toBe('the text');
      const box = bytesOf('box', 16);
      expect((await view.leftEntries(box)).map(({ name }) => name)).toEqual(['junk']);
      expect((await view.history({ limit: 9 })).length).toBe(1);
      await readAll(view);
    });
  });

  it('is written to: the rows that are there are changed', async () => {
    const store = await open();
    await store.transaction(async (transaction) => {
      await transaction.raiseNumber('for-all', 4);
      const alice = (await transaction.contactNamed('alice')) ?? expect.fail();
      await transaction.setVerified(alice.id, NOW);
      expect(await addContact(transaction, 'carol')).toBe(2);
    });
    expect(Number(server.sql('SELECT count(*) FROM pawl.rows'))).toBe(stored.rows.length + 1);
    const view = await (await open()).snapshot(async (anew) => [
      await anew.lastNumber('for-all'),
      (await anew.contactOf(identityOf('carol')))?.name,
    ]);
    expect(view).toEqual([4, 'carol']);
  });

  it('is refused where a newer pawl has stored it: in other tables, or of a newer schema', async () => {
    server.sql('UPDATE pawl.identities SET layout = 2');
    await expect(open()).rejects.toMatchObject({ code: 'newer-schema', detail: { found: 2, known: 1 } });
    server.sql('UPDATE pawl.identities SET layout = 1');
    const { schema } = await open();
    const keys = new RowKeys(LOCK, random);
    const commitId = hex(stored.identity.commit_id);
    const key = keys.tag('identity', 'key', ['bob']);
    const place = { table: 'identity', key, column: 'record', commitId } as const;
    const plain = keys.open(hex(stored.identity.record), place) ?? expect.fail('it opens');
    const record = decodeRecord(plain, () => expect.fail('it is whole'));
    const newer = keys.seal(encodeRecord({ ...record, schema: schema + 1 }), place);
    server.sql(`UPDATE pawl.identities SET record = '\\x${toHexText(newer)}'`);
    const detail = { found: schema + 1, known: schema };
    await expect(open()).rejects.toMatchObject({ code: 'newer-schema', detail });
  });
});

type Row = Readonly<Record<string, string | number>>;

/** Text of an even number of hexadecimal digits is bytes. */
function insertion(table: string, row: Row): string {
  const literal = (value: string | number) => {
    if (typeof value === 'number') return `${value}`;
    return /^([0-9a-f]{2}){8,}$/.test(value) ? `'\\x${value}'` : `'${value}'`;
  };
  return `INSERT INTO pawl.${table} (${Object.keys(row)}) VALUES (${Object.values(row).map(literal)})`;
}
