import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { systemRandom } from '../../src/primitives/index.ts';
import { CollectedOutput, type FakeIo, Person, routed, temporaryFolder } from './fake-io.ts';

// Large contents along a route: the parts go into a box of their own, and stay there until the content is in its place.

const PART = 983_040;
/** Of a part in its envelope. */
const PART_FILE = PART + 91;
/** 21 parts of 983,040 bytes, and a shorter one. */
const CONTENT = madeOf(21_000_000);
const PARTS = 22;
const MARK = '.pawl-place';

function madeOf(length: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += 4) new DataView(bytes.buffer).setUint32(at, Math.imul(at + seed, 2_654_435_761));
  return bytes;
}

async function withFilm() {
  const people = await routed();
  const [film, out] = [join(temporaryFolder(), 'film.mkv'), temporaryFolder()];
  writeFileSync(film, CONTENT);
  return { ...people, film, out };
}

/** What lies at a place, and how many parts are among it. */
function lying(place: string): { readonly parts: readonly string[]; readonly others: readonly string[] } {
  const names = readdirSync(place)
    .filter((name) => name.endsWith('.pawl'))
    .sort();
  const isPart = (name: string) => /\.0{24}[0-9a-f]{8}\.pawl$/.test(name);
  return { parts: names.filter(isPart), others: names.filter((name) => !isPart(name)) };
}

/** What a person keeps of large contents. */
function kept(person: Person): readonly number[] {
  return ['incoming', 'incoming_parts', 'outgoing', 'outbox', 'spent_boxes'].map((table) => person.rows(table).length);
}

const NOTHING = [0, 0, 0, 0, 0];

function expectFilm(folder: string, name = 'film.mkv', content = CONTENT): void {
  expect(readdirSync(folder)).toContain(name);
  expect(Buffer.compare(readFileSync(join(folder, name)), content)).toBe(0);
}

/** An `Io` with which the folder goes while so many envelopes have been put: that one is not acknowledged. */
function goneAfter(place: string, puts: number): Partial<FakeIo> {
  let count = 0;
  return {
    random(length) {
      // A draft gets a name of its own.
      if (length === 4 && ++count === puts + 1) renameSync(join(place, MARK), join(place, 'away'));
      return systemRandom(length);
    },
  };
}

function comesBack(place: string): void {
  renameSync(join(place, 'away'), join(place, MARK));
}

