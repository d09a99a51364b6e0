import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { makeNats } from '../../src/places/nats-place.ts';
import type { Entry, Place } from '../../src/places/place.ts';
import { BOX, boxNamed, context, envelope, listed, nameOf, OTHER, open, read, relay, routeTo } from './nats-relay.ts';
import { NatsServer, noServer } from './nats-server.ts';

beforeEach(({ skip }) => {
  if (noServer !== undefined) skip(noServer);
});

describe('a place on a NATS server', () => {
  it('stores envelopes, lists, reads and removes them', async () => {
    const { place } = await relay();
    expect(await listed(place)).toEqual([]);
    for (let n = 0; n < 3; n++) await place.put(BOX, nameOf(n), envelope(n));
    await place.put(OTHER, nameOf(9), envelope(9, 10));

    const entries = await listed(place, [BOX, OTHER]);
    expect(entries.map(({ box, name, size }) => [box, name.slice(0, 32), size])).toEqual([
      [BOX, nameOf(0), 300],
      [BOX, nameOf(1), 300],
      [BOX, nameOf(2), 300],
      [OTHER, nameOf(9), 10],
    ]);
    expect(await read(place, entries)).toEqual(
      entries.map((entry, at) => ({ entry, bytes: at === 3 ? envelope(9, 10) : envelope(at) })),
    );

    expect(await place.remove(entries.slice(1))).toEqual([]);
    expect(await listed(place, [BOX, OTHER])).toEqual(entries.slice(0, 1));
    expect(await read(place, entries)).toHaveLength(1);
    expect(await place.remove(entries)).toEqual([]);
    expect(await listed(place, [BOX, OTHER])).toEqual([]);
  });

  it('lists a crowded box as another', async () => {
    const { place } = await relay();
    await Promise.all(Array.from({ length: 2500 }, (_, n) => place.put(BOX, nameOf(n), envelope(n, 10 + n))));
    const entries = await listed(place);
    expect(entries).toHaveLength(2500);
    const deliveries = await read(place, entries);
    expect(deliveries).toHaveLength(2500);
    for (const { entry, bytes } of deliveries)
      expect(bytes.length).toBe(Number.parseInt(entry.name.slice(0, 32), 16) + 10);
  });
});

