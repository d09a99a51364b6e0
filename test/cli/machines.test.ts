import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PartPlaces } from '../../src/cli/commands/recv/part-places.ts';
import type { IncomingContent } from '../../src/session/index.ts';
import { LEASE } from '../../src/session/index.ts';
import { aliceAndBob } from './commands/recv/people.ts';
import { CollectedOutput, envelopesIn, type FakeIo, type Person, routed, temporaryFolder } from './fake-io.ts';
import { CONTENT, inTwo, joined, kept, NOTHING, PARTS, sentFile } from './large-content.ts';

// One identity on two machines: a file that is on the disk of one of them is not there for the other.

/** The other machine, which knows nothing of the processes of this one. */
const THERE: Partial<FakeIo> = {
  host: () => 'build-7/2',
  process: () => 'a process there',
  isRunning: (name) => (name === 'a process there' ? true : undefined),
};

const COLLECTED = 'film.mkv from alice is collected on here, where 9 of 19 parts are there; part 10 is missing';

/** Runs a command where a folder or file is not: as on the other machine. */
async function without<Result>(path: string, work: () => Promise<Result>): Promise<Result> {
  renameSync(path, `${path}-away`);
  try {
    return await work();
  } finally {
    renameSync(`${path}-away`, path);
  }
}

/** Bob has collected nine parts of a film in a folder here; the others are given to him later. */
async function begun() {
  const { alice, bob, descriptor, parts } = await sentFile();
  const folder = join(temporaryFolder(), 'films');
  mkdirSync(folder);
  await bob.pawl(['recv', '--out-dir', folder], joined(descriptor, ...parts.slice(0, 9)));
  const [partial = ''] = readdirSync(folder);
  return { alice, bob, folder, partial: join(folder, partial), other: temporaryFolder(), parts };
}

/** The same along a route, where all parts lie at the place, or those that come later in a folder beside it. */
async function begunAlongRoute() {
  const { alice, bob, place } = await routed();
  const later = temporaryFolder();
  const film = join(temporaryFolder(), 'film.mkv');
  writeFileSync(film, CONTENT);
  await alice.pawl(['send', 'bob', film]);
  const isPart = (name: string) => /\.0{24}[0-9a-f]{8}\.pawl$/.test(name);
  const parts = envelopesIn(place).filter(isPart).sort();
  for (const name of parts.slice(9)) renameSync(join(place, name), join(later, name));
  const folder = join(temporaryFolder(), 'films');
  mkdirSync(folder);
  await bob.pawl(['recv', '--fetch', '--out-dir', folder]);
  for (const name of parts.slice(9)) renameSync(join(later, name), join(place, name));
  return { bob, place, folder, other: temporaryFolder() };
}

function expectFilm(folder: string): void {
  expect(readdirSync(folder)).toEqual(['film.mkv']);
  expect(Buffer.compare(readFileSync(join(folder, 'film.mkv')), CONTENT)).toBe(0);
}

const rowsOf = (bob: Person) => [bob.rows('incoming'), bob.rows('incoming_parts')];

