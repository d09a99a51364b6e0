import { expect, it } from 'vitest';
import { addContact, identityOf, type MakeStore, NOW } from '../fixtures.ts';

/** What every store must do with lists of contacts. */
export function lists(make: MakeStore): void {
  it('keeps lists by name, and the contacts of each by id, once', async () => {
    const { store } = make();
    await store.transaction(async (transaction) => {
      expect(await transaction.lists()).toEqual([]);
      const [bob, carol] = [await addContact(transaction, 'bob'), await addContact(transaction, 'carol')];
      await transaction.setList('ops', [carol, bob, carol]);
      await transaction.setList('dev', [carol]);
      expect(await transaction.lists()).toEqual([
        { name: 'dev', contacts: [carol] },
        { name: 'ops', contacts: [bob, carol] },
      ]);
    });
  });

  it('replaces a list, and has none without contacts', async () => {
    const { store } = make();
    await store.transaction(async (transaction) => {
      const [bob, carol] = [await addContact(transaction, 'bob'), await addContact(transaction, 'carol')];
      await transaction.setList('ops', [bob]);
      await transaction.setList('dev', [bob]);
      await transaction.setList('ops', [carol]);
      expect(await transaction.lists()).toEqual([
        { name: 'dev', contacts: [bob] },
        { name: 'ops', contacts: [carol] },
      ]);
      await transaction.setList('ops', []);
      await transaction.setList('nobody', []);
      expect(await transaction.lists()).toEqual([{ name: 'dev', contacts: [bob] }]);
    });
  });

  it('goes with a contact through another name, and lets nobody take the place of one that is gone', async () => {
    const { store } = make();
    await store.transaction(async (transaction) => {
      const [bob, carol] = [await addContact(transaction, 'bob'), await addContact(transaction, 'carol')];
      await transaction.setList('ops', [bob, carol]);
      await transaction.setList('dev', [bob]);
      await transaction.renameContact(carol, 'bertha');
      await transaction.dropContact(bob);
      const identity = identityOf('another');
      await transaction.addContact({ name: 'bob', identity, addedAt: NOW, invite: undefined });
      expect(await transaction.lists()).toEqual([{ name: 'ops', contacts: [carol] }]);
      await expect(transaction.setList('dev', [bob])).rejects.toThrow();
    });
  });
}
