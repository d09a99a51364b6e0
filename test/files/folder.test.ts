import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { Folder } from '../../src/files/index.ts';
import { asNobody } from '../storage/as-nobody.ts';

const BYTES = Buffer.from('what came');
const OTHER = Buffer.from('what was there');

let path: string;
let folder: Folder;

beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), 'pawl-folder-'));
  folder = new Folder(path, () => undefined);
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
});

const at = (name: string) => join(path, name);

describe('Folder', () => {
  it('puts a file there, for our eyes only, and nothing else', () => {
    expect(folder.put('name', BYTES)).toBe('put');
    expect(readFileSync(at('name'))).toEqual(BYTES);
    expect(lstatSync(at('name')).mode & 0o777).toBe(0o600);
    expect(readdirSync(path)).toEqual(['name']);
  });

  it.each([
    ['another file', () => writeFileSync(at('name'), OTHER)],
    ['one of the same length', () => writeFileSync(at('name'), Buffer.alloc(BYTES.length))],
    ['one that begins the same', () => writeFileSync(at('name'), Buffer.concat([BYTES, OTHER]))],
    ['the beginning of it', () => writeFileSync(at('name'), BYTES.subarray(0, -1))],
    ['an empty one', () => writeFileSync(at('name'), '')],
    ['a link to nothing', () => symlinkSync('nothing', at('name'))],
    [
      'a link to the same bytes',
      () => {
        writeFileSync(at('target'), BYTES);
        symlinkSync('target', at('name'));
      },
    ],
    ['a link to a device', () => symlinkSync('/dev/null', at('name'))],
    ['a folder', () => mkdirSync(at('name'))],
  ])('leaves what is there: %s', (_, prepare) => {
    prepare();
    const before = readdirSync(path);
    const { ino, mode, size, mtimeMs, ctimeMs } = lstatSync(at('name'));
    expect(() => folder.put('name', BYTES)).toThrow(expect.objectContaining({ code: 'exists' }));
    expect(readdirSync(path)).toEqual(before);
    expect(lstatSync(at('name'))).toMatchObject({ ino, mode, size, mtimeMs, ctimeMs });
    expect(existsSync(at('nothing'))).toBe(false);
  });

  it('replaces it where that is asked for, and never what a link leads to', () => {
    writeFileSync(at('target'), OTHER);
    for (const prepare of [
      () => writeFileSync(at('name'), OTHER, { mode: 0o644 }),
      () => symlinkSync('target', at('name')),
      () => symlinkSync('/dev/null', at('name')),
      () => linkSync(at('target'), at('name')),
    ]) {
      prepare();
      expect(new Folder(path, () => undefined).put('name', BYTES, { replace: true })).toBe('put');
      expect(lstatSync(at('name')).isFile()).toBe(true);
      expect(lstatSync(at('name')).mode & 0o777).toBe(0o600);
      expect(readFileSync(at('name'))).toEqual(BYTES);
      expect(readFileSync(at('target'))).toEqual(OTHER);
      rmSync(at('name'));
    }
  });

  it('does not replace a folder', () => {
    mkdirSync(at('name'));
    expect(() => folder.put('name', BYTES, { replace: true })).toThrow(
      expect.objectContaining({ code: 'write-failed', detail: expect.objectContaining({ path: at('name') }) }),
    );
    expect(readdirSync(path)).toEqual(['name']);
  });

  it('does not replace what it has put there itself, whatever is asked for, and by whatever name', () => {
    writeFileSync(at('name'), OTHER);
    folder.put('name', BYTES, { replace: true });
    expect(() => folder.put('name', OTHER, { replace: true })).toThrow(expect.objectContaining({ code: 'exists' }));
    // As on a filesystem to which two names are one.
    linkSync(at('name'), at('NAME'));
    expect(() => folder.put('NAME', OTHER, { replace: true })).toThrow(expect.objectContaining({ code: 'exists' }));
    expect(readFileSync(at('name'))).toEqual(BYTES);
    expect(new Folder(path, () => undefined).put('name', OTHER, { replace: true })).toBe('put');
  });

  it('takes one of the same bytes for its own, and leaves it as it is', () => {
    const large = Buffer.alloc(200_000, 'x');
    for (const bytes of [BYTES, large, Buffer.alloc(0)]) {
      writeFileSync(at('name'), bytes);
      chmodSync(at('name'), 0o640);
      const { ino } = lstatSync(at('name'));
      for (const replace of [false, true]) expect(folder.put('name', bytes, { replace })).toBe('was there');
      expect(lstatSync(at('name'))).toMatchObject({ ino, mode: 0o100640 });
    }
  });

  it('does not replace one that it took for its own', () => {
    writeFileSync(at('name'), BYTES);
    folder.put('name', BYTES, { replace: true });
    expect(() => folder.put('name', OTHER, { replace: true })).toThrow(expect.objectContaining({ code: 'exists' }));
    expect(readFileSync(at('name'))).toEqual(BYTES);
  });

  it('has no name for a journal of its own: a file beside is only a file', () => {
    folder.put('name-journal', OTHER);
    expect(folder.put('name', BYTES)).toBe('put');
  });

  it('is not made where there is none', () => {
    writeFileSync(at('file'), '');
    const made = (name: string) => () => new Folder(at(name), () => undefined);
    expect(made('none')).toThrow(
      expect.objectContaining({ code: 'no-folder', detail: { path: at('none'), isTaken: false } }),
    );
    expect(made('file')).toThrow(
      expect.objectContaining({ code: 'no-folder', detail: { path: at('file'), isTaken: true } }),
    );
    expect(made('n'.repeat(300))).toThrow(expect.objectContaining({ code: 'write-failed' }));
    expect(readdirSync(path)).toEqual(['file']);
  });

  it('says so where it may only be read', async () => {
    chmodSync(path, 0o555);
    await asNobody(async () => {
      expect(() => folder.put('name', BYTES)).toThrow(
        expect.objectContaining({ code: 'write-failed', detail: { path: at('name'), reason: 'permission denied' } }),
      );
    });
    expect(readdirSync(path)).toEqual([]);
  });

  it('says so where it has gone meanwhile', () => {
    rmSync(path, { recursive: true });
    expect(() => folder.put('name', BYTES)).toThrow(
      expect.objectContaining({
        code: 'write-failed',
        detail: { path: at('name'), reason: 'no such file or directory' },
      }),
    );
  });
});
