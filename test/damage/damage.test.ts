import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, furnished, PAGE, put, questions, type Said } from './desk.ts';

/** How many places of the file are tried: `PAWL_PLACES=2000` for many. */
const PLACES = Number(process.env.PAWL_PLACES ?? 0);

type Furnished = Awaited<ReturnType<typeof furnished>>;
let world: Furnished;
let right: Awaited<ReturnType<typeof ask>>;

beforeAll(async () => {
  world = await furnished();
  right = await ask(world.desk, world.whole, world.missed, world.next);
  expect(right.answers.map(({ exit }) => exit)).toEqual(questions(world.missed, world.next).map(() => 0));
  expect(right.check.exit).toBe(0);
});
afterAll(() => world.desk.close());

const CODES = /(is damaged|wrong passphrase or key|is not an identity file|holds the identity)/;

/** Each answer is the right one, or a clear known error. @returns how many were the one and the other. */
async function expectHonest(file: Uint8Array, what: string) {
  const { desk, missed, next } = world;
  const { answers, check } = await ask(desk, file, missed, next);
  const failed: Said[] = [];
  for (const [i, answer] of answers.entries()) {
    const expected = right.answers[i] as Said;
    if (answer.exit === 0) {
      expect([what, i, answer.text === expected.text]).toEqual([what, i, true]);
      continue;
    }
    expect([what, i, answer.errors]).toEqual([what, i, expect.stringMatching(CODES)]);
    expect([74, 77, 78]).toContain(answer.exit);
    expect(answer.text).toBe('');
    failed.push(answer);
  }
  // The check finds what reading everything finds.
  if (failed.length > 0) expect([what, check.exit, check.errors]).not.toEqual([what, 0, check.errors]);
  if (check.exit !== 0) expect([what, check.errors]).toEqual([what, expect.stringMatching(CODES)]);
  return { failed: failed.length, found: check.exit !== 0 };
}

describe('an identity file with one flipped bit', () => {
  it('gives a clear error or the right answer, wherever the bit is', async () => {
    const { whole } = world;
    const pages = whole.length / PAGE;
    const count = PLACES || pages + 8;
    let [harmed, found] = [0, 0];
    for (let place = 0; place < count; place++) {
      const page = place % pages;
      // The regions of a page: its beginning, somewhere in it, IV, tag.
      const offset = [0, 7, (place * 1_543) % (PAGE - 80), PAGE - 80, PAGE - 64, PAGE - 1][(place + page) % 6] ?? 0;
      const file = Buffer.from(whole);
      file[page * PAGE + offset] = (file[page * PAGE + offset] ?? 0) ^ (1 << (place % 8));
      const result = await expectHonest(file, `page ${page + 1}, byte ${offset}`);
      if (result.failed > 0) harmed += 1;
      if (result.found) found += 1;
    }
    expect(found).toBeGreaterThanOrEqual(harmed);
    expect(harmed).toBeGreaterThan(count / 4);
    if (PLACES > 0) console.log(`${count} flipped bits: ${found} found by the check, ${harmed} by another command`);
  });
});

describe('an identity file that was cut, or its pages mixed', () => {
  it('gives a clear error or the right answer, at any length', async () => {
    const { whole } = world;
    const lengths = new Set([0, 1, 15, 16, 100, 511, 512, 1_024, PAGE - 1, PAGE, PAGE + 1, whole.length - 1]);
    for (let pages = 2; pages * PAGE < whole.length; pages += 3) lengths.add(pages * PAGE).add(pages * PAGE + 700);
    for (const length of lengths) {
      const { failed, found } = await expectHonest(whole.subarray(0, length), `${length} bytes`);
      expect([length, failed > 0 || length > PAGE, found]).toEqual([length, true, true]);
    }
  });

  it('gives a clear error or the right answer when it is longer', async () => {
    const { whole } = world;
    for (const tail of [1, 100, PAGE, 3 * PAGE]) {
      await expectHonest(Buffer.concat([whole, Buffer.alloc(tail, 7)]), `${tail} bytes more`);
    }
  });

  it('never takes a page for another', async () => {
    const { whole } = world;
    const pages = whole.length / PAGE;
    for (let page = 0; page < pages; page += 2) {
      const other = (page + 1 + (page % 5)) % pages;
      const file = Buffer.from(whole);
      whole.copy(file, page * PAGE, other * PAGE, (other + 1) * PAGE);
      whole.copy(file, other * PAGE, page * PAGE, (page + 1) * PAGE);
      await expectHonest(file, `pages ${page + 1} and ${other + 1} swapped`);
    }
    for (const page of [1, 3, 6]) {
      const file = Buffer.from(whole);
      file.fill(0, page * PAGE, (page + 1) * PAGE);
      await expectHonest(file, `page ${page + 1} zeroed`);
    }
  });

  it('never crashes over an older page of its own, which authenticates', async () => {
    const { desk, whole, older, missed, next } = world;
    const outcomes: string[] = [];
    for (let page = 1; page * PAGE < Math.min(whole.length, older.length); page++) {
      const old = older.subarray(page * PAGE, (page + 1) * PAGE);
      if (old.equals(whole.subarray(page * PAGE, (page + 1) * PAGE))) continue;
      const file = Buffer.from(whole);
      old.copy(file, page * PAGE);
      const { answers, check } = await ask(desk, file, missed, next);
      const sent = answers[6];
      const bobs = readFileSync(desk.file('bob'));
      const heard = sent?.exit === 0 ? await desk.run('bob', ['recv'], { input: sent.bytes }) : undefined;
      writeFileSync(desk.file('bob'), bobs);
      // The text arrives, or bob is told of a fork: never another text, nor silence.
      if (heard !== undefined) expect(heard.exit === 0 ? heard.text : heard.errors).toMatch(/^hello$|contradicts/);
      outcomes.push(
        `page ${page + 1}: exits ${answers.map(({ exit }) => exit).join(' ')}, check ${check.exit}; bob: ${heard?.exit} ${heard?.errors.split('\n')[0]}`,
      );
      for (const { exit, errors } of answers) {
        // The peer's messages may contradict an old page (65).
        expect([exit, errors]).toEqual([expect.toBeOneOf([0, 65, 67, 74, 77]), errors]);
      }
    }
    expect(outcomes.length).toBeGreaterThan(0);
    if (PLACES > 0) console.log(outcomes.join('\n'));
  });
});

