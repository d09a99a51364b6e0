import Database from '@signalapp/sqlcipher';
import { describe, expect, it, onTestFinished } from 'vitest';
import { toHex, utf8 } from '../../src/primitives/index.ts';
import { deriveFileKey } from '../../src/storage/index.ts';
import { addContact, bytesOf, Conversation, inviteFor, NOW, record } from './fixtures.ts';
import { KEY, newFile, openStore, SALT } from './folder.ts';

/** The file as an independent build of SQLCipher 4 sees it: Signal's own, made by other people from other sources. */
function openIndependently(path: string, rawKey: string) {
  const database = new Database(path);
  let isOpen = true;
  const close = () => {
    if (isOpen) database.close();
    isOpen = false;
  };
  onTestFinished(close);
  database.exec(`PRAGMA key = "x'${rawKey}'"`);
  return { database, close };
}

async function filledFile(): Promise<string> {
  const path = newFile();
  const store = openStore(path);
  const conversation = await Conversation.begin(store);
  await conversation.turn({ sends: 3 });
  await store.transaction(async (transaction) => {
    const contact = await addContact(transaction, 'carol');
    await transaction.addInvite(inviteFor('carol'));
    await transaction.addToOutbox({
      box: undefined,
      contact,
      messageId: bytesOf('id', 16),
      envelope: bytesOf('a large envelope', 100_000),
      process: '1',
      createdAt: NOW,
    });
  });
  store.close();
  return path;
}

describe('an independent SQLCipher 4', () => {
  it('opens the file with the raw key, with or without the salt, and finds every page in order', async () => {
    const path = await filledFile();
    for (const rawKey of [toHex(KEY), toHex(KEY) + toHex(SALT)]) {
      const { database } = openIndependently(path, rawKey);
      expect(database.pragma('cipher_integrity_check')).toEqual([]);
      expect(database.pragma('integrity_check', { simple: true })).toBe('ok');
      expect(database.pragma('foreign_key_check')).toEqual([]);
    }
  });

  it('reads the tables', async () => {
    const { database } = openIndependently(await filledFile(), toHex(KEY));
    const rows = (sql: string) => database.prepare(sql).all();
    expect(rows('SELECT name, public_key, created_at FROM identity')).toMatchObject([
      { name: 'bob', public_key: Buffer.from(record().identity.key), created_at: NOW },
    ]);
    expect(rows('SELECT name FROM contacts ORDER BY name')).toEqual([{ name: 'alice' }, { name: 'carol' }]);
    expect(rows('SELECT contact_name, fate FROM invites')).toEqual([{ contact_name: 'carol', fate: 'open' }]);
    expect(rows('SELECT role, sending, received FROM sessions')).toEqual([
      { role: 'responder', sending: 'chain', received: 1 },
    ]);
    expect(rows('SELECT chain, state, n FROM receiving_chains ORDER BY chain')).toEqual([
      { chain: 0, state: 'current', n: 3 },
      { chain: 1, state: 'next', n: null },
    ]);
    expect(rows('SELECT chain, n, created_at FROM skipped_keys')).toEqual([
      { chain: 0, n: 0, created_at: NOW },
      { chain: 0, n: 1, created_at: NOW },
    ]);
    expect(rows('SELECT chain, n FROM accepted')).toEqual([{ chain: 0, n: 2 }]);
    expect(rows('SELECT length(envelope) AS length FROM outbox')).toEqual([{ length: 100_000 }]);
    expect(rows('SELECT * FROM inbox')).toEqual([]);
  });

  it('writes a file that we open again', async () => {
    const path = await filledFile();
    const { database, close } = openIndependently(path, toHex(KEY));
    database.exec("UPDATE contacts SET name = 'dave' WHERE name = 'carol'");
    close();
    const contacts = await openStore(path).snapshot((view) => view.contacts());
    expect(contacts.map(({ name }) => name)).toEqual(['alice', 'dave']);
  });
});

describe('the key of an identity file', () => {
  it('is Argon2id of passphrase and salt', async () => {
    const key = await deriveFileKey(utf8('correct horse battery staple'), utf8('sixteen byte sal'));
    // Made with @noble/hashes 2.4.0: argon2id, version 0x13, t = 3, m = 65536 KiB, p = 4, 32 bytes.
    expect(toHex(key)).toBe('7d19815288ee3c6eda4ea9b0c1a7a547fcb6e0c96953d57f1d9d743582c32ade');
    expect(Object.getPrototypeOf(key)).toBe(Uint8Array.prototype);
  });
});
