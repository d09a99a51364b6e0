/**
 * What waits in the inbox: who takes it, how much of it is read, and how much of one contact there may be.
 */
import { describe, expect, it, vi } from 'vitest';
import type { Content, ContentHead } from '../../src/envelope/index.ts';
import {
  acknowledgeDelivered,
  type Context,
  claim,
  type InboxId,
  listLent,
  listOutbox,
  listWaiting,
  type Outcome,
  readClaimed,
  receive,
  send,
  untilLeaseEnds,
} from '../../src/session/index.ts';
import { mail } from './exchanges.ts';
import { meet, NOTHING_SETTLED, type Party, START } from './party.ts';

const text = (words: string): Content => ({ type: 'text', sentAt: START, bytes: new Uint8Array(Buffer.from(words)) });
const file = (name: string, length: number): Content => ({
  type: 'file',
  name,
  sentAt: START,
  bytes: new Uint8Array(length),
});

/** A terminal, on which no file is delivered. */
const textsOnly = ({ kind }: ContentHead): boolean => kind === 'text';

async function envelopesOf(alice: Party, ...contents: readonly Content[]) {
  const arrivals = [];
  for (const content of contents) {
    arrivals.push({ source: 'a test', envelope: mail((await send(alice.context, 'bob', content)).envelope) });
  }
  return arrivals;
}

const wordsFor = (outcomes: readonly Outcome[]) =>
  outcomes.map((outcome) => (outcome.type === 'refused' ? outcome.error.code : outcome.type));

const idsOf = (outcomes: readonly Outcome[]): InboxId[] =>
  outcomes.flatMap((outcome) => (outcome.type === 'message' ? [outcome.inboxId] : []));

describe('what a command cannot deliver', () => {
  it('waits for a later one, known by what it is, and is not read', async () => {
    const { alice, bob } = await meet();
    const bytes: Content = { type: 'text', sentAt: START, bytes: new Uint8Array([0xff]) };
    const arrivals = await envelopesOf(alice, file('a.bin', 7), text('hi'), bytes);
    const { outcomes } = await receive(bob.context, arrivals, { delivers: textsOnly });
    expect(wordsFor(outcomes)).toEqual(['waiting', 'message', 'waiting']);
    expect(outcomes[0]).not.toHaveProperty('content');
    expect(await listWaiting(bob.context)).toMatchObject([
      { from: 'alice', head: { kind: 'file', name: 'a.bin', length: 7 }, process: undefined },
      { from: 'alice', head: { kind: 'bytes', length: 1 }, process: undefined },
    ]);
  });
});

describe('what a process of another machine or container has', () => {
  const there = (name: string) => (name === 'there' ? undefined : name === 'here');

  it('is left to it for ten minutes, and told, and given to others then', async () => {
    const { alice, bob } = await meet();
    const [first, second, third] = await envelopesOf(alice, text('a'), text('b'), text('c'));
    const away: Context = { ...bob.context, process: 'there', isRunning: (name) => name === 'there' };
    const here: Context = { ...bob.context, process: 'here', isRunning: there };
    const received = bob.time;
    await receive({ ...away, process: 'dead' }, first ? [first] : [], {});
    await receive({ ...away, process: 'dead' }, second ? [second] : [], {});
    bob.time += 300_000;
    const waiting = await listWaiting(here);
    expect(waiting).toHaveLength(2);
    // It takes one of them up; from then on the time counts, and not from the arrival.
    await claim(away, waiting.slice(0, 1), NOTHING_SETTLED);
    expect(await listWaiting(here)).toHaveLength(1);
    expect(await listLent(here)).toEqual({ texts: 1, until: received + 900_000, processes: ['there'] });
    // The first of several that ends.
    bob.time += 100_000;
    await receive({ ...away, process: 'there' }, third ? [third] : [], {});
    expect(await untilLeaseEnds(here)).toBe(500_000);
    bob.time = received + 899_999;
    expect(await untilLeaseEnds(here)).toBe(1);
    expect(await listWaiting(here)).toHaveLength(1);
    bob.time = received + 900_000;
    expect(await listWaiting(here)).toHaveLength(2);
    expect((await listLent(here)).texts).toBe(1);
    expect(await claim(here, await listWaiting(here), NOTHING_SETTLED)).toMatchObject([
      { again: true },
      { again: true },
    ]);
    // Whoever claims it late finds it gone.
    expect(await claim(away, waiting, NOTHING_SETTLED)).toEqual([]);
  });

  it('binds nobody where its clock is ahead by more', async () => {
    const { alice, bob } = await meet();
    bob.time += 700_000;
    await receive({ ...bob.context, process: 'there' }, await envelopesOf(alice, text('a')), {});
    bob.time -= 700_000;
    expect(await listWaiting({ ...bob.context, isRunning: there })).toHaveLength(1);
  });

  it('is not written by others, where it is an envelope, for as long', async () => {
    const { alice } = await meet();
    await send({ ...alice.context, process: 'there' }, 'bob', text('a'));
    const here: Context = { ...alice.context, isRunning: there };
    expect((await listOutbox(here)).envelopes).toEqual([]);
    alice.time += 600_000;
    expect((await listOutbox(here)).envelopes).toHaveLength(1);
    // One that is newer shows that it lives.
    await send({ ...alice.context, process: 'there' }, 'bob', text('b'));
    expect((await listOutbox(here)).envelopes).toEqual([]);
  });

  it('is looked up once, however much it is', async () => {
    const { alice, bob } = await meet();
    await receive({ ...bob.context, process: 'there' }, await envelopesOf(alice, text('a'), text('b')), {});
    const isRunning = vi.fn(there);
    expect(await listWaiting({ ...bob.context, isRunning })).toEqual([]);
    expect(isRunning).toHaveBeenCalledTimes(1);
  });
});

