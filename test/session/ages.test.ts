import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { decodeEnvelope } from '../../src/envelope/index.ts';
import { acknowledgeDelivered, DAY, prune, receive, type SessionStore, setHistory } from '../../src/session/index.ts';
import { Connection } from '../../src/storage/connection.ts';
import { TIMES } from '../../src/storage/tables/times.ts';
import { record } from '../storage/fixtures.ts';
import { LOCK, newFile, openStore } from '../storage/folder.ts';
import { MemoryStore } from '../storage/memory/index.ts';
import { Party, START } from './party.ts';

const YEAR = 365 * DAY;
/** How long bob keeps texts. */
const KEPT = 3 * DAY;
const LIFETIME = 10 * DAY;

/** What a clock shows, before it is right. */
const clock = fc.oneof(
  fc.integer({ min: -55 * YEAR, max: 100 * YEAR }),
  fc.integer({ min: -3 * DAY, max: 3 * DAY }),
  fc.constantFrom(DAY, DAY + 1, -YEAR, 99 * YEAR),
);
const action = fc.constantFrom('skip', 'read', 'answer', 'invite', 'let in', 'prune');
const script = fc.array(fc.record({ clock, action }), { minLength: 1, maxLength: 8 });

/** A bob who keeps texts, whom alice writes to, with a store of his own. */
async function bobWith(store: SessionStore) {
  const alice = new Party('alice');
  const bob = new Party('bob', { identity: record().identity, store });
  await alice.add('bob', await bob.invite('alice'));
  await bob.read((await alice.send('bob', 'hi bob')).envelope);
  await alice.read((await bob.send('alice', 'hi alice')).envelope);
  await setHistory(bob.context, KEPT);
  return { alice, bob };
}

async function perform(alice: Party, bob: Party, what: string, n: number): Promise<void> {
  switch (what) {
    case 'skip':
      await alice.send('bob', `lost ${n}`);
      await bob.read((await alice.send('bob', `read ${n}`)).envelope);
      return;
    case 'read':
      await bob.read((await alice.send('bob', `read ${n}`)).envelope);
      return;
    case 'answer':
      await alice.read((await bob.send('alice', `answer ${n}`)).envelope);
      return;
    case 'invite':
      await bob.invite(`guest-${n}`, LIFETIME);
      return;
    case 'let in': {
      const guest = new Party(`guest-${n}`);
      guest.time = bob.time;
      const invite = await bob.invite(`guest-${n}`, LIFETIME);
      await guest.add('bob', invite);
      await bob.read((await guest.send('bob', 'hi')).envelope);
      return;
    }
    default:
      await prune(bob.context, 30 * DAY);
  }
}

/** What is still there of what grows old. */
async function left(bob: Party) {
  return bob.store.snapshot(async (view) => {
    const sessions = (await Promise.all((await view.contacts()).map(({ id }) => view.sessions(id)))).flat();
    const missing = await Promise.all(sessions.map(({ id }) => view.missingMessages(id)));
    const invites = await view.invites();
    return {
      texts: (await view.history({ limit: 99 })).length,
      keys: missing.flat().length,
      secrets: invites.filter(({ fate }) => fate.kind === 'open').length,
      records: invites.length,
    };
  });
}

/** The latest time of our own clock in the rows, and what the file believes it to be. */
function latestIn(path: string) {
  const connection = new Connection(path, LOCK, 0);
  onTestFinished(() => connection.close());
  const columns = Object.entries({ ...TIMES, 'invites i': ['created_at'] }).flatMap(([table, names]) =>
    names.map((name) => `SELECT max(${name}) AS time FROM ${table}`),
  );
  return () =>
    connection.get<{ latest: number; clock: number }>(
      `SELECT max(time) AS latest, (SELECT clock FROM identity) AS clock FROM (${columns.join(' UNION ALL ')})`,
    );
}

async function play(
  store: SessionStore,
  events: readonly { readonly clock: number; readonly action: string }[],
  afterEach: () => void = () => undefined,
): Promise<void> {
  const { alice, bob } = await bobWith(store);
  for (const [n, event] of events.entries()) {
    bob.time = START + event.clock;
    // An opener whose clock is wrong is refused: that is not what this is about.
    alice.time = START;
    await perform(alice, bob, event.action, n);
    if (bob.time >= START) afterEach();
  }
  // Now the clock is right, and stays so.
  const right = START + 2 * DAY;
  const at = async (time: number) => {
    bob.time = time;
    await prune(bob.context, 30 * DAY);
    return left(bob);
  };
  await at(right);
  expect(await at(right + KEPT + DAY + 1)).toMatchObject({ texts: 0 });
  expect(await at(right + LIFETIME + 8 * DAY + 2_000)).toMatchObject({ secrets: 0 });
  expect(await at(right + 31 * DAY + 1)).toMatchObject({ keys: 0 });
  expect(await at(right + 121 * DAY + 2_000)).toMatchObject({ records: 0 });
}

