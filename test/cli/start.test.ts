import { spawnSync } from 'node:child_process';
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from './fake-io.ts';
import { type Home, inHome, meet } from './shell.ts';

const ROOT = resolve(import.meta.dirname, '../..');

/** Says on standard error whether V8 was given code, and took it. */
const PROBE = `data:text/javascript,
  import vm from 'node:vm';
  vm.Script = class extends vm.Script {
    constructor(text, options) {
      super(text, options);
      process.stderr.write(String(options.cachedData !== undefined && !this.cachedDataRejected));
    }
  };`;

/** What `pawl --help` prints, and whether the code that was kept is used. */
function help(root: string): { readonly text: string; readonly usesCode: boolean } {
  const parameters = ['--import', PROBE, join(root, 'bin', 'pawl.js'), '--help'];
  const { status, stdout, stderr } = spawnSync(process.execPath, parameters, { encoding: 'utf8' });
  expect(status, stderr).toBe(0);
  return { text: stdout, usesCode: stderr === 'true' };
}

const HELP = help(ROOT);

/** A copy of the program, of which one file is another. */
function copyWith(file: string, change: (bytes: Buffer) => Uint8Array): string {
  const root = temporaryFolder();
  for (const part of ['bin', 'dist']) cpSync(join(ROOT, part), join(root, part), { recursive: true });
  writeFileSync(join(root, 'dist', file), change(readFileSync(join(root, 'dist', file))));
  return root;
}

describe('the code that the build keeps', () => {
  it('is used', () => {
    expect(HELP.usesCode).toBe(true);
    expect(HELP.text).toContain('Signal-grade conversations');
  });

  it('is not needed', () => {
    const root = copyWith('pawl.cjs.code', () => Buffer.alloc(0));
    rmSync(join(root, 'dist', 'pawl.cjs.code'));
    expect(help(root)).toEqual({ ...HELP, usesCode: false });
  });

  it('is not used for another program, not even for one of the same length', () => {
    const edited = copyWith('pawl.cjs', (program) => replace(program, 'Signal-grade', 'Signal-GRADE'));
    expect(help(edited)).toEqual({ text: HELP.text.replace('Signal-grade', 'Signal-GRADE'), usesCode: false });
  });

  it.each<[string, (code: Buffer) => Uint8Array]>([
    ['was made by another Node', (code) => replace(code, `${process.version} `, 'v20.0.0 ')],
    ['was made for another processor', (code) => Buffer.concat([code, Buffer.from('x')])],
    ['is cut short', (code) => code.subarray(0, -100)],
    ['has lost its beginning', (code) => code.subarray(8)],
    ['is nothing', () => Buffer.alloc(0)],
    ['is nonsense in the right place', (code) => code.fill(0, 0, 64)],
  ])('is not used where it %s', (_, change) => {
    expect(help(copyWith('pawl.cjs.code', change))).toEqual({ ...HELP, usesCode: false });
  });

  it('is read as what it was made from', () => {
    // bin/pawl.js takes a byte for a character.
    expect(readFileSync(join(ROOT, 'dist', 'pawl.cjs')).every((byte) => byte < 128)).toBe(true);
  });
});

function replace(bytes: Buffer, from: string, to: string): Buffer {
  return Buffer.from(bytes.toString('latin1').replace(from, to), 'latin1');
}

/** Node's own modules that were loaded by the end of a command, besides those that an empty program has. */
const LOADED = `process.once('exit', () => require('node:fs').writeFileSync('loaded', process.moduleLoadList.join('\\n')));`;

async function modulesLoaded(home: Home, command: string): Promise<string[]> {
  home.write('loaded.cjs', LOADED);
  await home.prepare(command, { environment: { NODE_OPTIONS: `--require ${home.path('loaded.cjs')}` } });
  const heavy = /^NativeModule (crypto|net|tty|stream|child_process|os)$/;
  return home
    .read('loaded')
    .toString()
    .split('\n')
    .flatMap((module) => heavy.exec(module)?.[1] ?? [])
    .sort();
}

describe('a command loads what it needs', () => {
  it('--help and --version: nothing', () =>
    inHome(async (home) => {
      expect(await modulesLoaded(home, 'pawl --help > text')).toEqual([]);
      expect(await modulesLoaded(home, 'pawl --version > text')).toEqual([]);
    }));

  it('send and recv: neither sockets nor terminals, whether they read a file or a pipe', () =>
    inHome(async (home) => {
      await meet(home);
      home.write('text', 'hi');
      const expected = ['crypto', 'stream'];
      expect(await modulesLoaded(home, 'pawl -i alice send bob < text > message')).toEqual(expected);
      expect(await modulesLoaded(home, 'pawl -i bob recv < message > text')).toEqual(expected);
      await home.prepare('mkfifo pipe; pawl -i alice send bob -m "hi again" > message');
      // Both ends are open, and the message is in the pipe, before pawl starts.
      const piped = 'exec 3<> pipe; cat message > pipe; exec 4< pipe 3<&-; pawl -i bob recv <&4 > text';
      expect(await modulesLoaded(home, piped)).toEqual(expected);
      expect(home.read('text').toString()).toBe('hi again');
    }));
});

it('a bug is reported in the names of the source', () =>
  inHome(async (home) => {
    home.write('break.cjs', `require('node:fs').existsSync = () => { throw new TypeError('broken on purpose'); };`);
    const { stderr, exit } = await home.run(`pawl -i alice inspect`, {
      environment: { NODE_OPTIONS: `--require ${home.path('break.cjs')}` },
    });
    expect(exit).toBe(1);
    const [report, error, , ...frames] = stderr.trimEnd().split('\n');
    expect(report).toBe('pawl: this is a bug in pawl, please report it');
    expect(error).toBe('TypeError: broken on purpose');
    // The function that called `existsSync`, and its caller, each in its file.
    const frame = String.raw` +at [a-z]\w+ \(src/cli/[\w/-]+\.ts:\d+:\d+\)`;
    expect(frames.join('\n')).toMatch(new RegExp(`^${frame}\n${frame}\n`));
    expect(stderr).not.toContain('dist/pawl.cjs');
  }));
