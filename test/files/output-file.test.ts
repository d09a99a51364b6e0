import { execFileSync } from 'node:child_process';
import {
  chownSync,
  closeSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { OutputFile, type OutputOptions } from '../../src/files/index.ts';
import { temporaryFolder } from '../cli/fake-io.ts';

vi.mock('node:fs', async (original) => {
  const real = await original<typeof import('node:fs')>();
  return { ...real, openSync: vi.fn(real.openSync) };
});

const fs = await vi.importActual<typeof import('node:fs')>('node:fs');

const CONTENT = Buffer.from('content');
const userId = process.getuid?.();

function choose(path: string, options: Partial<OutputOptions> = {}): OutputFile {
  return new OutputFile(path, { userId, isPrecious: () => undefined, ...options });
}

function write(path: string, options: Partial<OutputOptions> = {}): void {
  choose(path, options).write(CONTENT);
}

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

function fileOf(text: string, mode = 0o600): string {
  const path = join(temporaryFolder(), 'file');
  writeFileSync(path, text, { mode });
  return path;
}

describe('a new file', () => {
  it('is for its owner only', () => {
    const folder = temporaryFolder();
    const before = process.umask(0);
    try {
      write(join(folder, 'file'));
    } finally {
      process.umask(before);
    }
    expect(readFileSync(join(folder, 'file'))).toEqual(CONTENT);
    expect(modeOf(join(folder, 'file'))).toBe(0o600);
    expect(readdirSync(folder)).toEqual(['file']);
  });

  it('may be empty, in the current folder, and have the longest name that there can be', () => {
    const folder = temporaryFolder();
    const name = 'n'.repeat(255);
    const before = process.cwd();
    process.chdir(folder);
    try {
      choose(name).write(new Uint8Array(0));
    } finally {
      process.chdir(before);
    }
    expect(readdirSync(folder)).toEqual([name]);
    expect(readFileSync(join(folder, name))).toHaveLength(0);
  });

  it('is made when it is written, and not before', () => {
    const folder = temporaryFolder();
    choose(join(folder, 'file'));
    expect(readdirSync(folder)).toEqual([]);
  });

  it.each([
    ['folder', 'it is a folder'],
    ['missing/file', 'no such file or directory'],
    ['file/file', 'part of its path is no folder'],
    ['n'.repeat(256), 'name too long'],
    ['loop/file', 'too many symbolic links, or one that leads to itself'],
  ])('is refused before anything is written: %s', (path, reason) => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'folder'));
    writeFileSync(join(folder, 'file'), 'as it was');
    symlinkSync('loop', join(folder, 'loop'));
    const error = thrownBy(() => choose(join(folder, path)));
    expect(error).toMatchObject({ code: 'cannot-create', detail: { path: join(folder, path), reason } });
    expect(readdirSync(folder).sort()).toEqual(['file', 'folder', 'loop']);
  });
});

describe('a file that is there', () => {
  it('stays, and one that appears after the choice does too', () => {
    const path = fileOf('as it was');
    const exists = { code: 'exists', detail: { path, force: true } };
    for (const options of [{}, { force: false }]) expect(thrownBy(() => choose(path, options))).toMatchObject(exists);
    rmSync(path);
    const output = choose(path);
    writeFileSync(path, 'somebody was faster');
    expect(thrownBy(() => output.write(CONTENT))).toMatchObject(exists);
    expect(readFileSync(path, 'utf8')).toBe('somebody was faster');
    expect(readdirSync(join(path, '..'))).toEqual(['file']);
  });

  it('is replaced with force: by a new file, so that who has the old one open reads on in that', () => {
    const path = fileOf('something longer that was there before', 0o644);
    const { ino } = lstatSync(path);
    write(path, { force: true });
    expect(readFileSync(path)).toEqual(CONTENT);
    expect(modeOf(path)).toBe(0o600);
    expect(lstatSync(path).ino).not.toBe(ino);
  });

  it('is free if it is empty and ours, as mktemp makes it, until something is written to it', () => {
    const path = fileOf('');
    write(path);
    expect(readFileSync(path)).toEqual(CONTENT);
    const other = fileOf('');
    const output = choose(other);
    writeFileSync(other, 'in use');
    expect(thrownBy(() => output.write(CONTENT))).toMatchObject({ code: 'exists' });
    expect(readFileSync(other, 'utf8')).toBe('in use');
  });

  it.runIf(userId === 0)('is not free if it is empty and of somebody else', () => {
    const path = fileOf('');
    chownSync(path, 65_534, 65_534);
    expect(thrownBy(() => choose(path))).toMatchObject({ code: 'exists' });
  });

  it.each(['target', 'nowhere'])(
    'stays if it is a link, and with force the link is replaced, and not what it leads to: %s',
    (to) => {
      const folder = temporaryFolder();
      const link = join(folder, 'link');
      writeFileSync(join(folder, 'target'), 'of somebody else');
      symlinkSync(to, link);
      expect(thrownBy(() => choose(link))).toMatchObject({ code: 'exists' });
      write(link, { force: true });
      expect(readFileSync(join(folder, 'target'), 'utf8')).toBe('of somebody else');
      expect(lstatSync(link).isFile()).toBe(true);
      expect(readdirSync(folder).sort()).toEqual(['link', 'target']);
    },
  );

  it('is never replaced if it is precious, by whatever name, even if it became that after the choice', () => {
    const path = fileOf('a key');
    const folder = join(path, '..');
    const { dev, ino } = lstatSync(path, { bigint: true });
    linkSync(path, join(folder, 'hard'));
    symlinkSync('file', join(folder, 'soft'));
    writeFileSync(join(folder, 'other'), 'other');
    const options: Partial<OutputOptions> = {
      force: true,
      isPrecious: (_, inode) => (inode === `${dev}:${ino}` ? 'the key file' : undefined),
    };
    for (const name of ['file', 'hard', 'soft', `../${folder.split('/').at(-1)}/file`]) {
      expect(
        thrownBy(() => choose(`${folder}/${name}`, options)),
        name,
      ).toMatchObject({
        code: 'protected',
        detail: { what: 'the key file' },
      });
    }
    const output = choose(join(folder, 'other'), options);
    renameSync(path, join(folder, 'other'));
    expect(thrownBy(() => output.write(CONTENT))).toMatchObject({ code: 'protected' });
    expect(readFileSync(join(folder, 'other'), 'utf8')).toBe('a key');
  });
});

