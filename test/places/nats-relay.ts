/** A relay for tests, and what is done with it. */
import { randomBytes } from 'node:crypto';
import { onTestFinished } from 'vitest';
import { makeNats, openNats } from '../../src/places/nats-place.ts';
import type { Box, Delivery, Entry, ListLimits, Place, PlaceContext } from '../../src/places/place.ts';
import { NatsServer } from './nats-server.ts';

export const LIMITS: ListLimits = { entries: 10_000, bytes: 2 ** 26 };

export function context(given: Partial<PlaceContext> = {}): PlaceContext {
  return {
    environment: {},
    now: Date.now,
    random: (length) => randomBytes(length),
    killGroup: () => false,
    timeLimit: 20_000,
    ...given,
  };
}

export function boxNamed(letter: string, number = 0): Box {
  const digits = number.toString(2).padStart(24, '0').replaceAll('0', 'a').replaceAll('1', 'b');
  return `${letter}${digits}a` as Box;
}

export const BOX = boxNamed('x');
export const OTHER = boxNamed('y');

/** The name of the n-th envelope. */
export function nameOf(n: number): string {
  return n.toString(16).padStart(32, '0');
}

export function envelope(n: number, length = 300): Uint8Array {
  return new Uint8Array(length).fill(n % 256);
}

export function routeTo(url: string, credentials?: string) {
  return { kind: 'nats', url, credentials } as const;
}

export async function open(url: string, given: Partial<PlaceContext> = {}, credentials?: string): Promise<Place> {
  const place = await openNats(routeTo(url, credentials), context(given));
  onTestFinished(() => place.close());
  return place;
}

/** A server with a stream, and a place there. */
export async function relay(): Promise<{ server: NatsServer; place: Place }> {
  const server = await NatsServer.start();
  await makeNats(routeTo(server.url), { create: true }, context());
  return { server, place: await open(server.url) };
}

export async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}

export async function listed(place: Place, boxes = [BOX], limits = LIMITS): Promise<Entry[]> {
  return await collect(place.list(boxes, limits));
}

export async function read(place: Place, entries: readonly Entry[]): Promise<Delivery[]> {
  const all = await collect(place.read(entries));
  return all.map((one) => {
    if ('reason' in one) throw new Error(one.reason);
    return one;
  });
}

/** An entry that may lie there. */
const ENTRY = { box: BOX, name: `${nameOf(1)}.1`, size: 10, version: 'x' };

/** Every operation of a place that asks its server something. */
export function operationsOf(place: Place): readonly (() => Promise<unknown>)[] {
  return [
    () => place.put(BOX, nameOf(1), envelope(1)),
    () => listed(place),
    () => read(place, [ENTRY]),
    () => place.remove([ENTRY]),
    () => place.wait([BOX], new AbortController().signal),
  ];
}
