/**
 * One identity on several machines at once: who tells a text, whatever their clocks show.
 */
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import type { Content } from '../../src/envelope/index.ts';
import {
  acknowledgeDelivered,
  type Claim,
  type Context,
  claim,
  claimTime,
  DAY,
  HeldTexts,
  type InboxId,
  type IncomingContent,
  incomingContents,
  LEASE,
  listLent,
  listOutbox,
  listUnsent,
  listWaiting,
  OutgoingContent,
  readClaimed,
  receive,
  type SessionStore,
  send,
  untilLeaseEnds,
  type WaitingText,
} from '../../src/session/index.ts';
import { mail } from './exchanges.ts';
import { meet, NOTHING_SETTLED, type Party } from './party.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** A store whose clock is ahead of that of the machine. */
function withClock(store: SessionStore, clockAhead: number): SessionStore {
  return {
    transaction: (work) => store.transaction(work),
    snapshot: (work) => store.snapshot(work),
    clockAhead,
  };
}

/** A process on a machine of bob's whose clock is wrong, by so many milliseconds. It knows nothing of other machines. */
function on({ context }: Party, name: string, wrong = 0): Context {
  const { now } = context;
  return {
    ...context,
    store: withClock(context.store, -wrong),
    now: () => now() + wrong,
    process: name,
    isRunning: (other) => (other === name ? true : undefined),
  };
}

const text = (words: string): Content => ({ type: 'text', sentAt: 0, bytes: Buffer.from(words) });

async function arrival(alice: Party, words: string) {
  return { source: 'a test', envelope: mail((await send(alice.context, 'bob', text(words))).envelope) };
}

/** A process that follows: what it has claimed, and is to tell. */
class Follower {
  readonly context: Context;
  readonly held: HeldTexts;
  readonly queue: Claim[] = [];
  #listed: readonly WaitingText[] = [];
  told: InboxId[] = [];

  constructor(context: Context) {
    this.context = context;
    this.held = new HeldTexts(context);
  }

  #add(claims: readonly Claim[]): void {
    this.held.add(claims);
    this.queue.push(...claims);
  }

  async receive(alice: Party, words: string): Promise<void> {
    const { outcomes } = await receive(this.context, [await arrival(alice, words)], {});
    this.#add(outcomes.filter((one) => one.type === 'message'));
  }

  async list(): Promise<void> {
    this.#listed = await listWaiting(this.context);
  }

  /** Takes over what it has listed, some time ago maybe. */
  async take(): Promise<void> {
    this.#add(await claim(this.context, this.#listed, NOTHING_SETTLED));
  }

  async claim(): Promise<void> {
    await this.list();
    await this.take();
  }

  /** Tells the first text. @returns it, unless another has taken it over. */
  async tell(): Promise<InboxId | undefined> {
    const [next] = this.queue.splice(0, 1);
    if (next === undefined) return undefined;
    if (await this.held.renew({ delivered: this.told, deferred: [] })) this.told = [];
    if (!this.held.has(next.inboxId)) return undefined;
    this.told.push(next.inboxId);
    return next.inboxId;
  }

  async acknowledge(): Promise<void> {
    const settled = { delivered: this.told, deferred: [] };
    await acknowledgeDelivered(this.context, settled);
    this.held.drop(settled);
    this.told = [];
  }
}

const inboxOf = (bob: Party) => bob.store.snapshot((view) => view.inbox());

const event = fc.record({
  machine: fc.constantFrom(0, 1),
  what: fc.constantFrom(...['receive', 'list', 'take', 'claim', 'tell', 'tell', 'acknowledge', 'die', 'wait', 'wait']),
  wait: fc.constantFrom(1_000, 4 * MINUTE, 6 * MINUTE, 11 * MINUTE),
});
const offset = fc.constantFrom(0, 1, HOUR, -HOUR, 3 * DAY, -3 * DAY);

