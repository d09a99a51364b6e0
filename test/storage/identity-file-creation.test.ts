import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createIdentityFile, readSalt } from '../../src/storage/index.ts';
import { MIGRATIONS } from '../../src/storage/migrations.ts';
import { asNobody } from './as-nobody.ts';
import { record } from './fixtures.ts';
import { KEY, newFile, openStore, SALT, temporaryFolder } from './folder.ts';
import { contents, refusal } from './refusals.ts';

const create = (path: string) => createIdentityFile(path, { salt: SALT, key: KEY }, record());

describe('a new identity file', () => {
  it('is readable by us only, whatever the umask', () => {
    const umask = process.umask(0);
    try {
      expect(statSync(newFile()).mode & 0o777).toBe(0o600);
    } finally {
      process.umask(umask);
    }
  });

  it('is the only file that is left', () => {
    expect(readdirSync(dirname(newFile()))).toEqual(['bob.db']);
  });

  it('begins with its salt, and is whole pages that look like noise', () => {
    const path = newFile();
    const bytes = readFileSync(path);
    expect(readSalt(path)).toEqual(SALT);
    expect(new Uint8Array(bytes.subarray(0, 16))).toEqual(SALT);
    expect(bytes.length % 4096).toBe(0);
    for (const word of ['SQLite', 'CREATE', 'identity']) expect(bytes.includes(word)).toBe(false);
  });

  it('holds the identity', async () => {
    const { identity } = record();
    const store = openStore(newFile());
    expect(await store.snapshot((view) => view.ownIdentity())).toEqual(identity);
    expect(store.schema).toBe(MIGRATIONS.length);
  });

  it('never takes the place of another', async () => {
    const path = newFile();
    const before = contents(dirname(path));
    const error = await refusal(() => create(path));
    expect([error.code, error.detail]).toEqual(['exists', { path }]);
    expect(contents(dirname(path))).toEqual(before);
  });

  it('is not made beside the journal of a file that has gone', async () => {
    const path = join(temporaryFolder(), 'bob.db');
    writeFileSync(`${path}-journal`, 'what would undo its last commit');
    const error = await refusal(() => create(path));
    expect([error.code, error.detail]).toEqual(['exists', { path: `${path}-journal` }]);
    expect(readdirSync(dirname(path))).toEqual(['bob.db-journal']);
  });

  it('cannot be made in a folder that is not there', async () => {
    const path = join(temporaryFolder(), 'missing', 'bob.db');
    const error = await refusal(() => create(path));
    expect([error.code, error.detail]).toEqual(['cannot-create', { path, reason: 'no such file or directory' }]);
  });

  it('cannot be made where a file stands for the folder', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'file'), '');
    const error = await refusal(() => create(join(folder, 'file', 'bob.db')));
    expect([error.code, error.detail]).toMatchObject(['cannot-create', { reason: 'part of its path is no folder' }]);
  });

  it('cannot be made in a folder of somebody else', async () => {
    const folder = join(temporaryFolder(), 'theirs');
    mkdirSync(folder);
    chmodSync(dirname(folder), 0o755);
    chmodSync(folder, 0o555);
    await asNobody(async () => {
      const error = await refusal(() => create(join(folder, 'bob.db')));
      expect([error.code, error.detail]).toMatchObject(['cannot-create', { reason: 'permission denied' }]);
    });
    expect(readdirSync(folder)).toEqual([]);
  });
});
