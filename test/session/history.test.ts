import { existsSync, statSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeEnvelope, encodeContent } from '../../src/envelope/index.ts';
import {
  acknowledgeDelivered,
  claim,
  countDeletable,
  DAY,
  forget,
  historyReport,
  type Logged,
  listWaiting,
  log,
  readClaimed,
  receive,
  rename,
  type SessionStore,
  send,
  sendAll,
  setHistory,
  type Transaction,
} from '../../src/session/index.ts';
import { KEY, newFile, openStore } from '../storage/folder.ts';
import { decryptedPages } from '../storage/pages.ts';
import { type Action, Model, type Side } from './model.ts';
import { meet, NOTHING_SETTLED, Party, START } from './party.ts';

async function logged({ context }: Party, wanted: Parameters<typeof log>[1] = {}): Promise<readonly Logged[]> {
  const all: Logged[] = [];
  for await (const slice of log(context, wanted)) all.push(...slice);
  return all;
}

function asWords({ direction, contact, content }: Logged): string {
  const what = content.kind === 'text' ? content.text : `${content.kind} of ${content.length}`;
  return direction === 'sent' ? `to ${contact}: ${what}` : `${contact}: ${what}`;
}

async function wordsOf(party: Party, wanted?: Parameters<typeof log>[1]): Promise<readonly string[]> {
  return (await logged(party, wanted)).map(asWords);
}

/** Alice and bob, who have met; bob keeps texts. */
async function withHistory(retention: Parameters<typeof setHistory>[1] = 'on') {
  const people = await meet();
  await setHistory(people.bob.context, retention);
  return people;
}

/** What bob's unit of work accepts of an envelope, and does not deliver yet. */
async function accept({ context }: Party, envelope: Uint8Array) {
  const decoded = decodeEnvelope(envelope);
  if (!('message' in decoded)) throw new Error('a message');
  const { outcomes } = await receive(context, [{ source: 'here', envelope: decoded }], {});
  return outcomes.flatMap((outcome) => (outcome.type === 'message' ? [outcome.inboxId] : []));
}