describe('what is no file', () => {
  it('a device is written to, also through a link', () => {
    const link = join(temporaryFolder(), 'link');
    symlinkSync('/dev/null', link);
    for (const path of ['/dev/null', link]) write(path);
    expect(lstatSync('/dev/null').isCharacterDevice()).toBe(true);
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
  });

  it('a pipe of ours is written to', () => {
    const path = join(temporaryFolder(), 'pipe');
    execFileSync('mkfifo', [path]);
    // Open both ways, so that nobody waits.
    const file = openSync(path, 'r+');
    try {
      write(path);
      expect(execFileSync('head', ['-c', '7'], { stdio: [file, 'pipe', 'inherit'] })).toEqual(CONTENT);
    } finally {
      closeSync(file);
    }
    expect(lstatSync(path).isFIFO()).toBe(true);
  });

  it.runIf(userId === 0)('a pipe of somebody else is not, and nobody is waited for', () => {
    const path = join(temporaryFolder(), 'pipe');
    execFileSync('mkfifo', [path]);
    chownSync(path, 65_534, 65_534);
    expect(thrownBy(() => choose(path, { force: true }))).toMatchObject({
      code: 'cannot-create',
      detail: { reason: 'it belongs to somebody else' },
    });
  });

  it.runIf(userId === 0)('nor one that takes the place of ours while it is opened', () => {
    const folder = temporaryFolder();
    execFileSync('mkfifo', [join(folder, 'ours'), join(folder, 'foreign')]);
    chownSync(join(folder, 'foreign'), 65_534, 65_534);
    const file = openSync(join(folder, 'foreign'), 'r+');
    onTestFinished(() => closeSync(file));
    vi.mocked(openSync).mockImplementationOnce((opened, ...others) => {
      renameSync(join(folder, 'foreign'), join(folder, 'ours'));
      return fs.openSync(opened, ...others);
    });
    const path = join(folder, 'ours');
    expect(thrownBy(() => choose(path))).toMatchObject({ detail: { reason: 'it belongs to somebody else' } });
  });

  it.each([
    ['/dev/fd/N', (fd: number) => `/dev/fd/${fd}`],
    ['/proc/self/fd/N', (fd: number) => `/proc/self/fd/${fd}`],
    ['a link to it', (fd: number) => linkTo(`/proc/self/fd/${fd}`)],
    ['a link to a link to it', (fd: number) => linkTo(linkTo(`/dev/fd/${fd}`))],
  ])('an open file of this process is written to where it stands: %s', (_, pathOf) => {
    const path = fileOf('before, ');
    const file = openSync(path, 'a');
    try {
      write(pathOf(file));
      write(pathOf(file));
    } finally {
      closeSync(file);
    }
    expect(readFileSync(path, 'utf8')).toBe('before, contentcontent');
    expect(thrownBy(() => choose(pathOf(file)).write(CONTENT))).toMatchObject({ code: 'write-failed' });
  });
});

function linkTo(target: string): string {
  const link = join(temporaryFolder(), 'link');
  symlinkSync(target, link);
  return link;
}

describe('a result in pieces', () => {
  it('is in its place once the last one has come, each written before the next is asked for', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'out');
    const lengths: number[] = [];
    async function* pieces() {
      for (const piece of ['one', 'two']) {
        const [draft] = readdirSync(folder).filter((name) => name !== 'out');
        lengths.push(lstatSync(join(folder, draft ?? '')).size);
        yield Buffer.from(piece);
      }
      expect(readdirSync(folder)).not.toContain('out');
    }
    await choose(path).writePieces(pieces());
    expect(lengths).toEqual([0, 3]);
    expect(readFileSync(path, 'utf8')).toBe('onetwo');
    expect(readdirSync(folder)).toEqual(['out']);
  });

  it('leaves what was there, and nothing else, where one of them fails', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'out');
    writeFileSync(path, 'before');
    async function* pieces() {
      yield CONTENT;
      throw new Error('the inbox is locked');
    }
    await expect(choose(path, { force: true }).writePieces(pieces())).rejects.toThrow('the inbox is locked');
    expect(readFileSync(path, 'utf8')).toBe('before');
    expect(readdirSync(folder)).toEqual(['out']);
  });
});
