import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PawlError } from '../../src/errors.ts';
import { openIdentityFile, readSalt } from '../../src/storage/index.ts';
import { openDatabase } from '../../src/storage/sqlcipher.ts';
import {
  addContact,
  bytesOf,
  Conversation,
  HEAD,
  incomingOf,
  inviteFor,
  NOW,
  outgoingTo,
  partRecord,
} from './fixtures.ts';
import { LOCK, newFile, openStore, temporaryFolder } from './folder.ts';

const PAGE = 4_096;

/** A file with a row of every kind, texts over many pages, and free pages. */
async function filled(): Promise<string> {
  const path = newFile();
  const store = openStore(path);
  const conversation = await Conversation.begin(store);
  await conversation.turn({ sends: 3 });
  await store.transaction(async (transaction) => {
    const contact = await addContact(transaction, 'carol');
    await transaction.addInvite(inviteFor('carol'));
    const out = { contact, messageId: bytesOf('id', 16), process: 'p', createdAt: NOW };
    const gone = await transaction.addToOutbox({ box: undefined, ...out, envelope: bytesOf('gone', 30_000) });
    await transaction.addToOutbox({ box: undefined, ...out, envelope: bytesOf('large', 30_000) });
    await transaction.dropFromOutbox([gone]);
    const incoming = await transaction.addIncoming(incomingOf(contact));
    await transaction.addReceivedParts(incoming, [partRecord(0), partRecord(4_096)]);
    await transaction.addOutgoing(outgoingTo(contact));
    await transaction.setList('ops', [contact]);
    await transaction.addToInbox(
      {
        contact,
        messageId: bytesOf('id', 16),
        n: 0,
        late: false,
        head: HEAD,
        receivedAt: NOW,
        claimedAt: NOW,
        process: undefined,
      },
      bytesOf('text', 10_000),
    );
  });
  store.close();
  return path;
}

/** What the check of a file says: nothing, its complaints, or the code of the error that keeps the file closed. */
async function verdictOn(path: string): Promise<readonly string[]> {
  try {
    const store = openIdentityFile(path, { ...LOCK, salt: readSalt(path) }, { wait: 0 });
    try {
      return await store.check();
    } finally {
      store.close();
    }
  } catch (error) {
    if (error instanceof PawlError) return [error.code];
    throw error;
  }
}

describe('a check', () => {
  it('finds nothing in a file that is whole, and changes nothing', async () => {
    const path = await filled();
    const before = readFileSync(path);
    expect(await verdictOn(path)).toEqual([]);
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  it('finds one flipped bit in any page that is in use; in any other it does no harm', async () => {
    const bytes = readFileSync(await filled());
    const path = join(temporaryFolder(), 'bob.db');
    const pages = bytes.length / PAGE;
    expect(pages).toBeGreaterThan(30);
    const unnoticed = new Set<number>();
    for (let page = 0; page < pages; page++) {
      // In the IV or the tag, and somewhere in the ciphertext.
      for (const offset of [page % 2 === 0 ? PAGE - 80 : PAGE - 1, (page * 1_543) % PAGE]) {
        const position = page * PAGE + offset;
        const whole = bytes[position] ?? 0;
        bytes[position] = whole ^ (1 << ((page + offset) % 8));
        writeFileSync(path, bytes);
        bytes[position] = whole;
        const verdict = await verdictOn(path);
        if (page === 0) expect(verdict).toEqual(['wrong-passphrase']);
        if (verdict.length > 0 || unnoticed.has(page)) continue;
        unnoticed.add(page);
        // Nothing reads a page that is free before it is written anew.
        const store = openStore(path);
        await store.transaction(async (transaction) => {
          const contact = await addContact(transaction, 'dave');
          const entry = { contact, messageId: bytesOf('id', 16), process: 'p', createdAt: NOW };
          await transaction.addToOutbox({ box: undefined, ...entry, envelope: bytesOf('new', 60_000) });
        });
        const envelopes = await store.snapshot(async (view) =>
          Promise.all((await view.outbox()).map(({ id }) => view.envelope(id))),
        );
        expect(envelopes).toEqual([bytesOf('large', 30_000), bytesOf('new', 60_000)]);
        expect(await store.check()).toEqual([]);
        store.close();
      }
    }
    expect(unnoticed.size).toBeLessThan(9);
  });

  it.each([
    ['there is no identity', 'DELETE FROM identity'],
    ['a session has no next chain', "DELETE FROM receiving_chains WHERE state = 'next'"],
  ])('finds that %s', async (problem, sql) => {
    const path = await filled();
    // Without its identity, a file does not open: so the row goes while it is open.
    const store = openStore(path);
    const database = openDatabase(path, LOCK, { wait: 0 });
    database.exec(sql);
    database.close();
    expect(await store.check()).toEqual([problem]);
  });

  it('finds rows that no command can decode', async () => {
    const path = await filled();
    const database = openDatabase(path, LOCK, { wait: 0 });
    database.exec("PRAGMA ignore_check_constraints = ON; UPDATE invites SET fate = 'lost'");
    database.close();
    expect(await verdictOn(path)).toEqual(['CHECK constraint failed in invites']);
  });

  it.each([
    ['incoming', "UPDATE incoming SET inode = '1'"],
    ['incoming', "UPDATE incoming SET target = '/tmp/a'"],
    ['incoming', 'UPDATE incoming SET part_size = 65535'],
    ['incoming', "UPDATE incoming SET key = x'00'"],
    ['incoming', 'UPDATE incoming SET size = -1'],
    ['incoming_parts', "UPDATE incoming_parts SET next = x'00' WHERE part = 0"],
    ['incoming_parts', 'UPDATE incoming_parts SET part = 4294967296 WHERE part = 4096'],
    ['outgoing', 'UPDATE outgoing SET modified = NULL'],
    ['outgoing', 'UPDATE outgoing SET part_size = 16777217'],
    ['outgoing', 'UPDATE outgoing SET parts = -1'],
  ])('finds what no content in parts has: %s: %s', async (table, sql) => {
    const path = await filled();
    const database = openDatabase(path, LOCK, { wait: 0 });
    expect(() => database.exec(sql)).toThrow('CHECK constraint failed');
    database.exec(`PRAGMA ignore_check_constraints = ON; ${sql}`);
    database.close();
    expect(await verdictOn(path)).toEqual([`CHECK constraint failed in ${table}`]);
  });

  it('finds parts whose content is gone', async () => {
    const path = await filled();
    const database = openDatabase(path, LOCK, { wait: 0 });
    database.exec('PRAGMA foreign_keys = OFF; DELETE FROM incoming');
    database.close();
    expect(new Set(await verdictOn(path))).toEqual(new Set(['a row of incoming_parts belongs to nothing']));
  });

  it('finds rows that belong to nothing, and indices that disagree with their tables', async () => {
    const path = await filled();
    const database = openDatabase(path, LOCK, { wait: 0 });
    database.exec('PRAGMA foreign_keys = OFF; UPDATE outbox SET contact_id = 99');
    database.close();
    expect(await verdictOn(path)).toEqual(['a row of outbox belongs to nothing']);
  });
});