describe('a large content along a route', () => {
  it('goes to the other side and back, into folders, and leaves nothing', async () => {
    const { alice, bob, place, film, out } = await withFilm();
    expect(await alice.pawl(['send', 'bob', film])).toMatchObject({
      text: '',
      errors: `pawl: handed over to dir:${place}\n`,
    });
    expect(kept(alice)).toEqual(NOTHING);
    const { parts, others } = lying(place);
    expect([parts.length, others.length]).toEqual([PARTS, 1]);
    expect(new Set(parts.map((name) => readFileSync(join(place, name)).length))).toEqual(new Set([PART_FILE]));
    // The box of the parts is no box of the session.
    expect(parts[0]?.slice(0, 26)).not.toBe(others[0]?.slice(0, 26));
    const { errors, text } = await bob.pawl(['recv', '--fetch', '--out-dir', out]);
    expect([text, errors]).toEqual(['', `pawl: wrote ${join(out, 'film.mkv')} (21.0 MB) from alice\n`]);
    expectFilm(out);
    expect(lying(place)).toEqual({ parts: [], others: [] });
    expect(kept(bob)).toEqual(NOTHING);
    expect((await bob.pawl(['recv', '--fetch'])).errors).toBe('pawl: nothing new\n');

    const back = temporaryFolder();
    await bob.pawl(['send', 'alice', join(out, 'film.mkv')]);
    await alice.pawl(['recv', '--fetch', '--out-dir', back]);
    expectFilm(back);
    expect(lying(place)).toEqual({ parts: [], others: [] });
  });

  it('comes from a pipe, goes into one, into -o and into a file', async () => {
    const { alice, bob, place, out } = await withFilm();
    for (const even of [CONTENT, CONTENT.subarray(0, 18 * PART)]) {
      await alice.pawl(['send', 'bob'], even);
      expect(Buffer.compare((await bob.pawl(['recv', '--fetch'])).bytes, even)).toBe(0);
      expect([lying(place).parts, kept(bob)]).toEqual([[], NOTHING]);
    }
    await alice.pawl(['send', 'bob'], CONTENT);
    await bob.pawl(['recv', '--fetch', '-o', join(out, 'stream')]);
    expectFilm(out, 'stream');
    expect([lying(place).parts, kept(bob)]).toEqual([[], NOTHING]);
  });

  it('waits where there is no place for it, and says how to get it: nobody looks at its parts', async () => {
    const { alice, bob, place, film, out } = await withFilm();
    await alice.pawl(['send', 'bob', film]);
    const terminal = { output: new CollectedOutput(true, { columns: 80, rows: 24 } as never) };
    const waits = `pawl: film.mkv (21.0 MB) from alice waits at dir:${place}: pawl recv --fetch --out-dir DIR\n`;
    expect((await bob.run(['recv', '--fetch'], undefined, terminal)).errors).toBe(waits);
    expect([lying(place).parts.length, lying(place).others.length]).toEqual([PARTS, 0]);
    expect((await bob.run(['recv', '--fetch'], undefined, terminal)).errors).toBe(waits);
    expect(await bob.documents(['recv', '--fetch'])).toMatchObject([{ type: 'incoming', file: 'film.mkv', parts: 0 }]);
    await bob.pawl(['recv', '--fetch', '--out-dir', out]);
    expectFilm(out);
    expect(lying(place).parts).toEqual([]);
  });

  it('is left alone where another sender was asked for, and by another command that takes it', async () => {
    const { alice, bob, place, film, out } = await withFilm();
    const carol = await Person.named('carol');
    await bob.add('carol', await carol.invite('bob'));
    await bob.pawl(['route', 'carol', `dir:${place}`]);
    await alice.pawl(['send', 'bob', film]);
    await bob.pawl(['recv', '--fetch', '--json']);
    expect((await bob.pawl(['recv', '--fetch', '--out-dir', out, '--from', 'carol'])).errors).toBe(
      'pawl: nothing new\n',
    );
    expect(lying(place).parts.length).toBe(PARTS);
    const database = bob.openFile();
    database.exec(`UPDATE incoming SET process = 'another', claimed_at = ${bob.time}`);
    database.close();
    const isRunning = (process: string) => process === 'another';
    const { errors } = await bob.pawl(['recv', '--fetch', '--out-dir', out], undefined, { isRunning });
    expect(errors).toContain('film.mkv from alice');
    expect([lying(place).parts.length, readdirSync(out)]).toEqual([PARTS, []]);
    await bob.pawl(['recv', '--fetch', '--out-dir', out, '--from', 'alice']);
    expectFilm(out);
    expect(lying(place).parts).toEqual([]);
  });
});

