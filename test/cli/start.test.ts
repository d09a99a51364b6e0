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
    // The function that called `existsSync`, and its caller, each in its file.
    const frame = String.raw` +at [a-z]\w+ \(src/cli/[\w/-]+\.ts:\d+:\d+\)`;
    expect(frames.join('\n')).toMatch(new RegExp(`^${frame}\n${frame}\n`));
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

it.each(['ERR_DLOPEN_FAILED', 'MODULE_NOT_FOUND'])('a database that does not load is told in words: %s', (code) =>
  inHome(async (home) => {
    await home.prepare('pawl init alice');
    home.write(
      'no-addons.cjs',
      `require('node:module')._extensions['.node'] = () => { throw Object.assign(new Error('no'), { code: '${code}' }); };`,
    );
    const environment = { NODE_OPTIONS: `--require ${home.path('no-addons.cjs')}` };
    for (const command of ['pawl -q init bob', 'pawl -i alice inspect', 'echo hi | pawl -i alice send bob']) {
      expect(await home.run(command, { environment }), command).toMatchObject({
        exit: 78,
        stderr: `error: the database that pawl needs does not load with Node ${process.versions.node}\nhint: install pawl again, with the Node that runs it\n`,
      });
    }
    expect((await home.run('pawl -i alice inspect')).exit).toBe(0);
  }),
);
