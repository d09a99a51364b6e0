import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { PawlError } from '../../src/errors.ts';
import { type Call, outputOf } from '../../src/places/command.ts';
import { withoutPauses } from '../places/places.ts';
import { acquaint, CollectedOutput, type Person, temporaryFolder } from './fake-io.ts';

// A place that lies, as a command that runs in this process: whatever it says and does, a text that it still has comes once.

vi.mock(import('../../src/places/command.ts'), async (importOriginal) => ({
  ...(await importOriginal()),
  outputOf: vi.fn(),
}));

const MINUTE = 60_000;
const ROUTE = 'exec:liar';
/** What is told of a place that fails. */
const FAILURES = /cannot be reached|unreachable/g;

/** What it may say of a listing, give, and do with what is put and acknowledged. */
const LIES = {
  list: ['hides', 'twice', 'aliases', 'sizes', 'old', 'foreign', 'phantoms', 'names', 'backwards', 'dies'],
  get: ['swaps', 'garbles', 'cuts', 'lengthens', 'withholds', 'unasked', 'dies'],
  ack: ['keeps', 'refuses', 'dies'],
  put: ['refuses', 'dies'],
} as const;
type Lies = { readonly [Verb in Call['verb']]?: string | undefined };

interface Lying {
  readonly box: string;
  readonly name: string;
  readonly bytes: Buffer;
}

class Liar {
  /** What lies there, by box and name. */
  readonly truth = new Map<string, Lying>();
  lies: Lies = {};
  /** Whether puts are dropped that it says to have stored. */
  drops = false;
  readonly calls: string[] = [];
  /** What asks it more often fails. */
  mostCalls = Number.POSITIVE_INFINITY;
  /** Bytes that came out. */
  given = 0;
  readonly #old: Lying[] = [];
  #turn = 0;

  constructor() {
    vi.mocked(outputOf).mockImplementation((_, call) => this.#answer(call));
  }

  async *#answer({ verb, input, most }: Call): AsyncGenerator<Buffer, void, undefined> {
    if (this.calls.push(verb) > this.mostCalls) throw new TypeError('enough');
    this.#turn += 1;
    const lie = this.lies[verb] ?? '';
    let given = 0;
    for (const chunk of this[verb](Buffer.from(input), lie) ?? []) {
      given += chunk.length;
      this.given += chunk.length;
      if (given > most) throw new PawlError('unreachable', { place: ROUTE, reason: 'too many bytes' });
      yield chunk;
    }
  }

