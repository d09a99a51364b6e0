import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { openIdentityFile } from '../../src/storage/index.ts';
import { addContact } from './fixtures.ts';
import { LOCK, newFile, openStore, WRONG_KEY } from './folder.ts';
import { refusal } from './refusals.ts';

describe('two that have one file open', () => {
  it('write one after the other: the second is told that the file is busy', async () => {
    const path = newFile();
    const [one, two] = [openStore(path), openStore(path)];
    await one.transaction(async (transaction) => {
      await addContact(transaction, 'alice');
      const error = await refusal(() => two.transaction((second) => addContact(second, 'carol')));
      expect([error.code, error.detail]).toEqual(['busy', { path }]);
    });
    await two.transaction((transaction) => addContact(transaction, 'carol'));
    const contacts = await one.snapshot((view) => view.contacts());
    expect(contacts.map(({ name }) => name)).toEqual(['alice', 'carol']);
  });

  it('see of one another what is committed, and nothing else', async () => {
    const path = newFile();
    const [one, two] = [openStore(path), openStore(path)];
    const count = () => two.snapshot(async (view) => (await view.contacts()).length);
    await one.transaction(async (transaction) => {
      await addContact(transaction, 'alice');
      expect(await count()).toBe(0);
    });
    expect(await count()).toBe(1);
  });

  it('open it while the other writes, and a wrong key is still told from a right one', async () => {
    const path = newFile();
    await openStore(path).transaction(async (transaction) => {
      await addContact(transaction, 'alice');
      expect(readFileSync(`${path}-journal`).length).toBeGreaterThan(0);
      expect(await openStore(path).snapshot((view) => view.contacts())).toEqual([]);
      const error = await refusal(() => openIdentityFile(path, { ...LOCK, key: WRONG_KEY }, { wait: 0 }));
      expect(error.code).toBe('wrong-passphrase');
    });
  });

  it('keep nothing of a commit that the other’s reading keeps out, and can try it again', async () => {
    const path = newFile();
    const [one, two] = [openStore(path), openStore(path)];
    const add = () => one.transaction((transaction) => addContact(transaction, 'alice'));
    await two.snapshot(async (view) => {
      expect(await view.contacts()).toEqual([]);
      expect((await refusal(add)).code).toBe('busy');
      expect(await view.contacts()).toEqual([]);
    });
    await add();
    expect(await two.snapshot((view) => view.contacts())).toHaveLength(1);
  });

  it('wait for each other as long as they were told', async () => {
    const path = newFile();
    const [one, patient] = [openStore(path), openStore(path, 50)];
    await one.transaction(async () => {
      const begin = performance.now();
      expect((await refusal(() => patient.transaction(async () => undefined))).code).toBe('busy');
      expect(performance.now() - begin).toBeGreaterThanOrEqual(45);
    });
  });
});
