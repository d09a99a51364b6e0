import { chmodSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openIdentityFile, readSalt } from '../../src/storage/index.ts';
import { asNobody } from './as-nobody.ts';
import { addContact, bytesOf, Conversation, NOW } from './fixtures.ts';
import { KEY, LOCK, newFile, openStore, SALT, temporaryFolder, WRONG_KEY } from './folder.ts';
import { decryptedPages } from './pages.ts';
import { contents, expectRefused, refusal } from './refusals.ts';

async function filled() {
  const path = newFile();
  const marks = temporaryFolder();
  const store = openStore(path, 0, marks);
  const conversation = await Conversation.begin(store);
  await conversation.turn({ sends: 3 });
  await store.transaction(async (transaction) => {
    await transaction.setList('ops', [(await transaction.session(conversation.session)).contact]);
  });
  return { path, store, marks, conversation };
}

describe('a backup', () => {
  it('is for our eyes only, whatever the umask, and the only file that is made', async () => {
    const { store } = await filled();
    const folder = temporaryFolder();
    const umask = process.umask(0);
    try {
      store.backup(join(folder, 'copy.db'));
    } finally {
      process.umask(umask);
    }
    expect(readdirSync(folder)).toEqual(['copy.db']);
    expect(statSync(join(folder, 'copy.db')).mode & 0o777).toBe(0o600);
  });

  it('opens with the same key, under the same salt, and holds the same; the file is what it was', async () => {
    const { path, store, conversation } = await filled();
    const before = contents(dirname(path));
    const copy = join(temporaryFolder(), 'copy.db');
    store.backup(copy);
    expect(contents(dirname(path))).toEqual(before);
    expect(readSalt(copy)).toEqual(SALT);
    await expectRefused(copy, 'wrong-passphrase', WRONG_KEY);
    const restored = openStore(copy);
    expect([restored.name, restored.schema, await restored.check()]).toEqual(['bob', store.schema, []]);
    for (const read of [
      (from: typeof store) => from.snapshot((view) => view.ownIdentity()),
      (from: typeof store) => from.snapshot((view) => view.contacts()),
      (from: typeof store) => from.snapshot((view) => view.lists()),
      (from: typeof store) => from.snapshot((view) => view.ratchetState(conversation.session)),
      (from: typeof store) => from.snapshot((view) => view.missingMessages(conversation.session)),
    ]) {
      expect(await read(restored)).toEqual(await read(store));
    }
  });

  it('holds no page of what was deleted before', async () => {
    const { store } = await filled();
    const text = bytesOf('text', 9_000);
    await store.transaction(async (transaction) => {
      const contact = await addContact(transaction, 'carol');
      const entry = {
        box: undefined,
        contact,
        messageId: bytesOf('id', 16),
        process: 'p',
        createdAt: NOW,
        envelope: text,
      };
      await transaction.dropFromOutbox([await transaction.addToOutbox(entry)]);
    });
    const copy = join(temporaryFolder(), 'copy.db');
    store.backup(copy);
    expect(decryptedPages(copy, KEY).includes(Buffer.from(text.subarray(0, 16)))).toBe(false);
  });

  it('can shrink as the original can', async () => {
    const { store } = await filled();
    const copy = join(temporaryFolder(), 'copy.db');
    store.backup(copy);
    const before = statSync(copy).size;
    const restored = openStore(copy);
    const contact = await restored.transaction((transaction) => addContact(transaction, 'carol'));
    const entry = { contact, messageId: bytesOf('id', 16), process: 'p', createdAt: NOW };
    const id = await restored.transaction((transaction) =>
      transaction.addToOutbox({ box: undefined, ...entry, envelope: bytesOf('large', 2_000_000) }),
    );
    await restored.transaction((transaction) => transaction.dropFromOutbox([id]));
    expect(statSync(copy).size).toBeLessThan(before + 300_000);
  });

  it('is of the generation of its time: older as soon as the original is changed', async () => {
    const { store, marks } = await filled();
    const copy = join(temporaryFolder(), 'copy.db');
    store.backup(copy);
    const isRolledBack = () => {
      const restored = openIdentityFile(copy, LOCK, { wait: 0, marks });
      restored.close();
      return restored.standing === 'rolled-back';
    };
    expect(isRolledBack()).toBe(false);
    await store.transaction((transaction) => addContact(transaction, 'carol'));
    expect(isRolledBack()).toBe(true);
  });

  it('is of what is committed, while another writes', async () => {
    const { path, store } = await filled();
    const copy = join(temporaryFolder(), 'copy.db');
    await openStore(path).transaction(async (transaction) => {
      await addContact(transaction, 'carol');
      store.backup(copy);
    });
    const names = async (from: typeof store) => (await from.snapshot((view) => view.contacts())).map((c) => c.name);
    expect(await names(openStore(copy))).toEqual(['alice']);
    expect(await names(store)).toEqual(['alice', 'carol']);
  });

  it('takes the place of nothing, not even of itself', async () => {
    const { path, store } = await filled();
    const copy = join(temporaryFolder(), 'copy.db');
    writeFileSync(copy, 'precious');
    const journal = join(temporaryFolder(), 'other.db');
    writeFileSync(`${journal}-journal`, 'precious');
    for (const [to, taken] of [
      [copy, copy],
      [path, path],
      [journal, `${journal}-journal`],
    ] as const) {
      const before = contents(dirname(to));
      const error = await refusal(() => store.backup(to));
      expect([error.code, error.detail]).toEqual(['exists', { path: taken }]);
      expect(contents(dirname(to))).toEqual(before);
    }
    expect(await store.check()).toEqual([]);
  });

  it('says why it cannot be made, and leaves nothing', async () => {
    const { store } = await filled();
    const missing = join(temporaryFolder(), 'missing', 'copy.db');
    const error = await refusal(() => store.backup(missing));
    expect([error.code, error.detail]).toEqual([
      'cannot-create',
      { path: missing, reason: 'no such file or directory' },
    ]);
    const folder = join(temporaryFolder(), 'theirs');
    mkdirSync(folder);
    chmodSync(dirname(folder), 0o755);
    chmodSync(folder, 0o555);
    await asNobody(async () => {
      const denied = await refusal(() => store.backup(join(folder, 'copy.db')));
      expect([denied.code, denied.detail]).toMatchObject(['cannot-create', { reason: 'permission denied' }]);
    });
    expect(readdirSync(folder)).toEqual([]);
  });
});
