import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import type { IdentitySeed } from '../../src/primitives/index.ts';
import { Connection } from '../../src/storage/connection.ts';
import { openIdentityFile } from '../../src/storage/index.ts';
import { Mark } from '../../src/storage/rollback-mark.ts';
import { asNobody } from './as-nobody.ts';
import { addContact, bytesOf } from './fixtures.ts';
import { LOCK, newFile, openStore, temporaryFolder } from './folder.ts';

const SEED = bytesOf('seed of bob', 32) as IdentitySeed;
const OTHER = bytesOf('seed of carol', 32) as IdentitySeed;

/** The one file in a folder of marks. */
function fileIn(folder: string): string {
  const [name, ...more] = readdirSync(folder);
  if (name === undefined || more.length > 0) throw new Error(`not one mark: ${name} ${more}`);
  return join(folder, name);
}

describe('a mark', () => {
  it('is none where there is none, not even a folder', () => {
    expect(new Mark(temporaryFolder(), SEED).read()).toEqual({});
    expect(new Mark(join(temporaryFolder(), 'not', 'there'), SEED).read()).toEqual({});
  });

  it('says what was written last, to whoever has the seed', () => {
    const folder = join(temporaryFolder(), 'state', 'pawl');
    new Mark(folder, SEED).write(7);
    expect(new Mark(folder, SEED).read()).toEqual({ generation: 7 });
    new Mark(folder, SEED).write(2 ** 40);
    expect(new Mark(folder, SEED).read()).toEqual({ generation: 2 ** 40 });
  });

  it('goes on from fewer commits after all sessions were held, and not back', () => {
    const mark = new Mark(temporaryFolder(), SEED);
    const [one, other] = [bytesOf('one', 16), bytesOf('other', 16)];
    mark.write(40, { id: one, holds: 0 });
    mark.write(12, { id: other, holds: 1 });
    mark.write(41, { id: one, holds: 0 });
    expect(mark.read()).toEqual({ generation: 12, commit: { id: other, holds: 1 } });
  });

  it('says which commit that was, where others commit as well', () => {
    const folder = temporaryFolder();
    const commit = { id: new Uint8Array(16).fill(7), holds: 3 };
    new Mark(folder, SEED).write(7, commit);
    expect(new Mark(folder, SEED).read()).toEqual({ generation: 7, commit });
    new Mark(folder, SEED).write(7, { id: new Uint8Array(16), holds: 3 });
    expect(new Mark(folder, SEED).read()).toEqual({ generation: 7, commit });
    const path = fileIn(folder);
    expect(readFileSync(path)).toHaveLength(64);
    const bytes = readFileSync(path);
    for (let at = 0; at < bytes.length; at++) {
      const forged = Buffer.from(bytes);
      forged[at] = (forged[at] ?? 0) ^ 1;
      writeFileSync(path, forged);
      expect(new Mark(folder, SEED).read()).toEqual({});
    }
  });

  it('is for our eyes only, and says nothing to others: no name, no number', () => {
    const folder = join(temporaryFolder(), 'pawl');
    new Mark(folder, SEED).write(1);
    const path = fileIn(folder);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(path).toMatch(/\/[0-9a-f]{32}$/);
    expect(readFileSync(path)).toHaveLength(40);
  });

  it('only ever grows: one that is behind or equal is not written', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 50 }), { minLength: 1, maxLength: 12 }), (generations) => {
        const folder = temporaryFolder();
        let most = 0;
        for (const generation of generations) {
          new Mark(folder, SEED).write(generation);
          most = Math.max(most, generation);
          expect(new Mark(folder, SEED).read()).toEqual({ generation: most });
        }
        expect(readdirSync(folder)).toHaveLength(1);
      }),
      { numRuns: 25 },
    );
  });

  it('of one identity is none of another, in one folder or copied over', () => {
    const folder = temporaryFolder();
    new Mark(folder, SEED).write(9);
    const ours = fileIn(folder);
    expect(new Mark(folder, OTHER).read()).toEqual({});
    new Mark(folder, OTHER).write(3);
    expect([new Mark(folder, SEED).read(), new Mark(folder, OTHER).read()]).toEqual([
      { generation: 9 },
      { generation: 3 },
    ]);
    const theirs = readdirSync(folder).find((name) => join(folder, name) !== ours);
    if (theirs === undefined) throw new Error('there are two');
    writeFileSync(ours, readFileSync(join(folder, theirs)));
    expect(new Mark(folder, SEED).read()).toEqual({});
  });

  it('that was forged, cut or grown is none; and the next commit writes it anew', () => {
    const folder = temporaryFolder();
    new Mark(folder, SEED).write(5);
    const path = fileIn(folder);
    const whole = readFileSync(path);
    for (let bit = 0; bit < whole.length * 8; bit++) {
      const bytes = Buffer.from(whole);
      bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      writeFileSync(path, bytes);
      expect(new Mark(folder, SEED).read()).toEqual({});
    }
    for (const bytes of [Buffer.alloc(0), Buffer.alloc(40), whole.subarray(0, 39), Buffer.concat([whole, whole])]) {
      writeFileSync(path, bytes);
      expect(new Mark(folder, SEED).read()).toEqual({});
    }
    new Mark(folder, SEED).write(6);
    expect(new Mark(folder, SEED).read()).toEqual({ generation: 6 });
  });

  it('that cannot be written or read says why, and is no failure', async () => {
    const folder = join(temporaryFolder(), 'pawl');
    chmodSync(dirname(folder), 0o755);
    mkdirSync(folder);
    chmodSync(folder, 0o555);
    await asNobody(async () => {
      expect(new Mark(folder, SEED).write(1)).toBe('permission denied');
      expect(new Mark(join(folder, 'deeper'), SEED).write(1)).toBe('permission denied');
      expect(new Mark(folder, SEED).read()).toEqual({});
    });
    expect(readdirSync(folder)).toEqual([]);
    chmodSync(folder, 0o000);
    await asNobody(async () => {
      expect(new Mark(folder, SEED).read()).toEqual({ trouble: 'permission denied' });
      expect(new Mark(folder, SEED).write(1)).toBe('permission denied');
    });
    chmodSync(folder, 0o700);
    const file = join(temporaryFolder(), 'file');
    writeFileSync(file, 'no folder');
    for (const path of [file, join(file, 'below')]) {
      expect(new Mark(path, SEED).write(1)).toMatch(/./);
      expect(new Mark(path, SEED).read().trouble).toMatch(/./);
    }
    expect(readFileSync(file, 'utf8')).toBe('no folder');
  });

  it.runIf(process.getuid?.() === 0)('that root writes belongs to the owner of its folder', () => {
    const folder = temporaryFolder();
    chownSync(folder, 65_534, 65_533);
    expect(new Mark(folder, SEED).write(1)).toBe(undefined);
    const { uid, gid, mode } = statSync(fileIn(folder));
    expect([uid, gid, mode & 0o777]).toEqual([65_534, 65_533, 0o600]);
  });

  it('is not waited for where a pipe has its place', () => {
    const folder = temporaryFolder();
    new Mark(folder, SEED).write(1);
    const path = fileIn(folder);
    rmSync(path);
    execFileSync('mkfifo', [path]);
    expect(new Mark(folder, SEED).read()).toEqual({});
    expect(new Mark(folder, SEED).write(2)).toBe(undefined);
    expect(new Mark(folder, SEED).read()).toEqual({ generation: 2 });
  });

  it('where a folder has its place stays unwritten, and leaves no draft behind', () => {
    const folder = temporaryFolder();
    new Mark(folder, SEED).write(1);
    const path = fileIn(folder);
    const other = temporaryFolder();
    mkdirSync(join(other, path.slice(folder.length + 1)));
    expect(new Mark(other, SEED).write(1)).toBe('it is a folder');
    expect(new Mark(other, SEED).read()).toEqual({ trouble: 'it is a folder' });
    expect(readdirSync(other)).toHaveLength(1);
    expect(existsSync(path)).toBe(true);
  });
});

it('the mark is read before the generation: a commit of another process in between is no rollback', async () => {
  const path = newFile();
  const marks = temporaryFolder();
  const other = openStore(path, 0, marks);
  await other.transaction((transaction) => addContact(transaction, 'one'));

  const order: string[] = [];
  const readMark = Mark.prototype.read;
  const get = Connection.prototype.get;
  const marked = vi.spyOn(Mark.prototype, 'read').mockImplementation(function (this: Mark) {
    order.push('mark');
    return readMark.call(this);
  });
  const asked = vi.spyOn(Connection.prototype, 'get').mockImplementation(function <Row>(
    this: Connection,
    ...parameters: Parameters<typeof get>
  ) {
    if (/^SELECT generation/.test(parameters[0])) order.push('generation');
    return get.call(this, ...parameters) as Row | undefined;
  });
  try {
    const store = openIdentityFile(path, LOCK, { wait: 0, marks });
    expect(store.standing).toBe('current');
    store.close();
    expect(order).toEqual(['mark', 'generation']);
  } finally {
    marked.mockRestore();
    asked.mockRestore();
  }
});
