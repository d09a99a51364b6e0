import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { main } from '../../src/cli/main.ts';
import { fakeIo } from '../cli/fake-io.ts';
import { START, seededRandom } from '../session/party.ts';

export const PAGE = 4_096;

export interface Said {
  readonly exit: number;
  readonly bytes: Buffer;
  readonly text: string;
  readonly errors: string;
}

/** Identity files of a few people, and commands that run in this process. */
export class Desk {
  readonly folder: string;
  #commands = 0;

  constructor() {
    this.folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'pawl-damage-'));
    mkdirSync(join(this.folder, 'home'));
  }

  close(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  file(who: string): string {
    return join(this.folder, 'home', `${who}.db`);
  }

  /**
   * Runs a command. The same `seed` gives the same bytes.
   * @param state the folder of the marks; none are kept unless it is named.
   */
  async run(
    who: string,
    parameters: readonly string[],
    { input, seed = `${this.#commands}`, state, home = 'home' }: Run = {},
  ): Promise<Said> {
    this.#commands += 1;
    const io = fakeIo({
      arguments: ['-i', who, '--home', join(this.folder, home), '--key-file', join(this.folder, 'key'), ...parameters],
      environment:
        state === undefined ? { PAWL_MARKS: 'none' } : { XDG_STATE_HOME: join(this.folder, 'states', state) },
      home: () => this.folder,
      chunks: input === undefined ? [] : [input],
      random: seededRandom(seed),
      now: () => START + 1_000,
    });
    const exit = await main(io);
    const said = { exit, bytes: io.output.bytes, text: io.output.text, errors: io.errors.text };
    expect(said.errors, parameters.join(' ')).not.toMatch(/bug in pawl|^ +at /m);
    expect(said.exit).not.toBe(1);
    return said;
  }

  async ok(who: string, parameters: readonly string[], run?: Run): Promise<Buffer> {
    const { exit, bytes, errors } = await this.run(who, parameters, run);
    if (exit !== 0) throw new Error(`${parameters.join(' ')}: exit ${exit}\n${errors}`);
    return bytes;
  }
}

export interface Run {
  readonly input?: Uint8Array;
  readonly seed?: string;
  readonly state?: string;
  readonly home?: string;
}

/** A desk with an alice whose file has a row of every kind, a file as it was before, and messages that she can read. */
export async function furnished() {
  const desk = new Desk();
  const said = async (from: string, to: string, text: string | Uint8Array) =>
    desk.ok(from, ['send', to, '-'], { input: Buffer.from(text) });
  for (const name of ['alice', 'bob', 'carol', 'mallory']) await desk.ok(name, ['init', name]);
  await desk.ok('alice', ['add', 'bob'], { input: await desk.ok('bob', ['invite', 'alice']) });
  await desk.ok('bob', ['recv'], { input: await said('alice', 'bob', 'hi bob') });
  await desk.ok('alice', ['recv'], { input: await said('bob', 'alice', 'hi alice') });
  await desk.ok('alice', ['invite', 'dave']);
  await desk.ok('carol', ['add', 'alice'], { input: await desk.ok('alice', ['invite', 'carol']) });
  await desk.ok('alice', ['recv'], { input: await said('carol', 'alice', 'a'.repeat(20_000)) });
  await desk.ok('alice', ['list', 'ops', 'bob', 'carol']);
  const missed = await said('bob', 'alice', 'missed');
  await desk.ok('alice', ['recv'], { input: await said('bob', 'alice', 'second') });
  copyFileSync(desk.file('alice'), join(desk.folder, 'older.db'));
  await desk.ok('bob', ['recv'], { input: await said('alice', 'bob', 'since then') });
  const next = await said('bob', 'alice', 'next');
  const whole = readFileSync(desk.file('alice'));
  const older = readFileSync(join(desk.folder, 'older.db'));
  return { desk, whole, older, missed, next };
}

/** What is asked of each file: reading, late and new messages, sending, checking. */
export function questions(missed: Uint8Array, next: Uint8Array) {
  return [
    { parameters: ['inspect', '--json'] },
    { parameters: ['inspect', 'bob', '--all', '--json'] },
    { parameters: ['inspect', 'carol', '--json'] },
    { parameters: ['outbox', '--json'] },
    { parameters: ['recv', '--json'], input: missed },
    { parameters: ['recv', '--json'], input: next },
    { parameters: ['send', 'bob', '-m', 'hello'] },
    { parameters: ['send', 'carol', '-m', 'hello'] },
    { parameters: ['invite', 'erin'] },
    { parameters: ['list', 'ops', 'bob', '--json'] },
  ];
}

/** Puts a file in alice's place, asks everything of it, each of a fresh copy, and says how each ended. */
export async function ask(desk: Desk, file: Uint8Array, missed: Uint8Array, next: Uint8Array) {
  const answers: Said[] = [];
  for (const [i, { parameters, input }] of questions(missed, next).entries()) {
    put(desk, file);
    answers.push(await desk.run('alice', parameters, { seed: `question ${i}`, ...(input && { input }) }));
  }
  put(desk, file);
  return { answers, check: await desk.run('alice', ['inspect', '--check']) };
}

export function put(desk: Desk, file: Uint8Array): void {
  rmSync(`${desk.file('alice')}-journal`, { force: true });
  writeFileSync(desk.file('alice'), file, { mode: 0o600 });
}

export function closing(desk: Desk): void {
  onTestFinished(() => desk.close());
}
