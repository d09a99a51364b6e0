import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { type Lock, openIdentityFile } from '../../../src/storage/index.ts';
import { PostgresDatabase } from '../../../src/storage/postgres/database.ts';
import { PostgresStore } from '../../../src/storage/postgres/postgres-store.ts';
import { type DatabaseAddress, ServerClient } from '../../../src/storage/postgres/server-client.ts';
import type { Statement } from '../../../src/storage/postgres/statement.ts';
import { WorkingSet } from '../../../src/storage/postgres/working-set.ts';
import { Mark } from '../../../src/storage/rollback-mark.ts';
import { shiftClaims } from '../../../src/storage/rows-copy.ts';
import { contactAlice, fill, readAll } from '../contents.ts';
import { addContact, bytesOf, moveTo, NOW, record } from '../fixtures.ts';
import { temporaryFolder, WRONG_KEY } from '../folder.ts';
import { Relay } from './relay.ts';
import { lockOf, noServer, OPTIONS, PostgresServer } from './server.ts';

const digest = (bytes: Uint8Array) => `${bytes.length}:${createHash('sha256').update(bytes).digest('hex')}`;

describe.skipIf(noServer !== undefined)('PostgreSQL: a whole identity', () => {
  let server: PostgresServer;
  let name: string;
  let store: PostgresStore;
  let lock: Lock;
  let next: Lock;
  beforeAll(() => {
    server = new PostgresServer();
  });
  afterAll(() => server.remove());
  beforeEach(async () => {
    name = await server.create();
    lock = lockOf(name);
    next = { key: WRONG_KEY as Lock['key'], salt: bytesOf(`next salt of ${name}`, 16) };
    store = await server.open(name);
    onTestFinished(() => store.close());
    await fill(store);
  });

  const openWith = async (key: Lock, address: DatabaseAddress = server.address) => {
    const opened = await PostgresStore.open(address, name, key, OPTIONS);
    onTestFinished(() => opened.close());
    return opened;
  };
  /** Every value of every row but those that say which commit it is. */
  const copyOf = async (one: { copyRowsInto(to: WorkingSet): void | Promise<void> }) => {
    const set = new WorkingSet('a copy');
    onTestFinished(() => set.close());
    set.run('BEGIN');
    await one.copyRowsInto(set);
    return set;
  };
  /** When each entry of the boxes was claimed. */
  const claimsIn = async (one: Parameters<typeof copyOf>[0]) =>
    (await copyOf(one)).all<{ readonly time: number }>(
      `SELECT claimed_at AS time FROM inbox WHERE process IS NOT NULL
       UNION ALL SELECT claimed_at FROM incoming WHERE process IS NOT NULL
       UNION ALL SELECT advanced_at FROM outgoing UNION ALL SELECT created_at FROM outbox`,
    );
  /** All rows. @param shifted by how much claims were shifted, in milliseconds. */
  const rowsOf = async (one: Parameters<typeof copyOf>[0], shifted = 0) => {
    const set = await copyOf(one);
    shiftClaims(set, -shifted);
    set.run('UPDATE identity SET generation = 0');
    const tables = set.all<{ readonly name: string }>(
      "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_stat%' ORDER BY name",
    );
    // As text: of a long list of bytes, a difference would not be shown.
    const written = (row: Record<string, unknown>) =>
      Object.entries(row).map(([column, value]) => [column, value instanceof Uint8Array ? digest(value) : value]);
    return Object.fromEntries(
      tables.map((table) => [
        table.name,
        set.all<Record<string, unknown>>(`SELECT * FROM ${table.name} ORDER BY 1, 2`).map(written),
      ]),
    );
  };

  it('gets another key, and is the same under it', async () => {
    const before = await rowsOf(store);
    expect(before.contacts).toHaveLength(1);
    await store.rekey(next);
    await expect(openWith({ ...lock })).rejects.toMatchObject({ code: 'replaced' });
    const opened = await openWith(next);
    expect(await rowsOf(opened)).toEqual(before);
    expect(await opened.check()).toEqual([]);
    await opened.transaction((transaction) => addContact(transaction, 'carol'));
    // Nothing is left of the rows of before.
    const where = `identity = (SELECT id FROM pawl.identities WHERE name = '${name}')`;
    const count = Object.values(before).flat().length;
    const others = (before.identity?.length ?? 0) + (before.sqlite_sequence?.length ?? 0);
    expect(Number(server.sql(`SELECT count(*) FROM pawl.rows WHERE ${where}`))).toBe(count - others + 1);
  });

  it('is not locked for long where the network breaks while it gets another key', async () => {
    const spy = vi.spyOn(ServerClient.prototype, 'run');
    onTestFinished(() => spy.mockRestore());
    await store.rekey(next);
    const sent: readonly Statement[] = spy.mock.calls.flat();
    const limits = sent
      .slice(
        0,
        sent.findIndex(({ text }) => text === 'COMMIT'),
      )
      .filter(({ text }) => text.includes("SELECT set_config('idle_in_transaction_session_timeout'"))
      .map(({ values: [limit] }) => limit);
    expect(limits).toEqual(['900s', '60s']);
  });

  it('refuses a process that has it open under the key of before', async () => {
    const other = await openWith(lock);
    await store.rekey(next);
    await expect(other.transaction((view) => contactAlice(view))).rejects.toMatchObject({ code: 'replaced' });
  });

  it.each(['not-answered', 'not-sent'] as const)(
    'gets another key where the COMMIT is %s, or keeps its own',
    async (broken) => {
      const { relay, address } = await Relay.start(server.address);
      const relayed = await openWith(lock, address);
      relay.next = broken;
      const rekeying = relayed.rekey(next);
      if (broken === 'not-answered') await rekeying;
      else await expect(rekeying).rejects.toMatchObject({ code: 'not-rekeyed' });
      const opened = await openWith(broken === 'not-answered' ? next : lock);
      await opened.snapshot(readAll);
      if (broken === 'not-sent') await relayed.snapshot(readAll);
    },
  );

  it.each(['not-answered', 'not-sent'] as const)(
    'is removed where the COMMIT is %s, or is there as before',
    async (broken) => {
      const { relay, address } = await Relay.start(server.address);
      const relayed = await openWith(lock, address);
      const { id } = moveTo('/home/bob');
      await relayed.leaveBy(moveTo('/home/bob'));
      relay.next = broken;
      const removing = relayed.remove(id);
      if (broken === 'not-answered') await removing;
      else await expect(removing).rejects.toMatchObject({ code: 'database-unreachable', detail: { isUndone: true } });
      const left = `SELECT count(*) FROM pawl.identities WHERE name = '${name}'`;
      expect(server.sql(left)).toBe(broken === 'not-answered' ? '0' : '1');
    },
  );

  it('is copied into an identity file, and back into a database', async () => {
    const path = join(temporaryFolder(), 'copy.db');
    await store.backup(path);
    await expect(store.backup(path)).rejects.toMatchObject({ code: 'exists' });
    const file = openIdentityFile(path, lock, { wait: 0 });
    onTestFinished(() => file.close());
    expect(await rowsOf(file)).toEqual(await rowsOf(store));
    expect(await file.check()).toEqual([]);
    expect(file.name).toBe(name);

    const bytes = join(temporaryFolder(), 'bytes.db');
    writeFileSync(bytes, await store.copy());
    const same = openIdentityFile(bytes, lock, { wait: 0 });
    onTestFinished(() => same.close());
    expect(await rowsOf(same)).toEqual(await rowsOf(store));
    expect(readFileSync(bytes).includes(Buffer.from('alice'))).toBe(false);

    await store.leaveBy(moveTo('/home/bob'));
    await expect(store.letMake(moveTo('/home/carol').id, undefined)).rejects.toMatchObject({ code: 'moving' });
    expect((await openWith(lock)).move).toEqual(moveTo('/home/bob'));
    await store.letMake(moveTo('/home/bob').id, undefined);
    expect((await openWith(lock)).move).toEqual({ ...moveTo('/home/bob'), host: undefined });
    await expect(store.remove(moveTo('/home/carol').id)).rejects.toMatchObject({
      code: 'moving',
      detail: { to: '/home/bob' },
    });
    await store.remove(moveTo('/home/bob').id);
    const database = new PostgresDatabase(server.address);
    onTestFinished(() => database.close());
    expect(await database.names()).not.toContain(name);
    const marks = temporaryFolder();
    // Our clock is five minutes ahead of the server's.
    const created = await database.createFrom(file, lock, { ...OPTIONS, marks, now: () => Date.now() + 300_000 });
    expect(created).toEqual({ trouble: undefined, mayLose: true });
    const { seed } = record().identity;
    expect(new Mark(marks, seed).read()).toMatchObject({ generation: file.generation() + 2, commit: { holds: 0 } });
    await expect(database.createFrom(file, lock, OPTIONS)).rejects.toMatchObject({ code: 'exists' });
    expect(await database.names()).toContain(name);
    expect(await database.salt(name)).toEqual(lock.salt);
    const back = await openWith(lock);
    const [[claimed], [there]] = [await claimsIn(file), await claimsIn(back)];
    const shifted = (there?.time ?? 0) - (claimed?.time ?? 0);
    expect(shifted / 1_000).toBeCloseTo(-300, -1);
    expect(await claimsIn(back)).toHaveLength(4);
    expect(await rowsOf(back, shifted)).toEqual(await rowsOf(file));
    expect(await back.generation()).toBe(file.generation() + 2);
    const id = await back.transaction((transaction) => addContact(transaction, 'dora'));
    expect(id).toBe(2);
  });

  it('is migrated when a newer pawl opens it', async () => {
    const database = new PostgresDatabase(server.address);
    onTestFinished(() => database.close());
    const key = { ...lock, salt: bytesOf(`old salt of ${name}`, 16) };
    const made = { ...record(), name: `old-${name}` };
    const marks = temporaryFolder();
    await database.create(key, made, { ...OPTIONS, marks, schema: 8 });
    const opened = await database.open(made.name, key, { ...OPTIONS, marks });
    onTestFinished(() => opened.close());
    expect(opened.standing).toBe('current');
    expect(await opened.generation()).toBe(1);
    await fill(opened);
    const other = await database.open(made.name, key, { ...OPTIONS, marks });
    onTestFinished(() => other.close());
    await other.snapshot(readAll);
    expect(await other.check()).toEqual([]);
  });

  it('can be used by who has no rights but those on the tables', async () => {
    server.sql(`CREATE ROLE plain LOGIN; GRANT USAGE ON SCHEMA pawl TO plain;
      GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA pawl TO plain; CREATE ROLE nobody LOGIN`);
    const opened = await openWith(lock, { ...server.address, user: 'plain' });
    await opened.snapshot(readAll);
    await opened.transaction((transaction) => addContact(transaction, 'carol'));
    const database = new PostgresDatabase({ ...server.address, user: 'plain' });
    onTestFinished(() => database.close());
    const key = { ...lock, salt: bytesOf(`plain salt of ${name}`, 16) };
    await database.create(key, { ...record(), name: 'plain' }, OPTIONS);
    expect(await database.names()).toContain('plain');
    const stranger = new PostgresDatabase({ ...server.address, user: 'nobody' });
    onTestFinished(() => stranger.close());
    await expect(stranger.names()).rejects.toMatchObject({ code: 'read-failed' });
    await expect(stranger.open(name, lock, OPTIONS)).rejects.toMatchObject({ code: 'read-failed' });
  });

  it('is created once, whatever becomes of the COMMIT', async () => {
    for (const broken of ['not-answered', 'not-sent'] as const) {
      const { relay, address } = await Relay.start(server.address);
      const database = new PostgresDatabase(address);
      onTestFinished(() => database.close());
      const made = { ...record(), name: `new-${broken}` };
      const key = { ...lock, salt: bytesOf(broken, 16) };
      relay.next = broken;
      const creating = database.create(key, made, OPTIONS);
      if (broken === 'not-answered') await creating;
      else await expect(creating).rejects.toMatchObject({ code: 'database-unreachable', detail: { isUndone: true } });
      expect((await database.names()).includes(made.name)).toBe(broken === 'not-answered');
    }
  });

  it('is not there where what comes before the COMMIT fails', async () => {
    const database = new PostgresDatabase(server.address);
    onTestFinished(() => database.close());
    const beforeCommit = () => {
      throw new Error('the key file cannot be made');
    };
    const made = { ...record(), name: 'never' };
    const options = { ...OPTIONS, beforeCommit };
    await expect(database.create({ ...lock, salt: bytesOf('never', 16) }, made, options)).rejects.toThrow('key file');
    expect(await database.names()).not.toContain('never');
  });

  it('is checked as a whole', async () => {
    expect(await store.check()).toEqual([]);
    const where = `identity = (SELECT id FROM pawl.identities WHERE name = '${name}') AND kind = 8`;
    server.sql(`UPDATE pawl.rows SET record = set_byte(record, 30, get_byte(record, 30) # 1) WHERE ${where}`);
    expect(await (await openWith(lock)).check()).toEqual(['a row does not authenticate']);
    server.sql(
      `DELETE FROM pawl.rows WHERE identity = (SELECT id FROM pawl.identities WHERE name = '${name}') AND kind = 11`,
    );
    server.sql(`DELETE FROM pawl.rows WHERE ${where}`);
    expect(await (await openWith(lock)).check()).toEqual(['a row is missing, or older than the others']);
  });

  it('is used by nobody while it is moved', async () => {
    const other = await openWith(lock);
    expect(other.move?.to).toBeUndefined();
    await store.leaveBy(moveTo('/home/bob'));
    await expect(other.transaction(contactAlice)).rejects.toMatchObject({
      code: 'moving',
      detail: { to: '/home/bob' },
    });
    expect(await other.snapshot(contactAlice)).toBeGreaterThan(0);
    expect((await openWith(lock)).move?.to).toBe('/home/bob');
    await expect(other.leaveBy(moveTo('/home/carol'))).rejects.toMatchObject({ code: 'moving' });
    await expect(other.rekey(next)).rejects.toMatchObject({ code: 'moving' });
    const back = await openWith(lock);
    back.stay();
    await back.transaction((transaction) => transaction.holdSessions());
    await other.transaction((transaction) => transaction.raiseNumber('a', NOW));
    // A later move is another one.
    await other.leaveBy({ ...moveTo('/home/bob'), id: bytesOf('again', 16) });
    await expect(back.transaction(contactAlice)).rejects.toMatchObject({ code: 'moving' });
  });
});
