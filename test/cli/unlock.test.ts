import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { createConnection, createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deriveFileKey, readSalt } from '../../src/storage/index.ts';
import { found, needlesOf } from './needles.ts';
import { PseudoTerminal } from './pseudo-terminal.ts';
import { Home, inHome } from './shell.ts';

// Whole processes: `unlock` leaves one behind, which `lock` ends.

const WORDS = 'speak friend and enter';
const BOBS = 'xyzzy plugh and so on';
const NOBODY = 65_534;

/** Alice and bob, who have met, with passphrases; a folder of what runs. */
const origin = Home.create();
beforeAll(async () => {
  await origin.prepare(`set -e; unset PAWL_KEY_FILE
  echo '${WORDS}' > words; echo '${BOBS}' > bobs; chmod 600 words bobs; mkdir -m 700 run
  alice="pawl -q -i alice --passphrase-file words"; bob="pawl -q -i bob --passphrase-file bobs"
  $alice init alice > /dev/null; $bob init bob > /dev/null
  $bob invite alice | $alice add bob > /dev/null`);
});
afterAll(() => origin.remove());

/** Runs `work` in a copy of that home, where no key is named, and ends what is unlocked there. */
async function unlockable(work: (home: Home, run: Run) => Promise<void>): Promise<void> {
  await inHome(async (home) => {
    const environment = { PAWL_KEY_FILE: '', XDG_RUNTIME_DIR: home.path('run') };
    const run: Run = (command, given = {}) => home.run(command, { environment: { ...environment, ...given } });
    try {
      await work(home, run);
    } finally {
      await run('chmod 700 run/pawl; unset PAWL_IDENTITY; pawl -q lock');
    }
  }, origin.copy());
}

type Run = (command: string, environment?: Readonly<Record<string, string>>) => ReturnType<Home['run']>;

const UNLOCK = 'pawl -i alice unlock --passphrase-file words';

function onTerminal(home: Home, command: string): PseudoTerminal {
  const { PAWL_KEY_FILE, ...environment } = home.environment;
  return new PseudoTerminal(['bash', '-c', command], {
    folder: home.folder,
    environment: { ...environment, TERM: 'xterm', XDG_RUNTIME_DIR: home.path('run') },
  });
}

function socketsOf(home: Home): string[] {
  return readdirSync(home.path('run/pawl')).map((name) => home.path(`run/pawl/${name}`));
}

/** The agents that a launcher of this home has started. */
function agentsOf(home: Home): string[] {
  return readdirSync('/proc').filter((pid) => {
    try {
      const words = readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0');
      return words.includes('agent') && words.some((word) => word.startsWith(home.folder));
    } catch {
      return false;
    }
  });
}

