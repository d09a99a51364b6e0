import { fsyncSync, openSync, renameSync, unlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { PawlError } from '../../src/errors.ts';
import { Connection } from '../../src/storage/connection.ts';
import { openIdentityFile } from '../../src/storage/index.ts';
import { openDatabase } from '../../src/storage/sqlcipher.ts';
import { LOCK, NEW_LOCK, newFile, openStore } from './folder.ts';
import { contents, refusal } from './refusals.ts';

vi.mock('node:fs', async (original) => {
  const fs = await original<typeof import('node:fs')>();
  return {
    ...fs,
    openSync: vi.fn(fs.openSync),
    fsyncSync: vi.fn(fs.fsyncSync),
    renameSync: vi.fn(fs.renameSync),
    unlinkSync: vi.fn(fs.unlinkSync),
  };
});

const fs = await vi.importActual<typeof import('node:fs')>('node:fs');

/** Another process that has the file open, as far as locks go. */
function other(path: string) {
  const database = openDatabase(path, LOCK, { wait: 0 });
  onTestFinished(() => void database.close());
  return database;
}

describe('a rekeying', () => {
  it('makes the new file durable before it takes the name, then its name, and keeps the lock until then', () => {
    const path = newFile();
    const store = openStore(path);
    const writer = other(path);
    const opened = new Map<number, unknown>();
    const order: string[] = [];
    vi.mocked(openSync).mockImplementation((...given) => {
      const file = fs.openSync(...given);
      opened.set(file, given[0]);
      return file;
    });
    vi.mocked(fsyncSync).mockImplementation((file) => {
      order.push(`sync ${opened.get(file)}`);
      fs.fsyncSync(file);
    });
    vi.mocked(renameSync).mockImplementationOnce((from, to) => {
      order.push(`rename ${from} ${to}`);
      expect(() => writer.exec('BEGIN IMMEDIATE')).toThrow('database is locked');
      fs.renameSync(from, to);
    });
    const wait = vi.spyOn(Atomics, 'wait').mockImplementationOnce(() => {
      order.push('keep the lock');
      return 'timed-out';
    });
    onTestFinished(() => wait.mockRestore());
    store.rekey(NEW_LOCK);
    expect(order).toEqual([
      `sync ${path}-draft`,
      `rename ${path}-draft ${path}`,
      `sync ${dirname(path)}`,
      'keep the lock',
    ]);
  });

  it('that fails removes its draft while it holds the lock, since the next draft has the same name', async () => {
    const path = newFile();
    const store = openStore(path);
    const writer = other(path);
    vi.mocked(renameSync).mockImplementationOnce(() => {
      throw Object.assign(new Error('EIO'), { code: 'EIO', errno: -5 });
    });
    vi.mocked(unlinkSync).mockImplementationOnce((name) => {
      expect(name).toBe(`${path}-draft`);
      expect(() => writer.exec('BEGIN IMMEDIATE')).toThrow('database is locked');
      fs.unlinkSync(name);
    });
    const before = vi.mocked(unlinkSync).mock.calls.length;
    expect((await refusal(() => store.rekey(NEW_LOCK))).code).toBe('not-rekeyed');
    expect(vi.mocked(unlinkSync).mock.calls.length).toBe(before + 1);
    writer.exec('BEGIN IMMEDIATE');
  });

  it('leaves a file alone that somebody puts in the place of the old one meanwhile', async () => {
    const path = newFile();
    const store = openStore(path);
    const restored = newFile();
    vi.mocked(fsyncSync).mockImplementationOnce((file) => {
      fs.fsyncSync(file);
      fs.renameSync(restored, path);
    });
    expect((await refusal(() => store.rekey(NEW_LOCK))).code).toBe('replaced');
    expect(Object.keys(contents(dirname(path)))).toEqual(['bob.db']);
    expect(await openStore(path).check()).toEqual([]);
  });
});

describe('a file that is replaced', () => {
  it.each([
    ['while its lock is taken', undefined],
    ['and looks damaged therefore', new PawlError('damaged', { path: 'bob.db' })],
  ])('%s is told from a damaged one, and nothing is done in it', async (_, error) => {
    const path = newFile();
    const store = openStore(path);
    const { run } = Connection.prototype;
    const spy = vi.spyOn(Connection.prototype, 'run').mockImplementationOnce(function (this: Connection, ...given) {
      const result = run.apply(this, given);
      fs.renameSync(newFile(), path);
      if (error !== undefined) throw error;
      return result;
    });
    onTestFinished(() => spy.mockRestore());
    const work = vi.fn(async () => undefined);
    expect((await refusal(() => store.transaction(work))).code).toBe('replaced');
    expect(work).not.toHaveBeenCalled();
  });

  it('while its lock is waited for is looked at again before the next attempt', async () => {
    const path = newFile();
    const store = openIdentityFile(path, LOCK, { wait: 400 });
    onTestFinished(() => store.close());
    const writer = other(path);
    writer.exec('BEGIN IMMEDIATE');
    const wait = vi.spyOn(Atomics, 'wait').mockImplementationOnce(() => {
      fs.renameSync(newFile(), path);
      writer.exec('ROLLBACK');
      return 'timed-out';
    });
    onTestFinished(() => wait.mockRestore());
    expect((await refusal(() => store.transaction(async () => undefined))).code).toBe('replaced');
  });
});

it('a snapshot holds its lock from the beginning', async () => {
  const path = newFile();
  const writer = other(path);
  await openStore(path).snapshot(async () => {
    expect(() => writer.exec('BEGIN EXCLUSIVE')).toThrow('database is locked');
  });
});
