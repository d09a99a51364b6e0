import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CollectedOutput, temporaryFolder } from './fake-io.ts';
import { CONTENT, inTwo, joined, kept, NOTHING, sentFile } from './large-content.ts';
import { Home } from './shell.ts';

// Two processes that receive the same large content.

const OTHER = { process: () => 'another process', isRunning: () => true };

describe('a content that one process is in the midst of', () => {
  it.each(['its parts', 'all of it'])(
    'is left alone by another, which gets %s, and is delivered once',
    async (what) => {
      const { bob, stream, descriptor, parts } = await sentFile();
      const [folder, other] = [temporaryFolder(), temporaryFolder()];
      const isBegun = () => readdirSync(folder).length > 0;
      let second = { exit: -1, errors: '' };
      const input = inTwo(joined(descriptor, ...parts.slice(0, 9)), isBegun, async () => {
        const given = what === 'its parts' ? joined(...parts) : stream;
        second = await bob.run(['recv', '--out-dir', other], given, OTHER);
        return joined(...parts.slice(9));
      });
      const { exit, errors } = await bob.run(['recv', '--out-dir', folder], undefined, input);
      expect([second.exit, second.errors]).toEqual([
        75,
        expect.stringContaining('another pawl takes the parts of film.mkv'),
      ]);
      expect(second.errors.match(/^error: /gm)).toHaveLength(1);
      expect([exit, errors]).toEqual([0, expect.stringContaining(`wrote ${join(folder, 'film.mkv')}`)]);
      expect([readdirSync(folder), readdirSync(other), kept(bob)]).toEqual([['film.mkv'], [], NOTHING]);
      expect(Buffer.compare(readFileSync(join(folder, 'film.mkv')), CONTENT)).toBe(0);
    },
  );

  it('is gone on with by another, once the first has ended in the midst', async () => {
    const { bob, descriptor, parts } = await sentFile();
    const folder = temporaryFolder();
    const other = temporaryFolder();
    await bob.pawl(['recv', '--out-dir', folder], joined(descriptor, ...parts.slice(0, 9)));
    await bob.pawl(['recv', '--out-dir', other], joined(...parts.slice(9)), OTHER);
    expect(readdirSync(folder)).toEqual([]);
    expect(Buffer.compare(readFileSync(join(other, 'film.mkv')), CONTENT)).toBe(0);
  });

  it('is not begun by one that knew of it before another has finished it', async () => {
    const { alice, bob, descriptor, parts } = await sentFile();
    const [folder, other] = [temporaryFolder(), temporaryFolder()];
    await bob.pawl(['recv', '--out-dir', folder], descriptor);
    const output = new CollectedOutput();
    const isOpen = () => output.text === 'hi';
    const { input } = inTwo(await alice.send('bob', 'hi'), isOpen, async () => {
      await bob.pawl(['recv', '--out-dir', other], joined(...parts), OTHER);
      return joined(...parts);
    });
    const { exit, errors } = await bob.run(['recv', '--out-dir', folder], undefined, { input, output });
    expect([exit, errors]).toEqual([75, expect.stringContaining('another pawl takes the parts of film.mkv')]);
    expect([readdirSync(folder), readdirSync(other), kept(bob)]).toEqual([[], ['film.mkv'], NOTHING]);
  });
});

describe('two processes of the built program that get the same at once', () => {
  const home = Home.create();
  beforeAll(async () => {
    home.write('film.mkv', CONTENT);
    await home.prepare(`
      for name in alice bob; do pawl init $name; done
      pawl -i bob invite alice > invite; pawl -i alice add bob invite
      pawl -i alice send bob -m hi | pawl -i bob recv > text`);
  });
  afterAll(() => home.remove());

  it.each([
    ['a folder', '--out-dir $n', 'film.mkv'],
    ['a file', '-o $n/film', 'film'],
    ['a pipe', '> $n/film', 'film'],
  ])('deliver it once, into %s', async (_, where, name) => {
    for (const n of [1, 2]) rmSync(home.path(String(n)), { recursive: true, force: true });
    const { stdout } = await home.prepare(`
      mkdir 1 2; pawl -i alice send bob film.mkv > film.pawl
      receive() { n=$1; pawl -i bob --wait 60 recv film.pawl ${where} 2> $n/errors; echo $? > $n/exit; }
      receive 1 & receive 2 & wait
      pawl -i bob --json inspect`);
    const ended = ['1', '2'].map((n) => ({
      exit: Number(home.read(`${n}/exit`)),
      errors: String(home.read(`${n}/errors`)),
      bytes: existsSync(home.path(`${n}/${name}`)) ? home.read(`${n}/${name}`) : Buffer.alloc(0),
    }));
    const [whole, ...others] = ended.sort((one, other) => other.bytes.length - one.bytes.length);
    expect(whole).toMatchObject({ exit: 0 });
    expect(Buffer.compare(whole?.bytes ?? Buffer.alloc(0), CONTENT)).toBe(0);
    // The other found it taken, or done.
    for (const { exit, errors, bytes } of others) {
      expect(bytes).toHaveLength(0);
      if (exit !== 0) expect([exit, errors]).toEqual([75, expect.stringContaining('another pawl takes the parts')]);
    }
    expect(JSON.parse(stdout.toString())).toMatchObject({ incoming: [] });
  });
});