describe('an identity that is unlocked', () => {
  it('is opened without a question, where there is no terminal either, and locked again', () =>
    unlockable(async (home, run) => {
      expect(await run('pawl -i alice inspect')).toMatchObject({ exit: 77 });
      expect(await run(UNLOCK)).toMatchObject({
        exit: 0,
        stderr: 'pawl: alice is unlocked: 15m after each use, 8h at most; pawl lock ends it\n',
      });
      expect(await run('pawl -i alice inspect --no-input')).toMatchObject({ exit: 0, stderr: '' });
      expect(await run('pawl -i alice send bob -m hi -o hi.pawl')).toMatchObject({ exit: 0, stderr: '' });
      // Another identity has another key.
      expect(await run('pawl -i bob recv hi.pawl')).toMatchObject({ exit: 77 });
      expect(await run('pawl -i bob recv hi.pawl --passphrase-file bobs')).toMatchObject({ exit: 0 });
      expect(await run('pawl lock')).toMatchObject({ exit: 0, stderr: 'pawl: locked: 1 identity\n' });
      expect(await run('pawl -i alice inspect')).toMatchObject({ exit: 77 });
      expect(socketsOf(home)).toEqual([]);
      expect(await run('pawl lock')).toMatchObject({ exit: 0, stderr: 'pawl: nothing was unlocked\n' });
    }));

  it('is asked for once, on the terminal', () =>
    unlockable(async (home) => {
      const terminal = onTerminal(
        home,
        'pawl -i alice unlock --for 1h && pawl -i alice contacts; pawl lock; pawl -i alice contacts',
      );
      await terminal.shows('passphrase of');
      terminal.type(`${WORDS}\r`);
      await terminal.shows('alice is unlocked: 1h after each use, 8h at most');
      expect(await terminal.shows('locked: 1 identity')).toContain('bob');
      await terminal.shows('passphrase of');
      terminal.type('\x03');
      expect(await terminal.exit).toBe(130);
      expect(terminal.shown).not.toContain(WORDS);
    }));

  it('needs no Argon2id, and completes names', () =>
    unlockable(async (home, run) => {
      await run(UNLOCK);
      home.write(
        'broken.cjs',
        `const load = require('node:module')._extensions['.node'];
         require('node:module')._extensions['.node'] = (module, path) => {
           if (path.includes('argon2')) throw new Error('it is not to be loaded');
           return load(module, path);
         };`,
      );
      const broken = { NODE_OPTIONS: `--require ${home.path('broken.cjs')}` };
      expect(await run('pawl -i alice send bob -m hi > hi.pawl', broken)).toMatchObject({ exit: 0, stderr: '' });
      const completed = await run('pawl complete -- -i alice send ""', broken);
      expect(completed.stdout.toString()).toMatch(/^bob\n/);
      await run('pawl lock');
      expect((await run('pawl complete -- -i alice send ""')).stdout.toString()).not.toContain('bob');
      // Nobody asks on the terminal for what is completed.
      const terminal = onTerminal(home, 'pawl complete -- -i alice send ""');
      expect(await terminal.exit).toBe(0);
      expect(terminal.shown).not.toContain('passphrase');
    }));

  it('is opened by what is named, where something is', () =>
    unlockable(async (_, run) => {
      await run(UNLOCK);
      expect(await run('pawl -i alice inspect --passphrase-file bobs')).toMatchObject({ exit: 77 });
      expect(await run('pawl -i alice inspect', { PAWL_PASSPHRASE: BOBS })).toMatchObject({ exit: 77 });
    }));

  it('may be one with a key file, and is that without its file', () =>
    unlockable(async (_, run) => {
      expect(await run('pawl init carol --key-file k')).toMatchObject({ exit: 0 });
      expect(await run('pawl -i carol unlock --key-file k && mv k away && pawl -i carol inspect')).toMatchObject({
        exit: 0,
      });
    }));

  it('is asked for again by unlock itself: what it begins is new', () =>
    unlockable(async (home, run) => {
      await run(UNLOCK);
      const [first = ''] = socketsOf(home);
      const { ino } = statSync(first);
      expect(await run('pawl -i alice unlock')).toMatchObject({ exit: 77 });
      expect(await run(`${UNLOCK} --for 8h`)).toMatchObject({
        exit: 0,
        stderr: 'pawl: alice is unlocked: 8h at most; pawl lock ends it\n',
      });
      expect(socketsOf(home)).toEqual([first]);
      expect(statSync(first).ino).not.toBe(ino);
      expect(await run('pawl -i alice inspect')).toMatchObject({ exit: 0 });
    }));

  it('is locked alone where it is named, and with all others where not', () =>
    unlockable(async (_, run) => {
      const both = `${UNLOCK}; pawl -i bob unlock --passphrase-file bobs`;
      await run(both);
      expect(await run('pawl -i alice lock')).toMatchObject({ exit: 0, stderr: 'pawl: locked: 1 identity\n' });
      expect(await run('pawl -i alice inspect')).toMatchObject({ exit: 77 });
      expect(await run('pawl -i bob inspect')).toMatchObject({ exit: 0 });
      expect(await run('PAWL_IDENTITY=bob pawl lock')).toMatchObject({ stderr: 'pawl: locked: 1 identity\n' });
      await run(both);
      expect(await run('pawl lock')).toMatchObject({ stderr: 'pawl: locked: 2 identities\n' });
      expect(await run('pawl -i zoe lock')).toMatchObject({ exit: 78 });
    }));

  it('has an agent beside the marks where there is no folder of what runs', () =>
    unlockable(async (home, run) => {
      const without = { XDG_RUNTIME_DIR: '' };
      expect(await run(UNLOCK, without)).toMatchObject({ exit: 0 });
      expect(readdirSync(home.path('.local/state/pawl/agent'))).toHaveLength(1);
      expect(statSync(home.path('.local/state/pawl/agent')).mode & 0o777).toBe(0o700);
      for (const relative of [without, { XDG_RUNTIME_DIR: 'run' }, { XDG_RUNTIME_DIR: home.path('missing') }]) {
        expect(await run('pawl -i alice inspect', relative)).toMatchObject({ exit: 0 });
      }
      expect(await run('pawl lock', without)).toMatchObject({ stderr: 'pawl: locked: 1 identity\n' });
    }));
});

