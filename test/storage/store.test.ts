import { expect, it } from 'vitest';
import { Connection } from '../../src/storage/connection.ts';
import { storeContract } from './contract/index.ts';
import { addContact, bytesOf, HEAD, NOW, record } from './fixtures.ts';
import { LOCK, newFile, openStore } from './folder.ts';

storeContract('a store in an identity file', () => {
  const made = record();
  return { store: openStore(newFile(made)), identity: made.identity };
});

it('holds every content once: up to 2 KiB in the row of its entry, else in rows of up to a mebibyte', async () => {
  const path = newFile();
  const store = openStore(path);
  await store.transaction(async (transaction) => {
    const entry = { contact: await addContact(transaction, 'alice'), messageId: bytesOf('id', 16), process: undefined };
    for (const length of [2_048, 2_049, 2 ** 20 + 1]) {
      await transaction.addToInbox(
        { ...entry, head: HEAD, n: 0, late: false, receivedAt: NOW, claimedAt: NOW },
        bytesOf('a', length),
      );
    }
  });
  store.close();
  const connection = new Connection(path, LOCK, 0);
  const lengths = (sql: string) => connection.all<{ length: number }>(sql).map(({ length }) => length);
  expect(lengths('SELECT length(content) AS length FROM inbox ORDER BY id')).toEqual([2_048, 0, 0]);
  expect(lengths('SELECT length(bytes) AS length FROM inbox_rest ORDER BY id')).toEqual([2_049, 2 ** 20, 1]);
  connection.close();
});
