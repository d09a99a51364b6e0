import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished, vi } from 'vitest';
import { encodeEnvelope } from '../../src/envelope/index.ts';
import {
  type Box,
  boxOf,
  type Delivery,
  type Entry,
  nameOfEnvelope,
  type Place,
  type PlaceContext,
} from '../../src/places/index.ts';
import { systemRandom } from '../../src/primitives/index.ts';
import { filled, message } from '../envelope/samples.ts';

/** No limit that a test reaches. */
export const NO_LIMITS = { entries: 10_000, bytes: 2 ** 26 } as const;

/** The examples, and what they need. */
const EXAMPLES = join(import.meta.dirname, '..', '..', 'examples');
export const PAWL_BOX = join(EXAMPLES, 'pawl-box');
export const PAWL_MAIL = join(EXAMPLES, 'pawl-mail');
export const PAWL_RCLONE = join(EXAMPLES, 'pawl-rclone');

export function contextWith(changes: Partial<PlaceContext> = {}): PlaceContext {
  return {
    environment: { PATH: process.env.PATH ?? '', HOME: tmpdir() },
    now: Date.now,
    random: systemRandom,
    killGroup(leader, signal) {
      try {
        return process.kill(-leader, signal);
      } catch {
        // It has ended.
        return false;
      }
    },
    ...changes,
  };
}

/** A box that differs from one seed to the next. */
export function boxWith(seed: number): Box {
  return boxOf(filled(16, seed));
}

export function envelopeWith(seed: number, padded = 256): Uint8Array {
  return encodeEnvelope(message(72, padded, seed));
}

/** A folder that goes when the test has finished. */
export function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'pawl-place-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Puts an envelope under its name, which it returns. */
export async function put(place: Place, box: Box, envelope: Uint8Array): Promise<string> {
  const name = nameOfEnvelope(envelope);
  await place.put(box, name, envelope);
  return name;
}

export async function listed(place: Place, boxes: readonly Box[], limits: Parameters<Place['list']>[1] = NO_LIMITS) {
  return await all(place.list(boxes, limits));
}

/** Reads what must be readable. */
export async function read(place: Place, entries: readonly Entry[]): Promise<Delivery[]> {
  return (await all(place.read(entries))).map((one) => {
    if (!('bytes' in one)) throw new Error(`refused: ${one.reason}`);
    return one;
  });
}

/** What lies in a box: the bytes, by name. */
export async function contentOf(place: Place, box: Box): Promise<Record<string, Buffer>> {
  const found = await read(place, await listed(place, [box]));
  return Object.fromEntries(found.map(({ entry, bytes }) => [entry.name, Buffer.from(bytes)]));
}

export async function all<Item>(source: AsyncIterable<Item>): Promise<Item[]> {
  const items: Item[] = [];
  for await (const item of source) items.push(item);
  return items;
}

/** Writes an executable script of sh, and returns its path. */
export function script(folder: string, lines: string): string {
  const path = join(folder, 'command');
  writeFileSync(path, `#!/bin/sh\n${lines}\n`, { mode: 0o755 });
  return path;
}

/**
 * Lets pauses of these lengths pass at once while `work` runs.
 * @param before is called before each of them.
 * @returns how long they were, in milliseconds.
 */
export async function withoutPauses(
  isPause: (milliseconds: number) => boolean,
  work: () => Promise<unknown>,
  before: (pauses: number) => void = () => undefined,
): Promise<number[]> {
  const pauses: number[] = [];
  const { setTimeout: real } = globalThis;
  const spy = vi.spyOn(globalThis, 'setTimeout').mockImplementation(((act: () => void, milliseconds = 0) => {
    if (!isPause(milliseconds)) return real(act, milliseconds);
    before(pauses.push(milliseconds));
    return real(act, 0);
  }) as typeof setTimeout);
  try {
    await work();
    return pauses;
  } finally {
    spy.mockRestore();
  }
}