describe('the place of a large content fails', () => {
  it('at the sender: it waits, and goes on behind the parts that are there', async () => {
    const { alice, bob, place, film, out } = await withFilm();
    const { exit, errors } = await alice.run(['send', 'bob', film], undefined, goneAfter(place, 9));
    expect(exit).toBe(69);
    expect(errors).toContain('film.mkv for bob waits, 9 of 22 parts of it handed over: pawl outbox resend L1');
    expect(errors).toContain('it has no .pawl-place');
    expect(lying(place).others).toEqual([]);
    expect((await alice.pawl(['outbox'])).text).toContain(
      `film.mkv, 9 of 22 parts are known to be handed over to dir:${place}; pawl outbox resend L1`,
    );
    const [document] = await alice.documents(['outbox']);
    expect(document).toMatchObject({ type: 'unfinished', parts: 9, of: 22, route: `dir:${place}` });
    // It is not mounted yet.
    expect((await alice.run(['outbox', 'resend'])).exit).toBe(69);
    comesBack(place);
    // The receiver knows nothing of it yet.
    expect((await bob.pawl(['recv', '--fetch', '--out-dir', out])).errors).toBe('pawl: nothing new\n');
    for (const name of lying(place).parts.slice(0, 9)) rmSync(join(place, name));
    expect((await alice.pawl(['outbox', 'resend', 'L1'])).text).toBe('');
    expect(lying(place).parts.length).toBe(PARTS - 9);
    expect(kept(alice)).toEqual(NOTHING);
  });

  it('between the last part and the descriptor: that waits as any message does', async () => {
    const { alice, bob, place, film, out } = await withFilm();
    const { exit, errors } = await alice.run(['send', 'bob', film], undefined, goneAfter(place, PARTS));
    expect([exit, errors.includes('it has no .pawl-place')]).toEqual([69, true]);
    // The one that was put last may be whole, and nobody has said so.
    expect(kept(alice)).toEqual([0, 0, 0, 1, 0]);
    rmSync(film);
    comesBack(place);
    for (const name of lying(place).others) rmSync(join(place, name));
    expect((await alice.pawl(['recv', '--fetch'])).errors).toContain('1 earlier message for bob handed over');
    await bob.pawl(['recv', '--fetch', '--out-dir', out]);
    expectFilm(out);
    expect(kept(alice)).toEqual(NOTHING);
  });

  it('a stream is given up, and what was there of it is removed', async () => {
    const { alice, bob, place } = await withFilm();
    const { exit, errors } = await alice.run(['send', 'bob'], CONTENT, goneAfter(place, 9));
    expect(exit).toBe(69);
    expect(errors).toContain('what came from a pipe for bob is given up');
    expect(errors).toContain('send it again');
    expect(kept(alice)).toEqual([0, 0, 0, 0, 1]);
    expect(lying(place).parts.length).toBe(10);
    comesBack(place);
    await alice.pawl(['recv', '--fetch']);
    expect([lying(place), kept(alice)]).toEqual([{ parts: [], others: [] }, NOTHING]);
    expect((await bob.pawl(['recv', '--fetch'])).errors).toBe('pawl: nothing new\n');
  });

  it('of several files, each waits', async () => {
    const { alice, bob, place, film, out } = await withFilm();
    const [small, other] = [join(temporaryFolder(), 'note.txt'), join(temporaryFolder(), 'other.mkv')];
    writeFileSync(small, 'a note');
    writeFileSync(other, madeOf(17_700_000, 7));
    const sent = await alice.run(['send', 'bob', film, small, other], undefined, goneAfter(place, 9));
    expect(sent.exit).toBe(69);
    expect(kept(alice)).toEqual([0, 0, 2, 1, 0]);
    comesBack(place);
    const { errors } = await alice.pawl(['outbox', 'resend']);
    expect(errors).toContain('1 envelope handed over');
    expect(kept(alice)).toEqual(NOTHING);
    await bob.pawl(['recv', '--fetch', '--out-dir', out]);
    expectFilm(out);
    expectFilm(out, 'other.mkv', madeOf(17_700_000, 7));
    expect(readFileSync(join(out, 'note.txt'), 'utf8')).toBe('a note');
    expect(lying(place)).toEqual({ parts: [], others: [] });
    // Where nothing fails, the same in one go.
    await alice.pawl(['send', 'bob', film, small, other]);
    const again = temporaryFolder();
    await bob.pawl(['recv', '--fetch', '--out-dir', again]);
    expect(readdirSync(again).sort()).toEqual(['film.mkv', 'note.txt', 'other.mkv']);
  });

  it('the parts that are in a file are not taken for parts at the place, nor those of another place', async () => {
    const { alice, bob, place, film, out } = await withFilm();
    await alice.run(['send', 'bob', film], undefined, goneAfter(place, 9));
    const other = temporaryFolder();
    await alice.pawl(['route', 'bob', `dir:${other}`]);
    await bob.pawl(['route', 'alice', `dir:${other}`]);
    expect((await alice.pawl(['outbox'])).text).toContain('pawl outbox resend L1');
    await alice.pawl(['outbox', 'resend', 'L1']);
    expect(lying(other).parts.length).toBe(PARTS);
    await bob.pawl(['recv', '--fetch', '--out-dir', out]);
    expectFilm(out);
    // And by hand, after the beginning went along the route.
    comesBack(place);
    await alice.pawl(['route', 'bob', `dir:${place}`]);
    await alice.run(['send', 'bob', film], undefined, goneAfter(place, 9));
    await alice.pawl(['route', 'bob', '--off']);
    const { bytes } = await alice.pawl(['outbox', 'resend', 'L2']);
    expect(Math.floor(bytes.length / PART_FILE)).toBe(PARTS);
    expect(Buffer.compare((await bob.pawl(['recv'], bytes)).bytes, CONTENT)).toBe(0);
  });

  it('at the receiver: what came is kept, and the rest is fetched by the next command', async () => {
    const { alice, bob, place, film, out } = await withFilm();
    await alice.pawl(['send', 'bob', film]);
    const { parts } = lying(place);
    const away = temporaryFolder();
    for (const name of parts.slice(5, 9)) renameSync(join(place, name), join(away, name));
    const first = await bob.pawl(['recv', '--fetch', '--out-dir', out]);
    expect(first.errors).toBe('pawl: film.mkv from alice: 18 of 22 parts are there; part 6 is missing\n');
    // Nothing is removed before the content is in its place.
    expect(lying(place).parts.length).toBe(PARTS - 4);
    // What is there is not read again.
    for (const name of lying(place).parts) writeFileSync(join(place, name), new Uint8Array(PART_FILE));
    for (const name of parts.slice(5, 9)) renameSync(join(away, name), join(place, name));
    const second = await bob.pawl(['recv', '--fetch', '--out-dir', out]);
    expect(second.errors).toMatch(/film\.mkv from alice goes on in .*\.part\n.*wrote .*film\.mkv/);
    expectFilm(out);
    expect([lying(place).parts, kept(bob)]).toEqual([[], NOTHING]);
  });

  it('while it is fetched, and comes back', async () => {
    const { alice, bob, place, film, out } = await withFilm();
    await alice.pawl(['send', 'bob', film]);
    let reads = 0;
    const gone: Partial<FakeIo> = {
      now() {
        // The clock is asked with each part.
        if (existsSync(join(place, MARK)) && existsSync(out) && readdirSync(out).length > 0 && ++reads === 8) {
          renameSync(join(place, MARK), join(place, 'away'));
        }
        return bob.time;
      },
    };
    const { exit, errors } = await bob.run(['recv', '--fetch', '--out-dir', out], undefined, gone);
    expect(exit).toBe(69);
    expect(errors).toContain('it has no .pawl-place');
    expect(errors.match(/it has no .pawl-place/g)).toHaveLength(1);
    const still = await bob.run(['recv', '--fetch', '--out-dir', out]);
    expect(still.errors.match(/it has no .pawl-place/g)).toHaveLength(1);
    expect(kept(bob).slice(0, 2)).not.toEqual([0, 0]);
    comesBack(place);
    await bob.pawl(['recv', '--fetch', '--out-dir', out]);
    expectFilm(out);
    expect([lying(place).parts, kept(bob)]).toEqual([[], NOTHING]);
  });
});

