import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import Database from '@signalapp/sqlcipher';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { toHex } from '../../src/primitives/index.ts';
import { Connection } from '../../src/storage/connection.ts';
import { type Lock, openIdentityFile, readSalt } from '../../src/storage/index.ts';
import { openDatabase } from '../../src/storage/sqlcipher.ts';
import { asNobody } from './as-nobody.ts';
import { addContact, bytesOf, Conversation, NOW } from './fixtures.ts';
import { KEY, LOCK, NEW_LOCK, newFile, openStore, temporaryFolder } from './folder.ts';
import { interruptedCommit } from './hot-journal.ts';
import { decryptedPages } from './pages.ts';
import { contents, expectRefused, refusal } from './refusals.ts';

/** A file of many pages, some of them free. */
async function filled() {
  const path = newFile();
  const marks = temporaryFolder();
  const store = openStore(path, 0, marks);
  const conversation = await Conversation.begin(store);
  await conversation.turn({ sends: 3 });
  const entry = { messageId: bytesOf('id', 16), process: 'p', createdAt: NOW, envelope: bytesOf('large', 300_000) };
  await store.transaction(async (transaction) => {
    const contact = await addContact(transaction, 'carol');
    const first = await transaction.addToOutbox({ box: undefined, contact, ...entry });
    await transaction.addToOutbox({ box: undefined, contact, ...entry });
    await transaction.dropFromOutbox([first]);
  });
  return { path, store, marks, conversation };
}

function openWith(path: string, lock: Lock, marks?: string) {
  const store = openIdentityFile(path, lock, { wait: 0, ...(marks !== undefined && { marks }) });
  onTestFinished(() => store.close());
  return store;
}

function draftOf(path: string): string {
  return `${path}-draft`;
}

