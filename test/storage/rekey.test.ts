import { statSync } from 'node:fs';
import Database from '@signalapp/sqlcipher';
import { describe, expect, it, onTestFinished } from 'vitest';
import { toHex } from '../../src/primitives/index.ts';
import { openIdentityFile, readSalt } from '../../src/storage/sqlite/index.ts';
import { addContact, bytesOf, Conversation, NOW } from './fixtures.ts';
import { KEY, WRONG_KEY as NEW_KEY, newFile, openStore, SALT, temporaryFolder } from './folder.ts';
import { decryptedPages } from './pages.ts';
import { expectRefused, refusal } from './refusals.ts';

/** A file of many pages, some of them free. */
async function filled() {
  const path = newFile();
  const marks = temporaryFolder();
  const store = openStore(path, 0, marks);
  const conversation = await Conversation.begin(store);
  await conversation.turn({ sends: 3 });
  const entry = { messageId: bytesOf('id', 16), process: 'p', createdAt: NOW, envelope: bytesOf('large', 200_000) };
  await store.transaction(async (transaction) => {
    const contact = await addContact(transaction, 'carol');
    const first = await transaction.addToOutbox({ contact, ...entry });
    await transaction.addToOutbox({ contact, ...entry });
    await transaction.dropFromOutbox([first]);
  });
  return { path, store, marks, conversation };
}

describe('another key', () => {
  it('opens the file from then on, and the old one does not; the salt stays', async () => {
    const { path, store, conversation } = await filled();
    const all = () =>
      store.snapshot(async (view) => [
        await view.contacts(),
        await view.outbox(),
        await view.ratchetState(conversation.session),
      ]);
    const before = await all();
    const { size } = statSync(path);
    store.rekey(NEW_KEY);
    expect(await all()).toEqual(before);
    expect(readSalt(path)).toEqual(SALT);
    expect(statSync(path).size).toBe(size);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    await expectRefused(path, 'wrong-passphrase', KEY);
    const reopened = openIdentityFile(path, NEW_KEY, { wait: 0 });
    onTestFinished(() => reopened.close());
    expect(await reopened.check()).toEqual([]);
    expect(await reopened.snapshot((view) => view.outbox())).toEqual(before[1]);
  });

  it('is that of every page: no page opens with the old one', async () => {
    const { path, store } = await filled();
    const secret = bytesOf('large', 200_000).subarray(0, 16);
    expect(decryptedPages(path, KEY).includes(Buffer.from(secret))).toBe(true);
    store.rekey(NEW_KEY);
    expect(decryptedPages(path, KEY).includes(Buffer.from(secret))).toBe(false);
    expect(decryptedPages(path, NEW_KEY).includes(Buffer.from(secret))).toBe(true);
  });

  it('opens it in an independent SQLCipher 4, as a raw key with or without the salt', async () => {
    const { path, store } = await filled();
    store.rekey(NEW_KEY);
    store.close();
    for (const raw of [toHex(NEW_KEY), toHex(NEW_KEY) + toHex(SALT)]) {
      const database = new Database(path);
      onTestFinished(() => database.close());
      database.exec(`PRAGMA key = "x'${raw}'"`);
      expect(database.pragma('cipher_integrity_check')).toEqual([]);
      expect(database.pragma('integrity_check', { simple: true })).toBe('ok');
      expect(database.prepare('SELECT name FROM contacts ORDER BY name').all()).toEqual([
        { name: 'alice' },
        { name: 'carol' },
      ]);
    }
  });

  it('goes on with the same store, in the same generation', async () => {
    const { path, store, marks } = await filled();
    store.rekey(NEW_KEY);
    await store.transaction((transaction) => addContact(transaction, 'dave'));
    store.rekey(KEY);
    await store.transaction((transaction) => addContact(transaction, 'erin'));
    store.close();
    const reopened = openStore(path, 0, marks);
    expect(reopened.isRolledBack).toBe(false);
    expect((await reopened.snapshot((view) => view.contacts())).map(({ name }) => name)).toContain('erin');
  });

  it('is not given while another writes', async () => {
    const { path, store } = await filled();
    const other = openStore(path);
    await other.transaction(async (transaction) => {
      await addContact(transaction, 'dave');
      expect((await refusal(() => store.rekey(NEW_KEY))).code).toBe('busy');
    });
    await store.transaction((transaction) => addContact(transaction, 'erin'));
    await expectRefused(path, 'wrong-passphrase', NEW_KEY);
  });

  it('is not taken for damage by a store that was open before: the next command needs the new key', async () => {
    const { path, store } = await filled();
    const other = openStore(path);
    await other.snapshot((view) => view.contacts());
    store.rekey(NEW_KEY);
    const { code } = await refusal(() => other.snapshot((view) => view.contacts()));
    expect(['wrong-passphrase', 'damaged', 'busy']).toContain(code);
  });
});
