import type { Dir, Dirent } from 'node:fs';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { makeRoute, openPlace, type Place, type PlaceContext } from '../../src/places/index.ts';
import { boxWith, contextWith, envelopeWith, listed, newFolder, put, withoutPauses } from './places.ts';

// A folder of a file system that hangs, or whose list never ends, as one in user space can be.

type Disk = Pick<typeof import('node:fs/promises'), 'link' | 'opendir' | 'stat' | 'lstat'>;
const disk = vi.hoisted((): { faults: Partial<Disk> } => ({ faults: {} }));

vi.mock(import('node:fs/promises'), async (importOriginal) => {
  const real = await importOriginal();
  const faulty = (name: keyof Disk) =>
    ((...words: [never, never]) =>
      ((disk.faults[name] ?? real[name]) as (...all: unknown[]) => unknown)(...words)) as never;
  const changed = { link: faulty('link'), opendir: faulty('opendir'), stat: faulty('stat'), lstat: faulty('lstat') };
  return { ...real, ...changed, default: { ...real, ...changed } };
});

const A = boxWith(1);
const ENVELOPE = envelopeWith(1);

afterEach(() => {
  disk.faults = {};
});

async function opened(changes: Partial<PlaceContext> = {}, folder = newFolder()) {
  const context = contextWith(changes);
  const route = await makeRoute({ kind: 'dir', path: folder }, { create: true }, context);
  return { folder, place: await openPlace(route, context) };
}

/** A folder in which there are names without an end. @returns how many were asked for. */
function endless(before: () => Promise<unknown> | undefined): { asked: number } {
  const state = { asked: 0 };
  disk.faults.opendir = async () => {
    async function* names() {
      for (;;) {
        await before();
        state.asked++;
        yield { name: 'stranger' } as Dirent;
      }
    }
    return names() as unknown as Dir;
  };
  return state;
}

const operations: [string, (place: Place) => Promise<unknown>][] = [
  ['listed', (place) => listed(place, [A])],
  ['written to', (place) => put(place, A, ENVELOPE)],
  [
    'waited for',
    (place) =>
      withoutPauses(
        (pause) => pause === 1_000,
        () => place.wait([A], new AbortController().signal),
      ),
  ],
];

describe('a folder without an end', () => {
  it('is given up after a million names', async () => {
    const { place } = await opened();
    const state = endless(() => undefined);
    await expect(listed(place, [A])).rejects.toMatchObject({
      code: 'unreachable',
      detail: { reason: 'there are more than 1,000,000 files in it' },
    });
    expect(state.asked).toBe(1_000_001);
  });

  it.each(operations)('is given up after ten minutes when it is %s, whatever comes', async (_, ask) => {
    const { place } = await opened({ timeLimit: 30_000 });
    const state = endless(() => undefined);
    const { now } = performance;
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => now.call(performance) + state.asked * 10_000);
    onTestFinished(() => clock.mockRestore());
    await expect(ask(place)).rejects.toMatchObject({
      code: 'unreachable',
      detail: { reason: 'it answers too slowly' },
    });
    expect(state.asked).toBeGreaterThan(55);
    expect(state.asked).toBeLessThan(70);
  });

  it.each(operations)('is left alone when it was given up, when it is %s', async (_, ask) => {
    const { place } = await opened({ timeLimit: 300 });
    let goOn = () => undefined as unknown;
    const gate = new Promise((resolve) => {
      goOn = () => resolve(undefined);
    });
    const state = endless(() => gate);
    await expect(ask(place)).rejects.toMatchObject({
      code: 'unreachable',
      detail: { reason: expect.stringMatching(/not answer/) },
    });
    goOn();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(state.asked).toBe(1);
  });
});

describe('the mark of a folder that hangs', () => {
  const never = () => new Promise<never>(() => undefined);

  it.each(['link', 'stat'] as const)('is not waited for without an end (%s)', async (name) => {
    disk.faults[name] = never;
    await expect(opened({ timeLimit: 300 })).rejects.toMatchObject({
      code: 'unreachable',
      detail: { reason: 'it does not answer for 0 s' },
    });
  });
});

describe('the mark of a folder without links', () => {
  const noLinks = () => Promise.reject(Object.assign(new Error('EPERM'), { code: 'EPERM', errno: -1 }));

  it('is made, and replaces nothing', async () => {
    disk.faults.link = noLinks;
    const { folder, place } = await opened();
    const mark = readFileSync(join(folder, '.pawl-place'), 'latin1');
    expect(mark).toMatch(/^[0-9a-f]{32}\n$/);
    expect(readdirSync(folder)).toEqual(['.pawl-place']);
    await put(place, A, ENVELOPE);
    await opened({}, folder);
    expect(readFileSync(join(folder, '.pawl-place'), 'latin1')).toBe(mark);
    const other = newFolder();
    writeFileSync(join(other, '.pawl-place'), 'hello');
    await expect(opened({}, other)).rejects.toMatchObject({ code: 'unreachable' });
    expect(readFileSync(join(other, '.pawl-place'), 'latin1')).toBe('hello');
  });

  it('that cannot be made is told', async () => {
    disk.faults.link = () => Promise.reject(Object.assign(new Error('EIO'), { code: 'EEXIST', errno: -17 }));
    const folder = newFolder();
    await expect(opened({}, folder)).rejects.toMatchObject({
      code: 'unreachable',
      detail: { reason: 'its file .pawl-place is no mark' },
    });
    expect(existsSync(join(folder, '.pawl-place'))).toBe(false);
    expect(readdirSync(folder)).toEqual([]);
  });
});