describe('whatever the clock showed before, nothing is kept longer than its time and a day once it is right', () => {
  it('in memory', async () => {
    await fc.assert(
      fc.asyncProperty(script, (events) => play(new MemoryStore(record()), events)),
      { numRuns: 60 },
    );
  });

  it('in a file, which knows of no time that is later than it believes', async () => {
    await fc.assert(
      fc.asyncProperty(script, async (events) => {
        const path = newFile();
        const latest = latestIn(path);
        await play(openStore(path), events, () => {
          const found = latest();
          expect(found?.latest).toBeLessThanOrEqual(found?.clock ?? 0);
        });
      }),
      { numRuns: 12 },
    );
  });
});

describe('a clock that was far ahead', () => {
  async function aheadBy(years: number) {
    const people = await bobWith(new MemoryStore(record()));
    const { alice, bob } = people;
    const missing = await alice.send('bob', 'missing');
    bob.time = START + years * YEAR;
    await bob.read((await alice.send('bob', 'from the year 2128, says the clock')).envelope);
    bob.time = START + DAY;
    return { ...people, missing };
  }

  it('keeps no text, and no key of a missing message, for longer than a right one', async () => {
    const { alice, bob, missing } = await aheadBy(102);
    await alice.read((await bob.send('alice', 'the clock is right')).envelope);
    const times = await bob.store.snapshot((view) => view.history({ limit: 9 }));
    expect(times.map(({ at }) => at)).toEqual([START + DAY, START + DAY]);
    bob.time += KEPT;
    await prune(bob.context, 30 * DAY);
    expect(await left(bob)).toMatchObject({ texts: 2, keys: 1 });
    bob.time += 27 * DAY + 1;
    expect(await bob.read(missing.envelope)).toBe('too-late');
    expect(await left(bob)).toMatchObject({ texts: 0, keys: 0 });
  });

  it('is noticed too if it is so only while a text is written out', async () => {
    const { alice, bob } = await bobWith(openStore(newFile()));
    const envelope = decodeEnvelope((await alice.send('bob', 'hi')).envelope);
    if (!('message' in envelope)) throw new Error('a message');
    const { outcomes } = await receive(bob.context, [{ source: 'here', envelope }], {});
    bob.time = START + 100 * YEAR;
    const delivered = outcomes.flatMap((outcome) => (outcome.type === 'message' ? [outcome.inboxId] : []));
    await acknowledgeDelivered(bob.context, { delivered, deferred: [] });
    for (const [time, texts] of [
      [START, 1],
      [START + KEPT, 1],
      [START + KEPT + 1, 0],
    ] as const) {
      bob.time = time;
      await prune(bob.context, 30 * DAY);
      expect(await left(bob)).toMatchObject({ texts });
    }
  });

  it('does not keep the next post-quantum key from being offered in its time', async () => {
    const [alice, bob] = [new Party('alice'), new Party('bob')];
    alice.time = bob.time = START + 10 * YEAR;
    await alice.add('bob', await bob.invite('alice'));
    await bob.read((await alice.send('bob', 'hi bob')).envelope);
    const exchange = async () =>
      bob.store.snapshot(async (view) => {
        const [contact] = await view.contacts();
        const [session] = contact === undefined ? [] : await view.sessions(contact.id);
        return session && (await view.ratchetState(session.id)).rekeying.exchange.kind;
      });
    for (const [time, kind] of [
      [START, 'idle'],
      [START + DAY, 'offered'],
    ] as const) {
      alice.time = bob.time = time;
      await alice.read((await bob.send('alice', 'hi')).envelope);
      expect(await exchange()).toBe(kind);
      await bob.read((await alice.send('bob', 'ho')).envelope);
    }
  });
});

it('a clock of before there was a pawl corrects nothing: all is there when it is right again', async () => {
  const { alice, bob } = await bobWith(new MemoryStore(record()));
  await alice.send('bob', 'missing');
  await bob.read((await alice.send('bob', 'read')).envelope);
  const before = await left(bob);
  expect(before).toMatchObject({ texts: 1, keys: 1 });
  bob.time = 0;
  await prune(bob.context, 30 * DAY);
  bob.time = START + 1;
  await prune(bob.context, 30 * DAY);
  expect(await left(bob)).toEqual(before);
});