describe('what others do to a box', () => {
  it('1,500 envelopes that were left do not hide one that is wanted, and are passed over unread', async () => {
    const { place } = await relay();
    await Promise.all(Array.from({ length: 1500 }, (_, n) => place.put(BOX, nameOf(n), envelope(n))));
    const left = new Set((await listed(place)).map(({ name }) => name));
    expect(left.size).toBe(1500);
    await place.put(BOX, nameOf(9999), envelope(7));
    const limits = { entries: 10, bytes: 1000, passOver: ({ name }: Entry) => left.has(name) };
    const [wanted, ...more] = await listed(place, [BOX], limits);
    expect(more).toEqual([]);
    expect(wanted?.name).toMatch(nameOf(9999));
  });

  it('junk fills a box, and no other', async () => {
    const { place } = await relay();
    await place.put(BOX, nameOf(1), envelope(1));
    await Promise.all(Array.from({ length: 9_999 }, (_, n) => place.put(BOX, nameOf(n + 2), envelope(n, 20))));
    await expect(place.put(BOX, nameOf(1), envelope(1))).rejects.toMatchObject({
      code: 'unreachable',
      detail: { reason: expect.stringContaining('the box is full') },
    });
    await place.put(OTHER, nameOf(1), envelope(1));
    // What was acknowledged was not pushed out.
    const [first] = await read(place, (await listed(place)).slice(0, 1));
    expect(first?.bytes).toEqual(envelope(1));
    const entries = await listed(place, [BOX, OTHER], { entries: 100, bytes: 10 * 300 });
    expect(entries.filter(({ box }) => box === BOX)).toHaveLength(100);
    expect(entries.filter(({ box }) => box === OTHER)).toHaveLength(1);
    // With room again, it takes again.
    await place.remove(entries.slice(0, 1));
    await place.put(BOX, nameOf(3), envelope(3));
  });

  it('of each box no more is listed than is asked for, by number and by bytes', async () => {
    const { place } = await relay();
    for (let n = 0; n < 8; n++) await place.put(BOX, nameOf(n), envelope(n, 100));
    for (const entries of [1, 2, 5])
      expect(await listed(place, [BOX], { entries, bytes: 2 ** 20 })).toHaveLength(entries);
    for (const fit of [0, 1, 3, 6])
      expect(await listed(place, [BOX], { entries: 10, bytes: fit * 100 + 99 })).toHaveLength(fit);
  });

  it('messages that pawl has not sent are listed by their number, unless they are no envelope by their size', async () => {
    const { server, place } = await relay();
    const connect = 'CONNECT {"verbose":false,"headers":true}\r\n';
    const messages = ['123456789', '1234567890', 'another message'].map(
      (text) => `PUB pawl.${BOX} ${text.length}\r\n${text}\r\n`,
    );
    const odd = `HPUB pawl.${BOX} 32 42\r\nNATS/1.0\r\nPawl-Name: ../../x\r\n\r\n1234567890\r\n`;
    await server.talk(`${connect}${messages.join('')}${odd}PING\r\n`, /PONG/);
    await place.put(BOX, nameOf(1), envelope(1));
    const entries = await listed(place);
    expect(entries.map(({ name, size }) => [name, size])).toEqual([
      ['2', 10],
      ['3', 15],
      ['4', 10],
      [`${nameOf(1)}.5`, 300],
    ]);
    expect((await read(place, entries)).map(({ bytes }) => Buffer.from(bytes).toString())[1]).toBe('another message');
  });

  it('a thousand boxes are listed, empty or not', async () => {
    const { place } = await relay();
    const boxes = Array.from({ length: 1000 }, (_, n) => boxNamed('z', n));
    await place.put(OTHER, nameOf(0), envelope(0));
    const time = async () => {
      const begun = performance.now();
      const found = await listed(place, boxes);
      return { found: found.length, milliseconds: performance.now() - begun };
    };
    const empty = await time();
    expect(empty.found).toBe(0);
    await Promise.all(boxes.map((box, n) => place.put(box, nameOf(n), envelope(n))));
    const full = await time();
    expect(full.found).toBe(1000);
    // One after the other they would take longer (npm run bench -- routes has the figure).
    expect(empty.milliseconds).toBeLessThan(20_000);
    expect(full.milliseconds).toBeLessThan(20_000);
  });
});

describe('messages of strangers', () => {
  const connect = 'CONNECT {"verbose":false,"headers":true}\r\n';
  const SPACES = ' '.repeat(60_000);

  it.each<[string, string]>([
    ['look like the end of the list', ' 404 No Messages'],
    ['look like a failure', ' 409 Consumer Deleted'],
    ['have fields that are none', '\r\nnot a name: x\r\nno colon'],
    ['have a value of several lines', '\r\nPawl-Name: x\ny\rz'],
    ['say a size of their own', '\r\nNats-Msg-Size: 17000000\r\nPawl-Name: ../..'],
    ['have a name that takes long to read', `\r\nPawl-Name: x${SPACES}y`],
    ['have very many fields', `\r\n${Array.from({ length: 6_000 }, (_, n) => `k${n}:`).join('\r\n')}`],
  ])('that %s hide nothing that is behind them', async (_, fields) => {
    const { server, place } = await relay();
    const headers = `NATS/1.0${fields}\r\n\r\n`;
    const publish = `HPUB pawl.${BOX} ${headers.length} ${headers.length + 20}\r\n${headers}${'x'.repeat(20)}\r\n`;
    // The first three are looked at one by one, the others by a consumer.
    await server.talk(`${connect}${publish.repeat(5)}PING\r\n`, /PONG/);
    await place.put(BOX, nameOf(6), envelope(6));
    const begun = performance.now();
    const entries = await listed(place);
    expect(entries.map(({ name, size }) => [name, size])).toEqual([
      ...['1', '2', '3', '4', '5'].map((name) => [name, 20]),
      [`${nameOf(6)}.6`, 300],
    ]);
    expect(await read(place, entries)).toHaveLength(6);
    expect(performance.now() - begun).toBeLessThan(5_000);
    expect(await place.remove(entries)).toEqual([]);
  });
});