describe('a waiting text', () => {
  /** Texts of alice that a process of bob's left behind, and bob as two other processes. */
  async function leftBehind(...contents: readonly Content[]) {
    const { alice, bob } = await meet();
    await receive({ ...bob.context, process: 'dead' }, await envelopesOf(alice, ...contents), {});
    const as = (process: string): Context => ({
      ...bob.context,
      process,
      isRunning: (name) => name === 'one' || name === 'two',
    });
    return { bob, one: as('one'), two: as('two') };
  }

  it('is taken by one process, whoever else has seen it wait', async () => {
    const { one, two } = await leftBehind(text('a'), text('b'));
    const [seenByOne, seenByTwo] = [await listWaiting(one), await listWaiting(two)];
    expect(await claim(one, seenByOne.slice(0, 1), NOTHING_SETTLED)).toMatchObject([{ again: true }]);
    const claims = await claim(two, seenByTwo, NOTHING_SETTLED);
    expect((await readClaimed(two, claims)).map(({ content }) => content)).toEqual([text('b')]);
    expect(await listWaiting(one)).toEqual([]);
  });

  it('is read when it is its turn: a large one alone, small ones together', async () => {
    const { one } = await leftBehind(file('a', 2 ** 20 + 1), file('b', 2 ** 20), text('c'), text('d'));
    const claims = await claim(one, await listWaiting(one), NOTHING_SETTLED);
    const read: number[][] = [];
    while (claims.length > 0) {
      read.push((await readClaimed(one, claims)).map(({ content }) => content.bytes.length));
    }
    expect(read).toEqual([[2 ** 20 + 1], [2 ** 20], [1, 1]]);
  });

  it('is left out where its contact was forgotten meanwhile', async () => {
    const { bob, one } = await leftBehind(text('a'), text('b'));
    const claims = await claim(one, await listWaiting(one), NOTHING_SETTLED);
    await bob.store.transaction((transaction) => transaction.dropFromInbox(claims.slice(0, 1).map((c) => c.inboxId)));
    expect(await readClaimed(one, claims)).toHaveLength(1);
    expect(await readClaimed(one, claims)).toEqual([]);
  });

  it('is acknowledged in several transactions where one would take long, and in one where it would not', async () => {
    const { one } = await leftBehind(text('a'), text('b'), text('c'));
    const ids = (await claim(one, await listWaiting(one), NOTHING_SETTLED)).map(({ inboxId }) => inboxId);
    const transaction = vi.spyOn(one.store, 'transaction');
    let now = one.now();
    const slow = { ...one, now: () => (now += 600) };
    await acknowledgeDelivered(slow, { delivered: ids, deferred: [] });
    expect(transaction).toHaveBeenCalledTimes(2);
    expect(await one.store.snapshot((view) => view.inbox())).toEqual([]);
  });
});

