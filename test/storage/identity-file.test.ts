import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, statSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import Database from 'better-sqlite3-multiple-ciphers';
import { describe, expect, it } from 'vitest';
import { openIdentityFile, readSalt } from '../../src/storage/index.ts';
import { MIGRATIONS } from '../../src/storage/migrations.ts';
import { openDatabase } from '../../src/storage/sqlcipher.ts';
import { asNobody } from './as-nobody.ts';
import { addContact, bytesOf, NOW } from './fixtures.ts';
import { LOCK, newFile, openStore, temporaryFolder, WRONG_KEY } from './folder.ts';
import { interruptedCommit } from './hot-journal.ts';
import { contents, expectRefused, refusal } from './refusals.ts';

function fileOf(bytes: Uint8Array | string): string {
  const path = join(temporaryFolder(), 'bob.db');
  writeFileSync(path, bytes);
  return path;
}

function altered(path: string, position: number): string {
  const bytes = readFileSync(path);
  bytes[position] = (bytes[position] ?? 0) ^ 1;
  return fileOf(bytes);
}

/** Changes an identity file as another program with the key could. */
function tamper(path: string, sql: string): void {
  const database = openDatabase(path, LOCK, { wait: 0 });
  database.exec(sql);
  database.close();
}

describe('a file that is no identity of ours', () => {
  it('is refused with the wrong key', async () => {
    await expectRefused(newFile(), 'wrong-passphrase', WRONG_KEY);
  });

  it('is refused when its first page is damaged, which nobody can tell from a wrong key', async () => {
    const path = newFile();
    for (const position of [0, 100, 4_000, 4_095]) await expectRefused(altered(path, position), 'wrong-passphrase');
  });

  it('is refused when it is noise', async () => {
    await expectRefused(fileOf(bytesOf('noise', 8_192)), 'wrong-passphrase');
  });

  it('is refused when it is too short, or not whole pages', async () => {
    const path = newFile();
    const whole = readFileSync(path);
    for (const length of [0, 15, 511, 4_095, whole.length - 1, whole.length - 4_096]) {
      await expectRefused(fileOf(whole.subarray(0, length)), 'damaged');
    }
  });

  it('is refused when it is a database that is not encrypted', async () => {
    const path = join(temporaryFolder(), 'plain.db');
    new Database(path).exec('CREATE TABLE t (a)').close();
    await expectRefused(path, 'not-an-identity');
    expect((await refusal(() => readSalt(path))).code).toBe('not-an-identity');
  });

  it('is refused when it is an encrypted database of another program', async () => {
    const path = newFile();
    tamper(path, 'PRAGMA application_id = 0');
    await expectRefused(path, 'not-an-identity');
  });

  it('is refused when it is of a newer pawl', async () => {
    const path = newFile();
    const found = MIGRATIONS.length + 1;
    tamper(path, `PRAGMA user_version = ${found}`);
    const { detail } = await expectRefused(path, 'newer-schema');
    expect(detail).toEqual({ path, found, known: MIGRATIONS.length });
  });

  it('is refused when it is missing or a folder', async () => {
    const folder = temporaryFolder();
    const missing = await refusal(() => readSalt(join(folder, 'bob.db')));
    expect([missing.code, missing.detail]).toMatchObject(['read-failed', { reason: 'no such file or directory' }]);
    expect((await refusal(() => readSalt(folder))).code).toBe('read-failed');
  });

  it('is refused when it is no file, and nobody is waited for', async () => {
    const pipe = join(temporaryFolder(), 'pipe.db');
    execFileSync('mkfifo', [pipe]);
    for (const path of [pipe, '/dev/zero']) {
      const { code, detail } = await refusal(() => readSalt(path));
      expect([code, detail]).toEqual(['read-failed', { path, reason: 'it is no file' }]);
    }
  });
});

