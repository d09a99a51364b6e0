import { describe, expect, it } from 'vitest';
import { type Home, inHome, meet } from './shell.ts';

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
    // A method is called by no name of its own; the functions that led to it are named, each in its file.
    expect(frames[0]).toMatch(/^ +at src\/cli\/identity\/folder-home\.ts:\d+:\d+$/);
    const frame = String.raw` +at [a-z]\w+ \(src/cli/[\w/-]+\.ts:\d+:\d+\)`;
    expect(frames.slice(1).join('\n')).toMatch(new RegExp(`^${frame}\n${frame}\n`));
    expect(stderr).not.toContain('dist/pawl.cjs');
  }));

describe('the version of Node', () => {
  it.each(['18.20.8', '20.18.3', '21.7.3', '22.13.1', '23.4.0'])('%s is refused in words', (version) =>
    inHome(async (home) => {
      home.write(
        'old.cjs',
        `Object.defineProperty(process, 'versions', { value: { node: '${version}', napi: '9' } });`,
      );
      const environment = { NODE_OPTIONS: `--require ${home.path('old.cjs')}` };
      expect(await home.run('pawl --version', { environment })).toMatchObject({
        exit: 78,
        stderr: `error: this is Node ${version}, which pawl does not run on\nhint: install Node 24, or 22.14 or newer of 22\n`,
      });
    }),
  );

  it.each([
    ['20.19.0', '9'],
    ['20.20.2', '9'],
    ['22.14.0', '10'],
    ['26.10.0', '10'],
  ])('%s is not', (version, napi) =>
    inHome(async (home) => {
      home.write(
        'other.cjs',
        `Object.defineProperty(process, 'versions', { value: { node: '${version}', napi: '${napi}' } });`,
      );
      const environment = { NODE_OPTIONS: `--require ${home.path('other.cjs')}` };
      expect(await home.run('pawl --version', { environment })).toMatchObject({ exit: 0 });
    }),
  );
});

/** Preloaded: the addon of the named package fails to load, as Node and the system say it. */
const BROKEN = `
const { code, message, part } = JSON.parse(process.env.BROKEN);
const load = require('node:module')._extensions['.node'];
require('node:module')._extensions['.node'] = (module, path) => {
  if (!path.includes(part)) return load(module, path);
  throw Object.assign(new Error(message), { code });
};`;

const SQLITE = 'sqlite3';
const ARGON2 = 'argon2';

const FAILURES = [
  ['MODULE_NOT_FOUND', "Cannot find module 'x.node'", 'which is missing from its installation'],
  [
    'ERR_DLOPEN_FAILED',
    'The module was compiled against a different Node.js version using NODE_MODULE_VERSION 127.',
    `which was installed for another Node than this ${process.versions.node}`,
  ],
  [
    'ERR_DLOPEN_FAILED',
    'x.node: wrong ELF class: ELFCLASS32',
    'which was built for another system or processor than this one',
  ],
  [
    'ERR_DLOPEN_FAILED',
    "/lib/libc.so.6: version `GLIBC_2.38' not found",
    'which was built for another system or processor than this one',
  ],
] as const;

describe('a native part that does not load', () => {
  const again = 'npm uninstall -g pawl, then install it again, with this Node';
  const isOld = Number.parseInt(process.versions.node, 10) < 22;
  const rebuild =
    'npm rebuild -g better-sqlite3-multiple-ciphers (npm 12: with --allow-scripts=better-sqlite3-multiple-ciphers); if it is still so: ';

  function breaking(home: Home, part: string, [code, message]: readonly [string, string, string]) {
    home.write('broken.cjs', BROKEN);
    return {
      NODE_OPTIONS: `--require ${home.path('broken.cjs')}`,
      BROKEN: JSON.stringify({ code, message, part }),
    };
  }

  it.each(FAILURES)('%s: %s, is told in words, before anything is read', (...failure) =>
    inHome(async (home) => {
      await home.prepare('pawl init alice; mkfifo pipe');
      const environment = breaking(home, SQLITE, failure);
      const stderr = `error: pawl needs SQLite, ${failure[2]}\nhint: ${isOld ? rebuild : ''}${again}\n`;
      // Nobody writes to the pipe: who reads it first waits for ever.
      for (const command of [
        'pawl -q init bob',
        'pawl -i alice inspect',
        'timeout 20 pawl -i alice send bob 0<> pipe',
        'timeout 20 pawl -i alice recv 0<> pipe',
        'timeout 20 pawl -i alice add bob 0<> pipe',
      ]) {
        expect(await home.run(command, { environment }), command).toMatchObject({ exit: 78, stderr });
      }
      expect(home.files('.local/share/pawl')).toEqual([home.identity('alice')]);
      expect((await home.run('pawl -i alice inspect')).exit).toBe(0);
    }),
  );

  it.each(FAILURES)('%s: %s, is told of Argon2id where a passphrase is used, before it is read', (...failure) =>
    inHome(async (home) => {
      home.write('passphrase', 'correct horse battery staple');
      await home.prepare(
        'pawl init alice; pawl init carol --passphrase-file passphrase; pawl -i alice invite bob -o invite; touch asked',
      );
      const environment = breaking(home, ARGON2, failure);
      const stderr = `error: pawl needs Argon2id, ${failure[2]}\nhint: ${again}\n`;
      for (const command of [
        `pawl -i carol --passphrase-command 'rm asked' inspect`,
        'pawl -q init bob --passphrase-file passphrase',
        'timeout 20 pawl -i alice passwd --new-passphrase-file passphrase',
        'timeout 20 pawl -i alice restore x --passphrase-fd 0 < /dev/null',
      ]) {
        expect(await home.run(command, { environment }), command).toMatchObject({ exit: 78, stderr });
      }
      expect(home.read('asked')).toHaveLength(0);
      // With a key file it is not needed.
      for (const command of ['pawl -i alice inspect', 'pawl -i alice passwd --new-key-file new']) {
        expect((await home.run(command, { environment })).exit, command).toBe(0);
      }
    }),
  );

  it('is no matter where none is used', () =>
    inHome(async (home) => {
      await home.prepare('pawl init alice; pawl -i alice invite bob -o invite');
      const environment = breaking(home, SQLITE, FAILURES[0]);
      for (const command of [
        'pawl --version',
        'pawl --help',
        'pawl help send',
        'pawl recv --help',
        'pawl completion bash',
        'pawl complete send ""',
        'pawl inspect --envelope invite',
      ]) {
        expect(await home.run(command, { environment }), command).toMatchObject({ exit: 0, stderr: '' });
      }
      const lost = await home.run('pawl', { environment });
      expect(lost).toMatchObject({ exit: 64, stderr: expect.stringContaining('no command was given') });
    }));

  it('is told as such where Node is told to load none', () =>
    inHome(async (home) => {
      await home.prepare('pawl init alice');
      expect(await home.run('pawl inspect', { environment: { NODE_OPTIONS: '--no-addons' } })).toMatchObject({
        exit: 78,
        stderr:
          'error: pawl needs SQLite, which is a native part, and Node is told to load none\nhint: run pawl without --no-addons (NODE_OPTIONS)\n',
      });
    }));
});
