import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import type { FileKey } from '../../../src/storage/index.ts';
import { PostgresStore } from '../../../src/storage/postgres/postgres-store.ts';
import { TABLES } from '../../../src/storage/postgres/tables.ts';
import { contactAlice, fill, readAll } from '../contents.ts';
import { addContact, bytesOf, inviteFor, NOW, partRecord } from '../fixtures.ts';
import { temporaryFolder, WRONG_KEY } from '../folder.ts';
import { lockOf, noServer, OPTIONS, PostgresServer } from './server.ts';

/** Names and texts that nobody is to find in the database. */
const SECRETS = ['alice', 'the text', 'plan.pdf', '/home/bob/inbox', 'process-7', 'a list', 'for-carol'];

describe.skipIf(noServer !== undefined)('PostgreSQL: the owner of the database', () => {
  let server: PostgresServer;
  let name: string;
  let store: PostgresStore;
  beforeAll(() => {
    server = new PostgresServer();
  });
  afterAll(() => server.remove());
  beforeEach(async () => {
    name = await server.create();
    store = await server.open(name);
    onTestFinished(() => store.close());
    await fill(store);
  });

  const where = () => `identity = (SELECT id FROM pawl.identities WHERE name = '${name}')`;
  const kinds = () =>
    server.sql(`SELECT DISTINCT kind FROM pawl.rows WHERE ${where()} ORDER BY kind`).trim().split('\n');
  const saveEverything = () => {
    server.sql(`
      DROP TABLE IF EXISTS pawl.saved, pawl.saved_identity; CREATE TABLE pawl.saved AS SELECT * FROM pawl.rows WHERE ${where()};
      CREATE TABLE pawl.saved_identity AS SELECT * FROM pawl.identities WHERE name = '${name}'`);
  };
  const putEverythingBack = () => {
    server.sql(`
      DELETE FROM pawl.rows WHERE ${where()}; INSERT INTO pawl.rows SELECT * FROM pawl.saved;
      UPDATE pawl.identities i SET record = s.record, commit_id = s.commit_id FROM pawl.saved_identity s WHERE i.id = s.id`);
  };
  const readAnew = async () => {
    const other = await server.open(name);
    onTestFinished(() => other.close());
    return other.snapshot(readAll);
  };

  it('sees no name, no text and no key', async () => {
    expect(kinds().map(Number)).toEqual(TABLES.map(({ kind }) => kind));
    const dump = server.sql(`SELECT * FROM pawl.rows WHERE ${where()}`) + server.sql('SELECT * FROM pawl.identities');
    const bytes = Buffer.from(
      dump.replace(/\\x([0-9a-f]*)/g, (_, hex: string) => Buffer.from(hex, 'hex').toString('latin1')),
      'latin1',
    );
    const seed = await store.snapshot(async (view) => (await view.ownIdentity()).seed);
    for (const secret of [
      ...SECRETS.map((text) => Buffer.from(text)),
      Buffer.from(seed),
      Buffer.from(bytesOf('content', 5_000)),
    ]) {
      expect(bytes.includes(secret)).toBe(false);
    }
  });

  it('cannot exchange two rows of a table', async () => {
    await store.transaction((transaction) => addContact(transaction, 'carol'));
    server.sql(`
      UPDATE pawl.rows r SET record = o.record, commit_id = o.commit_id FROM pawl.rows o
      WHERE r.${where()} AND o.identity = r.identity AND r.kind = 1 AND o.kind = 1 AND r.key <> o.key`);
    await expect(readAnew()).rejects.toMatchObject({ code: 'damaged' });
  });

  it('cannot move a row to another identity', async () => {
    const other = await server.create();
    const second = await server.open(other);
    onTestFinished(() => second.close());
    await fill(second);
    server.sql(`
      UPDATE pawl.rows r SET record = o.record, commit_id = o.commit_id FROM pawl.rows o
      WHERE r.${where()} AND o.identity = (SELECT id FROM pawl.identities WHERE name = '${other}') AND r.kind = 1 AND o.kind = 1`);
    await expect(readAnew()).rejects.toMatchObject({ code: 'damaged' });
  });

  it('cannot alter a bit of any row', async () => {
    for (const kind of kinds()) {
      server.sql(`CREATE TABLE IF NOT EXISTS pawl.saved AS SELECT * FROM pawl.rows WHERE FALSE`);
      server.sql(
        `TRUNCATE pawl.saved; INSERT INTO pawl.saved SELECT * FROM pawl.rows WHERE ${where()} AND kind = ${kind}`,
      );
      server.sql(
        `UPDATE pawl.rows SET record = set_byte(record, 30, get_byte(record, 30) # 1) WHERE ${where()} AND kind = ${kind}`,
      );
      // Digests are read when a message is compared with them.
      if (kind !== '8') await expect(readAnew(), kind).rejects.toMatchObject({ code: 'damaged' });
      server.sql(
        'UPDATE pawl.rows r SET record = s.record FROM pawl.saved s WHERE r.key = s.key AND r.identity = s.identity',
      );
    }
    await readAnew();
  });

  const LISTED = TABLES.filter(({ isListed }) => isListed);

  it.each(LISTED)('cannot take away a row of $name', async ({ kind }) => {
    server.sql(`DROP TABLE IF EXISTS pawl.now; CREATE TABLE pawl.now AS SELECT * FROM pawl.rows WHERE ${where()}`);
    const deleted = server.sql(
      `WITH gone AS (DELETE FROM pawl.rows WHERE ${where()} AND kind = ${kind} RETURNING 1) SELECT count(*) FROM gone`,
    );
    expect(Number(deleted)).toBeGreaterThan(0);
    await expect(readAnew()).rejects.toMatchObject({ code: 'rolled-back' });
    server.sql('INSERT INTO pawl.rows SELECT * FROM pawl.now ON CONFLICT DO NOTHING');
    await readAnew();
  });

  it('cannot put back a row that has changed', async () => {
    server.sql(`DROP TABLE IF EXISTS pawl.saved; CREATE TABLE pawl.saved AS SELECT * FROM pawl.rows WHERE ${where()}`);
    await store.transaction(async (transaction) => {
      const alice = await contactAlice(transaction);
      await transaction.setVerified(alice, NOW);
      await transaction.holdSessions(alice);
      await transaction.distrustRoutes();
      await transaction.raiseNumber('for-all', 9);
      for (const { id } of await transaction.inbox()) await transaction.noteTry(id, NOW);
      for (const { id } of await transaction.incoming()) {
        await transaction.handOverIncoming(id, undefined, 'process-8', NOW);
        await transaction.addReceivedParts(id, [partRecord(0)]);
      }
      for (const one of await transaction.outgoing()) await transaction.advanceOutgoing(one.id, { ...one, parts: 2 });
      for (const { id } of await transaction.invites()) await transaction.withdrawInvite(id, NOW);
    });
    const changed = server.sql(`SELECT DISTINCT r.kind FROM pawl.rows r JOIN pawl.saved s
      ON r.identity = s.identity AND r.key = s.key AND r.commit_id <> s.commit_id ORDER BY r.kind`);
    const updated = changed.trim().split('\n').map(Number);
    expect(updated).toEqual(expect.arrayContaining([1, 2, 4, 5, 11, 14, 15, 16, 17]));
    for (const kind of updated) {
      server.sql(
        `DROP TABLE IF EXISTS pawl.now; CREATE TABLE pawl.now AS SELECT * FROM pawl.rows WHERE ${where()} AND kind = ${kind}`,
      );
      server.sql(`UPDATE pawl.rows r SET record = s.record, commit_id = s.commit_id FROM pawl.saved s
        WHERE r.key = s.key AND r.identity = s.identity AND r.kind = ${kind}`);
      await expect(readAnew(), `kind ${kind}`).rejects.toMatchObject({ code: 'rolled-back' });
      // As if it were of the commit that the list names.
      server.sql(
        'UPDATE pawl.rows r SET commit_id = s.commit_id FROM pawl.now s WHERE r.key = s.key AND r.identity = s.identity',
      );
      await expect(readAnew(), `kind ${kind}`).rejects.toMatchObject({ code: 'damaged' });
      server.sql(
        `UPDATE pawl.rows r SET record = s.record, commit_id = s.commit_id FROM pawl.now s WHERE r.key = s.key AND r.identity = s.identity`,
      );
      await readAnew();
    }
  });

  it('cannot put back a row that was deleted', async () => {
    server.sql(`DROP TABLE IF EXISTS pawl.saved; CREATE TABLE pawl.saved AS SELECT * FROM pawl.rows WHERE ${where()}`);
    await store.transaction(async (transaction) => {
      const alice = await contactAlice(transaction);
      for (const { id } of await transaction.sessions(alice)) await transaction.dropSession(id);
      await transaction.dropFromOutbox((await transaction.outbox()).map(({ id }) => id));
      await transaction.dropFromInbox((await transaction.inbox()).map(({ id }) => id));
      for (const { id } of await transaction.incoming()) await transaction.dropReceivedParts(id);
      for (const { id } of await transaction.outgoing()) await transaction.dropOutgoing(id);
      for (const { id } of await transaction.invites()) await transaction.dropInvite(id);
      await transaction.dropRoute({ contact: alice });
      await transaction.setList('a list', []);
    });
    const gone = `pawl.saved s WHERE NOT EXISTS (SELECT 1 FROM pawl.rows r WHERE r.identity = s.identity AND r.key = s.key)`;
    const deleted = server.sql(`SELECT DISTINCT kind FROM ${gone} ORDER BY kind`).trim().split('\n').map(Number);
    expect(deleted).toEqual([2, 3, 5, 6, 7, 8, 9, 10, 11, 12, 15, 16, 17, 20]);
    const seen = async () => {
      const other = await server.open(name);
      onTestFinished(() => other.close());
      return other.snapshot(async (view) => [
        await view.invites(),
        await view.sessions(await contactAlice(view)),
        await view.outbox(),
        await view.inbox(),
        await Promise.all((await view.incoming()).map(({ id }) => view.receivedParts(id))),
        await view.outgoing(),
        await view.routes(),
        await view.lists(),
      ]);
    };
    const before = await seen();
    expect(before).toEqual([[], [], [], [], [[]], [], [], []]);
    // With all that belongs to them: nothing else can be put back.
    for (const kind of [2, 5, 9, 11, 15, 16, 17, 20]) {
      const added = `WITH RECURSIVE back AS (SELECT s.* FROM pawl.saved s WHERE s.kind = ${kind}
        UNION SELECT s.* FROM pawl.saved s JOIN back b ON s.parent = b.key) SELECT * FROM back`;
      server.sql(`INSERT INTO pawl.rows ${added} ON CONFLICT DO NOTHING`);
      // Where nothing is listed, nothing is asked for.
      expect([before, 'rolled-back'], `kind ${kind}`).toContainEqual(await seen().catch(({ code }) => code));
      const whole = await server.open(name);
      await expect(whole.copy(), `kind ${kind}`).rejects.toMatchObject({ code: 'rolled-back' });
      await whole.close();
      server.sql(`DELETE FROM pawl.rows WHERE ${where()} AND kind = ${kind}`);
      await readAnew();
    }
  });

  it('cannot hide a contact or an invite from a look-up', async () => {
    server.sql(`UPDATE pawl.rows SET lookup = NULL, other_lookup = NULL WHERE ${where()}`);
    const other = await server.open(name);
    onTestFinished(() => other.close());
    await other.snapshot(async (view) => {
      const alice = await view.contactNamed('alice');
      expect(alice?.name).toBe('alice');
      expect(await view.contactOf(alice?.identity ?? expect.fail())).toEqual(alice);
      expect(await view.invite(inviteFor('for-carol').id)).toBeDefined();
    });
    const again = await server.open(name);
    onTestFinished(() => again.close());
    await again.snapshot(async (view) => {
      expect(await view.isInLedger(bytesOf('prefix digest', 16))).toBe(true);
    });
  });

  it('cannot have a number begin anew', async () => {
    server.sql(`DELETE FROM pawl.rows WHERE ${where()} AND kind = 4`);
    const other = await server.open(name);
    onTestFinished(() => other.close());
    await expect(other.snapshot((view) => view.lastNumber('for-all'))).rejects.toMatchObject({ code: 'rolled-back' });
  });

  it('is noticed where everything is put back', async () => {
    const marks = temporaryFolder();
    const marked = await server.open(name, { marks });
    onTestFinished(() => marked.close());
    expect(marked.standing).toBe('joined');
    await marked.mark();
    saveEverything();
    await marked.transaction((transaction) => addContact(transaction, 'carol'));
    const last = await marked.generation();
    putEverythingBack();
    const again = await server.open(name, { marks });
    onTestFinished(() => again.close());
    expect(again.standing).toBe('rolled-back');
    // What its owner accepts is newer than all that was seen here.
    await again.transaction((transaction) => transaction.holdSessions());
    expect(await again.generation()).toBe(last + 1);
    expect((await server.open(name, { marks })).standing).toBe('current');
    // A machine without a mark takes the database for the newest copy.
    expect((await server.open(name, { marks: temporaryFolder() })).standing).toBe('joined');
  });

  it('is noticed where everything is put back while a process runs', async () => {
    saveEverything();
    await store.transaction((transaction) => addContact(transaction, 'carol'));
    putEverythingBack();
    const next = store.transaction((transaction) => addContact(transaction, 'dave'));
    await expect(next).rejects.toMatchObject({ code: 'rolled-back' });
  });

  it('cannot take the bytes of an envelope or a text away', async () => {
    for (const kind of [9, 10, 11, 12]) {
      server.sql(
        `DROP TABLE IF EXISTS pawl.now; CREATE TABLE pawl.now AS SELECT * FROM pawl.rows WHERE ${where()} AND kind = ${kind}`,
      );
      server.sql(`UPDATE pawl.rows SET content = NULL WHERE ${where()} AND kind = ${kind}`);
      await expect(readAnew(), `kind ${kind}`).rejects.toMatchObject({ code: 'damaged' });
      server.sql(
        'UPDATE pawl.rows r SET content = s.content FROM pawl.now s WHERE r.key = s.key AND r.identity = s.identity',
      );
    }
    await readAnew();
  });

  it('opens nothing without the key', async () => {
    const lock = { ...lockOf(name), key: WRONG_KEY as FileKey };
    const opening = PostgresStore.open(server.address, name, lock, OPTIONS);
    await expect(opening).rejects.toMatchObject({ code: 'wrong-passphrase' });
  });
});