describe('a large content that one machine collects', () => {
  it('is left to it by another that fetches: its parts stay where they are, and it goes on there', async () => {
    const { bob, place, folder, other } = await begunAlongRoute();
    const [rows, lying] = [rowsOf(bob), envelopesIn(place)];
    for (const fetch of [['--fetch', '--out-dir', other], ['--fetch', '-o', join(other, 'film')], ['--fetch']]) {
      const { exit, errors } = await without(folder, () => bob.run(['recv', ...fetch], undefined, THERE));
      expect([exit, errors]).toEqual([0, `pawl: ${COLLECTED}; if that machine is gone, --force begins anew here\n`]);
    }
    expect([rowsOf(bob), envelopesIn(place), readdirSync(other)]).toEqual([rows, lying, []]);
    const { errors } = await bob.pawl(['recv', '--fetch', '--out-dir', folder]);
    expect(errors).toContain('goes on in');
    expectFilm(folder);
    expect([envelopesIn(place), kept(bob)]).toEqual([[], NOTHING]);
  });

  it('begins anew on the other with --force, and the first machine takes no more of it', async () => {
    const { bob, place, folder, other } = await begunAlongRoute();
    const { errors } = await without(folder, () =>
      bob.pawl(['recv', '--fetch', '--out-dir', other, '--force'], undefined, THERE),
    );
    expect(errors).toContain('of here is left there; it begins anew');
    expectFilm(other);
    expect([envelopesIn(place), kept(bob)]).toEqual([[], NOTHING]);
    expect((await bob.pawl(['recv', '--fetch', '--out-dir', folder])).errors).toBe('pawl: nothing new\n');
  });

  it('is refused to the other where parts are given to it, once, and nothing of it is changed', async () => {
    const { bob, folder, other, parts } = await begun();
    const rows = rowsOf(bob);
    const { exit, errors } = await without(folder, () =>
      bob.run(['recv', '--out-dir', other], joined(...parts), THERE),
    );
    expect([exit, errors.match(/film\.mkv is collected on here/g)?.length]).toEqual([75, 1]);
    expect([rowsOf(bob), readdirSync(other)]).toEqual([rows, []]);
    await bob.pawl(['recv', '--out-dir', folder], joined(...parts.slice(9)));
    expectFilm(folder);
  });

  it('is told of by the other, with where it is', async () => {
    const { bob, folder } = await begun();
    const { errors, text } = await without(folder, async () => ({
      errors: (await bob.pawl(['recv', '--waiting'], undefined, THERE)).errors,
      text: (await bob.pawl(['inspect'], undefined, THERE)).text,
    }));
    expect(errors).toContain(COLLECTED);
    expect(text).toMatch(/film\.mkv .* from alice, since .*; part 10 is missing, on here\n/);
    expect((await bob.pawl(['inspect'])).text).toMatch(/part 10 is missing\n/);
    expect(await bob.documents(['inspect'])).toMatchObject([{ incoming: [{ parts: 9, host: 'here' }] }]);
    expect(await bob.documents(['recv', '--waiting'])).toMatchObject([{ type: 'incoming', host: 'here' }]);
  });

  it('goes on in a container of another name that has the same disk, and there after a reboot', async () => {
    const { bob, folder, parts } = await begun();
    const { errors } = await bob.pawl(['recv', '--out-dir', folder], joined(...parts.slice(9)), THERE);
    expect(errors).toContain('goes on in');
    expectFilm(folder);
  });

  it('begins anew at once on its own machine where its file is gone', async () => {
    const { bob, folder, other, parts } = await begun();
    const { errors } = await without(folder, () => bob.pawl(['recv', '--out-dir', other], joined(...parts)));
    expect(errors).toContain('is gone; it begins anew');
    expectFilm(other);
  });

  it('is left alone too where its path cannot be looked at, and is taken for gone where no machine was noted', async () => {
    const { bob, folder, other, parts } = await begun();
    const change = (sql: string) => {
      const database = bob.openFile();
      database.exec(sql);
      database.close();
    };
    change(`UPDATE incoming SET path = '/${'a'.repeat(5_000)}'`);
    const { exit, errors } = await bob.run(['recv', '--out-dir', other], joined(...parts), THERE);
    expect([exit, errors]).toEqual([75, expect.stringContaining('film.mkv is collected on here')]);
    change("UPDATE incoming SET host = NULL, path = '/gone'");
    await without(folder, () => bob.pawl(['recv', '--out-dir', other], joined(...parts), THERE));
    expectFilm(other);
  });

  it('is complete, and waits for its own machine', async () => {
    const { bob, folder, other, parts } = await begun();
    writeFileSync(join(folder, 'film.mkv'), 'mine');
    expect((await bob.run(['recv', '--out-dir', folder], joined(...parts.slice(9)))).exit).toBe(73);
    const { exit, errors } = await without(folder, () =>
      bob.run(['recv', '--waiting', '--out-dir', other], undefined, THERE),
    );
    expect([exit, errors, readdirSync(other)]).toEqual([0, expect.stringContaining('is collected on here'), []]);
    await bob.pawl(['recv', '--waiting', '--out-dir', folder, '--force']);
    expectFilm(folder);
  });

  it.each([
    ['given up', ['prune', '--older-than', '1m']],
    ['forgotten', ['forget', 'alice', '--yes']],
  ])('can be %s by the other, which tells what is left', async (_, command) => {
    const { bob, folder, partial } = await begun();
    bob.time += 120_000;
    const { errors } = await without(folder, () => bob.pawl(command, undefined, THERE));
    expect(errors).toContain(`${partial} of here may be left there: delete it\n`);
    expect([existsSync(partial), kept(bob)]).toEqual([true, NOTHING]);
  });

  it('is deleted with no word where it is here', async () => {
    const { bob, partial } = await begun();
    bob.time += 120_000;
    const { errors } = await bob.pawl(['prune', '--older-than', '1m'], undefined, THERE);
    expect([errors, existsSync(partial)]).toEqual(['', false]);
  });

  it('is not taken from it by --force where that goes on and on: the two would take it from each other', async () => {
    const { context } = await aliceAndBob();
    const content = { place: { path: '/gone', inode: '1:2', host: 'build-7/2', target: undefined } } as IncomingContent;
    const isElsewhere = (isQuiet: boolean, force?: true) =>
      new PartPlaces(context, { ...(force && { force }), partBoxes: { isQuiet } as never }).isElsewhere(content);
    expect([isElsewhere(false), isElsewhere(true), isElsewhere(true, true), isElsewhere(false, true)]).toEqual([
      true,
      true,
      true,
      false,
    ]);
  });
});

