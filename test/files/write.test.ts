import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PawlError } from '../../src/errors.ts';
import { Draft, Folder, makeFile, makeFileSlowly, OutputFile } from '../../src/files/index.ts';
import { temporaryFolder } from '../cli/fake-io.ts';

const DAY = 86_400;

describe('two commands that make the same file at the same time', () => {
  it('do not touch the draft of the other: the first to finish has its file in place, whole, the other is told', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'file');
    let finishFirst = () => {};
    const first = makeFileSlowly(path, async (draft) => {
      writeFileSync(draft, 'the first');
      await new Promise<void>((resolve) => {
        finishFirst = resolve;
      });
    });
    const second = makeFileSlowly(path, async (draft) => {
      writeFileSync(draft, 'half of the second');
      finishFirst();
      await first;
      expect(readFileSync(path, 'utf8')).toBe('the first');
    });
    await expect(second).rejects.toMatchObject({ code: 'exists', detail: { path } });
    expect(readFileSync(path, 'utf8')).toBe('the first');
    expect(readdirSync(folder)).toEqual(['file']);
  });
});

describe('a file that is made slowly', () => {
  it('is what cannot be made where its draft cannot be written, and any other error is told as it is', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'file');
    const failing = (error: Error) =>
      makeFileSlowly(path, async () => {
        throw error;
      });
    const full = new PawlError('write-failed', { path: 'a draft, or its source', reason: 'no space left on device' });
    await expect(failing(full)).rejects.toMatchObject({
      code: 'cannot-create',
      detail: { path, reason: 'no space left on device' },
    });
    const damaged = new PawlError('damaged', { path: 'the backup' });
    await expect(failing(damaged)).rejects.toBe(damaged);
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe('a draft', () => {
  it.each(['stays', 'is replaced'] as const)('that got its name leaves its old one to others: %s', (existing) => {
    const target = join(temporaryFolder(), 'file');
    const draft = new Draft(target, `${target}-draft`);
    draft.putInPlace(() => existing);
    expect(existsSync(draft.path)).toBe(false);
    writeFileSync(draft.path, 'of another command');
    draft.end();
    expect(readFileSync(draft.path, 'utf8')).toBe('of another command');
  });

  it('is synced before it is decided what happens to the file that is there, and goes if that throws', () => {
    const target = join(temporaryFolder(), 'file');
    writeFileSync(target, 'as it was');
    const draft = new Draft(target);
    const refuse = () => {
      throw new Error('not that one');
    };
    expect(() => draft.putInPlace(refuse)).toThrow('not that one');
    draft.end();
    expect(readFileSync(target, 'utf8')).toBe('as it was');
    expect(readdirSync(join(target, '..'))).toEqual(['file']);
  });
});

describe('what killed commands have left', () => {
  const NAME = `.pawl-${'0'.repeat(16)}`;

  /** A folder with leftovers of an age in seconds, and files and folders that only look like some. */
  function folderWith(age: number): { folder: string; others: string[] } {
    const folder = temporaryFolder();
    writeFileSync(join(folder, NAME), 'keys');
    writeFileSync(join(folder, `${NAME}-journal`), 'keys');
    const others = [`${NAME}0`, `x${NAME}`, '.pawl-notes', 'pawl', '.pawl-1111111111111111'];
    for (const name of others.slice(0, -1)) writeFileSync(join(folder, name), 'of its owner');
    mkdirSync(join(folder, '.pawl-1111111111111111'));
    const time = Date.now() / 1_000 - age;
    for (const name of readdirSync(folder)) utimesSync(join(folder, name), time, time);
    return { folder, others: others.sort() };
  }

  const MAKERS: readonly (readonly [string, (path: string) => unknown])[] = [
    ['a file', (path) => makeFile(path, (draft) => writeFileSync(draft, 'x'))],
    ['a file, slowly', (path) => makeFileSlowly(path, async (draft) => writeFileSync(draft, 'x'))],
    [
      'a result',
      (path) => new OutputFile(path, { userId: undefined, isPrecious: () => undefined }).write(Buffer.from('x')),
    ],
    ['a received file', (path) => new Folder(join(path, '..'), () => undefined).put('made', Buffer.from('x'))],
  ];

  it.each(MAKERS)('is removed a day later by the next that makes there %s, and nothing else', async (_, make) => {
    const old = folderWith(DAY + 60);
    await make(join(old.folder, 'made'));
    expect(readdirSync(old.folder).sort()).toEqual([...old.others, 'made'].sort());
    const young = folderWith(DAY - 60);
    await make(join(young.folder, 'made'));
    expect(readdirSync(young.folder).sort()).toEqual([...young.others, NAME, `${NAME}-journal`, 'made'].sort());
  });

  it('is not looked for behind a link', async () => {
    const { folder } = folderWith(DAY + 60);
    const here = temporaryFolder();
    symlinkSync(join(folder, NAME), join(here, NAME));
    makeFile(join(here, 'made'), (draft) => writeFileSync(draft, 'x'));
    expect(lstatSync(join(here, NAME)).isSymbolicLink()).toBe(true);
    expect(existsSync(join(folder, NAME))).toBe(true);
  });
});
