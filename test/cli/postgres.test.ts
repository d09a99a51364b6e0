import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { noServer, PostgresServer } from '../storage/postgres/server.ts';
import { PseudoTerminal } from './pseudo-terminal.ts';
import { expectValid } from './schemas.ts';
import { type Home, inHome, type Result } from './shell.ts';

// The built program, on identities in a database: everything as with a file.

describe.skipIf(noServer !== undefined)('an identity in a PostgreSQL database', () => {
  let server: PostgresServer;
  beforeAll(() => {
    server = new PostgresServer();
  });
  afterAll(() => server.remove());

  /** Makes an empty database. @returns its URL, which is what messages call it as well. */
  const database = (on = server): string => on.database().uri;

  /** Runs `work` in a home whose identities are in an empty database. */
  const inDatabase = (work: (run: Run, home: Home, url: string) => Promise<void>) =>
    inHome((home) => {
      const url = database();
      const run: Run = (command, environment = {}) =>
        home.run(command, { environment: { PAWL_HOME: url, ...environment } });
      return work(run, home, url);
    });

  it('is made, found and shown as one in a file, by --home and by PAWL_HOME', () =>
    inDatabase(async (run, home, url) => {
      const made = await run('pawl init bot');
      expect(made).toMatchObject({ exit: 0, stderr: expect.stringContaining('without this database') });
      const [where, fingerprint] = made.stdout.toString().split('\n');
      expect(where).toBe(`bot in ${url}`);
      expect(home.files().filter((file) => file.endsWith('.db'))).toEqual([]);
      expect((await run('pawl inspect')).stdout.toString()).toMatch(
        new RegExp(
          `^identity     bot\\nfingerprint  ${fingerprint?.slice(-32)}\\ndatabase     postgres:.* \\(schema \\d+\\)\\n`,
        ),
      );
      const given = await home.run(`pawl --home '${url}' inspect --json`);
      const document = JSON.parse(given.stdout.toString());
      expectValid(document);
      expect([document.name, document.path]).toEqual(['bot', url]);
      expect(given.stderr).toBe('');
      expectValid(JSON.parse((await run('pawl init carol --json')).stdout.toString()));
    }));

  it('says once what a standby that is not waited for can lose', () =>
    inDatabase(async (run) => {
      expect((await run('pawl init bot')).stderr.match(/synchronous_standby_names/g)).toHaveLength(1);
      expect((await run('pawl invite alice')).stderr).not.toContain('synchronous_standby_names');
    }));

  it('says nothing of that where a standby is waited for, and says it where it is moved away from there', () =>
    inDatabase(async (run, home, url) => {
      const primary = new PostgresServer();
      onTestFinished(() => primary.remove());
      const waited = database(primary);
      primary.standby();
      primary.sql("ALTER SYSTEM SET synchronous_standby_names = '*'");
      primary.sql('SELECT pg_reload_conf()');
      await vi.waitFor(() => expect(primary.sql('SELECT sync_state FROM pg_stat_replication').trim()).toBe('sync'));
      const made = await home.run(`pawl --home '${waited}' init bot`);
      expect(made).toMatchObject({ exit: 0, stderr: expect.not.stringContaining('synchronous_standby_names') });
      const away = await home.run(`pawl --home '${waited}' move --to '${url}'`);
      expect([away.exit, away.stderr.match(/synchronous_standby_names/g)?.length]).toEqual([0, 1]);
      const back = await run(`pawl move --to '${waited}'`);
      expect(back).toMatchObject({ exit: 0, stderr: expect.not.stringContaining('synchronous_standby_names') });
    }));

  it('converses with one in a file, both ways, by hand and by a route, with history', () =>
    inDatabase(async (run, home) => {
      const alice = (command: string) => `PAWL_HOME=$HOME/files ${command}`;
      const said = await run(`set -e
        pawl -q init bob --history 30d > /dev/null; ${alice('pawl -q init alice > /dev/null')}
        pawl -q invite alice | ${alice('pawl -q add bob > /dev/null')}
        ${alice("pawl -q send bob -m 'hi bob'")} | pawl -q recv --lines
        pawl -q send alice -m 'hi alice' | ${alice('pawl -q recv --lines')}
        mkdir shared; pawl -q route alice dir:shared > /dev/null; ${alice('pawl -q route bob dir:shared > /dev/null')}
        pawl -q send alice -m 'by the route'; ${alice('pawl -q recv --fetch --lines')}
        ${alice("pawl -q send bob -m 'and back'")}; pawl -q recv --fetch --lines
        pawl -q list ops alice > /dev/null; pawl -q send @ops -m 'to a list'; ${alice('pawl -q recv --fetch --lines')}`);
      expect(said).toMatchObject({ exit: 0, stderr: '' });
      expect(said.stdout.toString().split('\n').slice(0, -1)).toEqual([
        'hi bob',
        'hi alice',
        'by the route',
        'and back',
        'to a list',
      ]);
      const log = (await run('pawl log alice')).stdout.toString();
      expect(log.match(/^ {2}.*/gm)).toEqual(['  hi bob', '  hi alice', '  by the route', '  and back', '  to a list']);
      expect(home.files('files').map((file) => file.slice(home.folder.length))).toEqual(['/files/alice.db']);
    }));

  it('is one of several in a database, of which -i or PAWL_IDENTITY says which', () =>
    inDatabase(async (run, _, url) => {
      await run('pawl init alice; pawl init bob');
      const identityOf = async (command: string, environment?: Readonly<Record<string, string>>) =>
        (await run(`${command} | sed -n 's/^identity *//p'`, environment)).stdout.toString();
      expect(await identityOf('pawl -i bob inspect')).toBe('bob\n');
      expect(await identityOf('pawl inspect', { PAWL_IDENTITY: 'alice' })).toBe('alice\n');
      expect(endOf(await run('pawl inspect'))).toEqual([78, 'error: there are several identities: alice, bob']);
      expect(endOf(await run('pawl -i bub inspect'))).toEqual([78, `error: there is no identity bub in ${url}`]);
      expect((await run('pawl -i bub inspect')).stderr).toContain('did you mean bob?');
      expect((await run("pawl complete -- -i ''")).stdout.toString()).toBe('alice\nbob\n');
    }));

  it('completes contacts, and suggests a command, by what is in the database', () =>
    inDatabase(async (run) => {
      expect((await run('pawl')).stderr).toContain('make an identity first');
      await run('pawl init bob; pawl init alice; pawl -i alice invite bob | pawl -i bob add alice');
      expect((await run("pawl complete -- -i bob send ''")).stdout.toString()).toContain('alice\n');
      expect((await run('pawl', { PAWL_IDENTITY: 'bob' })).stderr).toContain('pawl send alice');
    }));

  it('opens with a passphrase, which names it when it is asked for, and is unlocked and locked', () =>
    inDatabase(async (run, home, url) => {
      home.write('words', 'correct horse battery staple\n');
      home.write('others', 'incorrect horse battery staple\n');
      const keyless: Run = (command) =>
        run(`unset PAWL_KEY_FILE; mkdir -pm 700 run; ${command}`, { XDG_RUNTIME_DIR: home.path('run') });
      await keyless('pawl init bot --passphrase-file words; pawl init carol --passphrase-file others');
      expect((await keyless('pawl -i bot contacts --passphrase-file words')).exit).toBe(0);
      expect(endOf(await keyless('pawl -i bot contacts --passphrase-file others'))).toEqual([
        77,
        `error: wrong passphrase or key for bot in ${url}, or its row is damaged: they look alike`,
      ]);
      expect(endOf(await keyless('pawl -i bot contacts'))).toEqual([
        77,
        `error: bot in ${url} is locked, and there is no terminal to ask for the passphrase on`,
      ]);
      try {
        expect((await keyless('pawl -i bot unlock --passphrase-file words')).exit).toBe(0);
        expect((await keyless('pawl -i bot contacts')).exit).toBe(0);
        // Another identity has another key, and locking it leaves this one alone.
        expect((await keyless('pawl -i carol contacts')).exit).toBe(77);
        expect((await keyless('pawl -i carol lock')).stderr).toBe('pawl: nothing was unlocked\n');
        expect((await keyless('pawl -i bot contacts')).exit).toBe(0);
      } finally {
        expect((await keyless('pawl -i bot lock')).stderr).toBe('pawl: locked: 1 identity\n');
      }
      expect((await keyless('pawl -i bot contacts')).exit).toBe(77);
    }));

  it('makes its key file with it, and none where there is such an identity already', () =>
    inDatabase(async (run, home) => {
      expect((await run('pawl init bot --key-file new.key')).exit).toBe(0);
      expect(home.read('new.key')).toHaveLength(32);
      expect((await run('pawl inspect --key-file new.key')).exit).toBe(0);
      expect((await run('pawl inspect')).exit).toBe(77);
      expect((await run('pawl init bot --key-file other.key')).exit).toBe(73);
      expect(existsSync(home.path('other.key'))).toBe(false);
    }));

  it('gets another key, is checked, and is backed up as an identity file', () =>
    inDatabase(async (run, home, url) => {
      await run('pawl init bob --key-file old.key; pawl --key-file old.key invite alice');
      const changed = await run('pawl passwd --key-file old.key --new-key-file new.key');
      expect([changed.exit, changed.stdout.toString()]).toEqual([0, `bob in ${url}\n`]);
      expect((await run('pawl contacts --key-file old.key')).exit).toBe(77);
      expect(endOf(await run('pawl passwd --key-file new.key --new-key-file new.key'))).toEqual([
        77,
        `error: bob in ${url} has this key already`,
      ]);
      expect(await run('pawl --key-file new.key inspect --check')).toMatchObject({
        exit: 0,
        stdout: Buffer.from(`bob in ${url}: ok\n`),
      });
      await run('pawl --key-file new.key backup bob.db; pawl --key-file new.key backup - > copy.db');
      for (const file of ['bob.db', 'copy.db']) {
        const restored = await home.run(`pawl --home from-${file} --key-file new.key restore ${file}`);
        expect([restored.exit, restored.stdout.toString()]).toEqual([0, `from-${file}/bob.db\n`]);
      }
    }));

  it('is moved into a database and back, with all that belongs to it', () =>
    inDatabase(async (run, home, url) => {
      const files = home.path('files');
      const inFiles = (command: string) => home.run(command, { environment: { PAWL_HOME: files } });
      await inFiles(`set -e; pawl -q init bob --history on > /dev/null; PAWL_HOME=$HOME/alice pawl -q init alice > /dev/null
        pawl -q invite alice | PAWL_HOME=$HOME/alice pawl -q add bob > /dev/null
        PAWL_HOME=$HOME/alice pawl -q send bob -m 'hi bob' | pawl -q recv > /dev/null; pawl -q send alice -m 'in a file' > one.pawl`);
      const moved = await inFiles(`pawl move --to '${url}' --json`);
      expect(moved.exit).toBe(0);
      const [document] = moved.stdout.toString().split('\n');
      expectValid(JSON.parse(document ?? ''));
      expect(JSON.parse(document ?? '')).toEqual({
        v: 1,
        type: 'moved',
        name: 'bob',
        from: `${files}/bob.db`,
        path: url,
      });
      expect(home.files('files')).toEqual([]);
      expect(endOf(await inFiles('pawl contacts'))[0]).toBe(78);
      expect((await run('pawl inspect --check')).exit).toBe(0);
      const more = await run("pawl -q send alice -m 'in a database' > two.pawl; pawl log alice");
      expect(more.stdout.toString().match(/^ {2}.*/gm)).toEqual(['  hi bob', '  in a file', '  in a database']);
      expect(more.stderr).not.toContain('this machine uses');

      const back = await run(`pawl move --to files`);
      expect([back.exit, back.stdout.toString()]).toEqual([0, `${files}/bob.db\n`]);
      expect(back.stderr).toContain(`bob in ${url} is deleted`);
      expect(endOf(await run('pawl contacts'))[0]).toBe(78);
      await inFiles("pawl -q send alice -m 'in a file again' > three.pawl");
      const read = await home.run('PAWL_HOME=$HOME/alice pawl -q recv --lines one.pawl two.pawl three.pawl');
      expect(read.stdout.toString()).toBe('in a file\nin a database\nin a file again\n');
      expect(read.stderr).toBe('');
    }));

  it('is moved from one database to another, and nothing of it is left', () =>
    inDatabase(async (run, home, url) => {
      const next = database();
      await run(`set -e; pawl -q init bob; PAWL_HOME=$HOME/alice pawl -q init alice
        pawl -q invite alice | PAWL_HOME=$HOME/alice pawl -q add bob
        PAWL_HOME=$HOME/alice pawl -q send bob -m 'hi bob' | pawl -q recv; pawl -q send alice -m 'before' > one.pawl`);
      const moved = await run(`pawl move --to '${next}'`);
      expect([moved.exit, moved.stdout.toString()]).toEqual([0, `bob in ${next}\n`]);
      expect(moved.stderr).toContain(`bob in ${url} is deleted`);
      const left = 'SELECT (SELECT count(*) FROM pawl.identities) + (SELECT count(*) FROM pawl.rows)';
      expect(server.sql(left, nameIn(url)).trim()).toBe('0');
      expect(endOf(await run('pawl contacts'))).toEqual([78, `error: there is no identity in ${url}`]);
      const there = { PAWL_HOME: next };
      expect((await run('pawl inspect --check', there)).exit).toBe(0);
      const sent = await run("pawl -q send alice -m 'after' > two.pawl", there);
      expect(sent).toMatchObject({ exit: 0, stderr: '' });
      const read = await home.run('PAWL_HOME=$HOME/alice pawl -q recv --lines one.pawl two.pawl');
      expect([read.stdout.toString(), read.stderr]).toEqual(['before\nafter\n', '']);
    }));

  it('is not moved over another, and goes on where it was when its owner says so', () =>
    inDatabase(async (run, home, url) => {
      await home.run(`pawl -q --home files init bob; pawl -q --home '${url}' init bob`);
      expect(endOf(await home.run(`pawl --home files move --to '${url}'`))[0]).toBe(73);
      expect((await home.run('pawl --home files invite alice -o a.txt')).exit).toBe(0);
      // A folder that cannot be made: it does not leave.
      home.write('full', '');
      expect((await run('pawl move --to full/folder')).exit).toBe(73);
      expect((await run('pawl invite dave -o d.txt')).exit).toBe(0);
      // A place that cannot be written to.
      await home.run('mkdir taken; ln -s nowhere taken/bob.db');
      expect((await run('pawl move --to taken')).exit).not.toBe(0);
      const refused = await run('pawl invite alice -o b.txt');
      expect(endOf(refused)).toEqual([
        75,
        `error: the identity in ${url} is being moved to ${home.path('taken')}, and may be in use there already`,
      ]);
      expect(refused.stderr).toContain(`go on: pawl -i bob --home '${url}' move --to ${home.path('taken')};`);
      expect((await run('pawl inspect')).exit).toBe(0);
      expect(endOf(await run('pawl move --to elsewhere'))[0]).toBe(75);
      expect((await run('pawl --after-restore inspect')).exit).toBe(0);
      expect((await run('pawl invite alice -o b.txt')).exit).toBe(0);
    }));

  it('is restored from a backup, with every conversation held', () =>
    inDatabase(async (run, home, url) => {
      await home.run(`set -e; export PAWL_HOME=files; pawl -q init bob > /dev/null; PAWL_HOME=alice pawl -q init alice > /dev/null
        pawl -q invite alice | PAWL_HOME=alice pawl -q add bob > /dev/null
        PAWL_HOME=alice pawl -q send bob -m 'hi bob' | pawl -q recv > /dev/null; pawl -q backup bob.db`);
      const restored = await run('pawl restore bob.db');
      expect([restored.exit, restored.stdout.toString()]).toEqual([0, `bob in ${url}\n`]);
      expect(restored.stderr).toContain('nothing is sent to alice');
      expect((await run('pawl send alice -m hi')).exit).not.toBe(0);
      expect((await run('pawl inspect --check')).exit).toBe(0);
      expect(endOf(await run('pawl restore bob.db'))[0]).toBe(73);
    }));

  it('that was changed by somebody without the key is refused, and never as a bug', () =>
    inDatabase(async (run, _, url) => {
      await run('pawl init bob; pawl invite alice');
      server.sql('UPDATE pawl.rows SET record = set_byte(record, 40, 255 - get_byte(record, 40))', nameIn(url));
      const checked = await run('pawl inspect --check');
      expect(checked.exit).toBe(74);
      expect(checked.stdout.toString()).toMatch(/: damaged\n/);
      expect(endOf(await run('pawl inspect'))).toEqual([
        74,
        `error: rows in ${url} are damaged, or were changed by somebody without the key`,
      ]);
    }));

  it('is joined by another machine with a notice, once, and by completion without one', () =>
    inDatabase(async (run, _, url) => {
      await run('pawl init bob; pawl invite alice');
      const elsewhere = (command: string) => run(`export XDG_STATE_HOME=$HOME/elsewhere; ${command}`);
      expect((await elsewhere("pawl complete -- forget ''")).exit).toBe(0);
      expect((await elsewhere('pawl contacts --json')).stderr.split('\n')[0]).toContain(
        `this machine uses bob in ${url} from now on`,
      );
      expect((await elsewhere('pawl invite carol -o carol.txt')).stderr).not.toContain('this machine');
      expect((await run('pawl invite dave -o dave.txt')).stderr).not.toContain('this machine');
    }));

  it('ends as a file does where something is wrong', () =>
    inDatabase(async (run, home, url) => {
      const empty = [78, `error: there is no identity in ${url}`];
      expect(endOf(await run('pawl inspect'))).toEqual(empty);
      await run('pawl -q init bot; pawl -q invite alice > invite.txt');
      await home.run('pawl -q --home files init bot; pawl --home files -q invite alice > invite2.txt');
      for (const [command, exit] of [
        ['pawl send nobody -m hi', 67],
        ['pawl add me invite.txt', 65],
        ['pawl recv invite.txt', 65],
        ['pawl outbox resend 7', 66],
        ['pawl rename a b', 67],
        ['pawl verify alice', 67],
        ['pawl log', 0],
        ['pawl init BOT', 64],
        ['pawl contacts --key-file invite.txt', 77],
        ['pawl list ops nobody', 67],
        ['pawl lock', 0],
      ] as const) {
        const inFile = await home.run(
          command.replace('pawl', 'pawl --home files').replace('invite.txt', 'invite2.txt'),
        );
        const inDb = await run(command);
        expect([command, inFile.exit, inDb.exit]).toEqual([command, exit, exit]);
      }
    }));

  it('says on a terminal that others who use the identity are waited for', () =>
    inDatabase(async (run, home, url) => {
      await run('pawl -q init bot');
      const { host, port, user } = server.address;
      const other = new Client({ host, port, user, database: nameIn(url), password: '' });
      await other.connect();
      try {
        await other.query('BEGIN; SELECT FROM pawl.identities FOR UPDATE');
        const environment = { ...home.environment, PAWL_HOME: url, TERM: 'xterm' };
        const terminal = new PseudoTerminal(['pawl', 'invite', 'alice', '-o', 'invite'], {
          folder: home.folder,
          environment,
          columns: 200,
        });
        await terminal.shows(`pawl: waiting for ${url} ...`);
        expect(home.files().filter((file) => file.endsWith('invite'))).toEqual([]);
        await other.query('ROLLBACK');
        expect(await terminal.exit).toBe(0);
        expect(terminal.shown.split('\r\x1b[K').at(-1)).not.toContain('waiting');
      } finally {
        await other.end();
      }
    }));

  it('is told where no server answers, at once where nobody has asked', () =>
    inHome(async (home) => {
      // Takes connections, and says nothing. What somebody has asked for waits for 15 s, and all else for 2.
      const seconds: number[] = [];
      const silent = createServer((socket) => {
        const begun = performance.now();
        socket.resume().on('close', () => seconds.push((performance.now() - begun) / 1_000));
      });
      await new Promise<void>((listening) => silent.listen(home.path('.s.PGSQL.5432'), listening));
      try {
        const url = `postgres://owner@/db?host=${encodeURIComponent(home.folder)}`;
        for (const [command, error] of [
          ["pawl complete -- send ''", ''],
          ["pawl complete -- -i ''", ''],
          ['pawl', 'error: no command was given\nhint: pawl help lists the commands\n'],
        ] as const) {
          const { stdout, stderr } = await home.run(command, { environment: { PAWL_HOME: url } });
          expect([command, stdout.toString(), stderr]).toEqual([command, '', error]);
          await vi.waitFor(() => expect(seconds.length).toBeGreaterThan(0));
          expect(Math.max(...seconds.splice(0)), command).toBeLessThan(10);
        }
      } finally {
        silent.close();
      }
      const nobody = `postgres://owner:secret@/db?host=${encodeURIComponent(home.path('nowhere'))}`;
      const refused = await home.run('pawl contacts', { environment: { PAWL_HOME: nobody } });
      expect(refused.exit).toBe(74);
      expect(refused.stderr).toMatch(
        /^error: postgres:\/\/owner@\/db\?host=\S* cannot be reached: there is no socket of a server there\n/,
      );
      expect(refused.stderr).not.toContain('secret');
    }));

  it('takes a password from PAWL_HOME, and not from an argument, and never shows it', () =>
    inDatabase(async (run, home, url) => {
      const withPassword = url.replace('owner@', 'owner:open-sesame@');
      const fromEnvironment = await run('pawl init bot', { PAWL_HOME: withPassword });
      expect(fromEnvironment.exit).toBe(0);
      const inCapitals = await run('pawl contacts', { PAWL_HOME: withPassword.replace('postgres:', 'POSTGRES:') });
      expect(inCapitals.exit).toBe(0);
      const fromArgument = await home.run(`pawl --home '${withPassword}' contacts`);
      expect(fromArgument.exit).toBe(64);
      const inCommand = await run(
        `pawl -q init alice > /dev/null; pawl -q -i alice invite bot | pawl -q -i bot add alice > /dev/null
         pawl -q -i bot send alice -m hi | pawl -q -i alice recv > /dev/null
         mkdir shared; pawl -q -i alice route bot dir:shared; pawl -q -i bot route alice dir:shared
         pawl -q -i alice send bot -m ho
         pawl -q -i bot recv --fetch --exec 'pawl -q send alice -m "$(cat), too"'
         pawl -q -i alice recv --fetch --lines`,
        { PAWL_HOME: withPassword },
      );
      expect(inCommand.stdout.toString()).toMatch(/^ho, too\n/m);
      const shown = [
        fromEnvironment,
        fromArgument,
        inCapitals,
        inCommand,
        await run('pawl --json inspect', { PAWL_HOME: withPassword }),
      ];
      for (const { stdout, stderr } of shown) expect(`${stdout}${stderr}`).not.toContain('open-sesame');
    }));
});

/** The name of a database. */
function nameIn(url: string): string {
  return /@\/(\w+)\?/.exec(url)?.[1] ?? expect.fail(url);
}

type Run = (command: string, environment?: Readonly<Record<string, string>>) => Promise<Result>;

/** The exit code, and the error. */
function endOf({ exit, stderr }: Result): readonly [number, string | undefined] {
  return [exit, stderr.split('\n').find((line) => line.startsWith('error: '))];
}
