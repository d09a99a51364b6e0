import { chmodSync, existsSync, linkSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ScratchFolder } from '../../src/files/index.ts';
import { temporaryFolder } from '../cli/fake-io.ts';

function scratch(runtime?: string): ScratchFolder {
  const folder = new ScratchFolder(runtime);
  onTestFinished(() => folder.remove());
  return folder;
}

const HAS_MEMORY = existsSync('/dev/shm') && scratchIsInMemory();

function scratchIsInMemory(): boolean {
  const folder = new ScratchFolder(undefined);
  folder.remove();
  return folder.isInMemory;
}

describe('a scratch folder', () => {
  it('is for our eyes only, whatever the umask', () => {
    const umask = process.umask(0);
    try {
      const folder = scratch();
      const file = folder.makeFile('text');
      expect([statSync(folder.path).mode & 0o777, statSync(file).mode & 0o777]).toEqual([0o700, 0o600]);
    } finally {
      process.umask(umask);
    }
  });

  it.skipIf(!HAS_MEMORY)('is in the folder that is named, if that is in memory', () => {
    const runtime = temporaryFolder();
    expect(dirname(scratch(runtime).path)).toBe(runtime);
    for (const place of ['relative', '/nowhere/at/all', '/proc', undefined]) {
      expect([place, dirname(scratch(place).path)]).toEqual([place, '/dev/shm']);
    }
  });

  it.skipIf(!HAS_MEMORY)('fails nobody when it cannot be removed', () => {
    const runtime = temporaryFolder();
    const folder = scratch(runtime);
    rmSync(runtime, { recursive: true });
    writeFileSync(runtime, 'in the way');
    folder.remove();
    expect(readFileSync(runtime, 'utf8')).toBe('in the way');
  });

  it('overwrites all that is in it, and leaves alone what a link leads to', () => {
    const [folder, elsewhere] = [scratch(), temporaryFolder()];
    const file = folder.makeFile('text');
    const swap = join(folder.path, '.text.swp');
    writeFileSync(file, 'a secret');
    writeFileSync(swap, 'a secret'.repeat(10_000));
    const other = join(dirname(folder.path), `${folder.path.split('/').at(-1)}-linked`);
    linkSync(swap, other);
    onTestFinished(() => rmSync(other));
    const mine = join(elsewhere, 'mine');
    writeFileSync(mine, 'mine');
    symlinkSync(mine, join(folder.path, 'link'));
    folder.remove();
    expect([existsSync(folder.path), readFileSync(other).length, readFileSync(mine, 'utf8')]).toEqual([
      false,
      0,
      'mine',
    ]);
    // A second time does nothing.
    folder.remove();
  });

  it('reads a file that the program has replaced, and one that is gone as empty', () => {
    const folder = scratch();
    const file = folder.makeFile('text');
    writeFileSync(file, 'new');
    chmodSync(file, 0o644);
    expect(Buffer.from(folder.readFile('text')).toString()).toBe('new');
    expect(folder.readFile('other')).toHaveLength(0);
  });
});