describe('the quota of a contact', () => {
  const QUOTA = { texts: 3, bytes: 100 };

  it('refuses what would wait beyond it and changes nothing: the envelope is accepted later', async () => {
    const { alice, bob } = await meet();
    const options = { delivers: textsOnly, quota: QUOTA };
    const [a, b, c] = await envelopesOf(alice, file('a', 60), file('b', 40), file('c', 1));
    const arrivals = [a, b, c].flatMap((one) => one ?? []);
    expect(wordsFor((await receive(bob.context, arrivals.slice(0, 2), options)).outcomes)).toEqual([
      'waiting',
      'waiting',
    ]);
    const before = await bob.dump();
    const { outcomes } = await receive(bob.context, arrivals.slice(2), options);
    expect(outcomes).toMatchObject([
      { error: { code: 'inbox-full', detail: { name: 'alice', texts: 2, bytes: 100 } } },
    ]);
    expect(await bob.dump()).toEqual(before);
    // What came before is told from what is refused.
    expect(wordsFor((await receive(bob.context, arrivals, options)).outcomes)).toEqual([
      'duplicate',
      'duplicate',
      'inbox-full',
    ]);

    await claim(bob.context, await listWaiting(bob.context), NOTHING_SETTLED);
    expect(wordsFor((await receive(bob.context, arrivals.slice(2), options)).outcomes)).toEqual(['waiting']);
  });

  it('counts texts as well as bytes, within one transaction too', async () => {
    const { alice, bob } = await meet();
    const arrivals = await envelopesOf(alice, ...['a', 'b', 'c', 'd'].map((name) => file(name, 0)));
    const { outcomes } = await receive(bob.context, arrivals, { delivers: textsOnly, quota: QUOTA });
    expect(wordsFor(outcomes)).toEqual(['waiting', 'waiting', 'waiting', 'inbox-full']);
  });

  it('refuses nothing that is delivered at once, unless more waits already than it allows', async () => {
    const { alice, bob } = await meet();
    const options = { delivers: textsOnly, quota: QUOTA };
    const arrivals = await envelopesOf(alice, file('a', 100), text('x'.repeat(1_000)), text('y'));
    expect(wordsFor((await receive(bob.context, arrivals.slice(0, 2), options)).outcomes)).toEqual([
      'waiting',
      'message',
    ]);
    // Its process ends without having delivered it.
    const later = { ...bob.context, process: 'later' };
    expect(wordsFor((await receive(later, arrivals.slice(2), options)).outcomes)).toEqual(['inbox-full']);
  });

  it('does not count what this process still has to deliver', async () => {
    const { alice, bob } = await meet();
    const arrivals = await envelopesOf(alice, ...Array.from({ length: 9 }, () => file('a', 90)));
    const { outcomes } = await receive(bob.context, arrivals, { quota: QUOTA });
    expect(new Set(wordsFor(outcomes))).toEqual(new Set(['message']));
    // What it defers counts from then on.
    const settled = { delivered: idsOf(outcomes).slice(2), deferred: idsOf(outcomes).slice(0, 2) };
    const [next] = await envelopesOf(alice, text('hi'));
    const more = await receive(bob.context, next === undefined ? [] : [next], { quota: QUOTA, settled });
    expect(wordsFor(more.outcomes)).toEqual(['inbox-full']);
  });

  it('holds for a known contact who opens another session, too', async () => {
    const { alice, bob } = await meet();
    await receive(bob.context, await envelopesOf(alice, file('a', 100)), { delivers: textsOnly, quota: QUOTA });
    alice.time += 1_000;
    bob.time += 1_000;
    await alice.add('bob', await bob.invite('alice'));
    const opening = await envelopesOf(alice, file('b', 1));
    expect(opening[0]?.envelope.kind).toBe('opening');
    const before = await bob.dump();
    const { outcomes } = await receive(bob.context, opening, { delivers: textsOnly, quota: QUOTA });
    expect(wordsFor(outcomes)).toEqual(['inbox-full']);
    expect(await bob.dump()).toEqual(before);
    expect(wordsFor((await receive(bob.context, opening, {})).outcomes)).toEqual(['message']);
  });
});