describe('a new key', () => {
  it('has nobody to give it: passwd has the old one forgotten', () =>
    unlockable(async (home, run) => {
      await run(UNLOCK);
      home.write('new', 'a bridge of sighs\n');
      const changed = await run('pawl -q -i alice passwd --passphrase-file words --new-passphrase-file new');
      expect(changed).toMatchObject({ exit: 0 });
      expect(socketsOf(home)).toEqual([]);
      expect(await run('pawl -i alice inspect')).toMatchObject({ exit: 77 });
      expect(await run('pawl -i alice inspect --passphrase-file new')).toMatchObject({ exit: 0 });
    }));

  it.each([
    ['in a folder that others can get into', 'chmod 755 run/pawl', {}],
    ['where a command without XDG_RUNTIME_DIR has it', 'true', { XDG_RUNTIME_DIR: '' }],
  ])('passwd and lock have the old one forgotten, %s', (_, change, elsewhere) =>
    unlockable(async (_home, run) => {
      const again = `pawl -i alice passwd -q --passphrase-file words --new-passphrase-file new`;
      expect(await run(`${UNLOCK}; ${change}; cp -p .local/share/pawl/alice.db old.db`, elsewhere)).toMatchObject({
        exit: 0,
      });
      expect(await run(`echo 'another one' > new; chmod 600 new; ${again}`)).toMatchObject({ exit: 0, stderr: '' });
      const old = 'chmod 700 run/pawl; mv old.db .local/share/pawl/alice.db; pawl -i alice inspect';
      expect(await run(old, elsewhere)).toMatchObject({ exit: 77 });
      expect(await run(UNLOCK, elsewhere)).toMatchObject({ exit: 0 });
      expect(await run('pawl lock')).toMatchObject({ exit: 0, stderr: 'pawl: locked: 1 identity\n' });
      expect(await run('pawl -i alice inspect', elsewhere)).toMatchObject({ exit: 77 });
    }),
  );

  it('passwd asks for the present one: who comes to an unlocked machine cannot lock its owner out', () =>
    unlockable(async (home, run) => {
      await run(UNLOCK);
      const before = home.identities();
      const change = 'pawl -i alice passwd --new-key-file taken.key';
      expect(await run(change)).toMatchObject({ exit: 77, stderr: expect.stringContaining('no terminal') });
      expect(home.identities()).toEqual(before);
    }));

  it('is asked for once a file was restored', () =>
    unlockable(async (home, run) => {
      await run(UNLOCK);
      expect(await run('pawl -i alice backup copy && rm .local/share/pawl/alice.db')).toMatchObject({ exit: 0 });
      expect(await run('pawl restore copy')).toMatchObject({ exit: 0 });
      expect(socketsOf(home)).toEqual([]);
      expect(await run('pawl -i alice inspect')).toMatchObject({ exit: 77 });
    }));
});

