import { spawnSync } from 'node:child_process';
import { copyFileSync, cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, expect, onTestFinished } from 'vitest';
import { systemRandom } from '../../src/primitives/index.ts';
import { send } from '../../src/session/index.ts';
import { type FileKey, openIdentityFile, readSalt } from '../../src/storage/index.ts';

const PAWL = resolve(import.meta.dirname, '../../bin/pawl.js');

export interface Ran {
  readonly exit: number | null;
  readonly output: Buffer;
  readonly text: string;
  readonly errors: string;
}

/** People on their machines, and the built program in their hands. */
export class World {
  readonly folder = mkdtempSync(join(tmpdir(), 'pawl-story-'));

  constructor() {
    onTestFinished(() => rmSync(this.folder, { recursive: true, force: true }));
  }

  /** A file of this world. */
  at(name: string): string {
    return join(this.folder, name);
  }

  /** The identity file of a person. */
  file(who: string): string {
    return this.at(`home/${who}.db`);
  }

  /** Runs a command line, words separated by blanks, as `who`. `machine` names the one whose marks are used. */
  run(
    who: string,
    line: string | readonly string[],
    { input, machine = 'desk', key = 'key', env = {} }: Run = {},
  ): Ran {
    const words = typeof line === 'string' ? line.split(' ').filter(Boolean) : line;
    const { status, stdout, stderr } = spawnSync(process.execPath, [PAWL, '-i', who, '--no-input', ...words], {
      cwd: this.folder,
      input: input ?? '',
      env: {
        PATH: process.env.PATH,
        HOME: this.folder,
        PAWL_HOME: this.at('home'),
        XDG_STATE_HOME: this.at(machine),
        ...(key === undefined || key === '' ? {} : { PAWL_KEY_FILE: this.at(key) }),
        ...env,
      },
      timeout: 60_000,
      maxBuffer: 64 * 1024 * 1024,
    });
    const ran = { exit: status, output: stdout, text: stdout.toString(), errors: stderr.toString() };
    // Whatever happens, it is never a bug.
    expect(ran.errors).not.toMatch(/bug in pawl|^ +at /m);
    expect(ran.exit).not.toBe(1);
    return ran;
  }

  /** The same, and all must go well. */
  ok(who: string, line: string | readonly string[], options?: Run): Ran {
    const ran = this.run(who, line, options);
    expect([line, ran.exit, ran.errors]).toEqual([line, 0, ran.errors]);
    return ran;
  }

  /** `from` says something to `to`: the envelope. */
  said(from: string, to: string, text: string, options?: Run): Buffer {
    return this.ok(from, ['send', to, '-m', text], options).output;
  }

  heard(who: string, envelope: Buffer, options?: Run): string {
    return this.ok(who, 'recv', { ...options, input: envelope }).text;
  }

  /** `guest` adds an invite of `host` and opens a conversation. */
  introduce(host: string, guest: string, options: Run = {}): void {
    this.ok(guest, `add ${host}`, { ...options, input: this.ok(host, `invite ${guest}`).output });
  }

  /** Alice sends bob messages of which nobody keeps a copy, in one commit. */
  async lose(count: number): Promise<void> {
    const path = this.file('alice');
    const key = new Uint8Array(readFileSync(this.at('key'))) as FileKey;
    const store = openIdentityFile(path, { key, salt: readSalt(path) }, { wait: 0, marks: this.at('desk/pawl') });
    const content = { type: 'text', sentAt: 0, bytes: new Uint8Array(0) } as const;
    await store.transaction(async (transaction) => {
      const one = { transaction: (work: (inner: typeof transaction) => unknown) => work(transaction) } as never;
      const context = { store: one, random: systemRandom, now: Date.now, process: '', isRunning: () => false };
      for (let i = 0; i < count; i++)
        await transaction.dropFromOutbox([(await send(context, 'bob', content)).outboxId]);
    });
    store.close();
  }

  copy(from: string, to: string): void {
    copyFileSync(from, to);
  }
}

afterAll(() => {
  if (met !== undefined) rmSync(met, { recursive: true, force: true });
});

export interface Run {
  readonly input?: Buffer | string;
  readonly machine?: string;
  /** The key file; an empty name for none. */
  readonly key?: string;
  readonly env?: Readonly<Record<string, string>>;
}

let met: string | undefined;

/** An alice and a bob who have heard each other. They meet once in each file of tests; then there are copies of them. */
export function meeting(): World {
  const world = new World();
  if (met !== undefined) {
    cpSync(met, world.folder, { recursive: true });
    return world;
  }
  world.ok('alice', ['init', 'alice', '--key-file', world.at('key')]);
  world.ok('bob', 'init bob');
  world.introduce('bob', 'alice');
  expect(world.heard('bob', world.said('alice', 'bob', 'hi bob'))).toBe('hi bob');
  expect(world.heard('alice', world.said('bob', 'alice', 'hi alice'))).toBe('hi alice');
  met = mkdtempSync(join(tmpdir(), 'pawl-met-'));
  cpSync(world.folder, met, { recursive: true });
  return world;
}
