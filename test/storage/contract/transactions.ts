import { expect, it } from 'vitest';
import type { Transaction } from '../../../src/session/store.ts';
import { addContact, type MakeStore } from '../fixtures.ts';

export function transactions(make: MakeStore): void {
  const names = async (view: Transaction) => (await view.contacts()).map(({ name }) => name);

  it('keeps what was written and gives what the work gives', async () => {
    const { store } = make();
    const id = await store.transaction((transaction) => addContact(transaction, 'alice'));
    expect(await store.snapshot((view) => view.contactNamed('alice'))).toMatchObject({ id, name: 'alice' });
  });

  it('keeps nothing of work that fails, and throws what it throws', async () => {
    const { store } = make();
    const failure = new Error('on purpose');
    const work = store.transaction(async (transaction) => {
      await addContact(transaction, 'alice');
      expect(await names(transaction)).toEqual(['alice']);
      throw failure;
    });
    await expect(work).rejects.toBe(failure);
    expect(await store.snapshot(names)).toEqual([]);
  });

  it('keeps nothing where the store itself refuses, and goes on afterwards', async () => {
    const { store } = make();
    const work = store.transaction(async (transaction) => {
      await addContact(transaction, 'alice');
      await addContact(transaction, 'alice');
    });
    await expect(work).rejects.toThrow();
    await store.transaction((transaction) => addContact(transaction, 'carol'));
    expect(await store.snapshot(names)).toEqual(['carol']);
  });

  it('lets no two overlap, however long they wait inside', async () => {
    const { store } = make();
    const events: string[] = [];
    const work = (name: string) =>
      store.transaction(async (transaction) => {
        events.push(`${name} begins`);
        for (let i = 0; i < 5; i++) await transaction.contacts();
        await addContact(transaction, name);
        events.push(`${name} ends`);
      });
    await Promise.all(['alice', 'carol', 'dave'].map(work));
    const expected = ['alice', 'carol', 'dave'].flatMap((name) => [`${name} begins`, `${name} ends`]);
    expect(events).toEqual(expected);
    expect(await store.snapshot(names)).toEqual(['alice', 'carol', 'dave']);
  });

  it('keeps nothing that is written in a snapshot', async () => {
    const { store } = make();
    await store.snapshot((view) => addContact(view, 'alice')).catch(() => undefined);
    expect(await store.snapshot(names)).toEqual([]);
  });

  it('is no use after its end', async () => {
    const { store } = make();
    const escaped = await store.transaction(async (transaction) => [transaction] as const);
    await expect(escaped[0].contacts()).rejects.toThrow('over');
    await expect(addContact(escaped[0], 'alice')).rejects.toThrow('over');
    expect(await store.snapshot(names)).toEqual([]);
  });
}
