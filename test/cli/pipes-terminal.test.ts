import { randomBytes } from 'node:crypto';
import { existsSync, lstatSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Home, meet, type Result } from './shell.ts';

/** More than a pipe holds (64 KiB): whoever writes this has to wait for a reader. */
const LARGE = Buffer.from(randomBytes(150_000).toString('base64'));

/** Alice and bob, who have met; `message` is from alice, and large. */
let people: Home;

beforeAll(async () => {
  people = Home.create();
  await meet(people);
  await people.prepare('pawl -q -i alice send bob > message', { input: LARGE });
}, 180_000);

/** Cleared up at the end, as the tests run side by side. */
const homes: Home[] = [];

afterAll(() => {
  for (const home of [people, ...homes]) home.remove();
});

function begin(): Home {
  const home = people.copy();
  homes.push(home);
  return home;
}

/** Texts that wait to be delivered, and envelopes that wait to be written. */
async function waiting(
  home: Home,
  name: string,
): Promise<{ inbox: object[]; outbox: { to: string; bytes: number }[] }> {
  return JSON.parse((await home.prepare(`pawl -i ${name} inspect --json`)).stdout.toString());
}

/** What bob has is there once more, whole, and then no more. */
async function expectDelivery(home: Home, text: Uint8Array = LARGE): Promise<void> {
  expect((await waiting(home, 'bob')).inbox).toHaveLength(1);
  const { stdout } = await home.prepare('pawl -i bob recv < /dev/null');
  expect(stdout.equals(text)).toBe(true);
  expect((await home.run('pawl -i bob recv < /dev/null')).exit).toBe(66);
}

/** One envelope of alice's is kept, and the conversation goes on. */
async function expectKept(home: Home): Promise<void> {
  expect((await waiting(home, 'alice')).outbox).toMatchObject([{ to: 'bob' }]);
  const { stdout } = await home.prepare(`pawl -q -i alice send bob -m 'the next' | pawl -i bob recv`);
  expect(stdout.toString()).toBe('the next');
}

function expectError(result: Result, exit: number, message: string): void {
  expect(result.exit).toBe(exit);
  expect(result.stderr).toMatch(/^error: [^\n]+\nhint: [^\n]+\n$/);
  expect(result.stderr).toContain(message);
}

const CLOSED = 'the output was closed before everything was written';
const FULL = 'no space left on device';

describe.concurrent('a reader that goes away', () => {
  it.each(['head -c 1', 'true', 'exec 0<&-'])('loses no text: pawl recv | %s', async (reader) => {
    const home = begin();
    const result = await home.run(`pawl -i bob recv message | { ${reader}; } > read; exit $PIPESTATUS`);
    expectError(result, 74, CLOSED);
    await expectDelivery(home);
  });

  it('loses no text as JSON', async () => {
    const home = begin();
    const result = await home.run('pawl -i bob recv --json message | true; exit $PIPESTATUS');
    expect(result.exit).toBe(74);
    expect(JSON.parse(result.stderr)).toMatchObject({ v: 1, type: 'error', code: 'closed-pipe', exit: 74 });
    const { stdout } = await home.prepare('pawl -i bob recv --json < /dev/null');
    expect(JSON.parse(stdout.toString())).toMatchObject({ type: 'message', again: true, text: LARGE.toString() });
  });

  it('loses only what it did not read, of several texts', async () => {
    const home = begin();
    await home.prepare(
      'pawl -q -i alice send bob -m "the first" > first; pawl -q -i alice send bob -m "the last" > last',
    );
    const result = await home.run('pawl -i bob recv first message last | head -c 20 > read; exit $PIPESTATUS');
    expect(result.exit).toBe(74);
    const { stdout } = await home.prepare('pawl -i bob recv < /dev/null');
    expect(stdout.toString()).toBe(`${LARGE}the last`);
  });

  it('loses no envelope', async () => {
    const home = begin();
    const result = await home.run('pawl -i alice send bob | head -c 1 > read; exit $PIPESTATUS', { input: LARGE });
    expectError(result, 74, CLOSED);
    await expectKept(home);
  });

  it('ends a stream of messages, of which those that were not written are kept, and come by outbox resend', async () => {
    const home = begin();
    const lines = Array.from({ length: 200 }, (_, number) => `${number}${'x'.repeat(1_000)}\n`);
    // The reader takes the first of them, and goes.
    const command = 'pawl -i alice send bob --lines | head -c 1160 > read; exit $PIPESTATUS';
    expectError(await home.run(command, { input: lines.join('') }), 74, CLOSED);
    const kept = (await waiting(home, 'alice')).outbox.length;
    expect(kept).toBeGreaterThan(0);
    expect(kept).toBeLessThan(200);
    const { stdout } = await home.prepare('pawl -i alice outbox resend | pawl -q -i bob recv --lines');
    const first = Number.parseInt(stdout.toString(), 10);
    expect(stdout.toString()).toBe(lines.slice(first, first + kept).join(''));
    expect((await waiting(home, 'alice')).outbox).toEqual([]);
  });

  it('of a page is told of, without a trace of the program', async () => {
    const home = begin();
    // The reader goes before the page comes: both hold one lock.
    const result = await home.run(`
      mkfifo page gone; { read -r _ < gone; pawl -i alice inspect; echo $? > exit; } > page &
      { true; } < page; echo > gone; wait; exit $(cat exit)`);
    expectError(result, 74, CLOSED);
  });

  it('may take standard error with it', async () => {
    const home = begin();
    const result = await home.run('pawl -i bob recv message 2>&1 | head -c 1 > read; exit $PIPESTATUS');
    expect(result).toMatchObject({ exit: 74, stderr: '' });
    await expectDelivery(home);
  });

  it('of the help is told of, without a trace of the program', async () => {
    const result = await begin().run(`
      mkfifo page gone; { read -r _ < gone; pawl --help; echo $? > exit; } > page &
      { true; } < page; echo > gone; wait; exit $(cat exit)`);
    expect(result.exit).toBe(74);
    expect(result.stderr).not.toMatch(/\n +at /);
  });
});