describe('another key', () => {
  it('opens the file from then on, under another salt, and the old one does not', async () => {
    const { path, store, conversation } = await filled();
    const all = (from: typeof store) =>
      from.snapshot(async (view) => [
        await view.contacts(),
        await Promise.all((await view.outbox()).map(({ id }) => view.envelope(id))),
        await view.ratchetState(conversation.session),
      ]);
    const before = await all(store);
    store.rekey(NEW_LOCK);
    expect(readSalt(path)).toEqual(NEW_LOCK.salt);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    await expectRefused(path, 'wrong-passphrase', KEY);
    const reopened = openWith(path, NEW_LOCK);
    expect(await reopened.check()).toEqual([]);
    expect(await all(reopened)).toEqual(before);
    expect(readdirSync(dirname(path))).toEqual(['bob.db']);
  });

  it('is that of every page: no page opens with the old one', async () => {
    const { path, store } = await filled();
    const secret = Buffer.from(bytesOf('large', 300_000).subarray(0, 16));
    expect(decryptedPages(path, KEY).includes(secret)).toBe(true);
    store.rekey(NEW_LOCK);
    expect(decryptedPages(path, KEY).includes(secret)).toBe(false);
    expect(decryptedPages(path, NEW_LOCK.key).includes(secret)).toBe(true);
  });

  it('opens it in an independent SQLCipher 4, as a raw key with or without the salt', async () => {
    const { path, store } = await filled();
    store.rekey(NEW_LOCK);
    const key = toHex(NEW_LOCK.key);
    for (const raw of [key, key + toHex(NEW_LOCK.salt)]) {
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

  it('leaves the file in the same generation, and able to shrink', async () => {
    const { path, store, marks } = await filled();
    store.rekey(NEW_LOCK);
    const next = openWith(path, NEW_LOCK, marks);
    expect(next.standing).toBe('current');
    await next.transaction((transaction) => addContact(transaction, 'dave'));
    const { size } = statSync(path);
    await next.transaction(async (transaction) => {
      for (const { id } of await transaction.outbox()) await transaction.dropFromOutbox([id]);
    });
    expect(statSync(path).size).toBeLessThan(size);
    next.rekey(LOCK);
    const last = openStore(path, 0, marks);
    expect(last.standing).toBe('current');
    expect((await last.snapshot((view) => view.contacts())).map(({ name }) => name)).toContain('dave');
  });

  it('is given to the file that a link leads to', async () => {
    const { path, store } = await filled();
    store.close();
    const link = join(temporaryFolder(), 'bob.db');
    symlinkSync(path, link);
    openWith(link, LOCK).rekey(NEW_LOCK);
    expect(readSalt(path)).toEqual(NEW_LOCK.salt);
    expect(readdirSync(dirname(link), { withFileTypes: true }).map((one) => one.isSymbolicLink())).toEqual([true]);
  });
});

/** Overwrites one page. */
function spoil(path: string, position: number): void {
  const file = openSync(path, 'r+');
  writeSync(file, bytesOf('junk', 4096), 0, 4096, position);
  closeSync(file);
}

describe('the new file', () => {
  it.runIf(process.getuid?.() === 0)('has the owner, the group and the mode of the old one', async () => {
    const { path, store } = await filled();
    chownSync(path, 65_534, 65_533);
    chmodSync(path, 0o640);
    store.rekey(NEW_LOCK);
    const { uid, gid, mode } = statSync(path);
    expect([uid, gid, mode & 0o777]).toEqual([65_534, 65_533, 0o640]);
  });

  it.runIf(process.getuid?.() === 0)('is not made where it could not have them', async () => {
    const { path, store } = await filled();
    store.close();
    for (const name of [path, dirname(path)]) chmodSync(name, 0o777);
    await asNobody(async () => {
      const before = contents(dirname(path));
      const error = await refusal(() => openWith(path, LOCK).rekey(NEW_LOCK));
      expect([error.code, error.detail]).toEqual(['not-rekeyed', { path, reason: 'operation not permitted' }]);
      expect(contents(dirname(path))).toEqual(before);
    });
  });

  it('does not take the place of a file that is mounted by itself, and says so', async ({ skip }) => {
    const { path, store } = await filled();
    store.close();
    const mounted = join(temporaryFolder(), 'bob.db');
    writeFileSync(mounted, '');
    skip(spawnSync('mount', ['--bind', path, mounted]).status !== 0, 'nothing can be mounted here');
    const behind = openIdentityFile(mounted, LOCK, { wait: 0 });
    try {
      const error = await refusal(() => behind.rekey(NEW_LOCK));
      expect([error.code, error.detail]).toMatchObject(['not-rekeyed', { path: mounted, isMounted: true }]);
      expect(readdirSync(dirname(mounted))).toEqual(['bob.db']);
      expect(readSalt(mounted)).toEqual(LOCK.salt);
    } finally {
      behind.close();
      spawnSync('umount', [mounted]);
    }
  });

  it('replaces nothing where the folder may not be written', async () => {
    const { path, store } = await filled();
    store.close();
    chmodSync(path, 0o666);
    chmodSync(dirname(path), 0o555);
    await asNobody(async () => {
      const error = await refusal(() => openWith(path, LOCK).rekey(NEW_LOCK));
      expect([error.code, error.detail]).toEqual(['not-rekeyed', { path, reason: 'permission denied' }]);
    });
    chmodSync(dirname(path), 0o755);
    expect(await openStore(path).check()).toEqual([]);
  });

  it.each([
    ['a first page that cannot be read', (draft: string) => spoil(draft, 0)],
    ['a last page that cannot be read', (draft: string) => spoil(draft, statSync(draft).size - 4096)],
    ['nothing in it', (draft: string) => writeFileSync(draft, '')],
  ])('does not take the place with %s', async (_, damage) => {
    const { path, store } = await filled();
    const before = contents(dirname(path));
    const real = Connection.prototype.rekey;
    const spy = vi.spyOn(Connection.prototype, 'rekey').mockImplementation(function (this: Connection, lock) {
      real.call(this, lock);
      damage(this.path);
    });
    onTestFinished(() => spy.mockRestore());
    const error = await refusal(() => store.rekey(NEW_LOCK));
    expect([error.code, error.detail]).toEqual([
      'not-rekeyed',
      { path, reason: 'the new file did not come out whole' },
    ]);
    expect(contents(dirname(path))).toEqual(before);
    await store.transaction((transaction) => addContact(transaction, 'dave'));
  });

  it('is not made of one that is damaged', async () => {
    const { path, store } = await filled();
    store.close();
    const before = contents(dirname(path))['bob.db'] ?? '';
    const bytes = Buffer.from(before, 'base64');
    bytes[20 * 4096 + 100] = (bytes[20 * 4096 + 100] ?? 0) ^ 1;
    writeFileSync(path, bytes);
    expect((await refusal(() => openWith(path, LOCK).rekey(NEW_LOCK))).code).toBe('damaged');
    expect(contents(dirname(path))).toEqual({ 'bob.db': bytes.toString('base64') });
  });
});

describe('a log instead of a journal', () => {
  it('that another program has chosen is ended when the file is opened, and nothing in it is lost', async () => {
    const path = newFile();
    const other = openDatabase(path, LOCK, { wait: 0 });
    onTestFinished(() => void other.close());
    const mode = () => other.pragma('journal_mode', { simple: true });
    other.pragma('journal_mode = WAL');
    other.pragma('wal_autocheckpoint = 0');
    other.exec("UPDATE identity SET name = 'carol'");
    // As it is after a kill, too.
    const killed = join(temporaryFolder(), 'carol.db');
    for (const end of ['', '-wal', '-shm']) copyFileSync(path + end, killed + end);
    expect(mode()).toBe('wal');
    expect((await refusal(() => openStore(path))).code).toBe('busy');
    other.close();

    for (const one of [path, killed]) {
      const store = openStore(one);
      expect(readdirSync(dirname(one))).toHaveLength(1);
      store.rekey(NEW_LOCK);
      const next = openWith(one, NEW_LOCK);
      expect(next.name).toBe('carol');
      expect(await next.check()).toEqual([]);
    }
  });

  it('is left alone in a file that is refused', async () => {
    const path = newFile();
    const other = openDatabase(path, LOCK, { wait: 0 });
    other.pragma('journal_mode = WAL');
    other.pragma('user_version = 99');
    other.close();
    await expectRefused(path, 'newer-schema');
  });
});

describe('what a killed one has left', () => {
  it.each([
    ['a new transaction', (path: string) => openStore(path).transaction(async () => undefined)],
    ['another rekeying', async (path: string) => openStore(path).rekey(NEW_LOCK)],
  ])('is removed by %s', async (_, next) => {
    const { path } = await filled();
    writeFileSync(draftOf(path), 'a whole identity');
    await next(path);
    expect(existsSync(draftOf(path))).toBe(false);
  });

  it('is removed also where it is a link that leads nowhere, and nothing else is', async () => {
    const { path } = await filled();
    symlinkSync('nowhere', draftOf(path));
    openStore(path).rekey(NEW_LOCK);
    expect(readdirSync(dirname(path))).toEqual(['bob.db']);
  });

  it('is named where it cannot be removed', async () => {
    const { path, store } = await filled();
    mkdirSync(draftOf(path));
    const error = await refusal(() => store.rekey(NEW_LOCK));
    expect([error.code, error.detail]).toEqual(['not-rekeyed', { path, reason: `${draftOf(path)} is in the way` }]);
  });

  it('is left alone by one that only reads, for somebody may be at it', async () => {
    const { path, store } = await filled();
    writeFileSync(draftOf(path), 'a whole identity');
    await store.snapshot((view) => view.contacts());
    expect(existsSync(draftOf(path))).toBe(true);
  });
});

describe('others', () => {
  it('cannot have it while one of them writes', async () => {
    const { path, store } = await filled();
    const other = openStore(path);
    await other.transaction(async (transaction) => {
      await addContact(transaction, 'dave');
      expect((await refusal(() => store.rekey(NEW_LOCK))).code).toBe('busy');
    });
    await store.transaction((transaction) => addContact(transaction, 'erin'));
    await expectRefused(path, 'wrong-passphrase', NEW_LOCK.key);
  });

  it('that had it open are told that it was replaced, before they have read anything, and remove no draft', async () => {
    const { path, store } = await filled();
    const other = openStore(path);
    await other.snapshot((view) => view.contacts());
    store.rekey(NEW_LOCK);
    writeFileSync(draftOf(path), 'of one that is at it now');
    const before = contents(dirname(path));
    const work = vi.fn(async () => undefined);
    for (const attempt of [() => other.transaction(work), () => other.rekey(NEW_LOCK)]) {
      const error = await refusal(attempt);
      expect([error.code, error.detail]).toEqual(['replaced', { path }]);
    }
    expect(work).not.toHaveBeenCalled();
    expect(contents(dirname(path))).toEqual(before);
  });

  it('that had begun to write are told so by the database, which looks before its first write', async () => {
    const path = newFile();
    const store = openStore(path);
    const error = await refusal(() =>
      store.transaction(async (transaction) => {
        renameSync(newFile(), path);
        await addContact(transaction, 'dave');
      }),
    );
    expect([error.code, error.detail]).toEqual(['replaced', { path }]);
    expect(await openStore(path).snapshot((view) => view.contacts())).toEqual([]);
  });

  it('that read the salt before are told so, and not that their key is wrong', async () => {
    const { path, store } = await filled();
    store.rekey(NEW_LOCK);
    const error = await refusal(() => openWith(path, LOCK));
    expect([error.code, error.detail]).toEqual(['replaced', { path }]);
    // With the salt that it has now, the key really is wrong.
    expect((await refusal(() => openWith(path, { ...LOCK, salt: NEW_LOCK.salt }))).code).toBe('wrong-passphrase');
  });

  it('that had it open leave the journal alone that is being written for the file of that name now', async () => {
    const path = newFile();
    const store = openStore(path);
    // As if that were a backup, which has the same key: SQLite would undo it into the file that has lost its name.
    const restored = interruptedCommit(newFile());
    renameSync(`${restored}-journal`, `${path}-journal`);
    renameSync(restored, path);
    const before = contents(dirname(path));
    for (const attempt of [
      () => store.transaction((transaction) => addContact(transaction, 'dave')),
      () => store.snapshot((view) => view.contacts()),
      () => store.check(),
      () => store.backup(join(temporaryFolder(), 'copy.db')),
      () => store.rekey(NEW_LOCK),
    ]) {
      expect((await refusal(attempt)).code).toMatch(/^(replaced|cannot-create)$/);
      expect(contents(dirname(path))).toEqual(before);
    }
    expect(await openStore(path).check()).toEqual([]);
  });

  it('that looked just before it was replaced do not get the lock for a while', async () => {
    const { path, store } = await filled();
    const other = openDatabase(path, LOCK, { wait: 0 });
    onTestFinished(() => void other.close());
    let refused = '';
    const wait = vi.spyOn(Atomics, 'wait').mockImplementationOnce(() => {
      try {
        other.exec('BEGIN IMMEDIATE');
      } catch (error) {
        refused = String(error);
      }
      return 'timed-out';
    });
    onTestFinished(() => wait.mockRestore());
    store.rekey(NEW_LOCK);
    expect(wait).toHaveBeenCalledWith(expect.anything(), 0, 0, 100);
    expect(refused).toContain('database is locked');
  });

  it('that open it while it is replaced are told so', async () => {
    const [path, next] = [newFile(), newFile()];
    const { exec } = (await import('better-sqlite3-multiple-ciphers')).default.prototype;
    const spy = vi
      .spyOn((await import('better-sqlite3-multiple-ciphers')).default.prototype, 'exec')
      .mockImplementationOnce(function (this: never, sql: string) {
        renameSync(next, path);
        return exec.call(this, sql);
      });
    onTestFinished(() => spy.mockRestore());
    expect((await refusal(() => openWith(path, LOCK))).code).toBe('replaced');
  });
});
