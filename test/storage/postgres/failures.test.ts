import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { PostgresOptions, PostgresStore } from '../../../src/storage/postgres/postgres-store.ts';
import { ConnectionLost, ServerClient } from '../../../src/storage/postgres/server-client.ts';
import { Mark } from '../../../src/storage/rollback-mark.ts';
import { addContact, record } from '../fixtures.ts';
import { temporaryFolder } from '../folder.ts';
import { Relay } from './relay.ts';
import { add, names, noServer, PostgresServer } from './server.ts';

describe.skipIf(noServer !== undefined)('PostgreSQL that fails', () => {
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
  const openAs = async (user: string) => {
    const store = await server.open(name, {}, { ...server.address, user });
    onTestFinished(() => store.close());
    return store;
  };
  const openRelayed = async (options: Partial<PostgresOptions> = {}) => {
    const { relay, address } = await Relay.start(server.address);
    const store = await server.open(name, options, address);
    onTestFinished(() => store.close());
    return { relay, store };
  };

  it('has done what it could not say any more, and it is known', async () => {
    const { relay, store } = await openRelayed();
    relay.next = 'not-answered';
    await add(store, 'alice');
    expect(relay.next).toBe('no');
    await add(store, 'carol');
    expect(await store.snapshot(names)).toEqual(['alice', 'carol']);
    expect(await (await open()).snapshot(names)).toEqual(['alice', 'carol']);
  });

  it('is given up when it is silent, and asked anew what it has done', async () => {
    const spans: [number, number][] = [];
    let connections = () => 0;
    const whileWaiting = async <Result>(work: Promise<Result>) => {
      const begun = connections();
      return work.finally(() => spans.push([begun, connections()]));
    };
    const { relay, store } = await openRelayed({ wait: 100, silence: 300, whileWaiting });
    connections = () => relay.connections;
    relay.next = 'held';
    const before = relay.connections;
    await add(store, 'alice');
    expect([relay.next, relay.connections]).toEqual(['no', before + 1]);
    // A person is told as long as it is not known.
    expect(spans).toContainEqual([before, before + 1]);
    expect(await store.snapshot(names)).toEqual(['alice']);
  });

  it('is given up when it is silent while the tables are made', async () => {
    const { relay, address } = await Relay.start(server.address);
    const client = await ServerClient.connect(address, 0, 300);
    onTestFinished(() => client.close());
    relay.next = 'held';
    await expect(client.execute('BEGIN; COMMIT')).rejects.toThrow(ConnectionLost);
    expect([relay.next, client.isLost]).toEqual(['no', true]);
  });

  it('is given up when it is silent, and not while a process has nothing to ask', async () => {
    const { relay, store } = await openRelayed({ wait: 100, silence: 50 });
    await add(store, 'alice');
    const before = relay.connections;
    await vi.waitFor(() => expect(relay.idleFor).toBeGreaterThan(200));
    await add(store, 'carol');
    expect(relay.connections).toBe(before);
  });

  it('has not done what never reached it, and it is known', async () => {
    const { relay, store } = await openRelayed();
    relay.next = 'not-sent';
    await expect(add(store, 'alice')).rejects.toMatchObject({
      code: 'database-unreachable',
      detail: { isUndone: true },
    });
    expect(relay.next).toBe('no');
    await add(store, 'carol');
    expect(await store.snapshot(names)).toEqual(['carol']);
  });

  it.each([3, 63, 64])('is believed about a commit that others have followed, if fewer than 64: %i', async (count) => {
    const marks = temporaryFolder();
    const { relay, store } = await openRelayed({ marks });
    const other = await open();
    relay.next = 'silent';
    const lost = add(store, 'alice');
    // The answer is lost, and nobody gets through until others have committed.
    const isBroken = () => relay.next === 'no';
    while (!isBroken()) await other.snapshot(names);
    const others = Array.from({ length: count }, (_, index) => `carol-${100 + index}`);
    for (const contact of others) await add(other, contact);
    relay.speak();
    if (count < 64) await lost;
    else await expect(lost).rejects.toMatchObject({ code: 'commit-unknown' });
    // Of the others it knows now, as a mark does.
    if (count < 64) expect(new Mark(marks, record().identity.seed).read().generation).toBe(count + 1);
    expect(await store.snapshot(names)).toEqual(['alice', ...others]);
  });

  it('is lost for so long that nobody can know, and that is said', async () => {
    const { relay, store } = await openRelayed({ lookUpTime: 300 });
    relay.next = 'silent';
    await expect(add(store, 'alice')).rejects.toMatchObject({ code: 'commit-unknown' });
    relay.speak();
    // It was done.
    expect(await store.snapshot(names)).toEqual(['alice']);
  });

  it('is silent where it is asked what it has done, and is not waited for longer than for that', async () => {
    const { relay, store } = await openRelayed({ wait: 60_000, lookUpTime: 300 });
    const begun = performance.now();
    relay.next = 'not-answered';
    relay.afterNext = 'held';
    await expect(add(store, 'alice')).rejects.toMatchObject({ code: 'commit-unknown' });
    expect(relay.next).toBe('no');
    expect(performance.now() - begun).toBeLessThan(10_000);
    expect(await store.snapshot(names)).toEqual(['alice']);
  });

  it('lets no two units of work overlap, of any number of machines', async () => {
    const stores = await Promise.all(Array.from({ length: 6 }, () => open({ wait: 60_000 })));
    let inside = 0;
    let most = 0;
    const count = async (store: PostgresStore, by: number) => {
      for (let round = 0; round < 5; round++) {
        await store.transaction(async (transaction) => {
          inside += 1;
          most = Math.max(most, inside);
          await transaction.raiseNumber('all', (await transaction.lastNumber('all')) + 1);
          await addContact(transaction, `by-${by}-${round}`);
          inside -= 1;
        });
      }
    };
    await Promise.all(stores.map(count));
    expect(most).toBe(1);
    const [first] = stores;
    expect(await first?.snapshot((view) => view.lastNumber('all'))).toBe(30);
    expect((await first?.snapshot(names))?.length).toBe(30);
  });

  it('is waited for as long as it was said, and no longer', async () => {
    const holder = await open();
    const impatient = await open({ wait: 50 });
    await holder.transaction(async (transaction) => {
      await addContact(transaction, 'alice');
      await expect(add(impatient, 'carol')).rejects.toMatchObject({ code: 'busy' });
    });
    await add(impatient, 'carol');
    expect(await holder.snapshot(names)).toEqual(['alice', 'carol']);
  });

  it('that crashes forgets what was not committed, and nothing else', async () => {
    const durable = new PostgresServer(['fsync=on']);
    onTestFinished(() => durable.remove());
    const own = await durable.create();
    const store = await durable.open(own, { lookUpTime: 500 });
    onTestFinished(() => store.close());
    await add(store, 'alice');
    const crashing = store.transaction(async (transaction) => {
      await addContact(transaction, 'carol');
      durable.stop('immediate');
    });
    await expect(crashing).rejects.toMatchObject({
      code: expect.stringMatching(/database-unreachable|commit-unknown/),
    });
    durable.start();
    expect(await store.snapshot(names)).toEqual(['alice']);
    await add(store, 'carol');
    expect(await store.snapshot(names)).toEqual(['alice', 'carol']);
  });

  it('ends a connection that was silent, and the next unit of work connects anew', async () => {
    const store = await open();
    await add(store, 'alice');
    server.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'pawl'");
    await add(store, 'carol');
    expect(await store.snapshot(names)).toEqual(['alice', 'carol']);
  });

  it('has no room: nothing is written, and that is said', async () => {
    const store = await open();
    server.sql(`
      CREATE OR REPLACE FUNCTION pawl.full() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'no space left on device' USING ERRCODE = 'disk_full'; END $$;
      CREATE OR REPLACE TRIGGER full_disk BEFORE INSERT ON pawl.rows FOR EACH ROW EXECUTE FUNCTION pawl.full()`);
    const error = { code: 'write-failed', detail: { isUndone: true, reason: 'no space left on device' } };
    await expect(add(store, 'alice')).rejects.toMatchObject(error);
    server.sql('DROP TRIGGER full_disk ON pawl.rows');
    await add(store, 'carol');
    expect(await store.snapshot(names)).toEqual(['carol']);
  });

  it.each(['io_error', 'data_corrupted', 'index_corrupted'])('has a bad disk, and that is said: %s', async (state) => {
    await add(await open(), 'alice');
    server.sql(`
      CREATE OR REPLACE FUNCTION pawl.bad() RETURNS boolean LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'invalid page' USING ERRCODE = '${state}'; END $$;
      CREATE ROLE ${state} LOGIN; GRANT USAGE ON SCHEMA pawl TO ${state}; GRANT ALL ON ALL TABLES IN SCHEMA pawl TO ${state};
      ALTER TABLE pawl.rows ENABLE ROW LEVEL SECURITY; CREATE POLICY good ON pawl.rows USING (TRUE);
      CREATE POLICY written ON pawl.rows AS RESTRICTIVE FOR INSERT WITH CHECK (pawl.bad())`);
    onTestFinished(() => {
      server.sql(`
        DROP POLICY good ON pawl.rows; DROP POLICY IF EXISTS written ON pawl.rows; DROP POLICY IF EXISTS read ON pawl.rows;
        ALTER TABLE pawl.rows DISABLE ROW LEVEL SECURITY; DROP OWNED BY ${state}; DROP ROLE ${state}`);
    });
    const writer = await openAs(state);
    const error = { path: 'postgres:///postgres', reason: 'invalid page' };
    await expect(add(writer, 'carol')).rejects.toMatchObject({
      code: 'write-failed',
      detail: { ...error, isUndone: true },
    });
    server.sql(`
      DROP POLICY written ON pawl.rows; CREATE POLICY read ON pawl.rows AS RESTRICTIVE FOR SELECT USING (pawl.bad())`);
    const reader = await openAs(state);
    await expect(reader.snapshot(names)).rejects.toMatchObject({ code: 'read-failed', detail: error });
  });

  it('does not let its rows be read, and that is not told as a failure to write', async () => {
    await add(await open(), 'alice');
    server.sql(
      'CREATE ROLE reader LOGIN; GRANT USAGE ON SCHEMA pawl TO reader; GRANT SELECT ON pawl.identities TO reader',
    );
    onTestFinished(() => {
      server.sql('DROP OWNED BY reader; DROP ROLE reader');
    });
    const store = await openAs('reader');
    const detail = { path: 'postgres:///postgres', reason: expect.stringContaining('permission denied') };
    await expect(store.snapshot(names)).rejects.toMatchObject({ code: 'read-failed', detail });
  });

  it.each([
    ['off', 'on'],
    ['local', 'on'],
    ['remote_write', 'on'],
    ['on', 'on'],
    ['remote_apply', 'remote_apply'],
  ])('is durable whatever its default is: where that is %s, COMMIT is %s', async (setting, used) => {
    server.sql(`ALTER DATABASE postgres SET synchronous_commit = ${setting}`);
    onTestFinished(() => {
      server.sql('ALTER DATABASE postgres RESET synchronous_commit; DROP TRIGGER note ON pawl.identities');
    });
    server.sql(`
      CREATE OR REPLACE FUNCTION pawl.note() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE LOG 'synchronous_commit=%', current_setting('synchronous_commit'); RETURN NEW; END $$;
      CREATE TRIGGER note BEFORE UPDATE ON pawl.identities FOR EACH ROW EXECUTE FUNCTION pawl.note()`);
    const { length } = server.log();
    await add(await open(), 'alice');
    expect(
      server
        .log()
        .slice(length)
        .match(/synchronous_commit=\w+/g),
    ).toEqual([`synchronous_commit=${used}`]);
  });

  it('takes few round trips', async () => {
    const { relay, store } = await openRelayed();
    await add(store, 'alice');
    const before = relay.roundTrips;
    await store.transaction(async (transaction) => {
      const contact = await transaction.contactNamed('alice');
      if (contact !== undefined) await transaction.setVerified(contact.id, 1);
    });
    // The lock with the identity, and what is written with COMMIT: the contact is known from before.
    expect(relay.roundTrips - before).toBe(2);
  });
});