describe.concurrent('a pipe that whoever made it told not to wait', () => {
  /** Starts a command whose output is such a pipe, and reads nothing before the pipe is full. */
  const FULL_BEFORE_READ = `
import fcntl, os, struct, subprocess, sys, termios, time
reader, writer = os.pipe()
os.set_blocking(writer, False)
pawl = subprocess.Popen(sys.argv[1:], stdout=writer)
os.close(writer)
while struct.unpack("i", fcntl.ioctl(reader, termios.FIONREAD, bytes(4)))[0] < fcntl.fcntl(reader, fcntl.F_GETPIPE_SZ):
    time.sleep(0.001)
with open(reader, "rb") as output:
    sys.stdout.buffer.write(output.read())
sys.exit(pawl.wait())
`;

  it.runIf(process.platform === 'linux')('gets all of a text that is longer than it', async () => {
    const home = begin();
    home.write('full.py', FULL_BEFORE_READ);
    const { stdout, exit } = await home.run('python3 full.py pawl -i bob recv message');
    expect([exit, stdout.equals(LARGE)]).toEqual([0, true]);
    expect((await waiting(home, 'bob')).inbox).toEqual([]);
  });
});

describe.concurrent('an output that was closed before', () => {
  // Node puts /dev/null in its place before the program runs, open for reading and writing: as it is, too, where Python
  // (DEVNULL) or Node ('ignore') starts pawl and wants no output.
  it.fails('loses no envelope', async () => {
    const home = begin();
    expectError(await home.run('pawl -i alice send bob -m hi >&-'), 74, CLOSED);
    await expectKept(home);
  });

  it.fails('loses no text', async () => {
    const home = begin();
    expectError(await home.run('pawl -i bob recv message >&-'), 74, CLOSED);
    await expectDelivery(home);
  });

  it('does not change how a command ends, where it is for errors', async () => {
    const home = begin();
    expect(await home.run('pawl frob 2>&-')).toMatchObject({ exit: 64 });
    expect(await home.run('pawl -i bob recv missing 2>&-')).toMatchObject({ exit: 66 });
    expect(await home.run('pawl -i bob recv missing 2> /dev/full')).toMatchObject({ exit: 66 });
  });

  it.each(['pawl', 'pawl frob'])('does not change how this ends, where errors cannot be written: %s', async (line) => {
    expect(await begin().run(`${line} 2> /dev/full`)).toMatchObject({ exit: 64 });
  });
});

