import { lstatSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { replaceFile } from '../../src/files/index.ts';

import { temporaryFolder } from '../cli/fake-io.ts';

const CONTENT = Buffer.from('content');

function thrownBy(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

function modeOf(path: string): number {
  return lstatSync(path).mode & 0o777;
}

describe('replaceFile', () => {
  it('makes a file for our eyes only', () => {
    const folder = temporaryFolder();
    const path = join(folder, 'file');
    const before = process.umask(0);
    try {
      replaceFile(path, CONTENT);
    } finally {
      process.umask(before);
    }
    expect(readFileSync(path)).toEqual(CONTENT);
    expect(modeOf(path)).toBe(0o600);
    expect(readdirSync(folder)).toEqual(['file']);
  });

  it('takes the place of what was there, whoever could read that', () => {
    const folder = temporaryFolder();
    const path = join(folder, 'file');
    writeFileSync(path, 'something longer that was there before', { mode: 0o644 });
    const before = lstatSync(path).ino;
    replaceFile(path, CONTENT);
    expect(readFileSync(path)).toEqual(CONTENT);
    expect(modeOf(path)).toBe(0o600);
    // A new file was put in its place: whoever has the old one open reads on in that.
    expect(lstatSync(path).ino).not.toBe(before);
  });

  it('replaces a link, and not what it leads to', () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'target'), 'of somebody else');
    symlinkSync('target', join(folder, 'link'));
    replaceFile(join(folder, 'link'), CONTENT);
    expect(readFileSync(join(folder, 'target'), 'utf8')).toBe('of somebody else');
    expect(lstatSync(join(folder, 'link')).isFile()).toBe(true);
  });

  it('writes a file without any content', () => {
    const path = join(temporaryFolder(), 'file');
    replaceFile(path, new Uint8Array(0));
    expect(readFileSync(path)).toHaveLength(0);
  });

  it('writes into the current folder', () => {
    const folder = temporaryFolder();
    const before = process.cwd();
    process.chdir(folder);
    try {
      replaceFile('file', CONTENT);
    } finally {
      process.chdir(before);
    }
    expect(readdirSync(folder)).toEqual(['file']);
  });

  it('leaves nothing behind where it fails', () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'folder'));
    writeFileSync(join(folder, 'file'), 'as it was');
    for (const [path, reason] of [
      ['folder', 'illegal operation on a directory'],
      ['missing/file', 'no such file or directory'],
    ] as const) {
      const error = thrownBy(() => replaceFile(join(folder, path), CONTENT));
      expect(error).toMatchObject({ code: 'write-failed', detail: { path: join(folder, path), reason } });
    }
    expect(readdirSync(folder).sort()).toEqual(['file', 'folder']);
    expect(readdirSync(join(folder, 'folder'))).toEqual([]);
    expect(readFileSync(join(folder, 'file'), 'utf8')).toBe('as it was');
  });

  it('says so where a folder of its path is none', () => {
    const path = join(temporaryFolder(), 'file');
    writeFileSync(path, 'as it was');
    const error = thrownBy(() => replaceFile(join(path, 'file'), CONTENT));
    expect(error).toMatchObject({ code: 'write-failed', detail: { reason: 'not a directory' } });
  });

  it('writes under the longest name that there can be', () => {
    const folder = temporaryFolder();
    const name = 'n'.repeat(255);
    replaceFile(join(folder, name), CONTENT);
    expect(readdirSync(folder)).toEqual([name]);
  });

  it('says so where a name is too long', () => {
    const error = thrownBy(() => replaceFile(join(temporaryFolder(), 'n'.repeat(256)), CONTENT));
    expect(error).toMatchObject({ code: 'write-failed', detail: { reason: 'name too long' } });
  });
});
