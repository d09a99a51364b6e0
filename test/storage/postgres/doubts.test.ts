import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { PostgresDatabase } from '../../../src/storage/postgres/database.ts';
import { type PostgresOptions, PostgresStore } from '../../../src/storage/postgres/postgres-store.ts';
import { type Answer, ConnectionLost, ServerClient } from '../../../src/storage/postgres/server-client.ts';
import type { Statement } from '../../../src/storage/postgres/statement.ts';
import { Mark } from '../../../src/storage/rollback-mark.ts';
import type { Lock } from '../../../src/storage/sqlcipher.ts';
import { fill } from '../contents.ts';
import { bytesOf, moveTo, record } from '../fixtures.ts';
import { LOCK, newFile, openStore, temporaryFolder } from '../folder.ts';
import { Relay } from './relay.ts';
import { add, lockOf, names, noServer, OPTIONS, PostgresServer } from './server.ts';

const END_WAITING = "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE wait_event = 'SyncRep'";

describe.skipIf(noServer !== undefined)('PostgreSQL that is not what it seems', () => {
  let server: PostgresServer;
  let name: string;
  beforeAll(() => {
    server = new PostgresServer();
  });
  afterAll(() => server.remove());
  beforeEach(async () => {
    name = await server.create();
  });

  const open = async (options: Partial<PostgresOptions> = {}) => {
    const store = await server.open(name, options);
    onTestFinished(() => store.close());
    return store;
  };
  /** Has `work` run the next statements of a client of which the last is such a one. */
  const intercept = (last: RegExp, work: (run: () => Promise<readonly Answer[]>) => Promise<readonly Answer[]>) => {
    const { run } = ServerClient.prototype;
    const spy = vi.spyOn(ServerClient.prototype, 'run').mockImplementation(function (
      this: ServerClient,
      ...statements: Statement[]
    ) {
      if (!last.test(statements.at(-1)?.text ?? '')) return run.apply(this, statements);
      spy.mockRestore();
      return work(() => run.apply(this, statements));
    });
    onTestFinished(() => spy.mockRestore());
  };
  const save = (as: string) =>
    server.sql(`DROP TABLE IF EXISTS pawl.rows_${as}, pawl.identities_${as};
      CREATE TABLE pawl.rows_${as} AS SELECT * FROM pawl.rows; CREATE TABLE pawl.identities_${as} AS SELECT * FROM pawl.identities`);
  const putBack = (as: string) =>
    server.sql(`DELETE FROM pawl.rows; INSERT INTO pawl.rows SELECT * FROM pawl.rows_${as};
      UPDATE pawl.identities i SET record = s.record, commit_id = s.commit_id FROM pawl.identities_${as} s WHERE i.id = s.id`);

  /** COMMIT waits for a standby that does not exist. */
  const waitForNobody = async () => {
    onTestFinished(() => waitFor(''));
    await waitFor('nobody');
  };
  const waitFor = async (standbys: string) => {
    server.sql(`ALTER SYSTEM SET synchronous_standby_names = '${standbys}'`);
    server.sql('SELECT pg_reload_conf()');
    await vi.waitFor(() => expect(server.sql('SHOW synchronous_standby_names').trim()).toBe(standbys));
  };
  /** Commits what can be seen, and what no standby has confirmed, as its waiting is broken off. */
  const commitUnconfirmed = async (
    store: PostgresStore,
    contact: string,
    end: 'pg_cancel_backend' | 'pg_terminate_backend',
  ) => {
    const waiting = () => server.sql("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'").trim();
    const adding = expect(add(store, contact)).rejects.toMatchObject({ code: 'commit-unknown' });
    await vi.waitFor(() => expect(waiting()).toBe('1'), 30_000);
    server.sql(`SELECT ${end}(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'`);
    await adding;
    server.sql(END_WAITING);
  };

  it('has another commit of the same generation: a process that runs, and a mark, know their own', async () => {
    const marks = temporaryFolder();
    const store = await open({ marks });
    save('before');
    await add(store, 'alice');
    // Everything is put back, and another machine brings it to the same generation.
    putBack('before');
    const other = await open({ marks: temporaryFolder() });
    await add(other, 'carol');
    expect(await other.generation()).toBe(1);
    await expect(add(store, 'dora')).rejects.toMatchObject({ code: 'rolled-back' });
    expect((await open({ marks })).standing).toBe('rolled-back');
    await add(other, 'eve');
    expect((await open({ marks })).standing).toBe('rolled-back');
  });

  it('is a standby that took over while a process runs: nothing is written, before its owner has said so', async () => {
    const primary = new PostgresServer();
    onTestFinished(() => primary.remove());
    const own = await primary.create();
    const standby = primary.standby();
    // One address that leads to the primary of the time.
    const address = { ...primary.address };
    const on = async (marks: string) => {
      const store = await primary.open(own, { marks }, address);
      onTestFinished(() => store.close());
      return store;
    };
    const folders = [temporaryFolder(), temporaryFolder()] as const;
    const one = await on(folders[0]);
    const two = await on(folders[1]);
    await add(two, 'alice');
    standby.catchUp(primary);
    standby.stop('fast');
    await add(one, 'of-one');
    primary.stop('immediate');
    standby.start();
    standby.promote();
    Object.assign(address, standby.address);

    await expect(add(two, 'of-two')).rejects.toMatchObject({ code: 'unmarked' });
    expect(await two.snapshot(names)).toEqual(['alice']);
    await expect(one.snapshot(names)).rejects.toMatchObject({ code: 'rolled-back' });
    const again = await on(folders[1]);
    expect(again.standing).toBe('unmarked');
    await again.mark();
    await add(two, 'of-two');
    expect((await on(folders[0])).standing).toBe('rolled-back');
  });

  it('is a standby that took over while a key is changed, or a schema: nobody has accepted it', async () => {
    const cluster = new PostgresServer();
    onTestFinished(() => cluster.remove());
    const own = await cluster.create();
    const old = 'bob99';
    const database = new PostgresDatabase(cluster.address);
    await database.create(lockOf(old), { ...record(), name: old }, { ...OPTIONS, schema: 10 });
    await database.close();
    const marks = temporaryFolder();
    const openNow = async (called: string) => {
      const store = await cluster.open(called, { marks: called === old ? temporaryFolder() : marks });
      onTestFinished(() => store.close());
      return store;
    };
    const [first, second, third] = [await openNow(own), await openNow(own), await openNow(own)];
    await first.mark();
    cluster.takeOver();
    await expect(first.rekey({ ...lockOf(own), salt: bytesOf('next salt', 16) })).rejects.toMatchObject({
      code: 'unmarked',
    });
    await expect(second.leaveBy(moveTo('/home/bob'))).rejects.toMatchObject({ code: 'unmarked' });
    await expect(third.mark()).rejects.toMatchObject({ code: 'unmarked' });
    expect((await openNow(own)).standing).toBe('unmarked');
    expect((await openNow(old)).standing).toBe('unmarked');
    const accepted = await openNow(own);
    await accepted.mark();
    expect((await openNow(own)).standing).toBe('current');
  });

  it('is another server when it is asked about a lost COMMIT: what that lacks, the one before may have', async () => {
    const cluster = new PostgresServer();
    onTestFinished(() => cluster.remove());
    const store = await cluster.open(await cluster.create());
    onTestFinished(() => store.close());
    intercept(/^COMMIT$/, async () => {
      cluster.takeOver();
      throw new ConnectionLost('lost');
    });
    await expect(add(store, 'alice')).rejects.toMatchObject({ code: 'commit-unknown' });
    expect(await store.snapshot(names)).toEqual([]);
  });

  it('is written to by another process between the reading of the identity and of the mark', async () => {
    const marks = temporaryFolder();
    const other = await open({ marks });
    await add(other, 'alice');
    intercept(/pg_control_system/, async (run) => {
      const answers = await run();
      await add(other, 'carol');
      return answers;
    });
    expect((await open({ marks })).standing).toBe('current');
    expect(await other.generation()).toBe(2);
  });

  it('has put another identity under the name', async () => {
    const other = await server.create();
    server.sql(`BEGIN; UPDATE pawl.identities SET name = 'third' WHERE name = '${name}';
      UPDATE pawl.identities SET name = '${name}' WHERE name = '${other}'; UPDATE pawl.identities SET name = '${other}' WHERE name = 'third'; COMMIT`);
    const opening = PostgresStore.open(server.address, name, lockOf(other), OPTIONS);
    await expect(opening).rejects.toMatchObject({ code: 'damaged' });
  });

  it('does not write a row that it is given: nothing is committed', async () => {
    const store = await open();
    await add(store, 'alice');
    server.sql(`CREATE FUNCTION pawl.skip() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
      CREATE TRIGGER skip BEFORE INSERT ON pawl.rows FOR EACH ROW EXECUTE FUNCTION pawl.skip()`);
    await expect(add(store, 'carol')).rejects.toMatchObject({ code: 'write-failed', detail: { isUndone: true } });
    server.sql('DROP TRIGGER skip ON pawl.rows; DROP FUNCTION pawl.skip');
    expect(await store.snapshot(names)).toEqual(['alice']);
    await add(store, 'carol');
  });

  it('lets nobody make tables, and goes on', async () => {
    server.sql('CREATE ROLE stranger LOGIN');
    server.sql('CREATE DATABASE without');
    const database = new PostgresDatabase({ ...server.address, user: 'stranger', database: 'without' });
    onTestFinished(() => database.close());
    await expect(database.create(LOCK, record(), OPTIONS)).rejects.toMatchObject({ code: 'write-failed' });
    expect(await database.names()).toEqual([]);
  });

  it('is left by a store that is closed while it connects', async () => {
    const store = await open();
    await store.snapshot(names);
    const count = () =>
      Number(server.sql("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pawl' AND usename = 'owner'"));
    server.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'pawl'");
    await vi.waitFor(() => expect(count()).toBe(0));
    const running = store.snapshot(names).catch(() => undefined);
    await store.close();
    await running;
    await vi.waitFor(() => expect(count()).toBe(0));
  });

  it('is asked about an identity that was made, and used before that', async () => {
    const database = new PostgresDatabase(server.address);
    onTestFinished(() => database.close());
    const lock = { ...LOCK, salt: bytesOf(`salt beside ${name}`, 16) };
    intercept(/^COMMIT$/, async (run) => {
      await run();
      const other = await PostgresStore.open(server.address, `beside-${name}`, lock, OPTIONS);
      await add(other, 'alice');
      await other.close();
      throw new ConnectionLost('lost');
    });
    await database.create(lock, { ...record(), name: `beside-${name}` }, OPTIONS);
    expect(await database.names()).toContain(`beside-${name}`);
  });

  it('is asked about an identity that was to be made, and is another server, or has another of the name', async () => {
    const cluster = new PostgresServer();
    onTestFinished(() => cluster.remove());
    const create = async (own: string, lock: Lock = lockOf(own)) => {
      const database = new PostgresDatabase(cluster.address);
      await database.create(lock, { ...record(), name: own }, OPTIONS).finally(() => database.close());
    };
    intercept(/^COMMIT$/, async () => {
      cluster.sql("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE application_name = 'pawl'");
      await create('bob1', { ...LOCK, salt: bytesOf('salt of another', 16) });
      throw new ConnectionLost('lost');
    });
    await expect(create('bob1')).rejects.toMatchObject({ code: 'commit-unknown' });

    intercept(/^COMMIT$/, async () => {
      cluster.takeOver();
      throw new ConnectionLost('lost');
    });
    await expect(create('bob2')).rejects.toMatchObject({ code: 'commit-unknown' });
  });

  it.each([
    ['in English', 'warning', false],
    ['in German', 'warning', true],
    ['where it is to be silent', 'error', false],
  ])(
    'has committed, and no standby has it: that is not known, until one has; %s',
    async (_, least, isGerman) => {
      server.sql(`ALTER ROLE owner SET client_min_messages = ${least}`);
      const { relay, address } = await Relay.start(server.address);
      relay.isGerman = isGerman;
      const store = await server.open(name, { lookUpTime: 500, wait: 100 }, address);
      onTestFinished(() => store.close());
      await store.snapshot(names);
      onTestFinished(() => {
        // That is a commit, too.
        server.sql('SET synchronous_commit = off; ALTER ROLE owner RESET client_min_messages');
      });
      await waitForNobody();
      for (const end of ['pg_cancel_backend', 'pg_terminate_backend'] as const) {
        await commitUnconfirmed(store, end.replace(/_/g, '-'), end);
      }
    },
    60_000,
  );

  it('has what no standby may have: nobody acts on it before one has', async () => {
    const limits = { lookUpTime: 500, silence: 1_000, wait: 100 };
    const [writer, reader, looker] = [
      await open(limits),
      await open(limits),
      await open({ ...limits, onlyLooks: true }),
    ];
    await waitForNobody();
    await commitUnconfirmed(writer, 'alice', 'pg_cancel_backend');
    const copy = join(temporaryFolder(), 'copy.db');
    const acts: readonly (() => Promise<unknown>)[] = [
      () => reader.snapshot(names),
      () => reader.transaction(names),
      () => reader.arrivedBy(),
      () => reader.backup(copy),
    ];
    for (const act of acts) {
      await expect(act()).rejects.toMatchObject({ code: 'commit-unknown' });
      // It has the lock as long as it waits.
      server.sql(END_WAITING);
    }
    expect(await looker.snapshot(names)).toEqual(['alice']);
    await waitFor('');
    expect(await reader.snapshot(names)).toEqual(['alice']);
  }, 60_000);

  it('gets a backup from before all sessions were held: it is newer than the mark all the same', async () => {
    const marks = temporaryFolder();
    const file = openStore(newFile({ ...record(), name: `restored-${name}` }));
    new Mark(marks, record().identity.seed).write(9, { id: bytesOf('later commit', 16), holds: 2 });
    const database = new PostgresDatabase(server.address);
    onTestFinished(() => database.close());
    await database.createFrom(file, lockOf(`restored-${name}`), { ...OPTIONS, marks });
    const store = await database.open(`restored-${name}`, lockOf(`restored-${name}`), { ...OPTIONS, marks });
    onTestFinished(() => store.close());
    expect(store.standing).toBe('current');
  });

  it('gets an identity with all that is to be swept', async () => {
    const file = openStore(newFile({ ...record(), name: `moved-${name}` }));
    await fill(file);
    const database = new PostgresDatabase(server.address);
    onTestFinished(() => database.close());
    await database.createFrom(file, LOCK, OPTIONS);
    const store = await database.open(`moved-${name}`, LOCK, OPTIONS);
    onTestFinished(() => store.close());
    const sweep = (one: typeof store | typeof file) =>
      one.transaction(async (transaction) => [
        await transaction.sweepHistory(Number.MAX_SAFE_INTEGER),
        await transaction.sweepSkippedKeys(Number.MAX_SAFE_INTEGER),
        (await transaction.sweepOutgoing(Number.MAX_SAFE_INTEGER)).length,
        await transaction.sweepInvites(Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER),
      ]);
    const swept = await sweep(file);
    expect(swept.every((count) => count > 0)).toBe(true);
    expect(await sweep(store)).toEqual(swept);
  });
});