describe.concurrent('a full disk', () => {
  it('loses no text', async () => {
    const home = begin();
    expectError(await home.run('pawl -i bob recv message > /dev/full'), 74, FULL);
    await expectDelivery(home);
  });

  it('loses no envelope', async () => {
    const home = begin();
    expectError(await home.run('pawl -i alice send bob -m hi > /dev/full'), 74, FULL);
    await expectKept(home);
  });

  it('loses no text where notices cannot be written', async () => {
    const home = begin();
    await home.prepare('pawl init carol; pawl -q -i bob invite carol | pawl -q -i carol add bob');
    await home.prepare('pawl -q -i carol send bob -m "who am I" > opening');
    const result = await home.run('pawl -i bob recv opening 2> /dev/full');
    expect([result.exit, result.stdout.toString()]).toEqual([0, 'who am I']);
  });

  it('is told of where a page or an invite cannot be written', async () => {
    const home = begin();
    expectError(await home.run('pawl -i alice inspect > /dev/full'), 74, FULL);
    expectError(await home.run('pawl -i alice invite carol > /dev/full'), 74, FULL);
  });

  it.each(['--help', '--version', 'send --help'])('is told of by pawl %s', async (options) => {
    expectError(await begin().run(`pawl ${options} > /dev/full`), 74, FULL);
  });

  // The system takes a part of what is written, and says how much: all that fits under the limit of a file's size.
  const LIMITED = 'head -c $((2**20 - 10)) /dev/zero > log; ulimit -f 1024';

  it('loses no text of which only a part fits', async () => {
    const home = begin();
    await home.prepare('pawl -q -i alice send bob -m "only a part of this text fits" > part');
    const { exit } = await home.run(`${LIMITED}; pawl -i bob recv part >> log`);
    expect(exit).not.toBe(0);
    await expectDelivery(home, Buffer.from('only a part of this text fits'));
  });

  it('loses no envelope of which only a part fits', async () => {
    const home = begin();
    const { exit } = await home.run(`${LIMITED}; pawl -i alice send bob -m hi >> log`);
    expect(exit).not.toBe(0);
    await expectKept(home);
  });
});

describe.concurrent('a signal while standard input is read', () => {
  /** Ends a command by a signal once it has read more than a pipe holds, and `until` then; gives how it ended. */
  function interrupt(home: Home, command: string, signal: string, first = '', until = 'true'): Promise<Result> {
    const filler = first === '' ? '\\n' : 'x';
    return home.run(`
      mkfifo input; ${command} < input > out & pid=$!
      { printf '${first}'; head -c 200000 /dev/zero | tr '\\0' '${filler}'; until ${until}; do :; done; kill -${signal} $pid; } > input
      wait $pid`);
  }

  it.each([
    ['send', 'INT', 130],
    ['send', 'TERM', 143],
    ['recv', 'INT', 130],
    ['recv', 'TERM', 143],
    ['add', 'INT', 130],
  ])('ends it, and nothing is changed: pawl %s, SIG%s', async (command, signal, exit) => {
    const home = begin();
    const before = home.identities();
    const name = command === 'recv' ? '' : 'bob';
    expect(await interrupt(home, `pawl -i alice ${command} ${name}`, signal)).toMatchObject({ exit, stderr: '' });
    expect(home.read('out')).toHaveLength(0);
    expect(home.identities()).toEqual(before);
  });

  it('leaves whole what was sent before', async () => {
    const home = begin();
    const result = await interrupt(home, 'pawl -i alice send bob --lines', 'INT', 'one\\ntwo\\n', '[ -s out ]');
    expect(result).toMatchObject({ exit: 130, stderr: '' });
    expect((await home.prepare('pawl -i bob recv out --lines')).stdout.toString()).toBe('one\ntwo\n');
    // What was written may not have left the outbox yet: the same bytes again are no second message.
    const resent = 'pawl -i alice outbox resend > again; [ ! -s again ] || pawl -q -i bob recv again --lines';
    expect((await home.prepare(resent)).stdout.toString()).toBe('');
  });
});