describe('damage behind the first page', () => {
  it('is found where it is read', async () => {
    const path = newFile();
    const store = openStore(path);
    for (let i = 0; i < 40; i++) await store.transaction((transaction) => addContact(transaction, `contact-${i}`));
    const pages = statSync(path).size / 4_096;
    const codes = new Set<string>();
    for (let page = 1; page < pages; page++) {
      const damaged = altered(path, page * 4_096 + 50);
      const work = async () => {
        const damagedStore = openStore(damaged);
        await damagedStore.snapshot((view) => view.contacts());
        await damagedStore.transaction((transaction) => addContact(transaction, 'new'));
      };
      codes.add(
        await work().then(
          () => 'fine',
          ({ code }) => code,
        ),
      );
    }
    // The pages of other tables are never read.
    expect([...codes].sort()).toEqual(['damaged', 'fine']);
  });
});

describe('an interrupted commit', () => {
  it('is undone with the right key', async () => {
    const source = newFile();
    await openStore(source).transaction((transaction) => addContact(transaction, 'alice'));
    const path = interruptedCommit(source);
    expect(statSync(path).size).toBeGreaterThan(statSync(source).size);
    const contacts = await openStore(path).snapshot((view) => view.contacts());
    expect(contacts.map(({ name }) => name)).toEqual(['alice']);
    expect(existsSync(`${path}-journal`)).toBe(false);
    expect(statSync(path).size).toBe(statSync(source).size);
  });

  it('is left alone with a wrong key', async () => {
    await expectRefused(interruptedCommit(newFile()), 'wrong-passphrase', WRONG_KEY);
  });

  it('is undone, or left alone, whatever page its journal begins with', async () => {
    const path = interruptedCommit(newFile(), 'PRAGMA user_version = 9');
    const journal = readFileSync(`${path}-journal`);
    expect(journal.readUInt32BE(journal.readUInt32BE(20))).toBe(1);
    await expectRefused(path, 'wrong-passphrase', WRONG_KEY);
    expect(openStore(path).schema).toBe(MIGRATIONS.length);
  });

  it('is refused where its journal cannot be read', async () => {
    const path = interruptedCommit(newFile());
    for (const name of [path, `${path}-journal`]) chmodSync(name, 0o644);
    chmodSync(`${path}-journal`, 0o000);
    chmodSync(dirname(path), 0o755);
    await asNobody(async () => {
      const { code } = await refusal(() => openIdentityFile(path, LOCK, { wait: 0 }));
      expect(code).toBe('read-failed');
    });
  });

  it('of which nothing had reached the file is left alone too, then dropped', async () => {
    const path = newFile();
    // The header of a journal before its first sync counts no pages.
    writeFileSync(`${path}-journal`, Buffer.concat([Buffer.from('d9d505f920a163d7', 'hex'), Buffer.alloc(504)]));
    await expectRefused(path, 'wrong-passphrase', WRONG_KEY);
    expect(await openStore(path).snapshot((view) => view.contacts())).toEqual([]);
  });

  it('that a power cut left without a header changes nothing', async () => {
    const path = newFile();
    for (const journal of [Buffer.alloc(0), Buffer.alloc(2_000), Buffer.from('junk')]) {
      writeFileSync(`${path}-journal`, journal);
      await expectRefused(path, 'wrong-passphrase', WRONG_KEY);
      expect(await openStore(path).snapshot((view) => view.contacts())).toEqual([]);
    }
  });

  it('with half a page at the end of the file is undone', async () => {
    const path = interruptedCommit(newFile());
    truncateSync(path, statSync(path).size - 1_000);
    expect(await openStore(path).snapshot((view) => view.contacts())).toEqual([]);
  });
});

