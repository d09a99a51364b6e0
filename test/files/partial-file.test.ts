import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { checkRoom, PartialFile, removePartialFile } from '../../src/files/index.ts';
import { known } from '../envelope/samples.ts';

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'pawl-partial-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function made(folder = newFolder()): PartialFile {
  const file = PartialFile.make(folder, 'name');
  onTestFinished(() => file.close());
  return file;
}

describe('a partial file', () => {
  it('is hidden, and for its owner alone', () => {
    const folder = newFolder();
    const { path } = made(folder);
    expect(path).toBe(join(folder, '.pawl-name.part'));
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('is written in any order, and takes its name', () => {
    const folder = newFolder();
    const file = made(folder);
    file.write(Buffer.from('world'), 6);
    file.write(Buffer.from('hello '), 0);
    file.sync();
    expect(Buffer.from(file.read(0, 100)).toString()).toBe('hello world');
    const target = join(folder, 'greeting');
    file.putInPlace(target, () => 'stays');
    expect([readFileSync(target, 'utf8'), readdirSync(folder)]).toEqual(['hello world', ['greeting']]);
  });

  it('leaves what is there, unless that is to be replaced', () => {
    const folder = newFolder();
    const target = join(folder, 'greeting');
    writeFileSync(target, 'mine');
    const file = made(folder);
    expect(known(() => file.putInPlace(target, () => 'stays'))).toMatchObject({ code: 'exists' });
    expect([readFileSync(target, 'utf8'), existsSync(file.path)]).toEqual(['mine', true]);
    file.putInPlace(target, () => 'is replaced');
    expect(readFileSync(target, 'utf8')).toBe('');
  });

  it('is opened again only if it is the same', () => {
    const file = made();
    const again = PartialFile.reopen(file.path, file.inode);
    expect(again?.inode).toBe(file.inode);
    again?.close();
    expect(PartialFile.reopen(file.path, 'another')).toBeUndefined();
    expect(PartialFile.reopen(`${file.path}.not`, file.inode)).toBeUndefined();
    const link = `${file.path}.link`;
    symlinkSync(file.path, link);
    expect(PartialFile.reopen(link, file.inode)).toBeUndefined();
  });

  it('is not said to be gone where the system does not say so', () => {
    const file = made();
    const path = join(file.path, '..', 'a'.repeat(5_000));
    const error = known(() => PartialFile.reopen(path, file.inode));
    expect(error).toMatchObject({ code: 'write-failed', detail: { path, reason: 'name too long' } });
  });

  it('is opened again where it is used after it was closed, unless another has its place', () => {
    const file = made();
    file.write(Buffer.from('one'), 0);
    file.close();
    file.close();
    file.write(Buffer.from('two'), 3);
    expect(Buffer.from(file.read(0, 9)).toString()).toBe('onetwo');
    file.close();
    renameSync(file.path, `${file.path}.moved`);
    const refused = { code: 'write-failed', detail: { reason: expect.stringContaining('gone, or another') } };
    expect(known(() => file.sync())).toMatchObject(refused);
    writeFileSync(file.path, 'not ours');
    expect(known(() => file.write(Buffer.from('x'), 0))).toMatchObject(refused);
    expect(readFileSync(file.path, 'utf8')).toBe('not ours');
    renameSync(`${file.path}.moved`, file.path);
    expect(file.read(0, 9).length).toBe(6);
  });

  it('takes the place of a dead one, and follows no link there', () => {
    const folder = newFolder();
    const victim = join(folder, 'victim');
    writeFileSync(victim, 'not ours');
    symlinkSync(victim, join(folder, '.pawl-name.part'));
    const file = made(folder);
    file.write(Buffer.from('ours'), 0);
    expect(readFileSync(victim, 'utf8')).toBe('not ours');
  });

  it('fills no disk', () => {
    const folder = newFolder();
    const { bavail, bsize } = statfsSync(folder);
    expect(known(() => checkRoom(folder, bavail * bsize))).toMatchObject({ code: 'no-room' });
  });

  it('is deleted only if it is the same', () => {
    const file = made();
    removePartialFile(file.path, 'another');
    expect(existsSync(file.path)).toBe(true);
    removePartialFile(file.path, file.inode);
    expect(existsSync(file.path)).toBe(false);
    removePartialFile(file.path, file.inode);
  });
});
