import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { acquaint, CollectedOutput, Person, temporaryFolder } from './fake-io.ts';
import { inHome } from './shell.ts';

// `-` is standard input or output wherever a file is named.

/** An input that knows whether it was read. */
function watched(bytes: Uint8Array = Buffer.from('correct horse\n')) {
  const input = { isTerminal: false, wasRead: false, chunks: chunks() };
  async function* chunks() {
    input.wasRead = true;
    yield bytes;
  }
  return input;
}

describe('as an input', () => {
  it('of which there is nothing to read, it is called standard input', async () => {
    const alice = await Person.named('alice');
    for (const command of [
      ['recv', '-'],
      ['add', 'bob', '-'],
      ['inspect', '--envelope', '-'],
    ]) {
      const { errors, exit } = await alice.run(command);
      expect([errors, exit]).toEqual([expect.stringContaining('there is nothing to read in standard input\n'), 66]);
    }
  });

  it('of restore, it is refused: the database needs a file', async () => {
    const alice = await Person.named('alice');
    expect(await alice.refusal(['restore', '-'])).toBe('usage 64');
  });
});

describe('as an output', () => {
  it.each([
    ['send', ['send', 'bob', '-m', 'hi', '-o', '-']],
    ['invite', ['invite', 'carol', '-o', '-']],
    ['recv', ['recv', '-o', '-']],
  ])('of %s, it is as if there were no -o', async (command, parameters) => {
    const { alice, bob } = await acquaint();
    const input = command === 'recv' ? await bob.send('alice', 'hi') : undefined;
    const { bytes } = await alice.pawl(parameters, input);
    expect(await alice.refusal([...parameters, '--force'])).toBe('usage 64');
    expect(bytes.length).toBeGreaterThan(0);
    expect(readdirSync('.')).not.toContain('-');
    if (command === 'send') expect(await bob.recv(bytes)).toBe('hi');
    if (command === 'recv') expect(Buffer.from(bytes).toString()).toBe('hi');
    if (command === 'invite') await bob.add('carol', bytes);
  });

  it('of inspect --svg, it is the picture alone, and with --json the page is on standard error', async () => {
    const { alice } = await acquaint();
    const file = join(temporaryFolder(), 'picture');
    await alice.pawl(['inspect', 'bob', '--svg', file]);
    const { text, errors } = await alice.pawl(['inspect', 'bob', '--svg', '-']);
    expect(text).toBe(readFileSync(file, 'utf8'));
    expect(errors).toBe('');
    const json = await alice.pawl(['inspect', 'bob', '--svg', '-', '--json']);
    expect(json.text).toBe(text);
    expect(JSON.parse(json.errors)).toMatchObject({ type: 'session', contact: 'bob' });
    expect(await alice.refusal(['inspect', 'bob', '--svg', '-', '--force'])).toBe('usage 64');
  });

  it('of backup, it is a whole copy, and no other is left anywhere', async () => {
    const { alice } = await acquaint();
    const before = readdirSync(alice.folder).sort();
    const { bytes, errors } = await alice.pawl(['backup', '-']);
    expect(errors).toBe('');
    expect(readdirSync(alice.folder).sort()).toEqual(before);
    const home = temporaryFolder();
    writeFileSync(join(home, 'alice.db'), bytes, { mode: 0o600 });
    expect((await alice.pawl(['--home', home, 'inspect', '--check'])).text).toMatch(/: ok\n$/);
    expect((await alice.pawl(['--home', home, 'contacts'])).text).toContain('bob');
    const json = await alice.pawl(['backup', '-', '--json']);
    expect(json.bytes).toEqual(bytes);
    expect(JSON.parse(json.errors)).toEqual({ v: 1, type: 'backup', path: '-' });
  });

  it('of backup, it holds what others commit afterwards no more than a file does', async () => {
    const { alice, bob } = await acquaint();
    const held = alice.openFile();
    held.exec("BEGIN IMMEDIATE; UPDATE contacts SET name = 'robert'");
    const { bytes } = await alice.pawl(['backup', '-']);
    held.exec('COMMIT');
    held.close();
    const home = temporaryFolder();
    writeFileSync(join(home, 'alice.db'), bytes, { mode: 0o600 });
    expect((await alice.pawl(['--home', home, 'contacts', '-q'])).text).toContain('bob');
    expect((await bob.pawl(['inspect'])).exit).toBe(0);
  });

  it('of backup, it is refused for a file that is damaged', async () => {
    const { alice } = await acquaint();
    const path = join(alice.folder, 'alice.db');
    const whole = readFileSync(path);
    let damaged = 0;
    for (let page = 1; page < whole.length / 4096; page++) {
      writeFileSync(path, Buffer.from(whole).fill(0x55, 4096 * page + 100, 4096 * page + 110));
      const { exit, bytes } = await alice.run(['backup', '-']);
      // A free page is read by nobody.
      const isDamaged = (await alice.run(['inspect', '--check'])).exit !== 0;
      expect([page, exit, bytes.length > 0]).toEqual([page, isDamaged ? 74 : 0, !isDamaged]);
      damaged += isDamaged ? 1 : 0;
    }
    expect(damaged).toBeGreaterThan(10);
  });

  it('of backup, it is refused where it is a terminal', async () => {
    const { alice } = await acquaint();
    const { exit, errors, text } = await alice.onTerminal(['backup', '-'], undefined);
    expect([exit, text]).toEqual([64, '']);
    expect(errors).toMatch(/^error: bytes are not written to a terminal\nhint: pawl backup FILE, or through a pipe/);
  });

  it('of backup, a path that leads to an open file is written to, and a file that is there stays', () =>
    inHome(async (home) => {
      await home.prepare('pawl init alice; pawl backup copy.db');
      for (const command of [
        'pawl backup /dev/stdout > 1.db',
        'ln -s /proc/self/fd/1 link; pawl backup link > 2.db; test -L link',
        'pawl backup >(cat > 3.db); while [ ! -s 3.db ]; do :; done',
        'pawl backup /dev/fd/7 7> 4.db',
        'pawl backup - > 5.db',
      ]) {
        await home.prepare(command);
      }
      for (const name of ['1.db', '2.db', '4.db', '5.db']) {
        expect(home.read(name).equals(home.read('.local/share/pawl/alice.db')), name).toBe(true);
      }
      expect((await home.run('pawl backup copy.db')).exit).toBe(73);
    }));
});

