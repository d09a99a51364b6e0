import { expect, it } from 'vitest';
import type { ContactId, HistoryContent, HistoryEntry, HistoryId } from '../../../src/session/store.ts';
import { addContact, bytesOf, type MakeStore, NOW } from '../fixtures.ts';

/** One of each kind, at the limits of what a row may hold. */
const CONTENTS: readonly HistoryContent[] = [
  { kind: 'text', text: 'hi bob' },
  { kind: 'text', text: '' },
  { kind: 'text', text: '\ufeffa\r\nb\u202e\u{1f41a}' },
  { kind: 'text', text: 'é'.repeat(2 ** 15) },
  { kind: 'file', name: 'photo.jpg', length: 16 * 2 ** 20 },
  { kind: 'file', name: 'nothing', length: 0 },
  { kind: 'bytes', length: 2 ** 16 + 1 },
];

export function history(make: MakeStore): void {
  async function withContacts() {
    const { store } = make();
    const contacts = await store.transaction(async (transaction) => ({
      alice: await addContact(transaction, 'alice'),
      carol: await addContact(transaction, 'carol'),
    }));
    return { store, ...contacts };
  }

  const entry = (
    contact: ContactId,
    at = NOW,
    content: HistoryContent = { kind: 'text', text: `${at}` },
  ): HistoryEntry => ({
    contact,
    direction: at % 2 === 0 ? 'sent' : 'received',
    messageId: bytesOf(`${contact} ${at}`, 16),
    n: 2 ** 32 - 2,
    at,
    sentAt: 8.64e15,
    content,
  });
  const without = ({ id: _, ...rest }: HistoryEntry & { id: HistoryId }) => rest;

  it('is off at first, and is then as it was set last', async () => {
    const { store } = make();
    await store.transaction(async (transaction) => {
      expect(await transaction.historySetting()).toBeUndefined();
      for (const historySetting of [{ since: NOW, maxAge: 1 }, { since: 0, maxAge: undefined }, undefined]) {
        await transaction.setHistorySetting(historySetting);
        expect(await transaction.historySetting()).toEqual(historySetting);
      }
    });
  });

  it('gives every entry as it was put in, in that order, whatever its time', async () => {
    const { store, alice, carol } = await withContacts();
    const entries = CONTENTS.map((content, i) => entry(i % 3 === 0 ? carol : alice, NOW - 7 * i, content));
    await store.transaction(async (transaction) => {
      for (const one of entries) await transaction.addToHistory(one);
    });
    await store.snapshot(async (view) => {
      expect((await view.history({ limit: 99 })).map(without)).toEqual(entries);
      expect((await view.history({ limit: 99, contact: alice })).map(without)).toEqual(
        entries.filter(({ contact }) => contact === alice),
      );
    });
  });

  it('gives the newest ones, oldest first', async () => {
    const { store, alice, carol } = await withContacts();
    await store.transaction(async (transaction) => {
      for (let i = 0; i < 6; i++) await transaction.addToHistory(entry(i === 4 ? carol : alice, NOW + i));
      const newest = async (limit: number, from = NOW) =>
        (await transaction.history({ contact: alice, from, limit, newest: true })).map(({ at }) => at - NOW);
      expect(await newest(3)).toEqual([2, 3, 5]);
      expect(await newest(9)).toEqual([0, 1, 2, 3, 5]);
      expect(await newest(9, NOW + 3)).toEqual([3, 5]);
      expect(await newest(0)).toEqual([]);
    });
  });

  it('gives them in slices, each behind the last of the one before', async () => {
    const { store, alice, carol } = await withContacts();
    await store.transaction(async (transaction) => {
      for (let i = 0; i < 7; i++) await transaction.addToHistory(entry(i === 3 ? carol : alice, NOW + i));
      const first = await transaction.history({ limit: 3, contact: alice });
      const second = await transaction.history({ limit: 3, contact: alice, after: first.at(-1)?.id as HistoryId });
      const third = await transaction.history({ limit: 3, contact: alice, after: second.at(-1)?.id as HistoryId });
      expect([first, second, third].map((slice) => slice.map(({ at }) => at - NOW))).toEqual([
        [0, 1, 2],
        [4, 5, 6],
        [],
      ]);
    });
  });

  it('gives, counts and drops what is of a time: from one on, and before another', async () => {
    const { store, alice, carol } = await withContacts();
    await store.transaction(async (transaction) => {
      for (const at of [30, 10, 20, 40]) await transaction.addToHistory(entry(alice, at));
      await transaction.addToHistory(entry(carol, 20));
      const times = async (range: object) => (await transaction.history({ ...range, limit: 9 })).map(({ at }) => at);
      expect(await times({ from: 20, before: 40 })).toEqual([30, 20, 20]);
      expect(await times({ from: 20, before: 40, contact: carol })).toEqual([20]);
      expect(await transaction.countHistory({})).toEqual({ count: 5, first: 10 });
      expect(await transaction.countHistory({ from: 11, contact: alice })).toEqual({ count: 3, first: 20 });
      expect(await transaction.countHistory({ before: 10 })).toEqual({ count: 0, first: undefined });
      expect(await transaction.sweepHistory(20)).toBe(1);
      expect(await times({})).toEqual([30, 20, 40, 20]);
      expect(await transaction.sweepHistory(Number.MAX_SAFE_INTEGER)).toBe(4);
      expect(await transaction.countHistory({})).toEqual({ count: 0, first: undefined });
    });
  });

  it('holds nothing of nobody', async () => {
    const { store } = make();
    await expect(store.transaction((t) => t.addToHistory(entry(99 as ContactId)))).rejects.toThrow();
  });
}