describe('a file of somebody else', () => {
  it('in the place of one’s own is called by its name', async () => {
    const { desk } = world;
    put(desk, readFileSync(desk.file('mallory')));
    for (const parameters of [
      ['inspect'],
      ['send', 'bob', '-m', 'hello'],
      ['inspect', '--check'],
      ['backup', 'copy.db'],
    ]) {
      const { exit, text, errors } = await desk.run('alice', parameters);
      expect([exit, text]).toEqual([74, '']);
      expect(errors).toMatch(/^error: .*alice\.db holds the identity mallory\nhint: .*mv .*alice\.db .*mallory\.db\n$/);
    }
  });

  it('under one’s own marks is none that was rolled back', async () => {
    const { desk, whole } = world;
    put(desk, whole);
    const state = 'one machine';
    await desk.ok('alice', ['send', 'bob', '-m', 'hello', '--moved'], { state });
    put(desk, readFileSync(desk.file('mallory')));
    expect((await desk.run('alice', ['inspect'], { state })).exit).toBe(74);
  });

  it('is refused with a clear error when it is of another program', async () => {
    const { desk } = world;
    for (const bytes of [
      Buffer.alloc(8 * PAGE),
      Buffer.from('SQLite format 3\0'.padEnd(PAGE, '\0')),
      Buffer.alloc(PAGE, 9),
    ]) {
      put(desk, bytes);
      for (const parameters of [['inspect'], ['inspect', '--check']]) {
        const { exit, errors } = await desk.run('alice', parameters);
        expect([exit, errors]).toEqual([expect.toBeOneOf([74, 77, 78]), expect.stringMatching(CODES)]);
      }
    }
  });
});

describe('a journal beside the file', () => {
  it('of another database, or none at all, never makes it another file', async () => {
    const { desk, whole, next } = world;
    const journal = `${desk.file('alice')}-journal`;
    const header = Buffer.concat([Buffer.from('d9d505f920a163d7', 'hex'), Buffer.alloc(504)]);
    // A journal that says: one page, of 4,096 bytes, in a file of one page.
    const hot = Buffer.from(header);
    hot.writeUInt32BE(1, 8);
    hot.writeUInt32BE(1, 16);
    hot.writeUInt32BE(512, 20);
    hot.writeUInt32BE(PAGE, 24);
    const ofMallory = readFileSync(desk.file('mallory')).subarray(0, PAGE);
    const record = Buffer.concat([Buffer.from([0, 0, 0, 1]), ofMallory, Buffer.alloc(4)]);
    for (const [what, bytes] of [
      ['empty', Buffer.alloc(0)],
      ['noise', Buffer.alloc(3_000, 0x5a)],
      ['a header of no pages', header],
      ['a header without its page', hot],
      ['a page of mallory', Buffer.concat([hot, record])],
      ['a file of mallory', readFileSync(desk.file('mallory'))],
    ] as const) {
      put(desk, whole);
      writeFileSync(journal, bytes);
      const { exit, text, errors } = await desk.run('alice', ['recv'], { input: next });
      if (exit === 0) expect([what, text]).toEqual([what, 'next']);
      else {
        expect([what, exit, errors]).toEqual([what, expect.toBeOneOf([74, 77]), expect.stringMatching(CODES)]);
        // What could not be read was not changed.
        expect([what, readFileSync(desk.file('alice')).equals(whole)]).toEqual([what, true]);
      }
    }
  });
});