describe('as a key', () => {
  it('opens an identity, makes one, and locks one', async () => {
    const alice = await Person.named('alice');
    const key = readFileSync(join(alice.folder, 'key'));
    const run = (line: string, input: Uint8Array) =>
      alice.run([], undefined, { arguments: ['--home', alice.folder, ...line.split(' ')], input: watched(input) });
    expect((await run('inspect --key-file -', key)).text).toContain('alice');
    expect((await run('inspect --key-file -', key.subarray(1))).errors).toMatch(
      /standard input is not a key file: .*31 bytes/,
    );
    expect((await run('inspect --passphrase-file -', Buffer.from('a\nb\n'))).errors).toMatch(
      /one line in standard input/,
    );
    const lock = `passwd --key-file ${join(alice.folder, 'key')} --new-passphrase-file -`;
    expect((await run(lock, Buffer.from('correct horse\n'))).exit).toBe(0);
    expect((await run('inspect --passphrase-file -', Buffer.from('correct horse'))).text).toContain('alice');
    const made = await run('init zoe --key-file -', Buffer.alloc(32, 7));
    expect([made.exit, made.errors.includes('uses the key file')]).toEqual([0, false]);
    expect((await run('-i zoe inspect --key-file -', Buffer.alloc(32, 7))).text).toContain('zoe');
    expect(readdirSync(alice.folder).sort()).toEqual(['.local', 'alice.db', 'key', 'zoe.db']);
  });

  it.each(['--key-file -', '--passphrase-file -', '--passphrase-fd 0'])(
    'is refused before anything is read where the command reads standard input itself: %s',
    async (source) => {
      const { alice } = await acquaint();
      for (const line of [
        'send bob',
        'send bob -',
        'send bob --lines',
        'recv',
        'recv -',
        'recv some - others',
        'add carol',
        'add carol -',
        'passwd --new-passphrase-file -',
      ]) {
        const input = watched();
        const { exit, errors } = await alice.run([], undefined, {
          arguments: ['--home', alice.folder, ...source.split(' '), ...line.split(' ')],
          input,
        });
        expect([exit, input.wasRead], line).toEqual([64, false]);
        expect(errors, line).toMatch(/^error: the .* and the passphrase or key cannot both come from standard input\n/);
      }
    },
  );

  it('may be named in the environment as well', async () => {
    const { alice } = await acquaint();
    for (const environment of [{ PAWL_KEY_FILE: '-' }, { PAWL_PASSPHRASE_FILE: '-' }, { PAWL_PASSPHRASE_FD: '0' }]) {
      const input = watched();
      const { exit } = await alice.run([], undefined, {
        arguments: ['--home', alice.folder, 'recv'],
        environment,
        input,
      });
      expect([exit, input.wasRead]).toEqual([64, false]);
    }
  });

  it('leaves standard input to a command that needs no key, or no input', async () => {
    const { alice, bob } = await acquaint();
    const envelope = await bob.send('alice', 'hi');
    const file = join(alice.folder, 'message');
    writeFileSync(file, envelope);
    const key = readFileSync(join(alice.folder, 'key'));
    const run = (line: string, input: Uint8Array) =>
      alice.run([], undefined, {
        arguments: ['--home', alice.folder, '--key-file', '-', ...line.split(' ')],
        input: watched(input),
      });
    expect((await run('inspect --envelope -', envelope)).text).toMatch(/message/);
    expect((await run(`recv ${file}`, key)).text).toBe('hi');
    expect((await run('recv --waiting', key)).exit).toBe(0);
    expect(await bob.recv((await run('send bob -m back', key)).bytes)).toBe('back');
  });

  it('is not read while names are completed', async () => {
    const { alice } = await acquaint();
    const input = watched();
    await alice.run([], undefined, {
      arguments: ['--home', alice.folder, 'complete', '--key-file', '-', 'send', ''],
      input,
    });
    await alice.run([], undefined, { arguments: ['--home', alice.folder, '--key-file', '-'], input });
    expect(input.wasRead).toBe(false);
  });

  it('is not typed where it would be seen', async () => {
    const alice = await Person.named('alice');
    for (const option of ['--key-file', '--passphrase-file']) {
      const input = { ...watched(), isTerminal: true };
      const { exit, errors } = await alice.run([], undefined, {
        arguments: ['--home', alice.folder, 'inspect', option, '-'],
        output: new CollectedOutput(true),
        input,
      });
      expect([exit, input.wasRead]).toEqual([64, false]);
      expect(errors).toMatch(/where it would be shown\nhint: leave the option out/);
    }
  });

  it('is none for a key file that is to be made', async () => {
    const alice = await Person.named('alice');
    expect(await alice.refusal(['passwd', '--new-key-file', '-'])).toBe('usage 64');
    expect(await alice.refusal(['passwd', '--new-key-file', 'a', '--new-passphrase-file', 'b'])).toBe('usage 64');
  });
});