describe('a server that was killed', () => {
  it('has every envelope that it acknowledged, and none that was removed', async () => {
    const { server } = await relay();
    const acknowledged = new Set<string>();
    /** By what was asked, and what was answered. */
    const toRemove = new Set<string>();
    const removed = new Set<string>();
    for (let round = 0; round < 3; round++) {
      const sender = await open(server.url);
      const receiver = await open(server.url);
      const sending = Array.from({ length: 8 }, async (_, lane) => {
        for (let n = 0; ; n++) {
          const name = nameOf(round * 1e6 + lane * 1e5 + n);
          await sender.put(BOX, name, envelope(n));
          acknowledged.add(name);
        }
      });
      const receiving = async () => {
        for (;;) {
          const entries = await listed(receiver, [BOX], { entries: 5, bytes: 2 ** 20 });
          for (const { name } of entries) toRemove.add(name.slice(0, 32));
          await receiver.remove(entries);
          for (const { name } of entries) removed.add(name.slice(0, 32));
        }
      };
      const ends = Promise.allSettled([...sending, receiving()]);
      while (acknowledged.size < (round + 1) * 300) await new Promise((resolve) => setTimeout(resolve, 5));
      await server.restart();
      sender.close();
      receiver.close();
      for (const end of await ends) {
        expect(end).toMatchObject({ status: 'rejected', reason: { code: 'unreachable' } });
      }
      const found = new Set((await listed(await open(server.url))).map(({ name }) => name.slice(0, 32)));
      expect([...acknowledged].filter((name) => !found.has(name) && !toRemove.has(name))).toEqual([]);
      expect([...removed].filter((name) => found.has(name))).toEqual([]);
      expect(removed.size).toBeGreaterThan(0);
    }
  });

  it('is reached again by the same place', async () => {
    const { server, place } = await relay();
    await place.put(BOX, nameOf(1), envelope(1));
    await server.kill();
    await expect(place.put(BOX, nameOf(2), envelope(2))).rejects.toMatchObject({ code: 'unreachable' });
    await expect(listed(place)).rejects.toMatchObject({ code: 'unreachable' });
    await server.start();
    await place.put(BOX, nameOf(3), envelope(3));
    expect((await listed(place)).map(({ name }) => name.slice(0, 32))).toEqual([nameOf(1), nameOf(3)]);
  });

  it('that has another stream when it comes back loses none of it by what was listed before', async () => {
    const { server, place } = await relay();
    for (const n of [1, 2]) await place.put(BOX, nameOf(n), envelope(1));
    const before = await listed(place);
    await server.kill();
    rmSync(server.path('store'), { recursive: true });
    await server.start();
    await makeNats(routeTo(server.url), { create: true }, context());
    await place.put(BOX, nameOf(1), envelope(2));
    await place.put(OTHER, nameOf(2), envelope(2));
    expect(await read(await open(server.url), before.slice(1))).toEqual([]);
    expect(await place.remove(before)).toEqual([]);
    const [kept, ...more] = await read(place, await listed(place));
    expect(more).toEqual([]);
    expect(kept?.bytes).toEqual(envelope(2));
  });
});