describe('two machines that follow one identity', () => {
  it('tell a text only while it is theirs, take over only what is overdue, and leave nothing', async () => {
    await fc.assert(
      fc.asyncProperty(offset, offset, fc.array(event, { maxLength: 40 }), async (one, two, events) => {
        const { alice, bob } = await meet();
        alice.time = bob.time += 100 * DAY;
        let processes = 0;
        const begun = (machine: number) =>
          new Follower(on(bob, `${machine}/${processes++}`, machine === 0 ? one : two));
        const followers = [begun(0), begun(1)];
        const told = new Set<InboxId>();
        const all = new Set<InboxId>();
        /** Who has each text, and since when, by the true clock. */
        const claims = new Map<InboxId, { machine: string; since: number }>();
        const look = async () => {
          for (const { id, process = '', claimedAt } of await inboxOf(bob)) {
            all.add(id);
            const [machine = ''] = process.split('/');
            const before = claims.get(id);
            if (before !== undefined && before.machine !== machine) {
              expect(bob.time - before.since).toBeGreaterThanOrEqual(LEASE);
            }
            claims.set(id, { machine, since: claimedAt });
            expect(claimedAt).toBeLessThanOrEqual(bob.time);
          }
        };
        const tell = async (follower: Follower) => {
          const id = await follower.tell();
          if (id === undefined) return;
          const row = (await inboxOf(bob)).find((listed) => listed.id === id);
          expect(row?.process).toBe(follower.context.process);
          told.add(id);
        };
        for (const [n, { machine, what, wait }] of events.entries()) {
          const follower = followers[machine] as Follower;
          if (what === 'receive') await follower.receive(alice, `${n}`);
          else if (what === 'list') await follower.list();
          else if (what === 'take') await follower.take();
          else if (what === 'claim') await follower.claim();
          else if (what === 'tell') await tell(follower);
          else if (what === 'acknowledge') await follower.acknowledge();
          else if (what === 'die') followers[machine] = begun(machine);
          else bob.time += wait;
          await look();
        }
        bob.time += LEASE;
        const last = new Follower(on(bob, 'last', -HOUR));
        await last.claim();
        while (last.queue.length > 0) await tell(last);
        await last.acknowledge();
        expect(await inboxOf(bob)).toEqual([]);
        expect(told).toEqual(all);
      }),
      { numRuns: 50 },
    );
  });

  it('share what has come: what one is about to tell, the other passes over', async () => {
    const { alice, bob } = await meet();
    const [one, two] = [new Follower(on(bob, 'one')), new Follower(on(bob, 'two', HOUR))];
    await one.receive(alice, 'a');
    await two.receive(alice, 'b');
    await one.claim();
    await two.claim();
    expect([one.queue.length, two.queue.length]).toEqual([1, 1]);
    expect([await one.tell(), await two.tell()]).toEqual((await inboxOf(bob)).map(({ id }) => id));
  });

  it('pass over what the other has taken over', async () => {
    const { alice, bob } = await meet();
    const [one, two] = [new Follower(on(bob, 'one')), new Follower(on(bob, 'two', HOUR))];
    await one.receive(alice, 'a');
    bob.time += LEASE;
    await two.claim();
    expect([await one.tell(), await two.tell()]).toEqual([undefined, (await inboxOf(bob))[0]?.id]);
  });

  it('pass over what was overdue when they listed it, and was renewed since', async () => {
    const { alice, bob } = await meet();
    const [one, two] = [new Follower(on(bob, 'one')), new Follower(on(bob, 'two', HOUR))];
    await one.receive(alice, 'a');
    bob.time += LEASE;
    await two.list();
    expect(await one.tell()).toBe((await inboxOf(bob))[0]?.id);
    await two.take();
    expect(await two.tell()).toBeUndefined();
  });

  it('say by their own clocks when what the other has is due', async () => {
    const { alice, bob } = await meet();
    await new Follower(on(bob, 'one', 3 * HOUR)).receive(alice, 'a');
    const two = on(bob, 'two', -HOUR);
    expect(await listLent(two)).toEqual({ texts: 1, until: bob.time - HOUR + LEASE, processes: ['one'] });
    expect(await untilLeaseEnds(two)).toBe(LEASE);
    bob.time += LEASE;
    expect(await untilLeaseEnds(two)).toBeUndefined();
  });

  it('write envelopes and parts of the other again only once they are overdue', async () => {
    const { bob } = await meet();
    const [one, two] = [on(bob, 'one', HOUR), on(bob, 'two', -HOUR)];
    await send(one, 'alice', text('a'));
    const source = { path: '/film.mkv', inode: '1 2', modified: '3', host: 'one' };
    const content = await OutgoingContent.begin(one, 'alice', { name: 'film.mkv', size: 5, source });
    const unsent = async () => [(await listOutbox(two)).envelopes.length, (await listUnsent(two)).length];
    bob.time += LEASE - 1;
    expect(await unsent()).toEqual([0, 0]);
    await content.save();
    bob.time += 1;
    expect(await unsent()).toEqual([1, 0]);
    bob.time += LEASE;
    expect(await unsent()).toEqual([1, 1]);
    const [{ id } = { id: undefined as never }] = await listUnsent(two);
    await OutgoingContent.resume(two, id);
    // The first has been silent for too long.
    await expect(content.save()).rejects.toMatchObject({ code: 'not-in-outbox' });
    expect((await bob.store.snapshot((view) => view.outgoing())).map(({ process }) => process)).toEqual(['two']);
  });
});

