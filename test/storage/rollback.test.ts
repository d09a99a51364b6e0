import { copyFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Connection } from '../../src/storage/connection.ts';
import { createIdentityFile, openIdentityFile, type SqliteStore, type Standing } from '../../src/storage/index.ts';
import { addContact, bytesOf, HEAD, NOW, record } from './fixtures.ts';
import { LOCK, newFile, openStore, temporaryFolder } from './folder.ts';

let contacts = 0;
const change = (store: SqliteStore) =>
  store.transaction((transaction) => addContact(transaction, `contact-${contacts++}`));

function generationOf(path: string): number | undefined {
  const connection = new Connection(path, LOCK, 0);
  try {
    return connection.get<{ generation: number }>('SELECT generation FROM identity')?.generation;
  } finally {
    connection.close();
  }
}

/** Opens a file as a command does, and says whether it looks rolled back. */
function looksRolledBack(path: string, marks: string): boolean {
  return standingOf(path, marks) === 'rolled-back';
}

function standingOf(path: string, marks: string): Standing {
  const store = openIdentityFile(path, LOCK, { wait: 0, marks });
  store.close();
  return store.standing;
}

describe('the generation of a file', () => {
  it('grows by one with every commit that changes something, and with no other', async () => {
    const path = newFile();
    const store = openStore(path, 0, temporaryFolder());
    expect(generationOf(path)).toBe(0);
    await change(store);
    expect(generationOf(path)).toBe(1);
    await store.snapshot((view) => view.contacts());
    await store.transaction((transaction) => transaction.contacts());
    await store.transaction((transaction) => transaction.sweepSkippedKeys(NOW));
    await store.transaction((transaction) => transaction.distrustRoutes());
    await expect(
      store.transaction(async (transaction) => {
        await addContact(transaction, 'nobody');
        throw new Error('thought better of it');
      }),
    ).rejects.toThrow('thought better');
    expect(generationOf(path)).toBe(1);
    await store.transaction(async (transaction) => {
      for (const name of ['one', 'two', 'three']) await addContact(transaction, name);
    });
    expect(generationOf(path)).toBe(2);
  });

  it('stays when what was written leaves the boxes: an older copy that still has it can be gone on with', async () => {
    const path = newFile();
    const store = openStore(path, 0, temporaryFolder());
    const { sent, received } = await store.transaction(async (transaction) => {
      const entry = { contact: await addContact(transaction, 'alice'), messageId: bytesOf('id', 16), process: 'p' };
      const bytes = bytesOf('text', 1_000);
      return {
        sent: await transaction.addToOutbox({ box: undefined, ...entry, envelope: bytes, createdAt: NOW }),
        received: await transaction.addToInbox(
          { ...entry, head: HEAD, n: 0, late: false, receivedAt: NOW, claimedAt: NOW },
          bytes,
        ),
      };
    });
    expect(generationOf(path)).toBe(1);
    await store.transaction((transaction) => transaction.dropFromOutbox([sent]));
    await store.transaction((transaction) => transaction.dropFromInbox([received]));
    expect(generationOf(path)).toBe(1);
    expect(await store.snapshot(async (view) => [await view.outbox(), await view.inbox()])).toEqual([[], []]);
  });

  it('is marked after the commit, never before', async () => {
    const path = newFile();
    const marks = temporaryFolder();
    const store = openStore(path, 0, marks);
    await store.transaction(async (transaction) => {
      await addContact(transaction, 'alice');
      expect(readdirSync(marks)).toEqual([]);
    });
    expect(readdirSync(marks)).toHaveLength(1);
  });

  it('is not marked where no folder of marks is known', async () => {
    const path = newFile();
    const store = openStore(path);
    await change(store);
    expect([store.standing, generationOf(path)]).toEqual(['current', 1]);
  });
});