describe.concurrent('a file that cannot be written', () => {
  it.each([
    ['missing/file', 73, 'missing/file cannot be made: no such file or directory'],
    ['folder', 73, 'folder cannot be made: it is a folder'],
    ['message/file', 73, 'message/file cannot be made: part of its path is no folder'],
    ['taken', 73, 'taken exists already'],
    ['.key --force', 73, '.key is the key file, which is never replaced'],
    ['.local/share/pawl/bob.db --force', 73, '.local/share/pawl/bob.db is an identity file'],
    ['.local/share/pawl/carol.db', 73, '.local/share/pawl/carol.db is an identity file'],
    ['.local/share/pawl/bob.db-journal', 73, 'bob.db-journal is an identity file'],
    ['hard --force', 73, 'hard is an identity file'],
    ['soft --force', 73, 'soft is the key file'],
  ])('is refused before anything is read or committed: -o %s', async (path, exit, message) => {
    const home = begin();
    await home.prepare('mkdir folder; echo taken > taken; ln .local/share/pawl/alice.db hard; ln -s .key soft');
    const files = home.files();
    const before = home.identities();
    const key = home.read('.key');
    expectError(await home.run(`pawl -i bob recv message -o ${path}`), exit, message);
    expectError(await home.run(`pawl -i alice send bob -m hi -o ${path}`), exit, message);
    expectError(await home.run(`pawl -i alice invite dave -o ${path}`), exit, message);
    expectError(await home.run(`pawl -i alice inspect bob --svg ${path}`), exit, message);
    expect(home.files()).toEqual(files);
    expect(home.identities()).toEqual(before);
    expect(home.read('.key')).toEqual(key);
  });

  it('is never the input, not even with --force', async () => {
    const home = begin();
    home.write('diary.txt', 'dear diary');
    await home.prepare('ln diary.txt other-name');
    for (const output of ['diary.txt', './diary.txt', 'other-name']) {
      const result = await home.run(`pawl -i alice send bob diary.txt -o ${output} --force`);
      expectError(result, 73, `${output} is the input, which is never replaced`);
    }
    expectError(await home.run('pawl -i bob recv message -o message --force'), 73, 'message is the input');
    // Nor where it comes through standard input, or another open file.
    for (const [command, path, what] of [
      ['pawl -i alice send bob', 'diary.txt', 'the input'],
      ['pawl -i alice send bob -', 'other-name', 'the input'],
      ['pawl -i bob recv', 'message', 'the input'],
      ['PAWL_KEY_FILE= pawl -i alice send bob -m hi --key-file -', '.key', 'the key file'],
      ['PAWL_KEY_FILE= pawl -i alice send bob -m hi --passphrase-fd 0', 'diary.txt', 'the passphrase file'],
    ] as const) {
      const result = await home.run(`${command} -o ${path} --force < ${path}`);
      expectError(result, 73, `${path} is ${what}, which is never replaced`);
    }
    expect(home.read('diary.txt').toString()).toBe('dear diary');
    expect((await waiting(home, 'alice')).outbox).toEqual([]);
  });

  it('is replaced with --force, and an empty one of ours without', async () => {
    const home = begin();
    home.write('file', 'as it was', 0o644);
    home.write('empty', '');
    await home.prepare('pawl -q -i alice send bob -m hi -o empty; pawl -i bob recv message -o file --force');
    expect(home.read('file').equals(LARGE)).toBe(true);
    expect(lstatSync(home.path('file')).mode & 0o777).toBe(0o600);
    expect((await waiting(home, 'bob')).inbox).toEqual([]);
    expect((await home.prepare('pawl -i bob recv empty')).stdout.toString()).toBe('hi');
    expect(home.files().filter((file) => file.includes('/.pawl-'))).toEqual([]);
  });

  it('is written to where it is no file: a device, standard output by another name, another process', async () => {
    const home = begin();
    await home.prepare('ln -s /proc/self/fd/1 out; ln -s /dev/null null');
    const { stdout } = await home.prepare(
      'pawl -q -i alice send bob -m one -b -o out | pawl -i bob recv -o /dev/stdout | cat',
    );
    expect(stdout.toString()).toBe('one');
    await home.prepare(
      'pawl -q -i alice send bob -m two -b -o >(cat > envelope); pawl -q -i alice send bob -m 3 -o null',
    );
    expect((await home.prepare('until [ -s envelope ]; do :; done; pawl -i bob recv envelope')).stdout.toString()).toBe(
      'two',
    );
    expect(lstatSync(home.path('out')).isSymbolicLink()).toBe(true);
    const log = 'echo first > log; pawl -q -i alice send bob -m four -a -o /dev/stdout >> log; head -n 1 log';
    expect((await home.prepare(log)).stdout.toString()).toBe('first\n');
    expect((await home.prepare('pawl -i bob recv log')).stdout.toString()).toBe('four');
  });

  it('keeps what a device refuses', async () => {
    const home = begin();
    expectError(await home.run('pawl -i bob recv message -o /dev/full'), 74, '/dev/full cannot be written');
    expectError(await home.run('pawl -i alice send bob -m hi -o /dev/full'), 74, '/dev/full cannot be written');
    await expectDelivery(home);
    await expectKept(home);
  });
});

describe.concurrent('an input that cannot be read', () => {
  it('is told of: a folder by its name', async () => {
    const home = begin();
    const before = home.identities();
    for (const command of ['-i bob recv .', '-i bob add alice .']) {
      const { exit, stderr } = await home.run(`pawl ${command}`);
      expect({ exit, stderr }).toEqual({
        exit: 74,
        stderr: 'error: . cannot be read: it is a folder\n',
      });
    }
    expect(home.identities()).toEqual(before);
  });

  it('is told of: a folder as standard input, which is no empty text', async () => {
    const home = begin();
    const before = home.identities();
    expect((await home.run('pawl -i alice send bob -o sent < .')).exit).toBe(74);
    expect(existsSync(home.path('sent'))).toBe(false);
    expect(home.identities()).toEqual(before);
  });
});