describe('the box of the parts', () => {
  it('is emptied with the next fetch where that was not possible at once', async () => {
    const { alice, bob, place, film, out } = await withFilm();
    // By hand: there is nothing in the box, and parts come into it later.
    await alice.pawl(['send', 'bob', film]);
    await bob.run(['recv', '--fetch'], undefined, { output: new CollectedOutput(true) });
    const away = temporaryFolder();
    for (const name of lying(place).parts) writeFileSync(join(away, name), readFileSync(join(place, name)));
    const all = Buffer.concat(lying(place).parts.map((name) => readFileSync(join(place, name))));
    await bob.pawl(['recv', '--out-dir', out], all);
    expectFilm(out);
    expect(kept(bob)).toEqual([0, 0, 0, 0, 1]);
    renameSync(join(place, MARK), join(place, 'away'));
    expect((await bob.run(['recv', '--fetch'])).exit).toBe(69);
    expect(kept(bob)).toEqual([0, 0, 0, 0, 1]);
    comesBack(place);
    await bob.pawl(['recv', '--fetch']);
    expect([lying(place).parts, kept(bob)]).toEqual([[], NOTHING]);
  });

  it('holds junk of others: it is passed over, and keeps nothing back', async () => {
    const { alice, bob, place, film, out } = await withFilm();
    await alice.pawl(['send', 'bob', film]);
    const { parts } = lying(place);
    const box = parts[0]?.slice(0, 26) ?? '';
    const [third = '', fourth = ''] = parts.slice(2);
    const intact = readFileSync(join(place, third));
    // A part that is not itself, one under another's name, parts behind the end, junk of other sizes and names, a folder.
    writeFileSync(join(place, third), Buffer.from(intact).fill(0, 500, 600));
    writeFileSync(join(place, fourth), readFileSync(join(place, parts[0] ?? '')));
    const nameOf = (index: number) => join(place, `${box}.${index.toString(16).padStart(32, '0')}.pawl`);
    for (const index of [22, 23, 2 ** 32 - 1]) writeFileSync(nameOf(index), intact);
    writeFileSync(nameOf(24), 'junk of another size');
    writeFileSync(join(place, `${box}.${'f'.repeat(32)}.pawl`), new Uint8Array(PART_FILE));
    mkdirSync(nameOf(25));
    // One that is being copied still.
    writeFileSync(nameOf(6), intact.subarray(0, 5_000));
    const first = await bob.run(['recv', '--fetch', '--out-dir', out]);
    expect(first.errors).toContain('19 of 22 parts are there; part 3 is missing');
    expect(first.exit).toBe(65);
    expect(bob.rows('left_entries').length).toBe(2);
    // They rest, and are looked at again after a while, or once they are others.
    bob.time += 30_000;
    expect((await bob.pawl(['recv', '--fetch', '--out-dir', out])).errors).toContain('part 3 is missing');
    await alice.pawl(['send', 'bob', '-m', 'hi']);
    writeFileSync(join(place, third), intact);
    expect((await bob.pawl(['recv', '--fetch', '--out-dir', out])).text).toBe('hi');
    bob.time += 120_000;
    expect((await bob.pawl(['recv', '--fetch', '--out-dir', out])).errors).toContain('part 4 is missing');
  });

  it('is emptied when the content is given up, or its sender forgotten', async () => {
    const { alice, bob, place, film, out } = await withFilm();
    for (const how of ['30 days', 'forget'] as const) {
      await alice.pawl(['send', 'bob', film]);
      rmSync(join(place, lying(place).parts[4] ?? ''));
      await bob.pawl(['recv', '--fetch', '--out-dir', out]);
      expect(lying(place).parts.length).toBe(PARTS - 1);
      if (how === '30 days') {
        for (const person of [alice, bob]) person.time += 30 * 86_400_000 + 1;
        const { errors } = await bob.pawl(['recv', '--fetch', '--out-dir', out]);
        expect(errors).toContain('was not complete after 30 days, and is given up');
      } else await bob.pawl(['forget', 'alice', '--yes']);
      expect([lying(place).parts, kept(bob)]).toEqual([[], NOTHING]);
      expect(readdirSync(out)).toEqual([]);
    }
  });

  it('is emptied by a sender who forgets, and who gives up', async () => {
    const { alice, place, film } = await withFilm();
    await alice.run(['send', 'bob', film], undefined, goneAfter(place, 9));
    comesBack(place);
    writeFileSync(film, 'another film');
    expect((await alice.run(['outbox', 'resend'])).errors).toContain('has changed since it was begun to be sent');
    expect([lying(place).parts.length, kept(alice)]).toEqual([10, [0, 0, 0, 0, 1]]);
    await alice.pawl(['recv', '--fetch']);
    expect([lying(place).parts.length, kept(alice)]).toEqual([0, NOTHING]);

    writeFileSync(film, CONTENT);
    await alice.run(['send', 'bob', film], undefined, goneAfter(place, 9));
    comesBack(place);
    await alice.pawl(['forget', 'bob', '--yes']);
    expect(lying(place).parts.length).toBe(0);

    const other = await withFilm();
    await other.alice.run(['send', 'bob', other.film], undefined, goneAfter(other.place, 9));
    expect((await other.alice.run(['forget', 'bob', '--yes'])).errors).toContain('may lie there still');
    expect(lying(other.place).parts.length).toBe(10);
  });

  it('is emptied by a sender whose content is too old', async () => {
    const { alice, place, film } = await withFilm();
    await alice.run(['send', 'bob', film], undefined, goneAfter(place, 9));
    comesBack(place);
    alice.time += 30 * 86_400_000 + 1;
    await alice.pawl(['recv', '--fetch']);
    await alice.pawl(['recv', '--fetch']);
    expect([lying(place).parts.length, kept(alice)]).toEqual([0, NOTHING]);
  });

  it('is one of each recipient', async () => {
    const { alice, bob, place, film, out } = await withFilm();
    const carol = await Person.named('carol');
    const invite = await carol.invite('alice');
    await carol.pawl(['route', 'alice', `dir:${place}`]);
    await alice.add('carol', invite);
    await alice.pawl(['route', 'carol', `dir:${place}`]);
    for (const name of ['bob', 'carol']) await alice.pawl(['send', name, film]);
    expect(lying(place).parts.length).toBe(2 * PARTS);
    await bob.pawl(['recv', '--fetch', '--out-dir', out]);
    expect(lying(place).parts.length).toBe(PARTS);
    const hers = temporaryFolder();
    await carol.pawl(['recv', '--fetch', '--out-dir', hers]);
    for (const folder of [out, hers]) expectFilm(folder);
    expect(lying(place).parts).toEqual([]);
  });
});

