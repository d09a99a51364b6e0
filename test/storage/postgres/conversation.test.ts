import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { Party } from '../../session/party.ts';
import { record } from '../fixtures.ts';
import { temporaryFolder } from '../folder.ts';
import { Relay } from './relay.ts';
import { noServer, PostgresServer } from './server.ts';

describe.skipIf(noServer !== undefined)('PostgreSQL: conversations', () => {
  let server: PostgresServer;
  beforeAll(() => {
    server = new PostgresServer();
  });
  afterAll(() => server.remove());

  /** Bob on one of his machines, of which each has its own connection. */
  async function bobOn(name: string, address = server.address) {
    const store = await server.open(name, {}, address);
    onTestFinished(() => store.close());
    return new Party('bob', { identity: record().identity, store });
  }

  async function begun() {
    const name = await server.create();
    const alice = new Party('alice');
    const bob = await bobOn(name);
    await bob.add('alice', await alice.invite('bob'));
    await alice.receive([(await bob.send('alice', 'hello')).envelope]);
    await bob.receive([(await alice.send('bob', 'hello yourself')).envelope]);
    return { name, alice, bob };
  }

  it('go on from any machine, and use no key twice', async () => {
    const { name, alice } = await begun();
    const machines = await Promise.all([bobOn(name), bobOn(name), bobOn(name)]);
    for (let round = 0; round < 4; round++) {
      const sent = await Promise.all(machines.map((bob, index) => bob.send('alice', `${round} of ${index}`)));
      const outcomes = await alice.receive(sent.map(({ envelope }) => envelope));
      expect(outcomes.map(({ type }) => type)).toEqual(['message', 'message', 'message']);
      const answer = await alice.send('bob', `answer ${round}`);
      const heard = await Promise.all(machines.map((bob) => bob.receive([answer.envelope])));
      expect(
        heard
          .flat()
          .map(({ type }) => type)
          .sort(),
      ).toEqual(['duplicate', 'duplicate', 'message']);
    }
  });

  it('take few round trips: five at most for a message', async () => {
    const { name, alice } = await begun();
    const { relay, address } = await Relay.start(server.address);
    const bob = await bobOn(name, address);
    const message = await alice.send('bob', 'one more');
    const count = async (work: () => Promise<unknown>) => {
      const before = relay.roundTrips;
      await work();
      return relay.roundTrips - before;
    };
    const { store } = bob;
    // What a command does after its output is a unit of work of its own.
    const units: number[] = [];
    bob.store = {
      transaction: async (work) => {
        const before = relay.roundTrips;
        const result = await store.transaction(work);
        units.push(relay.roundTrips - before);
        return result;
      },
      snapshot: (work) => store.snapshot(work),
    };
    await bob.send('alice', 'hi');
    await bob.receive([message.envelope]);
    expect(units.length).toBe(4);
    expect(Math.max(...units)).toBeLessThanOrEqual(5);
    expect(await count(() => bob.send('alice', 'hi again'))).toBeLessThanOrEqual(5);
  });

  it('are unmarked on another server, until its owner says that nothing is missing', async () => {
    const primary = new PostgresServer();
    onTestFinished(() => primary.remove());
    const name = await primary.create();
    const ours = temporaryFolder();
    const on = async (one: PostgresServer, marks = ours) => {
      const store = await one.open(name, { marks });
      onTestFinished(() => store.close());
      return store;
    };
    const before = await on(primary);
    await before.transaction((transaction) => transaction.raiseNumber('a', 1));
    const same = primary.standby();
    const lagging = primary.standby();
    lagging.stop('fast');
    await before.transaction((transaction) => transaction.raiseNumber('a', 2));
    same.catchUp(primary);
    const following = await on(same);
    expect(await following.snapshot((view) => view.lastNumber('a'))).toBe(2);
    const writing = following.transaction((transaction) => transaction.raiseNumber('a', 9));
    await expect(writing).rejects.toMatchObject({ code: 'write-failed', detail: { isUndone: true } });
    primary.stop('immediate');

    // It has all that this machine knows of. Of what other machines have committed, its mark says nothing.
    same.promote();
    expect((await on(same)).standing).toBe('unmarked');
    expect((await on(same, temporaryFolder())).standing).toBe('unmarked');
    lagging.start();
    lagging.promote();
    expect((await on(lagging)).standing).toBe('rolled-back');
    const accepted = await on(lagging, temporaryFolder());
    expect(accepted.standing).toBe('unmarked');
    await accepted.mark();
    await accepted.transaction((transaction) => transaction.raiseNumber('a', 3));
    // The commit names the new server.
    expect((await on(lagging, temporaryFolder())).standing).toBe('joined');
    // The last commit of this machine is not among those that have brought the generation beyond it.
    expect((await on(lagging)).standing).toBe('rolled-back');
    // Once all sessions were held, nothing of before matters.
    await accepted.transaction((transaction) => transaction.holdSessions());
    expect((await on(lagging)).standing).toBe('current');
  });
});
