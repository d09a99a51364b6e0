import { randomBytes } from 'node:crypto';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { makeNats, openNats } from '../../src/places/nats-place.ts';
import type { Box, Delivery, Entry, ListLimits, Place, PlaceContext } from '../../src/places/place.ts';
import { NatsServer, noServer } from './nats-server.ts';

const LIMITS: ListLimits = { entries: 10_000, bytes: 2 ** 26 };

function context(given: Partial<PlaceContext> = {}): PlaceContext {
  return {
    environment: {},
    now: Date.now,
    random: (length) => randomBytes(length),
    killGroup: () => undefined,
    timeLimit: 20_000,
    ...given,
  };
}

function boxNamed(letter: string, number = 0): Box {
  const digits = number.toString(2).padStart(24, '0').replaceAll('0', 'a').replaceAll('1', 'b');
  return `${letter}${digits}a` as Box;
}

const BOX = boxNamed('x');
const OTHER = boxNamed('y');

/** The name of the n-th envelope. */
function nameOf(n: number): string {
  return n.toString(16).padStart(32, '0');
}

function envelope(n: number, length = 300): Uint8Array {
  return new Uint8Array(length).fill(n % 256);
}

function routeTo(url: string, credentials?: string) {
  return { kind: 'nats', url, credentials } as const;
}

async function open(url: string, given: Partial<PlaceContext> = {}, credentials?: string): Promise<Place> {
  const place = await openNats(routeTo(url, credentials), context(given));
  onTestFinished(() => place.close());
  return place;
}

/** A server with a stream, and a place there. */
async function relay(): Promise<{ server: NatsServer; place: Place }> {
  const server = await NatsServer.start();
  await makeNats(routeTo(server.url), { create: true }, context());
  return { server, place: await open(server.url) };
}

async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}

async function listed(place: Place, boxes = [BOX], limits = LIMITS): Promise<Entry[]> {
  return await collect(place.list(boxes, limits));
}

async function read(place: Place, entries: readonly Entry[]): Promise<Delivery[]> {
  const all = await collect(place.read(entries));
  return all.map((one) => {
    if ('reason' in one) throw new Error(one.reason);
    return one;
  });
}

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
    for (const { entry, bytes } of deliveries) expect(bytes.length).toBe(Number.parseInt(entry.name.slice(0, 32), 16) + 10);
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
    const begun = performance.now();
    const entries = await listed(place, [BOX, OTHER], { entries: 100, bytes: 10 * 300 });
    expect(entries.filter(({ box }) => box === BOX)).toHaveLength(100);
    expect(entries.filter(({ box }) => box === OTHER)).toHaveLength(1);
    expect(performance.now() - begun).toBeLessThan(2_000);
    // With room again, it takes again.
    await place.remove(entries.slice(0, 1));
    await place.put(BOX, nameOf(3), envelope(3));
  });

  it('of each box no more is listed than is asked for, by number and by bytes', async () => {
    const { place } = await relay();
    for (let n = 0; n < 8; n++) await place.put(BOX, nameOf(n), envelope(n, 100));
    for (const entries of [1, 2, 5]) expect(await listed(place, [BOX], { entries, bytes: 2 ** 20 })).toHaveLength(entries);
    for (const fit of [0, 1, 3, 6]) expect(await listed(place, [BOX], { entries: 10, bytes: fit * 100 + 99 })).toHaveLength(fit);
  });

  it('messages that pawl has not sent are listed by their number, unless they are no envelope by their size', async () => {
    const { server, place } = await relay();
    const connect = 'CONNECT {"verbose":false,"headers":true}\r\n';
    const messages = ['123456789', '1234567890', 'another message'].map((text) => `PUB pawl.${BOX} ${text.length}\r\n${text}\r\n`);
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

  it('a thousand boxes are listed within two seconds, empty or not', async () => {
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
    expect(empty.milliseconds).toBeLessThan(2_000);
    expect(full.milliseconds).toBeLessThan(2_000);
    if (process.env.MEASURE) console.log({ empty, full });
  });
});