describe('what is wrong with an agent is a question, and no error', () => {
  it('where it was killed, and its socket was left', () =>
    unlockable(async (home, run) => {
      await run(`ln -s "$(command -v pawl)" own; ${UNLOCK.replace('pawl', './own')}`);
      for (const pid of agentsOf(home)) process.kill(Number(pid), 'SIGKILL');
      expect(socketsOf(home)).toHaveLength(1);
      const terminal = onTerminal(home, 'pawl -i alice contacts');
      await terminal.shows('passphrase of');
      terminal.type(`${WORDS}\r`);
      expect(await terminal.exit).toBe(0);
      // What is left is in nobody's way.
      expect(await run(UNLOCK)).toMatchObject({ exit: 0 });
      expect(await run('pawl -i alice inspect')).toMatchObject({ exit: 0 });
    }));

  it('where it does not answer; lock says so, and has it found by nobody', () =>
    unlockable(async (home, run) => {
      await run(`ln -s "$(command -v pawl)" own; ${UNLOCK.replace('pawl', './own')}`);
      const [agent = ''] = agentsOf(home);
      process.kill(Number(agent), 'SIGSTOP');
      try {
        expect(await run('pawl -i alice inspect')).toMatchObject({ exit: 77 });
        expect(await run('pawl lock')).toMatchObject({
          exit: 75,
          stderr: expect.stringMatching(/^pawl: 1 process has a key and does not answer: /),
        });
        expect(socketsOf(home)).toEqual([]);
      } finally {
        process.kill(Number(agent), 'SIGKILL');
      }
    }));

  it('where it has another key: that one is tried, and changes nothing', () =>
    unlockable(async (home, run) => {
      mkdirSync(home.path('run/pawl'), { mode: 0o700 });
      const path = home.path(`run/pawl/${Buffer.from(readSalt(home.identity('alice'))).toString('hex')}`);
      const asked: string[] = [];
      const server = createServer((connection) => {
        connection.on('error', () => undefined);
        connection.once('data', (request) => {
          asked.push(request.toString('latin1', 0, 13));
          connection.end(Buffer.concat([Buffer.from('pawl-agent/1'), Buffer.alloc(32, 7)]));
        });
      });
      await new Promise<void>((resolve) => server.listen(path, resolve));
      try {
        const before = home.identities();
        const terminal = onTerminal(home, 'pawl -i alice contacts');
        await terminal.shows('passphrase of');
        terminal.type(`${WORDS}\r`);
        expect(await terminal.exit).toBe(0);
        // Without a terminal it is the missing passphrase that is told.
        expect(await run('pawl -i alice inspect')).toMatchObject({
          exit: 77,
          stderr: expect.stringContaining('no terminal'),
        });
        expect(asked).toEqual(['pawl-agent/1\x01', 'pawl-agent/1\x01']);
        // What no person has asked for leaves its time alone.
        await run('pawl complete -- -i alice send ""; pawl -i alice');
        expect(asked.slice(2)).toEqual(['pawl-agent/1\x03', 'pawl-agent/1\x03', 'pawl-agent/1\x03']);
        expect(home.identities()).toEqual(before);
      } finally {
        server.close();
      }
    }));

  it('where others take all that it has to give: lock does not say that nothing was unlocked', () =>
    unlockable(async (home, run) => {
      await run(UNLOCK);
      const [socket = ''] = socketsOf(home);
      const idle = await Promise.all(
        Array.from({ length: 40 }, () => {
          const connection = createConnection(socket).on('error', () => undefined);
          return once(connection, 'connect').then(() => connection);
        }),
      );
      expect(await run('pawl lock')).toMatchObject({ exit: 75, stderr: expect.stringContaining('does not answer') });
      for (const connection of idle) connection.destroy();
      expect(await run('pawl -i alice inspect')).toMatchObject({ exit: 77 });
    }));

  it('where others can get into its folder; unlock and lock refuse that, and lock ends what is there', () =>
    unlockable(async (home, run) => {
      await run(UNLOCK);
      chmodSync(home.path('run/pawl'), 0o755);
      const refused = { exit: 77, stderr: expect.stringMatching(/others can get into it\nhint: chmod 700 /) };
      expect(await run('pawl -i alice inspect')).toMatchObject({
        exit: 77,
        stderr: expect.stringContaining('is locked'),
      });
      expect(await run(UNLOCK)).toMatchObject(refused);
      expect(await run('pawl lock')).toMatchObject(refused);
      expect(socketsOf(home)).toEqual([]);
    }));

  it('where its folder is a link; unlock refuses that', () =>
    unlockable(async (home, run) => {
      mkdirSync(home.path('elsewhere'), { mode: 0o700 });
      symlinkSync(home.path('elsewhere'), home.path('run/pawl'));
      expect(await run(UNLOCK)).toMatchObject({
        exit: 77,
        stderr: expect.stringContaining('it is a link, or no folder'),
      });
      expect(readdirSync(home.path('elsewhere'))).toEqual([]);
    }));

  it('where the path of its socket would be too long; unlock says so', () =>
    unlockable(async (home, run) => {
      const long = home.path('r'.repeat(90));
      mkdirSync(long, { mode: 0o700 });
      const refused = await run(UNLOCK, { XDG_RUNTIME_DIR: long });
      expect(refused).toMatchObject({ exit: 73, stderr: expect.stringContaining('longer than 103 bytes') });
      expect(await run('pawl -i alice inspect', { XDG_RUNTIME_DIR: long })).toMatchObject({ exit: 77 });
      expect(await run('pawl lock', { XDG_RUNTIME_DIR: long })).toMatchObject({ exit: 0 });
    }));
});