describe('an interrupted commit of a file behind links', () => {
  /** A link to a link to the file, each in a folder of its own, with another journal beside the first. */
  function linksTo(path: string): string {
    const [inner, outer] = [join(temporaryFolder(), 'inner.db'), join(temporaryFolder(), 'bob.db')];
    symlinkSync(path, inner);
    symlinkSync(inner, outer);
    return outer;
  }

  it('is left alone with a wrong key', async () => {
    const path = interruptedCommit(newFile());
    const before = contents(dirname(path));
    const error = await refusal(() => openIdentityFile(linksTo(path), { ...LOCK, key: WRONG_KEY }, { wait: 0 }));
    expect(error.code).toBe('wrong-passphrase');
    expect(contents(dirname(path))).toEqual(before);
  });

  it('is undone with the right one, half a page at the end or not', async () => {
    for (const cut of [0, 1_000]) {
      const path = interruptedCommit(newFile());
      truncateSync(path, statSync(path).size - cut);
      const link = linksTo(path);
      expect(readSalt(link)).toEqual(LOCK.salt);
      expect(await openStore(link).snapshot((view) => view.contacts())).toEqual([]);
      expect(existsSync(`${path}-journal`)).toBe(false);
    }
  });

  it('is not thought to be there because of a file beside the link', async () => {
    const path = newFile();
    truncateSync(path, statSync(path).size - 1_000);
    const link = linksTo(path);
    writeFileSync(`${link}-journal`, 'of another file');
    expect((await refusal(() => readSalt(link))).code).toBe('damaged');
  });
});

describe('a file that may only be read', () => {
  async function readOnly(path: string, work: () => Promise<void>) {
    chmodSync(path, 0o444);
    chmodSync(dirname(path), 0o555);
    try {
      await asNobody(work);
    } finally {
      chmodSync(dirname(path), 0o755);
    }
  }

  it('is opened and read, and not written', async () => {
    const path = newFile();
    await openStore(path).transaction((transaction) => addContact(transaction, 'alice'));
    const before = contents(dirname(path));
    await readOnly(path, async () => {
      const store = openIdentityFile(path, LOCK, { wait: 0 });
      expect(await store.snapshot((view) => view.contacts())).toHaveLength(1);
      const work = () => store.transaction((transaction) => addContact(transaction, 'carol'));
      const error = await refusal(work);
      expect([error.code, error.detail]).toEqual(['write-failed', { path, reason: 'it is read-only', isUndone: true }]);
      expect(await store.snapshot((view) => view.contacts())).toHaveLength(1);
      store.close();
    });
    expect(contents(dirname(path))).toEqual(before);
  });

  it('is opened in a folder that cannot be written', async () => {
    const path = newFile();
    chmodSync(path, 0o666);
    chmodSync(dirname(path), 0o555);
    await asNobody(async () => {
      const store = openIdentityFile(path, LOCK, { wait: 0 });
      expect(await store.snapshot((view) => view.contacts())).toEqual([]);
      const error = await refusal(() => store.transaction((transaction) => addContact(transaction, 'carol')));
      expect([error.code, error.detail]).toMatchObject(['write-failed', { path }]);
      store.close();
    });
  });

  it('cannot have an interrupted commit undone', async () => {
    const path = interruptedCommit(newFile());
    chmodSync(`${path}-journal`, 0o444);
    await readOnly(path, async () => {
      const { detail } = await expectRefused(path, 'write-failed');
      expect(detail).toMatchObject({ reason: 'it is read-only, and an interrupted change waits to be undone' });
    });
  });

  it('is refused where it may not even be read', async () => {
    const path = fileOf('theirs');
    chmodSync(dirname(path), 0o755);
    chmodSync(path, 0o000);
    await asNobody(async () => {
      const error = await refusal(() => readSalt(path));
      expect([error.code, error.detail]).toEqual(['read-failed', { path, reason: 'permission denied' }]);
    });
  });
});

describe('an open store', () => {
  it('changes no byte of its file by reading, nor by a transaction that finds nothing to do', async () => {
    const path = newFile();
    const before = contents(dirname(path));
    const store = openStore(path);
    await store.snapshot((view) => view.findEntry(() => false));
    await store.transaction(async (transaction) => {
      await transaction.sweepInvites(NOW, NOW);
      await transaction.sweepSkippedKeys(NOW);
      await transaction.dropFromInbox([]);
    });
    store.close();
    expect(contents(dirname(path))).toEqual(before);
  });

  it('keeps nothing of a transaction that was running when it was closed', async () => {
    const path = newFile();
    const store = openIdentityFile(path, LOCK, { wait: 0 });
    const work = store.transaction(async (transaction) => {
      await addContact(transaction, 'alice');
      store.close();
    });
    await expect(work).rejects.toThrow();
    expect(await openStore(path).snapshot((view) => view.contacts())).toEqual([]);
  });
});