describe('several large contents', () => {
  it('go into one folder; into -o and a stream one after the other', async () => {
    const { alice, bob, place, film, out } = await withFilm();
    const other = join(temporaryFolder(), 'other.mkv');
    writeFileSync(other, madeOf(17_700_000, 7));
    await alice.pawl(['send', 'bob', film, other]);
    await bob.pawl(['recv', '--fetch', '-o', join(out, 'first')]);
    expectFilm(out, 'first');
    expect(kept(bob)[0]).toBe(1);
    await bob.pawl(['recv', '--fetch', '-o', join(out, 'second')]);
    expectFilm(out, 'second', madeOf(17_700_000, 7));
    await alice.pawl(['send', 'bob', film, other]);
    const { bytes } = await bob.pawl(['recv', '--fetch']);
    expect(Buffer.compare(bytes, Buffer.concat([CONTENT, madeOf(17_700_000, 7)]))).toBe(0);
    expect(lying(place)).toEqual({ parts: [], others: [] });
  });

  it('a stream is not begun before all of it is there', async () => {
    const { alice, bob, place, film } = await withFilm();
    for (const isStream of [false, true]) {
      if (isStream) await alice.pawl(['send', 'bob'], CONTENT);
      else await alice.pawl(['send', 'bob', film]);
      const last = lying(place).parts.at(-1) ?? '';
      const away = join(temporaryFolder(), last);
      writeFileSync(away, readFileSync(join(place, last)));
      rmSync(join(place, last));
      const { bytes, errors } = await bob.pawl(['recv', '--fetch']);
      expect(bytes.length).toBe(0);
      expect(errors).toContain('not all of it is there yet');
      writeFileSync(join(place, last), readFileSync(away));
      expect(Buffer.compare((await bob.pawl(['recv', '--fetch'])).bytes, CONTENT)).toBe(0);
      expect(lying(place).parts).toEqual([]);
    }
  });
});