describe('waiting', () => {
  async function waits(place: Place, boxes = [BOX]) {
    const end = new AbortController();
    onTestFinished(() => end.abort());
    const state = { over: false };
    const waiting = place.wait(boxes, end.signal).then(() => {
      state.over = true;
    });
    waiting.catch(() => undefined);
    return { end, state, waiting };
  }
  const moment = (milliseconds = 100) => new Promise((resolve) => setTimeout(resolve, milliseconds));

  it('ends when an envelope comes, soon', async () => {
    const { server, place } = await relay();
    const sender = await open(server.url);
    await listed(place);
    const { state, waiting } = await waits(place);
    await moment();
    expect(state.over).toBe(false);
    const begun = performance.now();
    await sender.put(BOX, nameOf(1), envelope(1));
    await waiting;
    // Without its subscription it would look after 15 s.
    expect(performance.now() - begun).toBeLessThan(10_000);
    expect(await listed(place)).toHaveLength(1);
    const again = await waits(place);
    await moment();
    expect(again.state.over).toBe(false);
    again.end.abort();
    await again.waiting;
  });

  it('does not pass over what has come since the list', async () => {
    const { server, place } = await relay();
    await (await waits(place)).waiting;
    await listed(place);
    await (await open(server.url)).put(BOX, nameOf(1), envelope(1));
    await (await waits(place)).waiting;
  });

  it('ends after a long time in any case', async () => {
    const { server } = await relay();
    const place = await open(server.url, { timeLimit: 300 });
    await listed(place);
    const begun = performance.now();
    await (await waits(place)).waiting;
    expect(performance.now() - begun).toBeGreaterThan(2_900);
  });

  it('is not ended by what is sent to the full box, and fails with the server', async () => {
    const { server, place } = await relay();
    await Promise.all(Array.from({ length: 10_000 }, (_, n) => place.put(BOX, nameOf(n), envelope(n, 10))));
    await listed(place);
    const { state, waiting } = await waits(place);
    await moment();
    await expect((await open(server.url)).put(BOX, nameOf(1), envelope(1))).rejects.toThrow();
    await moment(300);
    expect(state.over).toBe(false);
    await server.kill();
    await expect(waiting).rejects.toMatchObject({ code: 'unreachable' });
  });
});

it('two who read a box get the same, and either may remove it', async () => {
  const { server, place } = await relay();
  const other = await open(server.url);
  for (let n = 0; n < 200; n++) await place.put(BOX, nameOf(n), envelope(n));
  const [mine, theirs] = await Promise.all([listed(place), listed(other)]);
  expect(mine).toEqual(theirs);
  const ends = await Promise.all([place.remove(mine), other.remove(theirs)]);
  expect(ends).toEqual([[], []]);
  expect(await read(place, mine)).toEqual([]);
  expect(await listed(other)).toEqual([]);
});