describe.runIf(process.platform === 'linux')('the process that has the key', () => {
  it('shows it nowhere, and has nothing of who started it', () =>
    unlockable(async (home, run) => {
      await run('ln -s "$(command -v pawl)" own');
      const planted = { PLANTED: 'a secret of the shell', PAWL_PASSPHRASE: WORDS };
      // The descriptor would keep a lock, or a pipe, for hours.
      const { exit } = await run('exec 7< words; ./own -i alice unlock', planted);
      expect(exit).toBe(0);
      const [pid, ...others] = agentsOf(home);
      expect(others).toEqual([]);
      const key = await deriveFileKey(Buffer.from(WORDS), readSalt(home.identity('alice')));
      const needles = [...needlesOf(Buffer.from(key)), ...needlesOf(Buffer.from(WORDS))];
      const of = (name: string) => readFileSync(`/proc/${pid}/${name}`);
      for (const name of ['cmdline', 'environ', 'comm', 'status', 'limits']) {
        expect(found(needles, of(name)), name).toEqual([]);
      }
      for (const file of home.files().filter((name) => statSync(name).isFile() && !name.endsWith('/words'))) {
        expect(found(needles, readFileSync(file)), file).toEqual([]);
      }
      expect(of('environ').toString()).not.toMatch(/PLANTED|PAWL/);
      expect(of('limits').toString()).toMatch(/^Max core file size +0 /m);
      expect(of('status').toString()).toMatch(/^Umask:\t0077$/m);
      const links = spawnSync('ls', ['-l', `/proc/${pid}/fd`, `/proc/${pid}/cwd`]).stdout.toString();
      expect(links).not.toContain(home.folder);
      // It is told to end, as when the machine is shut down, and leaves nothing.
      process.kill(Number(pid), 'SIGTERM');
      await run(`timeout 60 tail --pid=${pid} -f /dev/null`);
      expect(socketsOf(home)).toEqual([]);
    }));

  it.runIf(process.getuid?.() === 0)('is none of root where another user is logged in', () =>
    unlockable(async (home, run) => {
      chownSync(home.path('run'), NOBODY, NOBODY);
      expect(await run(UNLOCK)).toMatchObject({
        exit: 73,
        stderr: expect.stringContaining('root makes no folders in the home of another user'),
      });
      expect(readdirSync(home.path('run'))).toEqual([]);
      expect(await run('pawl lock')).toMatchObject({ exit: 0 });
      expect(await run('pawl -i alice inspect')).toMatchObject({ exit: 77 });
    }),
  );

  it.runIf(process.getuid?.() === 0)('is out of the reach of other users', () =>
    unlockable(async (home, run) => {
      await run(UNLOCK);
      const [socket = ''] = socketsOf(home);
      // They get through all folders above it.
      spawnSync('chmod', ['711', home.folder, home.path('run')]);
      const connect = `require('net').connect(${JSON.stringify(socket)})
        .on('connect', () => process.exit(0)).on('error', ({ code }) => { console.log(code); process.exit(1); })`;
      const as = (uid: number) => spawnSync(process.execPath, ['-e', connect], { uid, gid: uid, cwd: '/' });
      expect(as(0).status).toBe(0);
      expect(as(NOBODY)).toMatchObject({ status: 1, stdout: Buffer.from('EACCES\n') });
      // Nor are they where the folder alone is opened, as by a mistake.
      spawnSync('chmod', ['711', home.path('run/pawl')]);
      expect(as(NOBODY)).toMatchObject({ status: 1, stdout: Buffer.from('EACCES\n') });
    }),
  );

  it('is not started by hand', () =>
    unlockable(async (_, run) => {
      expect(await run('pawl agent < words')).toMatchObject({
        exit: 64,
        stderr: 'error: this is started by pawl itself, and is given a key on standard input\nhint: pawl unlock\n',
      });
    }));
});
