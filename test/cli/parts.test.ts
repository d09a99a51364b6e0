import { execFileSync } from 'node:child_process';
import {
  existsSync,
  linkSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { PawlError } from '../../src/errors.ts';
import { PartialFile } from '../../src/files/index.ts';
import { PartCipher } from '../../src/parts/index.ts';
import { acquaint, CollectedOutput, temporaryFolder } from './fake-io.ts';
import { CONTENT, envelopesIn, fileOf, joined, kept, NOTHING, PARTS, sentFile } from './large-content.ts';

// Contents of any size: what `send` and `recv` make of them, and what becomes of them on the way.

/** An output that takes so many bytes, and is closed then. */
class ClosingOutput extends CollectedOutput {
  readonly isFile: boolean;
  #left: number;

  constructor(bytes: number, isFile: boolean) {
    super();
    this.#left = bytes;
    this.isFile = isFile;
  }

  override async write(bytes: Uint8Array): Promise<void> {
    if (bytes.length > this.#left) throw new PawlError('closed-pipe', {});
    this.#left -= bytes.length;
    await super.write(bytes);
  }
}

describe('a content of more than 16 MiB', () => {
  it('goes through a pipe, and no key of it is kept', async () => {
    const { alice, bob, stream, parts } = await sentFile();
    expect(parts.length).toBe(PARTS);
    expect(new Set(parts.map(({ length }) => length))).toEqual(new Set([983_040 + 91]));
    expect(kept(alice)).toEqual(NOTHING);
    const { bytes } = await bob.pawl(['recv'], stream);
    expect(Buffer.compare(bytes, CONTENT)).toBe(0);
    expect(kept(bob)).toEqual(NOTHING);
  });

  it('comes from standard input, whose length nobody knows', async () => {
    const { alice, bob } = await acquaint();
    const { bytes: stream } = await alice.pawl(['send', 'bob'], CONTENT);
    expect(Buffer.compare((await bob.pawl(['recv'], stream)).bytes, CONTENT)).toBe(0);
    expect(kept(alice)).toEqual(NOTHING);
    // One that ends where a part ends has no empty part behind it.
    const even = CONTENT.subarray(0, 18 * 983_040);
    const { bytes: other } = await alice.pawl(['send', 'bob'], even);
    expect(envelopesIn(other).length).toBe(19);
    expect(Buffer.compare((await bob.pawl(['recv'], other)).bytes, even)).toBe(0);
  });

  it('goes into a file by -o on both sides, and armored', async () => {
    const { alice, bob } = await acquaint();
    const folder = temporaryFolder();
    const [envelopes, out] = [join(folder, 'film.pawl'), join(folder, 'film')];
    await alice.pawl(['send', 'bob', '-a', fileOf(CONTENT), '-o', envelopes]);
    expect(readFileSync(envelopes, 'latin1')).toContain('-----BEGIN PAWL MESSAGE-----');
    await bob.pawl(['recv', envelopes, '-o', out]);
    expect(Buffer.compare(readFileSync(out), CONTENT)).toBe(0);
    expect(statSync(out).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder).sort()).toEqual(['film', 'film.pawl']);
  });

  it('is in the history by its name and size', async () => {
    const { alice, bob } = await acquaint();
    for (const person of [alice, bob]) await person.pawl(['history', '30d']);
    const { bytes } = await alice.pawl(['send', 'bob', fileOf(CONTENT)]);
    await bob.pawl(['recv'], bytes);
    for (const person of [alice, bob]) {
      expect((await person.documents<object>(['log'])).at(-1)).toMatchObject({
        file: 'film.mkv',
        bytes: CONTENT.length,
      });
    }
  });

  it('is told in documents', async () => {
    const { alice, bob, path, descriptor, parts, stream } = await sentFile();
    const out = join(temporaryFolder(), 'film.pawl');
    expect(await alice.documents(['send', 'bob', path, '-o', out])).toMatchObject([
      { type: 'sent', to: 'bob', bytes: CONTENT.length, opening: false, parts: PARTS, part_size: 983_040 },
    ]);
    const folder = temporaryFolder();
    const some = joined(descriptor, ...parts.slice(0, 3), ...parts.slice(5));
    expect(await bob.documents(['recv', '--out-dir', folder], some)).toMatchObject([
      {
        type: 'incoming',
        from: 'alice',
        file: 'film.mkv',
        size: CONTENT.length,
        parts: 17,
        of: PARTS,
        first_missing: 4,
      },
    ]);
    const [identity] = await bob.documents<{ incoming: object[] }>(['inspect']);
    expect(identity?.incoming).toMatchObject([{ from: 'alice', parts: 17, first_missing: 4 }]);
    expect(await bob.documents(['recv', '--out-dir', folder], joined(...parts.slice(3, 5)))).toMatchObject([
      { type: 'message', from: 'alice', file: 'film.mkv', path: join(folder, 'film.mkv'), bytes: CONTENT.length },
    ]);
    expect((await bob.pawl(['recv'], stream)).errors).toContain('received before');
  });
});

describe('parts', () => {
  it('come in any order, more than once, by several commands, and some are lost', async () => {
    const { bob, descriptor, parts } = await sentFile();
    const folder = temporaryFolder();
    const backwards = [...parts].reverse();
    await bob.pawl(['recv', '--out-dir', folder], descriptor);
    const { errors } = await bob.pawl(
      ['recv', '--out-dir', folder],
      joined(...backwards.slice(0, 9), ...backwards.slice(4, 12)),
    );
    expect(errors).toContain(`film.mkv from alice: 12 of ${PARTS} parts are there; part 1 is missing`);
    expect(readdirSync(folder)).toEqual([expect.stringMatching(/^\.pawl-[0-9a-f]{32}\.part$/)]);
    const ended = await bob.pawl(['recv', '--out-dir', folder], joined(...parts.slice(0, 8)));
    expect(ended.errors).toContain(`wrote ${join(folder, 'film.mkv')} (17.7 MB) from alice`);
    expect(Buffer.compare(readFileSync(join(folder, 'film.mkv')), CONTENT)).toBe(0);
    expect(readdirSync(folder)).toEqual(['film.mkv']);
    expect(kept(bob)).toEqual(NOTHING);
  });

  it('before their descriptor are refused, and can be given again', async () => {
    const { bob, descriptor, parts } = await sentFile();
    expect(await bob.refusal(['recv'], joined(...parts))).toBe('unknown-part 65');
    expect(Buffer.compare((await bob.pawl(['recv'], joined(descriptor, ...parts))).bytes, CONTENT)).toBe(0);
  });

  it('that were altered are refused one by one, and nothing of them is written', async () => {
    const { bob, descriptor, parts } = await sentFile();
    const folder = temporaryFolder();
    const altered = Buffer.from(parts[2] ?? []);
    altered[500_000] = (altered[500_000] ?? 0) ^ 1;
    const { exit, errors } = await bob.run(
      ['recv', '--out-dir', folder],
      joined(descriptor, ...parts.with(2, altered)),
    );
    expect([exit, errors]).toEqual([65, expect.stringContaining('part of a content')]);
    await bob.pawl(['recv', '--out-dir', folder], parts[2]);
    expect(Buffer.compare(readFileSync(join(folder, 'film.mkv')), CONTENT)).toBe(0);
  });

  it('that are refused by the dozen are told once for each reason, and the others in one line', async () => {
    const { bob, descriptor, parts } = await sentFile();
    const folder = temporaryFolder();
    const damaged = parts.slice(1).map((part) => {
      const bytes = Buffer.from(part);
      bytes[500_000] = (bytes[500_000] ?? 0) ^ 1;
      return bytes;
    });
    const input = joined(descriptor, parts[0] ?? descriptor, ...damaged, ...damaged);
    const { exit, errors } = await bob.run(['recv', '--out-dir', folder], input);
    expect([exit, errors.match(/part of a content/g)?.length]).toEqual([65, 1]);
    expect(errors.split('\n').slice(-3)).toEqual([
      `pawl: ${2 * PARTS - 3} more parts of film.mkv from alice were refused likewise`,
      `pawl: film.mkv from alice: 1 of ${PARTS} parts are there; part 2 is missing`,
      '',
    ]);
    // In documents each is told.
    const codes = await bob.refusal(['recv', '--out-dir', folder], joined(...damaged.slice(0, 3)));
    expect(codes).toBe('corrupt,corrupt,corrupt 65');
    const one = await bob.run(['recv', '--out-dir', folder], joined(...damaged.slice(0, 2)));
    expect(one.errors).toContain('1 more part of film.mkv from alice was refused likewise');
  });

  it('that are refused are told also where the output fails then', async () => {
    const { alice, bob } = await acquaint();
    const { bytes } = await alice.pawl(['send', 'bob'], CONTENT);
    const [descriptor = bytes, ...parts] = envelopesIn(bytes);
    const damaged = Buffer.from(parts[1] ?? []);
    damaged[500_000] = (damaged[500_000] ?? 0) ^ 1;
    const input = joined(descriptor, damaged, damaged, damaged, ...parts);
    const { exit, errors } = await bob.run(['recv'], input, { output: new ClosingOutput(2_000_000, false) });
    expect([exit, errors]).toEqual([74, expect.stringContaining('2 more parts of a stream from alice were refused')]);
  });

  it('into a pipe are written in order, up to the first that is missing', async () => {
    const { bob, descriptor, parts } = await sentFile();
    const short = await bob.run(['recv'], joined(descriptor, ...parts.slice(0, 4), ...parts.slice(5)));
    expect([short.exit, short.errors]).toEqual([
      65,
      expect.stringContaining('it is cut short: part 5 of 19 is missing'),
    ]);
    expect(Buffer.compare(short.bytes, CONTENT.subarray(0, 4 * 983_040))).toBe(0);
    // The whole, once more.
    expect(Buffer.compare((await bob.pawl(['recv'], joined(descriptor, ...parts))).bytes, CONTENT)).toBe(0);
  });

  it('of a forgotten contact are unknown, and what came of them is deleted', async () => {
    const { bob, descriptor, parts } = await sentFile();
    const folder = temporaryFolder();
    await bob.pawl(['recv', '--out-dir', folder], joined(descriptor, ...parts.slice(0, 4)));
    expect(readdirSync(folder).length).toBe(1);
    const { errors } = await bob.pawl(['forget', 'alice', '--yes']);
    expect(errors).toContain('1 large content that was not finished');
    expect(readdirSync(folder)).toEqual([]);
    expect(await bob.refusal(['recv', '--out-dir', folder], joined(...parts.slice(4)))).toBe('unknown-part 65');
  });

  it('of a content that nobody finishes go after 30 days, and that is told', async () => {
    const { bob, descriptor, parts } = await sentFile();
    const folder = temporaryFolder();
    await bob.pawl(['recv', '--out-dir', folder], joined(descriptor, ...parts.slice(0, 4)));
    bob.time += 31 * 86_400_000;
    const { errors } = await bob.pawl(['recv', '--waiting']);
    expect(errors).toContain('film.mkv from alice was not complete after 30 days, and is given up');
    expect([kept(bob), readdirSync(folder)]).toEqual([NOTHING, []]);
  });

  it('go with prune, when it is told to', async () => {
    const { bob, descriptor, parts } = await sentFile();
    const folder = temporaryFolder();
    await bob.pawl(['recv', '--out-dir', folder], joined(descriptor, ...parts.slice(0, 4)));
    bob.time += 2 * 86_400_000;
    expect(await bob.documents(['prune', '--older-than', '1d'])).toMatchObject([{ incoming: 1, outgoing: 0 }]);
    expect([kept(bob), readdirSync(folder)]).toEqual([NOTHING, []]);
  });
});

it('what is awaited is told by --waiting', async () => {
  const { bob, descriptor, parts } = await sentFile();
  await bob.pawl(['recv', '--out-dir', temporaryFolder()], joined(descriptor, ...parts.slice(0, 4)));
  const { errors } = await bob.pawl(['recv', '--waiting']);
  expect(errors).toBe(`pawl: film.mkv from alice: 4 of ${PARTS} parts are there; part 5 is missing\n`);
  expect(await bob.refusal(['recv'], new Uint8Array())).toBe('no-input 66');
});

describe('the partial file', () => {
  async function begun() {
    const sent = await sentFile();
    const folder = temporaryFolder();
    await sent.bob.pawl(['recv', '--out-dir', folder], joined(sent.descriptor, ...sent.parts.slice(0, 9)));
    const [name = ''] = readdirSync(folder);
    const finish = async () => sent.bob.run(['recv', '--out-dir', folder], joined(...sent.parts));
    return { ...sent, folder, partial: join(folder, name), finish };
  }

  const expectWhole = (folder: string) =>
    expect(Buffer.compare(readFileSync(join(folder, 'film.mkv')), CONTENT)).toBe(0);

  it('is gone on with, wherever the next command is told to put things', async () => {
    const { bob, parts, partial } = await begun();
    const other = temporaryFolder();
    const { errors } = await bob.pawl(['recv', '--out-dir', other], joined(...parts.slice(9)));
    expect(errors).toContain(`film.mkv from alice goes on in ${partial}`);
    expectWhole(other);
    expect(existsSync(partial)).toBe(false);
  });

  it.each([
    ['it was deleted', (path: string) => unlinkSync(path)],
    [
      'a link has its place',
      (path: string) => {
        const victim = fileOf(Buffer.from('not ours'), 'victim');
        unlinkSync(path);
        symlinkSync(victim, path);
      },
    ],
  ])('begins anew where %s', async (_, change) => {
    const { folder, partial, finish } = await begun();
    change(partial);
    const victim = lstatSync(partial, { throwIfNoEntry: false })?.isSymbolicLink() ? readFileSync(partial) : undefined;
    const link = victim && partial;
    const { exit, errors } = await finish();
    expect([exit, errors]).toEqual([0, expect.stringContaining('is gone; it begins anew')]);
    expectWhole(folder);
    if (link !== undefined) expect(victim?.toString()).toBe('not ours');
  });

  const CHANGES: readonly [string, (path: string) => void][] = [
    ['one byte was changed', (path) => writeFileSync(path, '!', { flag: 'r+' })],
    ['it was cut', (path) => truncateSync(path, 1_000_000)],
    ['it has grown', (path) => truncateSync(path, 30_000_000)],
  ];

  it.each(CHANGES)('is mended by the same parts where %s', async (how, change) => {
    const { folder, partial, finish } = await begun();
    change(partial);
    const { exit, errors } = await finish();
    expect(exit).toBe(0);
    if (how !== 'it has grown') expect(errors).toMatch(/\d parts? in .* had been changed: written anew/);
    expectWhole(folder);
  });

  it.each(CHANGES)('does not get its name with what others wrote into it, where %s', async (how, change) => {
    const { bob, parts, folder, partial } = await begun();
    change(partial);
    const { errors } = await bob.pawl(['recv', '--out-dir', folder], joined(...parts.slice(9)));
    if (how !== 'it has grown') {
      expect(errors).toMatch(/\.part had been changed: 1[89] parts missing again/);
      expect(errors).toMatch(/\d+ of 19 parts are there; part [12] is missing/);
      expect(readdirSync(folder)).not.toContain('film.mkv');
      await bob.pawl(['recv', '--out-dir', folder], joined(...parts));
    }
    expectWhole(folder);
    expect(kept(bob)).toEqual(NOTHING);
  });

  it('keeps no command from its work where its name cannot be looked at', async () => {
    const { bob, folder, finish } = await begun();
    writeFileSync(join(folder, 'film.mkv'), 'mine');
    expect((await finish()).exit).toBe(73);
    const moved = `${folder}-moved`;
    renameSync(folder, moved);
    symlinkSync(folder, folder);
    const { exit, errors } = await bob.run(['recv', '--waiting']);
    expect([exit, errors]).toEqual([0, expect.stringContaining('19 of 19 parts are there')]);
    unlinkSync(folder);
    renameSync(moved, folder);
    await bob.pawl(['recv', '--waiting', '--out-dir', folder, '--force']);
    expectWhole(folder);
  });

  it('is not taken for one that was delivered where another file has its name', async () => {
    const { bob, folder, partial, finish } = await begun();
    writeFileSync(join(folder, 'film.mkv'), 'mine');
    expect((await finish()).exit).toBe(73);
    unlinkSync(partial);
    // As if the system had given its inode to the next file.
    const { dev, ino } = statSync(join(folder, 'film.mkv'), { bigint: true });
    const database = bob.openFile();
    database.prepare('UPDATE incoming SET inode = ?').run(`${dev}:${ino}`);
    database.close();
    const { errors } = await bob.run(['recv', '--waiting']);
    expect(errors).not.toContain('wrote');
    expect(bob.rows('incoming').length).toBe(1);
  });

  it.runIf(existsSync('/dev/shm') && statSync('/dev/shm').dev !== statSync(tmpdir()).dev)(
    'gets its place by a link that leads to another disk',
    async () => {
      const { bob, stream } = await sentFile();
      const [link, folder] = [join(mkdtempSync(join(tmpdir(), 'pawl-link-')), 'link'), temporaryFolder()];
      symlinkSync(folder, link);
      onTestFinished(() => rmSync(dirname(link), { recursive: true }));
      await bob.pawl(['recv', '--out-dir', link], stream);
      expectWhole(folder);
    },
  );

  it.each(['the name was given', 'it has both names'])('is not asked for again after a kill: %s', async (killed) => {
    const { bob, folder, partial, parts, descriptor, finish } = await begun();
    const target = join(folder, 'film.mkv');
    // All parts came, and the name that they are to get is noted.
    writeFileSync(target, 'mine');
    expect((await finish()).exit).toBe(73);
    unlinkSync(target);
    if (killed === 'it has both names') linkSync(partial, target);
    else renameSync(partial, target);
    const { errors } = await bob.pawl(['recv', '--out-dir', folder], joined(descriptor, ...parts));
    expect(errors).toContain(`wrote ${target} (17.7 MB) from alice`);
    expect([kept(bob), readdirSync(folder)]).toEqual([NOTHING, ['film.mkv']]);
    expectWhole(folder);
  });

  it('waits where its name is taken, and gets another place', async () => {
    const { bob, folder, finish } = await begun();
    writeFileSync(join(folder, 'film.mkv'), 'mine');
    const { exit, errors } = await finish();
    expect([exit, errors]).toEqual([73, expect.stringContaining('film.mkv')]);
    expect(readFileSync(join(folder, 'film.mkv'), 'utf8')).toBe('mine');
    const other = temporaryFolder();
    await bob.pawl(['recv', '--waiting', '--out-dir', other]);
    expectWhole(other);
    expect(kept(bob)).toEqual(NOTHING);
  });

  it('that cannot be opened is not taken for one that is gone', async () => {
    const { bob, parts, folder, partial } = await begun();
    const noted = bob.rows('incoming_parts').length;
    const move = (path: string) => {
      const database = bob.openFile();
      database.prepare('UPDATE incoming SET path = ?').run(path);
      database.close();
    };
    // As with too many open files, the system does not say whether it is there.
    move(join(folder, 'a'.repeat(5_000)));
    const { exit, errors } = await bob.run(['recv', '--out-dir', folder], joined(...parts));
    expect([exit, errors]).toEqual([74, expect.stringContaining('name too long')]);
    expect(errors.match(/^error: /gm)).toHaveLength(1);
    expect([bob.rows('incoming_parts').length, readdirSync(folder).length]).toEqual([noted, 1]);
    move(partial);
    await bob.pawl(['recv', '--out-dir', folder], joined(...parts.slice(9)));
    expectWhole(folder);
  });

  it('belongs to one command at a time', async () => {
    const { bob, parts, folder } = await begun();
    const other = { process: () => 'another process', isRunning: () => true };
    const database = bob.openFile();
    database.prepare("UPDATE incoming SET process = 'a process', claimed_at = 1").run();
    database.close();
    const { exit, errors } = await bob.run(['recv', '--out-dir', folder], joined(...parts), other);
    expect([exit, errors]).toEqual([75, expect.stringContaining('another pawl takes the parts of film.mkv')]);
    expect(readdirSync(folder)).toEqual([expect.stringContaining('.part')]);
  });
});

describe('the file of -o', () => {
  /** Bob has the beginnings of two contents in a folder. */
  async function two() {
    const { alice, bob } = await acquaint();
    const folder = temporaryFolder();
    const streams: Uint8Array[] = [];
    for (const name of ['one', 'two']) {
      const { bytes } = await alice.pawl(['send', 'bob', fileOf(name === 'one' ? CONTENT : CONTENT.slice(1), name)]);
      await bob.pawl(['recv', '--out-dir', folder], joined(...envelopesIn(bytes).slice(0, 5)));
      streams.push(bytes);
    }
    const out = join(folder, 'out');
    writeFileSync(out, 'old');
    const [one = out, other = out] = streams;
    return { alice, bob, folder, out, streams: [one, other] as Uint8Array[] };
  }

  it('is for one content, though others are complete with it', async () => {
    const { bob, folder, out, streams } = await two();
    const { exit, errors } = await bob.run(['recv', '-o', out, '--force'], joined(...streams));
    expect([exit, errors]).toEqual([73, expect.stringContaining('there is no place for the parts of two')]);
    expect(Buffer.compare(readFileSync(out), CONTENT)).toBe(0);
    await bob.pawl(['recv', '--waiting', '--out-dir', folder]);
    expect(Buffer.compare(readFileSync(join(folder, 'two')), CONTENT.slice(1))).toBe(0);
  });

  it('is not for texts as well, where the content goes on in a partial file', async () => {
    const { alice, bob, out, streams } = await two();
    const text = await alice.send('bob', 'hi');
    await bob.pawl(['recv', '-o', out, '--force'], joined(streams[0] ?? text, text));
    expect(Buffer.compare(readFileSync(out), CONTENT)).toBe(0);
    expect((await bob.pawl(['recv', '--waiting'])).text).toBe('hi');
  });

  it('is for what comes, and not for a content that waits for its place', async () => {
    const { alice, bob, folder, streams } = await two();
    writeFileSync(join(folder, 'one'), 'mine');
    expect((await bob.run(['recv', '--out-dir', folder], streams[0])).exit).toBe(73);
    const out = join(folder, 'text');
    await bob.pawl(['recv', '-o', out], await alice.send('bob', 'hi'));
    expect(readFileSync(out, 'utf8')).toBe('hi');
    await bob.pawl(['recv', '--waiting', '-o', join(folder, 'one!')]);
    expect(Buffer.compare(readFileSync(join(folder, 'one!')), CONTENT)).toBe(0);
  });

  it('and any other place are not for what comes from others, where one is named', async () => {
    const { bob, folder, streams } = await two();
    const { errors } = await bob.pawl(['recv', '--from', 'carol', '--out-dir', folder], joined(...streams));
    expect(errors.match(/left alone: (one|two) from alice/g)).toEqual([
      'left alone: one from alice',
      'left alone: two from alice',
    ]);
    expect(bob.rows('incoming').length).toBe(2);
    await bob.pawl(['recv', '--from', 'alice', '--out-dir', folder], joined(...streams));
    expect(kept(bob)).toEqual(NOTHING);
  });
});

it('parts of several contents take turns, and one of them has buffers and an open file', async () => {
  const opening = vi.spyOn(PartCipher.prototype, 'open');
  const resting = vi.spyOn(PartCipher.prototype, 'rest');
  const writing = vi.spyOn(PartialFile.prototype, 'write');
  const closing = vi.spyOn(PartialFile.prototype, 'close');
  onTestFinished(() => {
    vi.restoreAllMocks();
  });
  const { alice, bob } = await acquaint();
  const streams: Uint8Array[][] = [];
  for (const name of ['one', 'two']) {
    streams.push(envelopesIn((await alice.pawl(['send', 'bob', fileOf(CONTENT, name)])).bytes));
  }
  const folder = temporaryFolder();
  const [one = [], two = []] = streams;
  await bob.pawl(['recv', '--out-dir', folder], joined(...one.flatMap((part, at) => [part, two[at] ?? part])));
  expect(mostAtOnce(opening.mock, resting.mock)).toEqual({ times: 2 * PARTS, most: 1 });
  expect(mostAtOnce(writing.mock, closing.mock)).toEqual({ times: 2 * PARTS, most: 1 });
  for (const name of ['one', 'two']) expect(Buffer.compare(readFileSync(join(folder, name)), CONTENT)).toBe(0);
});

interface Calls {
  readonly contexts: readonly unknown[];
  readonly invocationCallOrder: readonly number[];
}

/** How often something was taken, and how many had it at the same time, until they gave it back. */
function mostAtOnce(taking: Calls, giving: Calls) {
  const calls = [taking, giving].flatMap(({ contexts, invocationCallOrder }, which) =>
    contexts.map((who, at) => ({ who, order: invocationCallOrder[at] ?? 0, isTaken: which === 0 })),
  );
  const having = new Set<unknown>();
  let most = 0;
  for (const { who, isTaken } of calls.sort((one, other) => one.order - other.order)) {
    if (isTaken) most = Math.max(most, having.add(who).size);
    else having.delete(who);
  }
  return { times: taking.contexts.length, most };
}

describe('what is not taken', () => {
  it('is told on a terminal, and given again with a place', async () => {
    const { bob, stream } = await sentFile();
    const shown = await bob.run(['recv'], stream, { output: new CollectedOutput(true) });
    expect([shown.exit, shown.text, shown.errors]).toEqual([
      73,
      '',
      expect.stringContaining('there is no place for the parts of film.mkv'),
    ]);
    const folder = temporaryFolder();
    await bob.pawl(['recv', '--out-dir', folder], stream);
    expect(readdirSync(folder)).toEqual(['film.mkv']);
  });

  it('is larger than --max-size, before a byte is written', async () => {
    const { bob, stream } = await sentFile();
    const folder = temporaryFolder();
    expect(await bob.refusal(['recv', '--out-dir', folder, '--max-size', '10M'], stream)).toBe('over-max-size 65');
    expect(readdirSync(folder)).toEqual([]);
    await bob.pawl(['recv', '--out-dir', folder], stream);
  });

  it('is a stream that grows beyond --max-size', async () => {
    const { alice, bob } = await acquaint();
    const { bytes } = await alice.pawl(['send', 'bob'], CONTENT);
    const { exit, errors, bytes: written } = await bob.run(['recv', '--max-size', '5M'], bytes);
    expect([exit, written.length]).toEqual([65, 5 * 983_040]);
    expect(errors.match(/error:/g)?.length).toBe(1);
  });

  it('is the fifth content of a contact that is not verified', async () => {
    const { alice, bob } = await acquaint();
    const path = fileOf(CONTENT);
    for (let n = 0; n < 5; n++) {
      const { bytes } = await alice.pawl(['send', 'bob', path]);
      const [descriptor = bytes] = envelopesIn(bytes);
      expect(await bob.refusal(['recv'], descriptor)).toBe(n < 4 ? ' 0' : 'too-many-incoming 75');
    }
  });
});

it('what the reader of a pipe did not take is to be given again, as a whole', async () => {
  const { bob, stream } = await sentFile();
  const { exit, errors } = await bob.run(['recv'], stream, { output: new ClosingOutput(3_000_000, false) });
  expect([exit, errors]).toEqual([
    74,
    expect.stringContaining('film.mkv from alice was not written to its end: give all of it again'),
  ]);
  expect(Buffer.compare((await bob.pawl(['recv'], stream)).bytes, CONTENT)).toBe(0);
});

describe('sending', () => {
  /** A send whose output is closed after some bytes. */
  async function cutShort(source: 'file' | 'standard input', { isFile = true } = {}) {
    const { alice, bob } = await acquaint();
    const path = fileOf(CONTENT);
    const output = new ClosingOutput(6_000_000, isFile);
    let time = alice.time;
    // Each look at the clock is half a second later, so that what was written is noted.
    const now = () => (time += 500);
    const [parameters, input] = source === 'file' ? [['send', 'bob', path], undefined] : [['send', 'bob'], CONTENT];
    const { exit } = await alice.run(parameters, input, { output, now });
    expect(exit).toBe(74);
    return { alice, bob, path, written: output.bytes };
  }

  class File extends CollectedOutput {
    readonly isFile = true;
  }

  it('goes on where it stopped', async () => {
    const { alice, bob, written } = await cutShort('file');
    expect((await alice.pawl(['outbox'])).text).toMatch(
      /^L1 +for bob .* film\.mkv, [1-6] of 19 parts are known to be written; pawl outbox resend L1 >> FILE\n$/,
    );
    expect(await alice.documents(['outbox'])).toMatchObject([
      { type: 'unfinished', outbox_id: 'L1', of: PARTS, resumable: true },
    ]);
    // Into a pipe all of it goes, whatever a file has of it.
    const pipe = new ClosingOutput(1_500_000, false);
    expect((await alice.run(['outbox', 'resend', 'L1'], undefined, { output: pipe })).exit).toBe(74);
    const folder = temporaryFolder();
    const { errors } = await bob.run(['recv', '--out-dir', folder], pipe.bytes);
    expect(errors).toContain('film.mkv from alice: 1 of 19 parts are there; part 2 is missing');
    rmSync(folder, { recursive: true });
    const { bytes: rest } = await alice.pawl(['outbox', 'resend', 'L1'], undefined, { output: new File() });
    expect(rest.length).toBeLessThan(CONTENT.length);
    expect(Buffer.compare((await bob.pawl(['recv'], joined(written, rest))).bytes, CONTENT)).toBe(0);
    expect(kept(alice)).toEqual(NOTHING);
  });

  it('into a pipe begins anew, because what was in it may be lost, or where the other side says', async () => {
    const { alice, bob, written } = await cutShort('file', { isFile: false });
    expect(await alice.documents(['outbox'])).toMatchObject([{ type: 'unfinished', parts: 0 }]);
    // Bob was killed before he had noted more than three parts.
    const folder = temporaryFolder();
    const [descriptor = written, ...some] = envelopesIn(written.subarray(0, written.length - (written.length % 1000)));
    await bob.run(['recv', '--out-dir', folder], joined(descriptor, ...some.slice(0, 3)));
    const [{ first_missing: from } = { first_missing: 0 }] = await bob.documents<{ first_missing: number }>([
      'recv',
      '--waiting',
    ]);
    expect(from).toBe(4);
    const cut = { output: new ClosingOutput(4_000_000, false) };
    expect((await alice.run(['outbox', 'resend', 'L1', '--from', '4'], undefined, cut)).exit).toBe(74);
    const begins = envelopesIn(cut.output.bytes).slice(0, 3);
    const said = await bob.pawl(['recv', '--out-dir', folder], joined(...begins));
    expect(said.errors).toContain('film.mkv from alice: 5 of 19 parts are there; part 6 is missing');
    // What describes it came before, and is told of no more.
    expect(said.errors).not.toContain('received before');
    const { bytes: whole } = await alice.pawl(['outbox', 'resend']);
    expect(envelopesIn(whole).length).toBe(1 + PARTS);
    await bob.pawl(['recv', '--out-dir', folder], whole);
    expect(Buffer.compare(readFileSync(join(folder, 'film.mkv')), CONTENT)).toBe(0);
    expect([kept(alice), kept(bob)]).toEqual([NOTHING, NOTHING]);
  });

  it('begins with a part of the content, which is named', async () => {
    const { alice } = await cutShort('file');
    const begin = (...more: string[]) => alice.run(['outbox', 'resend', ...more]);
    expect(await begin('L1', '--from', '20')).toMatchObject({
      exit: 64,
      errors: expect.stringContaining('--from 20: there are 19 parts'),
    });
    expect(await begin('--from', '2')).toMatchObject({
      exit: 64,
      errors: expect.stringContaining('resend L1 --from 2'),
    });
    const { bytes } = await alice.pawl(['outbox', 'resend', 'L1', '--from', '19']);
    expect(envelopesIn(bytes).length).toBe(2);
  });

  it('sees that what it passes over has changed, where size and time are the same', async () => {
    const { alice, path } = await cutShort('file');
    const { mtimeNs } = statSync(path, { bigint: true });
    const changed = Buffer.from(CONTENT);
    changed[10] = (changed[10] ?? 0) ^ 1;
    writeFileSync(path, changed);
    const database = alice.openFile();
    database.prepare('UPDATE outgoing SET modified = ?').run(String(statSync(path, { bigint: true }).mtimeNs));
    database.close();
    expect(statSync(path, { bigint: true }).mtimeNs).not.toBe(mtimeNs);
    const { exit, errors } = await alice.run(['outbox', 'resend', 'L1', '--from', '15']);
    expect([exit, errors]).toEqual([74, expect.stringContaining(`${path} has changed since it was begun to be sent`)]);
    expect(kept(alice)).toEqual(NOTHING);
  });

  it('of one file that is gone keeps none of the others back', async () => {
    const { alice, path } = await cutShort('file');
    const other = fileOf(CONTENT, 'other');
    const { exit } = await alice.run(['send', 'bob', other], undefined, {
      output: new ClosingOutput(2_000_000, false),
    });
    expect([exit, kept(alice)]).toEqual([74, [0, 0, 2]]);
    unlinkSync(path);
    const { exit: gone, errors, bytes } = await alice.run(['outbox', 'resend']);
    expect([gone, errors]).toEqual([74, expect.stringContaining('film.mkv for bob')]);
    expect(envelopesIn(bytes).length).toBe(2 + PARTS);
    expect(kept(alice)).toEqual([0, 0, 1]);
  });

  it('does not wait for a pipe that has the place of the file', async () => {
    const { alice, path } = await cutShort('file');
    unlinkSync(path);
    execFileSync('mkfifo', [path]);
    expect((await alice.run(['outbox', 'resend', 'L1'])).exit).toBe(74);
    expect(kept(alice)).toEqual(NOTHING);
  });

  it('of standard input cannot go on, and is given up at once', async () => {
    const { alice, bob, written } = await cutShort('standard input');
    expect(kept(alice)).toEqual(NOTHING);
    expect((await alice.pawl(['outbox'])).errors).toContain('nothing is waiting');
    const { exit, errors } = await bob.run(['recv'], written);
    expect([exit, errors]).toEqual([65, expect.stringContaining('it is cut short: part 7 is missing')]);
  });

  it('does not go on with a file that has changed', async () => {
    const { alice, path } = await cutShort('file');
    utimesSync(path, 1, 1);
    const { exit, errors } = await alice.run(['outbox', 'resend', 'L1']);
    expect([exit, errors]).toEqual([74, expect.stringContaining(`${path} has changed since it was begun to be sent`)]);
    expect(kept(alice)).toEqual(NOTHING);
  });

  it('is seen to have changed by the other side, where size and time are the same', async () => {
    const { alice, bob, path, written } = await cutShort('file');
    const { atimeNs, mtimeNs } = statSync(path, { bigint: true });
    const changed = Buffer.from(CONTENT);
    changed[10] = (changed[10] ?? 0) ^ 1;
    writeFileSync(path, changed);
    utimesSync(path, Number(atimeNs) / 1e9, Number(mtimeNs) / 1e9);
    const row = alice.openFile();
    row
      .prepare('UPDATE outgoing SET parts = 0, link = zeroblob(32), modified = ?')
      .run(String(statSync(path, { bigint: true }).mtimeNs));
    row.close();
    const { bytes: rest } = await alice.pawl(['outbox', 'resend', 'L1']);
    const folder = temporaryFolder();
    const { exit, errors } = await bob.run(['recv', '--out-dir', folder], joined(written, rest));
    expect([exit, errors]).toEqual([65, expect.stringContaining('does not go with the other parts')]);
    expect(readdirSync(folder)).not.toContain('film.mkv');
  });

  it('is given up with a restored identity file', async () => {
    const { alice } = await cutShort('file');
    await alice.pawl(['inspect', '--after-restore']);
    expect(kept(alice)).toEqual(NOTHING);
  });

  it('takes several files, and folders as archives, in one stream or file', async () => {
    const { alice, bob } = await acquaint();
    const [small, large, both] = [
      fileOf(Buffer.from('small'), 'small'),
      fileOf(CONTENT),
      join(temporaryFolder(), 'all.pawl'),
    ];
    const notes = temporaryFolder();
    async function* tar() {
      yield CONTENT;
    }
    const asked: string[] = [];
    const runTar = (...given: readonly [string, string]) => {
      asked.push(join(...given));
      return tar();
    };
    await alice.pawl(['send', 'bob', small, large, notes, '-o', both], undefined, { runTar });
    expect(asked).toEqual([notes]);
    const { bytes } = await alice.pawl(['send', 'bob', small, large], undefined);
    const folder = temporaryFolder();
    await bob.pawl(['recv', both, '--out-dir', folder]);
    expect(readdirSync(folder).length).toBe(3);
    for (const name of readdirSync(folder)) {
      const expected = name === 'small' ? Buffer.from('small') : CONTENT;
      expect(Buffer.compare(readFileSync(join(folder, name)), expected)).toBe(0);
    }
    const other = temporaryFolder();
    await bob.pawl(['recv', '--out-dir', other], bytes);
    expect(readdirSync(other).sort()).toEqual(['film.mkv', 'small']);
    expect([kept(alice), kept(bob)]).toEqual([NOTHING, NOTHING]);
  });

  it('gives up archives that are read, where a later one fails, and keeps what can be read again', async () => {
    const { alice } = await acquaint();
    const folders = [temporaryFolder(), temporaryFolder()];
    async function* tar(parent: string, name: string) {
      yield CONTENT;
      if (join(parent, name) === folders[1]) throw new PawlError('read-failed', { path: name, reason: 'tar: exit 2' });
    }
    const [small, large, all] = [
      fileOf(Buffer.from('small'), 'small'),
      fileOf(CONTENT),
      join(temporaryFolder(), 'all.pawl'),
    ];
    const parameters = ['send', 'bob', small, large, ...folders, '-o', all];
    const { exit } = await alice.run(parameters, undefined, { runTar: tar });
    expect([exit, existsSync(all)]).toEqual([74, false]);
    expect(await alice.documents(['outbox'])).toMatchObject([
      { type: 'unwritten' },
      { type: 'unfinished', file: 'film.mkv', resumable: true },
    ]);
    // Nor is one kept whose last part cannot be written.
    const [folder = ''] = folders;
    const full = { output: new ClosingOutput(18_650_000, false), runTar: tar };
    expect((await alice.run(['send', 'bob', folder], undefined, full)).exit).toBe(74);
    expect(kept(alice)).toEqual([0, 0, 1]);
  });

  it('sends none of several files where one does not exist', async () => {
    const { alice } = await acquaint();
    const { exit, bytes } = await alice.run(['send', 'bob', fileOf(Buffer.from('a')), '/nowhere/at/all']);
    expect([exit, bytes.length]).toEqual([66, 0]);
  });
});

it('a text that comes in the midst of a stream waits', async () => {
  const { alice, bob, descriptor, parts } = await sentFile();
  const text = await alice.send('bob', 'hi');
  const { bytes, errors } = await bob.pawl(['recv'], joined(descriptor, ...parts.slice(0, 9), text, ...parts.slice(9)));
  expect(Buffer.compare(bytes, CONTENT)).toBe(0);
  expect(errors).toContain('a message from alice waits: pawl recv --waiting');
  expect((await bob.pawl(['recv', '--waiting'])).text).toBe('hi');
});

it('a large content has the file of -o alone', async () => {
  const { alice, bob, stream } = await sentFile();
  const out = join(temporaryFolder(), 'out');
  const { errors } = await bob.pawl(['recv', '-o', out], joined(await alice.send('bob', 'hi'), stream));
  expect(Buffer.compare(readFileSync(out), CONTENT)).toBe(0);
  expect(errors).toContain('pawl recv --waiting');
  expect((await bob.pawl(['recv', '--waiting'])).text).toBe('hi');
});