describe('a large content that one machine writes into a pipe', () => {
  it('is not written on once another has taken it over, because the parts came too slowly', async () => {
    const { bob, descriptor, parts } = await sentFile();
    const output = new CollectedOutput();
    const isBegun = () => output.bytes.length >= 3 * 983_040;
    const input = inTwo(joined(descriptor, ...parts.slice(0, 3)), isBegun, async () => {
      bob.time += LEASE;
      const database = bob.openFile();
      database.exec(`UPDATE incoming SET process = 'a process there', claimed_at = ${bob.time}`);
      database.close();
      return joined(...parts.slice(3));
    });
    const { exit, errors } = await bob.run(['recv'], undefined, { ...input, output });
    expect([exit, errors]).toEqual([75, expect.stringContaining('another pawl takes the parts of film.mkv')]);
    expect(output.bytes.length).toBe(3 * 983_040);
  });
});

describe('a file that one machine sends', () => {
  /** Its place has failed at the first part. */
  async function begunToSend() {
    const { alice, place } = await routed();
    const film = join(temporaryFolder(), 'film.mkv');
    writeFileSync(film, CONTENT);
    const mark = join(place, '.pawl-place');
    await without(mark, async () => expect((await alice.run(['send', 'bob', film])).exit).toBe(69));
    return { alice, place, film };
  }

  it('is not taken for one that has changed by another, which has its own file there', async () => {
    const { alice, place, film } = await begunToSend();
    alice.time += LEASE;
    await without(film, async () => {
      const told = [];
      for (const command of ['outbox', 'inspect']) told.push((await alice.pawl([command], undefined, THERE)).text);
      expect(told).toEqual([
        expect.stringContaining('film.mkv, on here, 0 of 19 parts'),
        expect.stringMatching(/film\.mkv for bob, since .*, on here: 0 of 19 parts/),
      ]);
      writeFileSync(film, 'another');
      const all = await alice.run(['outbox', 'resend'], undefined, THERE);
      expect([all.exit, all.errors]).toEqual([0, `pawl: film.mkv for bob: ${film} is a file on here\n`]);
      const { exit, errors } = await alice.run(['outbox', 'resend', 'L1'], undefined, THERE);
      expect([exit, errors]).toEqual([66, expect.stringContaining(`${film} is a file on here`)]);
    });
    expect(kept(alice)).toEqual([0, 0, 1]);
    await alice.pawl(['outbox', 'resend', 'L1']);
    expect([envelopesIn(place).length, kept(alice)]).toEqual([PARTS + 1, NOTHING]);
  });

  it('goes on from another that has the same disk', async () => {
    const { alice, place } = await begunToSend();
    await alice.pawl(['outbox', 'resend', 'L1'], undefined, { ...THERE, isRunning: () => false });
    expect(envelopesIn(place).length).toBe(PARTS + 1);
  });
});