describe('history', () => {
  it('is off at first: nothing is kept, and a command asks the store once', async () => {
    const { alice, bob } = await meet();
    const calls: string[] = [];
    bob.store = watching(bob.store, calls);
    await bob.send('alice', 'hi');
    await bob.read((await alice.send('bob', 'ho')).envelope);
    // Sending, noting that it is written; receiving, noting that it is delivered.
    expect(calls).toEqual(['historySetting', 'historySetting', 'historySetting']);
    expect(await logged(bob)).toEqual([]);
    expect(await historyReport(bob.context)).toEqual({ on: false });
    expect((await bob.store.snapshot((view) => view.countHistory({}))).count).toBe(0);
  });

  it('keeps what is sealed and what is delivered from now on, in that order', async () => {
    const { alice, bob } = await withHistory();
    const { id, n, envelope } = await alice.send('bob', 'noon?');
    bob.time = START + 5_000;
    await bob.read(envelope);
    await bob.send('alice', 'noon it is');
    await bob.read((await alice.send('bob', 'good')).envelope);
    const all = await logged(bob);
    expect(all.map(asWords)).toEqual(['alice: noon?', 'to alice: noon it is', 'alice: good']);
    expect(all[0]).toEqual({
      direction: 'received',
      contact: 'alice',
      messageId: id,
      n,
      at: START + 5_000,
      sentAt: START,
      content: { kind: 'text', text: 'noon?' },
    });
    expect(await historyReport(bob.context)).toEqual({
      on: true,
      since: START,
      maxAge: undefined,
      texts: 3,
      first: START + 5_000,
    });
  });

  it('has a text from the commit on that drops it from the inbox, and not before', async () => {
    const { alice, bob } = await withHistory();
    const ids = await accept(bob, (await alice.send('bob', 'hi')).envelope);
    expect(await logged(bob)).toEqual([]);
    await acknowledgeDelivered(bob.context, { delivered: [], deferred: ids });
    expect(await logged(bob)).toEqual([]);
    await acknowledgeDelivered(bob.context, { delivered: ids, deferred: [] });
    await acknowledgeDelivered(bob.context, { delivered: ids, deferred: [] });
    expect(await wordsOf(bob)).toEqual(['alice: hi']);
    expect(await bob.store.snapshot((view) => view.inbox())).toEqual([]);
  });

  it('has a text once that was delivered again, as its process was not known to have done it', async () => {
    const { alice, bob } = await withHistory();
    await accept(bob, (await alice.send('bob', 'hi')).envelope);
    const context = { ...bob.context, isRunning: () => false };
    for (let time = 0; time < 3; time++) {
      const claims = await claim(context, await listWaiting(context), NOTHING_SETTLED);
      const earlier = await readClaimed(context, claims);
      expect(earlier).toMatchObject([{ again: true }]);
      expect(await logged(bob)).toEqual([]);
      if (time === 2)
        await receive(context, [], {
          settled: { delivered: earlier.map(({ inboxId }) => inboxId), deferred: [] },
        });
    }
    expect(await wordsOf(bob)).toEqual(['alice: hi']);
  });

  it('keeps nothing of a unit of work that fails', async () => {
    const { bob } = await withHistory();
    const texts = ['one', 'two'].map((text) =>
      encodeContent({ type: 'text', sentAt: START, bytes: Buffer.from(text) }),
    );
    let sealed = 0;
    const random = (length: number) => {
      if (sealed++ > 0) throw new Error('no more randomness');
      return bob.random(length);
    };
    await expect(sendAll({ ...bob.context, random }, 'alice', texts)).rejects.toThrow('no more');
    expect(await logged(bob)).toEqual([]);
  });

  it('keeps name and length of a file, and the length of what is no text or a long one', async () => {
    const { alice, bob } = await withHistory();
    const sentAt = START;
    for (const content of [
      { type: 'file', name: 'photo.jpg', sentAt, bytes: Buffer.from('text all the same') },
      { type: 'text', sentAt, bytes: Buffer.from([0xff]) },
      { type: 'text', sentAt, bytes: Buffer.from('a\0b') },
      { type: 'text', sentAt, bytes: Buffer.alloc(65_536, 'x') },
      { type: 'text', sentAt, bytes: Buffer.alloc(65_537, 'x') },
      { type: 'text', sentAt, bytes: Buffer.from('\ufefftext\n') },
    ] as const) {
      const { envelope } = await send(alice.context, 'bob', content);
      await bob.read(envelope);
      await send(bob.context, 'alice', content);
    }
    const kept = [
      { kind: 'file', name: 'photo.jpg', length: 17 },
      { kind: 'bytes', length: 1 },
      { kind: 'bytes', length: 3 },
      { kind: 'text', text: 'x'.repeat(65_536) },
      { kind: 'bytes', length: 65_537 },
      { kind: 'text', text: '\ufefftext\n' },
    ];
    expect((await logged(bob)).map(({ content }) => content)).toEqual(kept.flatMap((one) => [one, one]));
  });

  it('is read in slices, whoever writes meanwhile', async () => {
    const { bob } = await withHistory();
    const texts = Array.from({ length: 150 }, (_, i) => `${i}`);
    for (const text of texts) await bob.send('alice', text);
    const found: string[] = [];
    for await (const slice of log(bob.context, {})) {
      if (found.length === 0) await bob.send('alice', 'meanwhile');
      found.push(...slice.map(asWords));
    }
    expect(found).toEqual([...texts, 'meanwhile'].map((text) => `to alice: ${text}`));
  });

  it('tells of one contact, and of a time', async () => {
    const { bob } = await withHistory();
    const carol = new Party('carol');
    await carol.add('bob', await bob.invite('carol'));
    await bob.read((await carol.send('bob', 'hi, this is carol')).envelope);
    bob.time = START + DAY;
    await bob.send('alice', 'a day later');
    expect(await wordsOf(bob, { contact: 'carol' })).toEqual(['carol: hi, this is carol']);
    expect(await wordsOf(bob, { since: START + DAY })).toEqual(['to alice: a day later']);
    expect(await wordsOf(bob, { contact: 'carol', since: START + 1 })).toEqual([]);
    await expect(logged(bob, { contact: 'dave' })).rejects.toThrow('unknown-contact');
  });

  it('follows a contact to another name, and goes with one who is forgotten', async () => {
    const { bob } = await withHistory();
    await bob.send('alice', 'hi');
    await rename(bob.context, 'alice', 'alice-of-the-office');
    expect(await wordsOf(bob)).toEqual(['to alice-of-the-office: hi']);
    expect(await forget(bob.context, 'alice-of-the-office')).toMatchObject({ contact: { history: 1 } });
    expect(await logged(bob)).toEqual([]);
    expect(await historyReport(bob.context)).toMatchObject({ on: true, texts: 0 });
  });
});