  #dies(): never {
    throw new PawlError('unreachable', { place: ROUTE, reason: 'it dies' });
  }

  put(input: Buffer, lie: string): undefined {
    const end = input.indexOf('\n');
    const [box = '', name = ''] = input.toString('latin1', 0, end).split(' ');
    if (lie === 'refuses') this.#dies();
    if (!this.drops) this.truth.set(`${box} ${name}`, { box, name, bytes: input.subarray(end + 1) });
    if (lie === 'dies') this.#dies();
  }

  *list(input: Buffer, lie: string): Generator<Buffer> {
    const wanted = input.toString('latin1').trim().split('\n');
    const [first = ''] = wanted;
    let all = [...this.truth.values()].filter(({ box }) => wanted.includes(box));
    if (lie === 'hides') all = all.filter((_, index) => index % 2 === this.#turn % 2);
    if (lie === 'backwards') all.reverse();
    if (lie === 'twice') all = [...all, ...all];
    if (lie === 'old') all = [...this.#old, ...all];
    if (lie === 'aliases') all = all.flatMap((one) => [this.#alias(one), one]);
    if (lie === 'foreign') {
      all = all.flatMap((one) => [...wanted, 'a'.repeat(26)].map((box) => ({ ...one, box })));
    }
    if (lie === 'phantoms') {
      const lines = wanted.flatMap((box) => [...'012345'].map((digit) => `${box} ${digit.repeat(32)} 17000000\n`));
      yield Buffer.from(lines.join(''));
    }
    for (let n = 0; lie === 'endless'; n += 1_000) {
      const names = Array.from({ length: 1_000 }, (_, index) => (n + index).toString(16).padStart(32, '0'));
      yield Buffer.from(names.map((name) => `${first} ${name} 300\n`).join(''));
    }
    if (lie === 'names') {
      yield Buffer.from(`${first} ${'/'.repeat(32)} 300\n${'/'.repeat(26)} ${'0'.repeat(32)} 300\n`);
    }
    for (const [index, { box, name, bytes }] of all.entries()) {
      const size = lie === 'sizes' ? [10, 17_000_000, 3, 999_999_999][(index + this.#turn) % 4] : bytes.length;
      yield Buffer.from(`${box} ${name} ${size}\n`);
      if (lie === 'dies') this.#dies();
    }
  }

  *get(input: Buffer, lie: string): Generator<Buffer> {
    const asked = input.toString('latin1').trim().split('\n');
    const found = asked.map((line) => this.#find(line)).filter((one) => one !== undefined);
    for (const [index, { box, name, bytes }] of found.entries()) {
      if (lie === 'withholds' && index % 2 === this.#turn % 2) continue;
      if (lie === 'unasked') yield Buffer.from(`${box} ${'e'.repeat(32)} 300\n`);
      let given = lie === 'swaps' ? (found[(index + 1) % found.length]?.bytes ?? bytes) : Buffer.from(bytes);
      const at = (this.#turn * 7919) % given.length;
      if (lie === 'garbles') given.writeUInt8(given.readUInt8(at) ^ 1, at);
      // The end of it, as a message that contradicts another would be.
      if (lie === 'garbles' && this.#turn % 2 === 0) given.fill(0, given.length - 16);
      if (lie === 'cuts') given = given.subarray(0, Math.max(10, given.length - 1 - (this.#turn % 200)));
      if (lie === 'lengthens') given = Buffer.concat([given, Buffer.alloc(1 + (this.#turn % 200))]);
      if (lie === 'swells') given = Buffer.concat([given, Buffer.alloc(17_000_000)]);
      yield Buffer.from(`${box} ${name} ${given.length}\n`);
      if (lie === 'dies' && index >= 1) this.#dies();
      yield given;
    }
  }

  ack(input: Buffer, lie: string): undefined {
    if (lie === 'refuses') this.#dies();
    if (lie === 'keeps') return;
    for (const line of input.toString('latin1').trim().split('\n')) {
      const one = this.truth.get(line);
      if (one !== undefined) this.#old.push(one);
      this.truth.delete(line);
    }
    if (lie === 'dies') this.#dies();
  }

  #alias({ name, ...one }: Lying): Lying {
    return { ...one, name: [...name].reverse().join('') };
  }

  /** What is given where a line asks for it: also by an alias, in another box, and once it is removed. */
  #find(line: string): Lying | undefined {
    const [box = '', name = ''] = line.split(' ');
    const all = [...this.truth.values(), ...this.#old];
    const one =
      this.truth.get(line) ?? all.find((known) => [known, this.#alias(known)].some((two) => two.name === name));
    return one && { box, name, bytes: one.bytes };
  }
}

async function couple() {
  const liar = new Liar();
  const { alice, bob } = await acquaint();
  await alice.pawl(['route', 'bob', ROUTE]);
  await bob.pawl(['route', 'alice', ROUTE]);
  return { liar, alice, bob };
}

/** The texts that a fetch brings, each of which is one line, and the lines that it says of errors. */
async function fetch(person: Person, exits: readonly number[]) {
  const { exit, text, errors } = await person.run(['recv', '--fetch', '--lines']);
  expect(exits, errors).toContain(exit);
  expect(errors).not.toMatch(/contradict|\n {4}at /);
  return { texts: text.split('\n').filter((line) => line !== ''), errors };
}

/** A pause of the fetching, and not the one between two looks at the outbox. */
const isPause = (milliseconds: number) => milliseconds >= 1_000 && milliseconds !== 45_000;

/** Mostly it tells the truth: one lie may undo what another has done, as with what is put again. */
function sometimes<Lie>(all: readonly Lie[], honest: number): fc.Arbitrary<Lie | undefined> {
  return fc.oneof(
    { weight: honest, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: fc.constantFrom(...all) },
  );
}

const lies = fc.record({
  put: sometimes(LIES.put, 6),
  list: sometimes(LIES.list, 1),
  get: sometimes(LIES.get, 1),
  ack: sometimes(LIES.ack, 2),
});

const story = fc.record({
  isBack: fc.boolean(),
  texts: fc.integer({ min: 1, max: 4 }),
  rounds: fc.array(lies, { minLength: 1, maxLength: 3 }),
});

describe('a place that lies', () => {
  it('loses no text that it still has, and has none come twice', async () => {
    const { liar, alice, bob } = await couple();
    let number = 0;
    await fc.assert(
      fc.asyncProperty(story, async ({ isBack, texts, rounds }) => {
        const [from, to, name] = isBack ? ([bob, alice, 'alice'] as const) : ([alice, bob, 'bob'] as const);
        const sent: string[] = [];
        const got: string[] = [];
        for (const round of rounds) {
          liar.lies = round;
          for (let one = 0; one < texts; one++) {
            const text = `text ${number++}`;
            sent.push(text);
            expect([0, 69]).toContain((await from.run(['send', name, '-m', text])).exit);
          }
          got.push(...(await fetch(to, [0, 65, 69])).texts);
        }
        liar.lies = {};
        await from.pawl(['recv', '--fetch']);
        for (const pause of [0, 1, 10, 60, 1_440]) {
          to.time += pause * MINUTE;
          got.push(...(await fetch(to, [0, 65])).texts);
        }
        expect(got.toSorted()).toEqual(sent.toSorted());
        expect([...liar.truth.keys()]).toEqual([]);
        expect(to.rows('left_entries').length).toBeLessThan(100);
      }),
      { numRuns: 25, endOnFailure: true },
    );
  });

  it('drops what it says to have stored: that is told with the next text', async () => {
    const { liar, alice, bob } = await couple();
    liar.drops = true;
    await alice.pawl(['send', 'bob', '-m', 'dropped']);
    liar.drops = false;
    await alice.pawl(['send', 'bob', '-m', 'stored']);
    const { texts, errors } = await fetch(bob, [0]);
    expect(texts).toEqual(['stored']);
    expect(errors).toContain('1 message of alice missing so far');
  });

  it('removes nothing: that is told once, it is asked once, and all of it has come', async () => {
    const { liar, alice, bob } = await couple();
    await alice.pawl(['send', 'bob', '--lines'], Buffer.from('x\n'.repeat(600)));
    liar.lies = { ack: 'refuses' };
    liar.calls.length = 0;
    const first = await fetch(bob, [69]);
    expect(first.texts).toHaveLength(600);
    expect(first.errors.match(FAILURES)).toHaveLength(1);
    expect(liar.calls.filter((verb) => verb === 'ack')).toHaveLength(1);
    liar.lies = {};
    expect((await fetch(bob, [0])).texts).toEqual([]);
    expect(liar.truth.size).toBe(0);
  });

  it('fails in the midst: what it gave before is removed, and the failure told once', async () => {
    const { liar, alice, bob } = await couple();
    for (const text of ['one', 'two', 'three']) await alice.pawl(['send', 'bob', '-m', text]);
    liar.lies = { get: 'dies' };
    const { texts, errors } = await fetch(bob, [69]);
    expect(texts).toEqual(['one']);
    expect(errors.match(FAILURES)).toHaveLength(1);
    expect(liar.truth.size).toBe(2);
    liar.lies = { get: 'dies', ack: 'refuses' };
    expect((await fetch(bob, [69])).errors.match(FAILURES)).toHaveLength(1);
  });

  it('gives far more than it lists: no more than 64 MiB of a box are read', async () => {
    const { liar, alice, bob } = await couple();
    for (let n = 0; n < 12; n++) await alice.pawl(['send', 'bob', '-m', `${n}`]);
    liar.lies = { get: 'swells' };
    await fetch(bob, [0]);
    expect(liar.given).toBeLessThan(2 ** 26 + 2 ** 25);
    liar.lies = {};
    bob.time += MINUTE;
    expect((await fetch(bob, [0])).texts).toHaveLength(12);
  });

  it('lists without an end: it is given up, in little memory, and what it holds comes later', async () => {
    const { liar, alice, bob } = await couple();
    await alice.pawl(['send', 'bob', '-m', 'behind it']);
    liar.lies = { list: 'endless' };
    const before = process.memoryUsage.rss();
    const { errors } = await fetch(bob, [69]);
    expect(errors.match(FAILURES)).toHaveLength(1);
    expect(process.memoryUsage.rss() - before).toBeLessThan(600e6);
    liar.lies = {};
    expect((await fetch(bob, [0])).texts).toEqual(['behind it']);
  });

  it('lists what is not there, and what is of no use: that keeps nothing back that lies behind it', async () => {
    const { liar, alice, bob } = await couple();
    await alice.pawl(['send', 'bob', '-m', 'behind it']);
    liar.lies = { list: 'phantoms' };
    expect((await fetch(bob, [0])).texts).toEqual([]);
    expect((await fetch(bob, [0])).texts).toEqual(['behind it']);
  });

  it('has again what was removed of a finished content: that is told once, and the box is let be', async () => {
    const { liar, alice, bob } = await couple();
    const folder = temporaryFolder();
    const film = join(folder, 'film');
    writeFileSync(film, Buffer.alloc(17 * 2 ** 20));
    await alice.pawl(['send', 'bob', film]);
    liar.lies = { ack: 'keeps' };
    const receiving = ['recv', '--fetch', '--out-dir', join(folder)];
    rmSync(film);
    const { errors } = await bob.pawl(receiving);
    expect(readFileSync(film)).toHaveLength(17 * 2 ** 20);
    // The message with the descriptor is there, too.
    const parts = liar.truth.size - 1;
    expect(errors).toContain(
      `${parts} parts of what is finished cannot be removed from exec:liar: it is listed again after it was removed`,
    );
    liar.lies = {};
    liar.calls.length = 0;
    expect((await bob.pawl(receiving)).errors).not.toContain('parts');
    expect(liar.truth.size).toBe(parts);
  });

  it('garbles what is followed: it is read again when its pause is over, whatever comes', async () => {
    const { liar, alice, bob } = await couple();
    await alice.pawl(['send', 'bob', '-m', 'once']);
    liar.lies = { get: 'garbles' };
    liar.mostCalls = liar.calls.length + 12;
    const output = new CollectedOutput();
    await withoutPauses(
      isPause,
      () => bob.run(['recv', '--follow', '--lines'], undefined, { output }),
      () => {
        liar.lies = {};
        bob.time += MINUTE;
      },
    );
    expect(output.text).toBe('once\n');
  });

  it('brings something while another pawl is at work: that is told once, and what has come is told then', async () => {
    const { liar, alice, bob } = await couple();
    await alice.pawl(['send', 'bob', '-m', 'once']);
    const coming = [...liar.truth];
    liar.truth.clear();
    liar.mostCalls = liar.calls.length + 30;
    const [output, errors] = [new CollectedOutput(), new CollectedOutput()];
    let other: ReturnType<Person['openFile']> | undefined;
    await withoutPauses(
      isPause,
      () => bob.run(['recv', '--follow', '--lines', '--wait', '0'], undefined, { output, errors }),
      (pauses) => {
        if (pauses === 3) {
          for (const [key, one] of coming) liar.truth.set(key, one);
          other = bob.openFile();
          other.exec('BEGIN IMMEDIATE');
        }
        if (pauses === 12) {
          expect(errors.text).toContain('error: ');
          other?.exec('ROLLBACK');
          other?.close();
        }
      },
    );
    expect(output.text).toBe('once\n');
    expect(errors.text.match(/^error: /gm)).toHaveLength(1);
  });

  it('takes nothing for a while: a follower hands over later, also while nothing comes, and tells the trouble once', async () => {
    const { liar, alice, bob } = await couple();
    liar.lies = { put: 'refuses' };
    expect((await alice.run(['send', 'bob', '-m', 'late'])).exit).toBe(69);
    liar.mostCalls = liar.calls.length + 60;
    const errors = new CollectedOutput();
    let looks = 0;
    await withoutPauses(
      (milliseconds) => milliseconds >= 1_000,
      () => alice.run(['recv', '--follow', '--lines'], undefined, { errors }),
      () => {
        looks += 1;
        if (looks === 20) liar.lies = {};
      },
    );
    expect(errors.text.match(/^error: what waits for bob/gm)).toHaveLength(1);
    expect(errors.text).toContain('pawl: 1 earlier message for bob handed over to exec:liar');
    liar.mostCalls = Number.POSITIVE_INFINITY;
    expect((await fetch(bob, [0])).texts).toEqual(['late']);
  });
});