describe('an identity file that is older than its mark', () => {
  it('is known as rolled back, whichever of its pasts was put back', async () => {
    const path = newFile();
    const marks = temporaryFolder();
    const pasts: Buffer[] = [];
    const store = openStore(path, 0, marks);
    for (let i = 0; i < 6; i++) {
      pasts.push(readFileSync(path));
      await change(store);
    }
    store.close();
    const present = readFileSync(path);
    expect(looksRolledBack(path, marks)).toBe(false);
    for (const past of pasts) {
      writeFileSync(path, past);
      expect(looksRolledBack(path, marks)).toBe(true);
    }
    writeFileSync(path, present);
    expect(looksRolledBack(path, marks)).toBe(false);
  });

  it('is not known as such without the mark, or on another machine: but a file that was written to is unmarked there', async () => {
    const path = newFile();
    const marks = temporaryFolder();
    const unwritten = readFileSync(path);
    const store = openStore(path, 0, marks);
    await change(store);
    const past = readFileSync(path);
    await change(store);
    writeFileSync(path, past);
    const elsewhere = temporaryFolder();
    expect(standingOf(path, elsewhere)).toBe('unmarked');
    for (const name of readdirSync(marks)) rmSync(join(marks, name));
    expect(standingOf(path, marks)).toBe('unmarked');
    writeFileSync(path, unwritten);
    expect(standingOf(path, elsewhere)).toBe('current');
  });

  it('that is unmarked gets its mark when it is marked, or written to', async () => {
    const path = newFile();
    await change(openStore(path));
    const [one, two] = [temporaryFolder(), temporaryFolder()];
    expect(openStore(path, 0, one).standing).toBe('unmarked');
    expect(readdirSync(one)).toEqual([]);
    openStore(path, 0, one).mark();
    expect(standingOf(path, one)).toBe('current');
    await change(openStore(path, 0, two));
    expect(standingOf(path, two)).toBe('current');
    expect(standingOf(path, one)).toBe('current');
  });

  it('has a mark from its beginning, so that no commit beside another one finds none', () => {
    const marks = temporaryFolder();
    const path = join(temporaryFolder(), 'carol.db');
    expect(createIdentityFile(path, LOCK, record(), { marks })).toBe(undefined);
    expect(readdirSync(marks)).toHaveLength(1);
    expect(standingOf(path, marks)).toBe('current');
    const file = join(temporaryFolder(), 'file');
    writeFileSync(file, '');
    const other = join(temporaryFolder(), 'carol.db');
    expect(createIdentityFile(other, LOCK, record(), { marks: file })).toMatch(/./);
  });

  it('whose mark cannot be read counts as current, and says so', async () => {
    const path = newFile();
    await change(openStore(path));
    const file = join(temporaryFolder(), 'file');
    writeFileSync(file, '');
    const store = openStore(path, 0, file);
    expect([store.standing, store.markTrouble]).toEqual(['current', expect.stringMatching(/./)]);
  });

  it('is the newest one again once it is written to all the same; the one it replaced is the older then', async () => {
    const path = newFile();
    const marks = temporaryFolder();
    const past = readFileSync(path);
    const first = openStore(path, 0, marks);
    for (let i = 0; i < 5; i++) await change(first);
    first.close();
    const present = readFileSync(path);
    writeFileSync(path, past);
    const store = openStore(path, 0, marks);
    expect(store.standing).toBe('rolled-back');
    await change(store);
    expect(generationOf(path)).toBe(6);
    store.close();
    expect(looksRolledBack(path, marks)).toBe(false);
    writeFileSync(path, present);
    expect(looksRolledBack(path, marks)).toBe(true);
  });

  it('is a copy that was written to less often than the original', async () => {
    const path = newFile();
    const marks = temporaryFolder();
    const copy = join(temporaryFolder(), 'bob.db');
    const [store] = [openStore(path, 0, marks)];
    await change(store);
    copyFileSync(path, copy);
    const other = openStore(copy, 0, marks);
    expect(other.standing).toBe('current');
    await change(other);
    await change(other);
    await change(store);
    expect(looksRolledBack(copy, marks)).toBe(false);
    expect(looksRolledBack(path, marks)).toBe(true);
  });
});

describe('two processes on one file', () => {
  it('never see a rollback, however their commands interleave', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ who: fc.nat({ max: 2 }), does: fc.constantFrom('open', 'change', 'read') }), {
          minLength: 5,
          maxLength: 25,
        }),
        async (steps) => {
          const path = newFile();
          const marks = temporaryFolder();
          const stores: (SqliteStore | undefined)[] = [];
          for (const { who, does } of steps) {
            if (does === 'open' || stores[who] === undefined) {
              stores[who]?.close();
              stores[who] = openIdentityFile(path, LOCK, { wait: 0, marks });
              expect(stores[who]?.standing).toBe('current');
            }
            const store = stores[who];
            if (does === 'change') await change(store);
            else await store.snapshot((view) => view.contacts());
          }
          for (const store of stores) store?.close();
          expect(looksRolledBack(path, marks)).toBe(false);
        },
      ),
      { numRuns: 30 },
    );
  });

  it('never see one in a mark that fell behind, because its process ended too soon', async () => {
    const path = newFile();
    const marks = temporaryFolder();
    await change(openStore(path, 0, marks));
    // Commits whose marks were never written.
    const silent = openStore(path);
    await change(silent);
    await change(silent);
    expect(looksRolledBack(path, marks)).toBe(false);
    await change(openStore(path, 0, marks));
    expect(generationOf(path)).toBe(4);
    expect(looksRolledBack(path, marks)).toBe(false);
  });
});