describe('a text that was kept for its time', () => {
  /** Bob's file, with a text that he sent and one that alice sent him, each kept for a day. */
  async function file() {
    const path = newFile();
    const bob = new Party('bob', { store: openStore(path) });
    const alice = new Party('alice');
    await setHistory(bob.context, DAY);
    await alice.add('bob', await bob.invite('alice'));
    // She says that it is of a time to come: no sender decides for how long a text is kept.
    alice.time = START + DAY - 1;
    await bob.read((await alice.send('bob', 'the needle of alice')).envelope);
    await bob.send('alice', 'the needle of bob');
    const found = () => {
      expect(existsSync(`${path}-journal`)).toBe(false);
      const pages = decryptedPages(path, KEY);
      return ['the needle of alice', 'the needle of bob'].filter((text) => pages.includes(text));
    };
    return { bob, found };
  }
  const both = ['the needle of alice', 'the needle of bob'];

  it('is shown no more, and is in no page of the file after the next command that writes', async () => {
    const { bob, found } = await file();
    bob.time = START + DAY;
    expect(await logged(bob)).toHaveLength(2);
    await bob.invite('dave');
    expect(found()).toEqual(both);

    bob.time = START + DAY + 1;
    expect(await logged(bob)).toEqual([]);
    expect(await historyReport(bob.context)).toMatchObject({ texts: 0, first: undefined });
    expect(found()).toEqual(both);
    await bob.invite('carol');
    expect(found()).toEqual([]);
  });

  it('goes at once where the time is made shorter, or history is turned off', async () => {
    for (const retention of [1_000, 'off'] as const) {
      const { bob, found } = await file();
      bob.time = START + 2_000;
      expect(await countDeletable(bob.context, 'on')).toBe(0);
      expect(await countDeletable(bob.context, 2_000)).toBe(0);
      expect(await countDeletable(bob.context, retention)).toBe(2);
      expect(found()).toEqual(both);
      expect(await setHistory(bob.context, retention)).toBe(2);
      expect(await logged(bob)).toEqual([]);
      expect(found()).toEqual([]);
    }
  });

  it('stays where it is made longer; and when it was turned on is not forgotten', async () => {
    const { bob } = await file();
    bob.time = START + 2_000;
    expect(await setHistory(bob.context, 'on')).toBe(0);
    expect(await setHistory(bob.context, 7 * DAY)).toBe(0);
    expect(await historyReport(bob.context)).toMatchObject({ since: START, maxAge: 7 * DAY, texts: 2 });
    await setHistory(bob.context, 'off');
    expect(await setHistory(bob.context, 'on')).toBe(0);
    expect(await historyReport(bob.context)).toMatchObject({ since: START + 2_000, texts: 0 });
  });
});

it('the file shrinks when its texts have gone', async () => {
  const path = newFile();
  const bob = new Party('bob', { store: openStore(path) });
  await bob.add('alice', await new Party('alice').invite('bob'));
  await setHistory(bob.context, 'on');
  const before = statSync(path).size;
  for (let i = 0; i < 20; i++) await bob.send('alice', `${i}`.repeat(30_000));
  expect(statSync(path).size).toBeGreaterThan(before + 600_000);
  await setHistory(bob.context, 'off');
  expect(statSync(path).size).toBeLessThan(before + 100_000);
});

describe('whatever the channel does', () => {
  const side = fc.constantFrom<Side>('alice', 'bob');
  const pick = fc.nat({ max: 1_000 });
  const action: fc.Arbitrary<Action> = fc.oneof(
    { weight: 4, arbitrary: fc.record({ do: fc.constant('send' as const), from: side }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constant('deliver' as const), pick }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('deliver-some' as const), picks: fc.array(pick) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('tamper' as const), pick, at: fc.nat() }) },
    { weight: 1, arbitrary: fc.constant({ do: 'wait' as const }) },
  );

  it('history holds each text once that was sent, and each once that was accepted', async () => {
    await fc.assert(
      fc.asyncProperty(side, fc.array(action, { maxLength: 24 }), async (inviter, actions) => {
        const model = new Model();
        for (const party of Object.values(model.parties)) await setHistory(party.context, 'on');
        await model.introduce(inviter);
        for (const one of actions) await model.play(one);
        for (const [name, party] of Object.entries(model.parties)) {
          const all = await logged(party);
          const texts = (direction: Logged['direction']) =>
            all.flatMap((one) => (one.direction === direction ? one.content : [])).map(textIn);
          expect(texts('sent')).toEqual(model.messages.filter(({ from }) => from === name).map(({ text }) => text));
          const accepted = [...model.accepted].filter((one) => one.startsWith(`${name} 0 `));
          expect(texts('received').map((text) => `${name} 0 ${text}`)).toEqual(accepted);
        }
      }),
      { numRuns: 40 },
    );
  });
});

function textIn(content: Logged['content']): string | undefined {
  return content.kind === 'text' ? content.text : undefined;
}

/** A store that notes what is asked of its history. */
function watching(store: SessionStore, calls: string[]): SessionStore {
  const watched = (transaction: Transaction) =>
    new Proxy(transaction, {
      get(target, name: keyof Transaction) {
        if (/history|inboxEntry|inboxContent/i.test(name)) calls.push(name);
        return target[name];
      },
    });
  return {
    transaction: (work) => store.transaction((transaction) => work(watched(transaction))),
    snapshot: (work) => store.snapshot(work),
  };
}
