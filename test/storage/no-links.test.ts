import { readdirSync, renameSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { createIdentityFile } from '../../src/storage/index.ts';
import { record } from './fixtures.ts';
import { KEY, newFile, openStore, SALT, temporaryFolder } from './folder.ts';
import { contents, refusal } from './refusals.ts';

function failure(code: string, errno: number) {
  return () => {
    throw Object.assign(new Error(code), { code, errno: -errno });
  };
}

vi.mock('node:fs', async (original) => {
  const fs = await original<typeof import('node:fs')>();
  return { ...fs, linkSync: failure('EPERM', 1), renameSync: vi.fn(fs.renameSync) };
});

describe('a new identity file on a filesystem without links', () => {
  it('is made all the same', async () => {
    const path = newFile();
    expect(readdirSync(dirname(path))).toEqual(['bob.db']);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(await openStore(path).snapshot((view) => view.contacts())).toEqual([]);
  });

  it('never takes the place of another', async () => {
    const path = newFile();
    const before = contents(dirname(path));
    const error = await refusal(() => createIdentityFile(path, { salt: SALT, key: KEY }, record()));
    expect(error.code).toBe('exists');
    expect(contents(dirname(path))).toEqual(before);
  });

  it('leaves nothing behind when the last step fails', async () => {
    vi.mocked(renameSync).mockImplementationOnce(failure('ENOSPC', 28));
    const path = join(temporaryFolder(), 'bob.db');
    const error = await refusal(() => createIdentityFile(path, { salt: SALT, key: KEY }, record()));
    expect([error.code, error.detail]).toEqual(['cannot-create', { path, reason: 'no space left on device' }]);
    expect(readdirSync(dirname(path))).toEqual([]);
  });
});