describe('the claims of a process', () => {
  it('cost nothing while they are young, and one transaction for all of them when they are old', async () => {
    const { alice, bob } = await meet();
    const follower = new Follower(on(bob, 'one'));
    for (const words of ['a', 'b', 'c']) await follower.receive(alice, words);
    const transaction = vi.spyOn(bob.store, 'transaction');
    bob.time += LEASE / 2 - 1;
    await follower.tell();
    expect(transaction).not.toHaveBeenCalled();
    bob.time += 1;
    await follower.tell();
    expect(transaction).toHaveBeenCalledTimes(1);
    // What was told is noted with it, and the last one is renewed as well.
    expect((await inboxOf(bob)).map(({ claimedAt }) => claimedAt)).toEqual([bob.time, bob.time]);
    await follower.tell();
    expect(transaction).toHaveBeenCalledTimes(1);
  });

  it('are renewed in several transactions where one would take long', async () => {
    const { alice, bob } = await meet();
    const context = on(bob, 'one');
    const follower = new Follower(context);
    for (const words of ['a', 'b', 'c']) await follower.receive(alice, words);
    bob.time += LEASE / 2;
    let slow = 0;
    const now = () => {
      slow += 600;
      return context.now() + slow;
    };
    const held = new HeldTexts({ ...context, now });
    held.add(follower.queue);
    const transaction = vi.spyOn(bob.store, 'transaction');
    await held.renew(NOTHING_SETTLED);
    expect(transaction.mock.calls.length).toBeGreaterThan(1);
    expect(follower.queue.map(({ inboxId }) => held.has(inboxId))).toEqual([true, true, true]);
    expect(held.isDue).toBe(false);
  });

  it('are old too where the clock was turned back', async () => {
    const { alice, bob } = await meet();
    const follower = new Follower({ ...on(bob, 'one'), store: bob.store });
    await follower.receive(alice, 'a');
    bob.time -= LEASE / 2;
    expect(follower.held.isDue).toBe(true);
  });

  it('of texts that another has taken over are not read', async () => {
    const { alice, bob } = await meet();
    const [one, two] = [new Follower(on(bob, 'one')), new Follower(on(bob, 'two'))];
    await one.receive(alice, 'a');
    bob.time += LEASE;
    await two.claim();
    expect(await readClaimed(one.context, one.queue)).toEqual([]);
    expect(await readClaimed(two.context, two.queue)).toMatchObject([{ again: true, claimedAt: bob.time }]);
  });

  it('are timed by the clock of the store, and no clock of a machine shortens them', async () => {
    const { alice, bob } = await meet();
    bob.time += 100 * DAY;
    const one = on(bob, 'one');
    expect(claimTime(on(bob, 'two', HOUR))).toBe(bob.time);
    await receive(one, [await arrival(alice, 'a')], {});
    // It corrects the times that are ahead of its own clock.
    const late = on(bob, 'late', -3 * DAY);
    await receive(late, [await arrival(alice, 'b')], {});
    const [first] = await inboxOf(bob);
    expect([first?.claimedAt, first?.receivedAt]).toEqual([bob.time, bob.time - 3 * DAY]);
    expect(await listWaiting(late)).toEqual([]);
  });
});

describe('who takes the parts of a content', () => {
  /** A content that alice sends to bob in parts. */
  async function announced() {
    const { alice, bob } = await meet();
    const content = { name: undefined, size: undefined, source: undefined };
    const { envelope } = await OutgoingContent.begin(alice.context, 'bob', content);
    expect(await bob.read(envelope)).toBe('announced');
    const incoming = async (context: Context) => (await incomingContents(context))[0] as IncomingContent;
    const claimOf = async () => (await bob.store.snapshot((view) => view.incoming()))[0]?.claim;
    return { bob, incoming, claimOf };
  }

  it('holds it while it writes, at no cost while the claim is young', async () => {
    const { bob, incoming, claimOf } = await announced();
    const content = await incoming(on(bob, 'one', HOUR));
    await content.take();
    const begun = bob.time;
    const transaction = vi.spyOn(bob.store, 'transaction');
    bob.time += LEASE / 2 - 1;
    await content.hold();
    expect([transaction.mock.calls.length, await claimOf()]).toEqual([0, { process: 'one', at: begun }]);
    bob.time += 1;
    await content.hold();
    expect(await claimOf()).toEqual({ process: 'one', at: bob.time });
    // Saving renews it as well.
    bob.time += LEASE / 2;
    await content.begin(undefined);
    await content.hold();
    expect(transaction).toHaveBeenCalledTimes(2);
  });

  it('keeps it while a lease holds by the clock of the store, and loses it then', async () => {
    const { bob, incoming } = await announced();
    const [one, two] = [await incoming(on(bob, 'one', -HOUR)), await incoming(on(bob, 'two', HOUR))];
    await one.take();
    bob.time += LEASE - 1;
    await expect(two.take()).rejects.toMatchObject({ code: 'taken-elsewhere' });
    bob.time += 1;
    await two.take();
    await expect(one.hold()).rejects.toMatchObject({ code: 'taken-elsewhere' });
  });
});
