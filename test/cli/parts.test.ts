import {
  existsSync,
  linkSync,
  lstatSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PawlError } from '../../src/errors.ts';
import { acquaint, CollectedOutput, temporaryFolder } from './fake-io.ts';
import { CONTENT, envelopesIn, fileOf, joined, kept, NOTHING, PARTS, sentFile } from './large-content.ts';

// Contents of any size: what `send` and `recv` make of them, and what becomes of them on the way.

/** An output that takes so many bytes, and is closed then. */
class ClosingOutput extends CollectedOutput {
  #left: number;

  constructor(bytes: number) {
    super();
    this.#left = bytes;
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
        first_missing: 3,
      },
    ]);
    const [identity] = await bob.documents<{ incoming: object[] }>(['inspect']);
    expect(identity?.incoming).toMatchObject([{ from: 'alice', parts: 17, first_missing: 3 }]);
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
    const { exit, errors } = await bob.run(['recv'], input, { output: new ClosingOutput(2_000_000) });
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
    ['one byte was changed', (path: string) => writeFileSync(path, '!', { flag: 'r+' })],
    ['it was cut', (path: string) => truncateSync(path, 1_000_000)],
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
    expect([exit, errors]).toEqual([0, expect.stringContaining('is gone or was changed; it begins anew')]);
    expectWhole(folder);
    if (link !== undefined) expect(victim?.toString()).toBe('not ours');
  });

  it.each(['the name was given', 'it has both names'])('is not asked for again after a kill: %s', async (killed) => {
    const { bob, folder, partial, parts, descriptor } = await begun();
    await bob.pawl(['recv', '--out-dir', folder, '--max-size', '1G'], joined(...parts.slice(9, -1)));
    const target = join(folder, 'film.mkv');
    const { bytes: last } = await bob.run(['recv', '--out-dir', folder], new Uint8Array());
    expect(last.length).toBe(0);
    // All parts came, the file got its name, and the key is still there.
    const before = bob.openFile();
    const copies = ['incoming', 'incoming_parts'].map(
      (table) => [table, before.prepare(`SELECT * FROM ${table}`).raw().all()] as const,
    );
    before.close();
    await bob.pawl(['recv', '--out-dir', folder], joined(...parts.slice(-1)));
    const after = bob.openFile();
    for (const [table, rows] of copies) {
      for (const row of rows as unknown[][]) {
        after.prepare(`INSERT INTO ${table} VALUES (${row.map(() => '?').join()})`).run(...row);
      }
    }
    after.prepare('UPDATE incoming SET target = ?').run(target);
    after.close();
    if (killed === 'it has both names') linkSync(target, partial);
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

describe('sending', () => {
  /** A send whose output is closed after some bytes. */
  async function cutShort(source: 'file' | 'standard input') {
    const { alice, bob } = await acquaint();
    const path = fileOf(CONTENT);
    const output = new ClosingOutput(6_000_000);
    let time = alice.time;
    // Each look at the clock is half a second later, so that what was written is noted.
    const now = () => (time += 500);
    const [parameters, input] = source === 'file' ? [['send', 'bob', path], undefined] : [['send', 'bob'], CONTENT];
    const { exit } = await alice.run(parameters, input, { output, now });
    expect(exit).toBe(74);
    return { alice, bob, path, written: output.bytes };
  }

  it('goes on where it stopped', async () => {
    const { alice, bob, written } = await cutShort('file');
    expect((await alice.pawl(['outbox'])).text).toMatch(
      /^L1 +for bob .* film\.mkv, [1-6] of 19 parts are written; pawl outbox resend L1 >> FILE\n$/,
    );
    expect(await alice.documents(['outbox'])).toMatchObject([
      { type: 'unfinished', outbox_id: 'L1', of: PARTS, resumable: true },
    ]);
    const { bytes: rest } = await alice.pawl(['outbox', 'resend', 'L1']);
    expect(rest.length).toBeLessThan(CONTENT.length);
    expect(Buffer.compare((await bob.pawl(['recv'], joined(written, rest))).bytes, CONTENT)).toBe(0);
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