describe('a stream', () => {
  /** Makes one as `create` does, but for some settings. */
  async function makeStream(server: NatsServer, settings: Readonly<Record<string, unknown>>): Promise<void> {
    const body = JSON.stringify({
      name: 'PAWL',
      subjects: ['pawl.>'],
      storage: 'file',
      retention: 'limits',
      discard: 'new',
      discard_new_per_subject: true,
      max_msgs_per_subject: 10_000,
      max_bytes: 2 ** 20,
      max_age: 30 * 86_400 * 1e9,
      num_replicas: 1,
      ...settings,
      ...(settings.discard === 'old' && { discard_new_per_subject: false }),
    });
    const answer = await server.talk(
      `CONNECT {"verbose":false}\r\nSUB inbox 1\r\nPUB $JS.API.STREAM.CREATE.PAWL inbox ${body.length}\r\n${body}\r\n`,
      /MSG inbox.*\}\r\n/s,
    );
    expect(answer).toContain('"created"');
  }

  const made = (server: NatsServer, create: boolean, anyStream = false) =>
    makeNats(routeTo(server.url), { create, anyStream }, context());

  it('that is missing is told, and made where that is asked for', async () => {
    const server = await NatsServer.start();
    const missing = {
      code: 'unreachable',
      detail: { place: server.url, reason: 'there is no stream PAWL (pawl route with --create makes it)' },
    };
    await expect(made(server, false)).rejects.toMatchObject(missing);
    const place = await open(server.url);
    await expect(listed(place)).rejects.toMatchObject(missing);
    await expect(place.put(BOX, nameOf(1), envelope(1))).rejects.toMatchObject({
      detail: { reason: 'JetStream is not enabled there, or there is no stream PAWL' },
    });
    await Promise.all([made(server, true), made(server, true)]);
    await made(server, false);
    await made(server, true);
    await place.put(BOX, nameOf(1), envelope(1));
  });

  it('cannot be where JetStream is not enabled', async () => {
    const server = await NatsServer.start('');
    const detail = { reason: 'JetStream is not enabled there' };
    for (const create of [false, true])
      await expect(made(server, create)).rejects.toMatchObject({ code: 'unreachable', detail });
  });

  it.each<[Record<string, unknown>, RegExp, 'may be taken' | 'never']>([
    [{ discard: 'old' }, /discard is not new/, 'may be taken'],
    [{ max_age: 0 }, /max_age/, 'may be taken'],
    [{ max_age: 86_400 * 1e9 }, /max_age/, 'may be taken'],
    [{ max_bytes: -1 }, /max_bytes/, 'may be taken'],
    [{ max_msgs: 5 }, /max_msgs/, 'may be taken'],
    [{ discard_new_per_subject: false }, /max_msgs_per_subject/, 'may be taken'],
    [{ max_msgs_per_subject: 20_000 }, /max_msgs_per_subject/, 'may be taken'],
    [{ storage: 'memory' }, /in memory/, 'may be taken'],
    [{ allow_rollup_hdrs: true }, /allow_rollup_hdrs/, 'may be taken'],
    [{ retention: 'workqueue' }, /retention is workqueue/, 'never'],
    [{ retention: 'interest' }, /retention is interest/, 'never'],
    [{ deny_delete: true }, /deny_delete/, 'never'],
    [{ no_ack: true }, /no_ack/, 'never'],
    [{ subjects: ['pawl.x'] }, /its subjects/, 'never'],
    [{ subjects: ['pawl.*'] }, /^$/, 'may be taken'],
    [{ max_age: 60 * 86_400 * 1e9, max_msgs_per_subject: 1_000, max_bytes: 2 ** 20 }, /^$/, 'may be taken'],
  ])('with %j is told apart', async (settings, reason, verdict) => {
    const server = await NatsServer.start();
    await makeStream(server, settings);
    const unsuited = { code: 'unsuited-stream', detail: { place: server.url, reason: expect.stringMatching(reason) } };
    if (reason.test('')) await made(server, true);
    else for (const create of [true, false]) await expect(made(server, create)).rejects.toMatchObject(unsuited);
    if (verdict === 'never') await expect(made(server, true, true)).rejects.toMatchObject(unsuited);
    else {
      await made(server, false, true);
      const place = await open(server.url);
      await place.put(BOX, nameOf(1), envelope(1));
      const entries = await listed(place);
      expect(await read(place, entries)).toHaveLength(1);
      expect(await place.remove(entries)).toEqual([]);
    }
  });

  it('that is full says so', async () => {
    const server = await NatsServer.start();
    await makeStream(server, { max_bytes: 5_000 });
    const place = await open(server.url);
    const puts = Promise.all(Array.from({ length: 20 }, (_, n) => place.put(BOX, nameOf(n), envelope(n))));
    await expect(puts).rejects.toMatchObject({
      code: 'unreachable',
      detail: { reason: expect.stringMatching(/maximum bytes/) },
    });
  });

  it('takes what is as large as the server takes, and says so of more', async () => {
    const server = await NatsServer.start('jetstream: {store_dir: "FOLDER/store"}\nmax_payload: 18MB');
    await made(server, true);
    const place = await open(server.url);
    const whole = randomBytes(17 * 2 ** 20 + 10);
    await place.put(BOX, nameOf(1), whole);
    await place.put(BOX, nameOf(2), envelope(2));
    const [large, small] = await read(place, await listed(place));
    expect(Buffer.compare(large?.bytes ?? new Uint8Array(), whole)).toBe(0);
    expect(small?.bytes).toEqual(envelope(2));
    const usual = await NatsServer.start();
    await made(usual, true);
    const there = await open(usual.url);
    await there.put(BOX, nameOf(1), whole.subarray(0, 983_040 + 1024));
    await expect(there.put(BOX, nameOf(1), whole)).rejects.toMatchObject({
      code: 'unreachable',
      detail: { reason: expect.stringContaining('max_payload') },
    });
  });
});
