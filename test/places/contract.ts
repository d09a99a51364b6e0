import { describe, expect, it } from 'vitest';
import type { Box, Entry, Place } from '../../src/places/index.ts';
import { nameOfEnvelope, nameOfPart } from '../../src/places/index.ts';
import { boxWith, contentOf, envelopeWith, listed, NO_LIMITS, put, read } from './places.ts';

const [A, B, C] = [boxWith(1), boxWith(2), boxWith(3)];

/**
 * What every kind of place must do.
 * @param open opens a new, empty place, and the same once more with each further call of what it returns.
 */
export function keepsTheContract(kind: string, open: () => Promise<() => Promise<Place>>): void {
  const place = async () => await (await open())();
  const names = (entries: readonly Entry[]) => entries.map(({ name }) => name);

  describe(`a place of the kind ${kind}`, () => {
    it('has nothing at first', async () => {
      const empty = await place();
      expect(await listed(empty, [A, B])).toEqual([]);
      expect(await listed(empty, [])).toEqual([]);
      expect(await read(empty, [])).toEqual([]);
      expect(await empty.remove([])).toEqual([]);
    });

    it('gives what was put, to whoever opens it', async () => {
      const opened = await open();
      const [here, there] = [await opened(), await opened()];
      const envelope = envelopeWith(1);
      const name = await put(here, A, envelope);
      expect(await listed(there, [A])).toMatchObject([{ box: A, name, size: envelope.length }]);
      expect(await contentOf(there, A)).toEqual({ [name]: Buffer.from(envelope) });
      // Reading removes nothing.
      expect(await contentOf(there, A)).toEqual({ [name]: Buffer.from(envelope) });
    });

    it('carries envelopes of every size, byte for byte', async () => {
      const here = await place();
      const sizes = [10, 16 * 2 ** 20, 17 * 2 ** 20 + 10];
      for (const [index, size] of sizes.entries()) {
        const name = nameOfPart(index);
        // Shorter than its head says is what has not come whole: there is none.
        const bytes = Buffer.alloc(size, `${index}\n\0\r\xff`, 'latin1');
        await here.put(A, name, bytes);
        const [found] = await read(here, await listed(here, [A]));
        expect(bytes.equals(found?.bytes ?? Buffer.alloc(0))).toBe(true);
        await here.remove(await listed(here, [A]));
      }
      await expect(here.put(A, nameOfPart(9), Buffer.alloc(9))).rejects.toThrow(RangeError);
      await expect(here.put(A, '../../etc/passwd', envelopeWith(1))).rejects.toThrow(RangeError);
    });

    it('takes the same one twice as one', async () => {
      const here = await place();
      const name = await put(here, A, envelopeWith(1));
      await put(here, A, envelopeWith(1));
      await put(here, A, envelopeWith(2));
      expect(names(await listed(here, [A])).sort()).toEqual([name, nameOfEnvelope(envelopeWith(2))].sort());
    });

    it('keeps boxes apart', async () => {
      const here = await place();
      for (const box of [A, B]) await put(here, box, envelopeWith(1));
      await put(here, B, envelopeWith(2));
      expect(Object.keys(await contentOf(here, A))).toHaveLength(1);
      expect(Object.keys(await contentOf(here, B))).toHaveLength(2);
      await here.remove(await listed(here, [B]));
      expect(Object.keys(await contentOf(here, A))).toHaveLength(1);
      expect(await listed(here, [B, C])).toEqual([]);
    });

    it('lists the boxes as they are asked for, and of each as much as it may', async () => {
      const here = await place();
      for (let seed = 1; seed <= 8; seed++) await put(here, A, envelopeWith(seed));
      await put(here, B, envelopeWith(9));
      const more: Box[] = [];
      const boxesOf = async (boxes: readonly Box[], limits: Parameters<Place['list']>[1]) =>
        (await listed(here, boxes, { ...limits, onMore: (box) => more.push(box) })).map(({ box }) => box);
      const size = envelopeWith(1).length;
      expect(await boxesOf([A, B, C], { ...NO_LIMITS, entries: 3 })).toEqual([A, A, A, B]);
      expect(await boxesOf([B, A], { ...NO_LIMITS, bytes: 2.5 * size })).toEqual([B, A, A]);
      // An envelope that is larger than the limit is not kept back for ever.
      expect(await boxesOf([A], { ...NO_LIMITS, bytes: 1 })).toEqual([A]);
      expect(more).toEqual([A, A, A]);
      expect(await boxesOf([B, A, C], NO_LIMITS)).toHaveLength(9);
      expect(more).toHaveLength(3);
    });

    it('lists what lies behind what was left', async () => {
      const here = await place();
      for (let seed = 1; seed <= 6; seed++) await put(here, A, envelopeWith(seed));
      const first = await listed(here, [A], { ...NO_LIMITS, entries: 4 });
      const left = new Set(names(first));
      const rest = await listed(here, [A], { ...NO_LIMITS, entries: 4, passOver: ({ name }) => left.has(name) });
      expect(new Set([...left, ...names(rest)]).size).toBe(6);
    });

    it('leaves out what is gone, and reads the rest in order', async () => {
      const here = await place();
      for (let seed = 1; seed <= 5; seed++) await put(here, A, envelopeWith(seed));
      const entries = await listed(here, [A]);
      const gone = [entries[1], entries[4]].filter((entry) => entry !== undefined);
      expect(await here.remove(gone)).toEqual([]);
      expect((await read(here, entries)).map(({ entry }) => entry)).toEqual(
        entries.filter((one) => !gone.includes(one)),
      );
      // What is gone is no error.
      expect(await here.remove(entries)).toEqual([]);
      expect(await listed(here, [A])).toEqual([]);
    });

    it('is read as far as one likes', async () => {
      const here = await place();
      for (let seed = 1; seed <= 5; seed++) await put(here, A, envelopeWith(seed));
      const entries = await listed(here, [A]);
      for await (const { entry } of here.read(entries)) {
        expect(entry).toEqual(entries[0]);
        break;
      }
      for await (const entry of here.list([A], NO_LIMITS)) {
        expect(entry.box).toBe(A);
        break;
      }
      expect(await read(here, entries)).toHaveLength(5);
    });

    it('stops waiting when it is told to', async () => {
      const here = await place();
      await here.wait([A], AbortSignal.abort());
      const controller = new AbortController();
      const waiting = here.wait([A], controller.signal);
      controller.abort();
      await waiting;
      await here.close();
    });
  });
}
