import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, readdirSync, readFileSync, statfsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { temporaryFolder } from './fake-io.ts';
import { CONTENT, inTwo, joined, kept, NOTHING, PARTS, sentFile } from './large-content.ts';

// A disk that fills while a large content is received.

const canMount =
  process.getuid?.() === 0 && spawnSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'tmpfs', '/tmp']).status === 0;

/** A disk of its own that has room, until `resize` takes it away. It goes with the test. */
function disk() {
  const folder = temporaryFolder();
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4g,mode=700', 'tmpfs', folder]);
  onTestFinished(() => {
    spawnSync('umount', ['-l', folder]);
  });
  const resize = (size: string) => execFileSync('mount', ['-o', `remount,size=${size}`, folder]);
  const used = () => {
    const { blocks, bfree, bsize } = statfsSync(folder);
    return (blocks - bfree) * bsize;
  };
  return { folder, resize, used };
}

describe.skipIf(!canMount)('a disk that fills in the midst of a large content', () => {
  beforeAll(() => {
    if (!canMount) console.warn(`${import.meta.filename}: skipped, as no disk can be mounted here`);
  });

  it.each(['--out-dir', '-o'])('is told, and what came before is there when it has room again: %s', async (option) => {
    const { bob, descriptor, parts } = await sentFile();
    const { folder, resize, used } = disk();
    const target = option === '-o' ? join(folder, 'out') : folder;
    const input = inTwo(
      joined(descriptor, ...parts.slice(0, 4)),
      () => used() > 3_000_000,
      async () => {
        resize('9m');
        return joined(...parts.slice(4));
      },
    );
    const full = await bob.run(['recv', option, target], undefined, input);
    expect([full.exit, full.errors]).toEqual([74, expect.stringContaining('no space left on device')]);
    expect(full.errors.match(/^error: /gm)).toHaveLength(1);
    const [partial = '', ...others] = readdirSync(folder);
    expect([partial, others]).toEqual([expect.stringMatching(/^\.pawl-[0-9a-f]{32}\.part$/), []]);
    const noted = bob.rows('incoming_parts').length;
    expect(noted).toBeGreaterThan(3);
    expect(noted).toBeLessThan(PARTS);
    // Still full: nothing is written, and nothing is lost.
    const again = await bob.run(['recv', option, target], joined(...parts));
    expect(again.exit).toBe(74);
    expect(bob.rows('incoming_parts').length).toBe(noted);
    resize('4g');
    const { errors } = await bob.pawl(['recv', option, target], joined(...parts.slice(noted)));
    expect(errors).toContain(`film.mkv from alice goes on in ${join(folder, partial)}`);
    const name = option === '-o' ? 'out' : 'film.mkv';
    expect([readdirSync(folder), kept(bob)]).toEqual([[name], NOTHING]);
    expect(Buffer.compare(readFileSync(join(folder, name)), CONTENT)).toBe(0);
  });

  it('is told also where the identity file is on it, and everything can be given again', async () => {
    const { bob, descriptor, parts } = await sentFile();
    const { folder: home, resize, used } = disk();
    cpSync(bob.folder, join(home, 'bob'), { recursive: true });
    const inHome = ['--home', join(home, 'bob')];
    const folder = temporaryFolder();
    await bob.pawl([...inHome, 'recv', '--out-dir', folder], descriptor);
    let time = bob.time;
    const clock = { now: () => (time += 2_000) };
    const isBegun = () =>
      (readdirSync(folder)[0] ?? '') !== '' && statSync(join(folder, readdirSync(folder)[0] ?? '')).size > 0;
    const input = inTwo(joined(...parts.slice(0, 4)), isBegun, async () => {
      // Not a page is free.
      resize(String(Math.ceil(used() / 4_096) * 4_096));
      return joined(...parts.slice(4));
    });
    const full = await bob.run([...inHome, 'recv', '--out-dir', folder], undefined, { ...input, ...clock });
    expect([full.exit, full.errors]).toEqual([74, expect.stringContaining('no space left on device')]);
    expect(full.errors).not.toMatch(/bug|\n {4}at /);
    expect(readdirSync(folder)).not.toContain('film.mkv');
    resize('4g');
    await bob.pawl([...inHome, 'recv', '--out-dir', folder], joined(...parts));
    expect(readdirSync(folder)).toEqual(['film.mkv']);
    expect(Buffer.compare(readFileSync(join(folder, 'film.mkv')), CONTENT)).toBe(0);
    const [identity] = await bob.documents<{ incoming: object[] }>([...inHome, 'inspect']);
    expect(identity?.incoming).toEqual([]);
  });
});
