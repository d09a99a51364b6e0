import { existsSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { columnsOfCharacter } from '../../src/cli/terminal/wrap.ts';
import { PseudoTerminal } from './pseudo-terminal.ts';
import { Home, meet } from './shell.ts';
import { linesIn } from './show/qr-code.ts';

const ALICE = 'speak friend and enter';
const BOB = 'xyzzy plugh';
const WRONG = 'open sesame';
/** Their commands where there is no terminal. */
const AS_ALICE = `env -u PAWL_KEY_FILE PAWL_PASSPHRASE='${ALICE}' pawl -q -i alice`;
const AS_BOB = `env -u PAWL_KEY_FILE PAWL_PASSPHRASE='${BOB}' pawl -q -i bob`;

const ENTER = '\r';
const CTRL_C = '\x03';
const CTRL_D = '\x04';
const CTRL_Z = '\x1a';
/** A question is over: the library shows the cursor, and pawl, once the terminal is as it was. */
const SHOW_CURSOR = '\x1b[?25h';
const CLOSED = `${SHOW_CURSOR}${SHOW_CURSOR}`;

/** What a terminal obeys and is not text: CSI sequences. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what this is about
const SEQUENCES = /\x1b\[[0-9;?]*[A-Za-z]/g;
/** On a busy machine everything takes long. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what this is about
const PROGRESS = /\r\x1b\[K(?:pawl: [^\r\n]*(?=\r\x1b\[K))?/g;
/** What must not be left of a text. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what this is about
const ACTING = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/;

/** Alice and bob, who have met; passphrases lock their files. */
let locked: Home;
/** The same with the key file that is in the environment: nothing is asked. */
let open: Home;

beforeAll(async () => {
  open = Home.create();
  await meet(open);
  locked = Home.create();
  await locked.prepare(`set -e
    ${AS_ALICE} init alice; ${AS_BOB} init bob
    ${AS_BOB} invite alice | ${AS_ALICE} add bob
    ${AS_ALICE} send bob -m 'hi bob' | ${AS_BOB} recv
    ${AS_BOB} send alice -m 'hi alice' | ${AS_ALICE} recv`);
}, 180_000);

/** What runs and what lies about: cleared up at the end, as the tests run side by side. */
const sessions: Session[] = [];

afterAll(() => {
  for (const { home, terminal } of sessions) {
    terminal.hangUp();
    home.remove();
  }
  open.remove();
  locked.remove();
});

interface Session {
  readonly home: Home;
  readonly terminal: PseudoTerminal;
}

/** Runs a line of shell on a terminal, in a copy of that home. */
function run(origin: Home, command: string, { columns = 80, environment = {}, home = origin.copy() } = {}): Session {
  const { PAWL_KEY_FILE, ...surroundings } = home.environment;
  const terminal = new PseudoTerminal(['bash', '-c', command], {
    columns,
    folder: home.folder,
    environment: {
      ...surroundings,
      TERM: 'xterm-256color',
      ...(origin === open && { PAWL_KEY_FILE }),
      ...environment,
    },
  });
  const session = { home, terminal };
  sessions.push(session);
  return session;
}

/** A break within a line of pawl's own that is wider than the terminal. */
const CONTINUED = /\n {6}(?=\S)/g;

/** What a person has read, without what the terminal was told to do, and what was only there for a while. */
function read(terminal: PseudoTerminal): string {
  return linesOn(terminal).replaceAll(CONTINUED, ' ');
}

/** The same as it stands there, line by line. */
function linesOn({ shown }: PseudoTerminal): string {
  return shown.replaceAll(PROGRESS, '').replaceAll(SEQUENCES, '').replaceAll('\r\n', '\n');
}

async function answer(terminal: PseudoTerminal, question: string, ...keys: (string | Uint8Array)[]): Promise<void> {
  await terminal.shows(question);
  for (const key of keys) terminal.type(key);
}

/** Has somebody who has nothing yet make an identity. */
function init(): Session {
  const home = Home.create();
  return run(locked, 'pawl init carol', { home });
}

function isIdentity(file: string): boolean {
  return basename(file).startsWith('carol');
}

describe.concurrent('a new passphrase', () => {
  it('is asked for twice, and never shown', async () => {
    const { home, terminal } = init();
    await answer(terminal, 'new passphrase', ALICE, ENTER);
    await answer(terminal, 'once more', ALICE, ENTER);
    expect(await terminal.exit).toBe(0);
    expect(terminal.shown).not.toContain(ALICE);
    expect(terminal.shown).not.toContain(ALICE.slice(0, 5));
    expect(read(terminal)).toMatch(/carol\.db\nfingerprint [0-9a-f]{32}\n/);
    const inspected = await home.run(`unset PAWL_KEY_FILE; PAWL_PASSPHRASE='${ALICE}' pawl inspect`);
    expect(inspected).toMatchObject({ exit: 0, stderr: '' });
  });

  it('is asked for again where the two differ', async () => {
    const { home, terminal } = init();
    await answer(terminal, 'new passphrase', ALICE, ENTER);
    await answer(terminal, 'once more', WRONG, ENTER);
    await terminal.shows('pawl: the two passphrases differ: try again');
    expect(home.files().filter(isIdentity)).toEqual([]);
    await answer(terminal, 'new passphrase', BOB, ENTER);
    await answer(terminal, 'once more', BOB, ENTER);
    expect(await terminal.exit).toBe(0);
    for (const passphrase of [ALICE, WRONG, BOB]) expect(terminal.shown).not.toContain(passphrase);
    const inspected = await home.run(`unset PAWL_KEY_FILE; PAWL_PASSPHRASE='${BOB}' pawl inspect`);
    expect(inspected.exit).toBe(0);
  });

  it('can be corrected while it is typed', async () => {
    const { home, terminal } = init();
    await answer(terminal, 'new passphrase', 'wrong', '\x15', 'abd', '\x7f', 'c', ENTER);
    await answer(terminal, 'once more', 'abc', ENTER);
    expect(await terminal.exit).toBe(0);
    expect((await home.run('unset PAWL_KEY_FILE; PAWL_PASSPHRASE=abc pawl inspect')).exit).toBe(0);
  });

  it('is made of ten words where it is left empty, and shown once', async () => {
    const { home, terminal } = init();
    await answer(terminal, 'new passphrase', ENTER);
    expect(await terminal.exit).toBe(0);
    const [words = ''] = /(?<=\n {2})[a-z]+(-[a-z]+){9}(?=\n)/.exec(read(terminal)) ?? [];
    expect(terminal.shown.split(words)).toHaveLength(2);
    expect(read(terminal)).not.toContain('short');
    const inspected = await home.run(`unset PAWL_KEY_FILE; PAWL_PASSPHRASE=${words} pawl inspect`);
    expect(inspected).toMatchObject({ exit: 0, stderr: '' });
    // As it is copied from paper.
    const copied = `${words[0]?.toUpperCase()}${words.slice(1).replaceAll('-', ' ')} `;
    const { terminal: again } = run(locked, 'pawl inspect', { home });
    await answer(again, 'passphrase of', copied, ENTER);
    expect(await again.exit).toBe(0);
  });

  it('is the bytes that the terminal sends, whatever their encoding', async () => {
    const { home, terminal } = init();
    const latin1 = Buffer.from('pass\xe9 partout, monsieur', 'latin1');
    await answer(terminal, 'new passphrase', latin1, ENTER);
    await answer(terminal, 'once more', latin1, ENTER);
    expect(await terminal.exit).toBe(0);
    const opens = async (bytes: Uint8Array) => {
      home.write('words', bytes);
      return (await home.run('pawl inspect --passphrase-file words', { environment: { PAWL_KEY_FILE: '' } })).exit;
    };
    expect(await opens(latin1)).toBe(0);
    for (const other of ['\xe8', '\u00e9', '\ufffd'].map((letter) => `pass${letter} partout, monsieur`))
      expect(await opens(Buffer.from(other))).toBe(77);
  });

  it('is text in its normal form, whichever way the keyboard makes it', async () => {
    const { home, terminal } = init();
    const [typed, other] = ['NFD', 'NFC'].map((form) => 'žluťoučký kůň'.normalize(form)) as [string, string];
    await answer(terminal, 'new passphrase', typed, ENTER);
    await answer(terminal, 'once more', typed, ENTER);
    expect(await terminal.exit).toBe(0);
    for (const words of [typed, other]) {
      const environment = { PAWL_KEY_FILE: '', PAWL_PASSPHRASE: words };
      expect((await home.run('pawl inspect', { environment })).exit).toBe(0);
    }
  });

  it('that is short is told what a guess costs, and taken', async () => {
    const { terminal } = init();
    await answer(terminal, 'new passphrase', BOB, ENTER);
    const before = await terminal.shows('once more');
    expect(before.replaceAll(/\s+/g, ' ')).toMatch(
      /pawl: this passphrase is short: a guess costs .* 0\.1 s and 64 MiB, /,
    );
    expect(read(terminal)).toMatch(/for another, leave the next answer empty; later, pawl passwd changes it\n/);
    terminal.type(ENTER);
    await answer(terminal, 'differ: try again', '');
    await answer(terminal, 'new passphrase', BOB, ENTER);
    await answer(terminal, 'once more', BOB, ENTER);
    expect(await terminal.exit).toBe(0);
    const { terminal: long } = init();
    await answer(long, 'new passphrase', ALICE, ENTER);
    await answer(long, 'once more', ALICE, ENTER);
    expect(await long.exit).toBe(0);
    expect(read(long)).not.toContain('short');
  });

  it('is asked for without end, and not three times', async () => {
    const { terminal } = init();
    for (let round = 0; round < 4; round++) {
      await answer(terminal, 'new passphrase', ALICE, ENTER);
      await answer(terminal, 'once more', round < 3 ? WRONG : ALICE, ENTER);
    }
    expect(await terminal.exit).toBe(0);
  });

  it.each(['new passphrase', 'once more'])('is not set where Ctrl-C answers: %s', async (question) => {
    const { home, terminal } = init();
    if (question === 'once more') await answer(terminal, 'new passphrase', ALICE, ENTER);
    await answer(terminal, question, WRONG, CTRL_C);
    expect(await terminal.exit).toBe(130);
    expect(read(terminal).trimEnd()).toMatch(/\nerror: interrupted$/);
    expect(terminal.shown).not.toContain(WRONG);
    expect(home.files().filter(isIdentity)).toEqual([]);
  });

  it('that was not given leaves no folder behind', async () => {
    const { home, terminal } = init();
    await answer(terminal, 'new passphrase', CTRL_C);
    expect(await terminal.exit).toBe(130);
    expect(existsSync(home.path('.local'))).toBe(false);
  });
});

describe.concurrent('a question', () => {
  it('takes a passphrase that is right', async () => {
    const { terminal } = run(locked, 'pawl -i alice inspect');
    await answer(terminal, 'passphrase of', ALICE, ENTER);
    expect(await terminal.exit).toBe(0);
    expect(read(terminal)).toMatch(/\nidentity {5}alice\n/);
    expect(terminal.shown).not.toContain(ALICE);
  });

  it('refuses three that are wrong, and changes nothing', async () => {
    const { home, terminal } = run(locked, 'pawl -i alice send bob -m hi -o message');
    const before = home.identities();
    await answer(terminal, 'passphrase of', WRONG, ENTER);
    await answer(terminal, 'wrong, try 2 of 3: ', ENTER);
    await answer(terminal, 'wrong, try 3 of 3: ', WRONG, ENTER);
    expect(await terminal.exit).toBe(77);
    expect(read(terminal)).toMatch(/\nerror: wrong passphrase .*\nhint: try again/);
    expect(terminal.shown).not.toContain(WRONG);
    expect(home.identities()).toEqual(before);
    expect(existsSync(home.path('message'))).toBe(false);
  });

  it.each([
    ['send', `pawl -i alice send bob -m 'at last' | ${AS_BOB} recv`, '  at last'],
    ['passwd', 'pawl -i alice passwd --new-key-file key', 'alice.db'],
    ['restore', 'mv .local/share/pawl/alice.db a.db; pawl restore a.db', 'alice.db'],
  ])('takes the second one and the third: %s', async (_, command, said) => {
    const { terminal } = run(locked, command);
    await answer(terminal, 'passphrase of', WRONG, ENTER);
    await answer(terminal, 'wrong, try 2 of 3: ', `${ALICE}!`, ENTER);
    await answer(terminal, 'try 3 of 3: ', ALICE, ENTER);
    expect(await terminal.exit).toBe(0);
    expect(read(terminal)).toContain(said);
    for (const passphrase of [WRONG, ALICE]) expect(terminal.shown).not.toContain(passphrase);
  });

  it.each([
    ['the environment', `PAWL_PASSPHRASE='${WRONG}' pawl -i alice inspect`],
    ['a descriptor', `pawl -i alice inspect --passphrase-fd 3 3<<< '${WRONG}'`],
    ['a command', `pawl -i alice inspect --passphrase-command 'echo ${WRONG}'`],
  ])('is not asked where a wrong one comes from elsewhere: %s', async (_, command) => {
    const { terminal } = run(locked, command);
    expect(await terminal.exit).toBe(77);
    expect(read(terminal)).toMatch(/^error: wrong passphrase [^\n]*\nhint: try again[^\n]*\n$/);
  });

  it('takes nothing that was typed before it, and says so', async () => {
    const { home, terminal } = run(locked, 'echo begin; read -r line; pawl -q -i bob send alice > message');
    await answer(terminal, 'begin', `line\nthe first line\nand mo`);
    const before = (await terminal.shows('passphrase of')).replaceAll(SEQUENCES, '');
    expect(before).toMatch(/and mo\r\npawl: what was typed before this question was dropped: type it again .*\r\n/);
    terminal.type(BOB + ENTER);
    await answer(terminal, CLOSED, 'all of it\n', CTRL_D);
    expect(await terminal.exit).toBe(0);
    expect(read(terminal)).not.toContain('try 2');
    expect(read(terminal)).not.toContain('behind the answer');
    expect((await home.prepare(`${AS_ALICE} recv message`)).stdout.toString()).toBe('all of it\n');
  });

  it('says nothing of blanks that were typed before it, or behind the answer', async () => {
    const { terminal } = run(locked, 'echo begin; read -r line; pawl -q -i bob contacts');
    await answer(terminal, 'begin', 'line\n \n');
    await answer(terminal, 'passphrase of', `${BOB}\r\n`);
    expect(await terminal.exit).toBe(0);
    expect(read(terminal)).not.toContain('dropped');
  });

  it.each([
    ['send', 'pawl -q -i bob send alice > message', 'the first line\nmore\n'],
    ['recv', 'pawl -q -i bob recv > message', `${'-----BEGIN'.repeat(9_000)}\n`],
    ['an end of the input', 'pawl -q -i bob send alice > message', `a text\n${CTRL_D}`],
  ])('takes nothing that comes in one burst with its answer, and says so: %s', async (_, command, burst) => {
    const { home, terminal } = run(locked, command);
    await answer(terminal, 'passphrase of', `${BOB}${ENTER}${burst}`);
    await terminal.shows('pawl: what came behind the answer was dropped: type or paste it again\r\n');
    await answer(terminal, SHOW_CURSOR, 'all of it\n', CTRL_D);
    expect(await terminal.exit).toBe(command.includes('recv') ? 65 : 0);
    expect(read(terminal)).not.toContain('BEGIN');
    if (command.includes('recv')) return;
    expect((await home.prepare(`${AS_ALICE} recv message`)).stdout.toString()).toBe('all of it\n');
  });

  it('ends with a Ctrl-C that comes behind the answer', async () => {
    const { terminal } = run(locked, 'pawl -i bob send alice > message');
    await answer(terminal, 'passphrase of', `${BOB}${ENTER}no, that is not what I${CTRL_C}`);
    expect(await terminal.exit).toBe(130);
  });

  it.each([
    ['recv', 'pawl -i bob recv', 'paste it here', `${AS_ALICE} send bob -a -m 'pasted late'`, /\n {2}pasted late\n$/],
    ['add', 'pawl -i bob add zoe', 'paste it here', `${AS_ALICE} invite bob`, /stays alice\n/],
    ['send', 'pawl -i bob send alice > message', 'type the message', 'echo hi', /\nhi\n/],
    ['send --lines', 'pawl -i bob send alice --lines > message', CLOSED, 'echo hi', /\nhi\n/],
  ])('comes before what is pasted, which a wrong answer does not throw away: %s', async (...given) => {
    const [, command, ready, prepare, said] = given;
    const home = locked.copy();
    const { stdout } = await home.prepare(prepare);
    const { terminal } = run(locked, command, { home });
    const before = await terminal.shows('passphrase of');
    expect(before).not.toContain(ready);
    terminal.type(WRONG + ENTER);
    await answer(terminal, 'wrong, try 2 of 3: ', BOB, ENTER);
    await answer(terminal, ready, `${stdout}`, CTRL_D);
    expect(await terminal.exit).toBe(0);
    expect(read(terminal)).toMatch(said);
    if (command.includes('message')) expect(home.read('message').length).toBeGreaterThan(200);
  });

  it.each([
    ['an identity that is not there', 'pawl -i zoe recv', 78],
    ['a name that cannot be', 'pawl -i bob add A', 64],
    ['a folder that is not there', 'pawl -i bob recv --out-dir no', 73],
    ['a file that is no envelope', 'pawl -i bob recv .tmp/../.key', 65],
    ['a file that is not there', 'pawl -i bob add zoe no', 66],
    ['an input that is no envelope', 'echo hi | pawl -i bob recv', 65],
    ['PAWL_MARKS', 'PAWL_MARKS=x pawl -i bob recv', 64],
    ['a backup that is none', 'pawl restore .key', 74],
  ])('comes after what is wrong without a passphrase: %s', async (_, command, exit) => {
    const { terminal } = run(locked, command);
    expect(await terminal.exit).toBe(exit);
    expect(read(terminal)).not.toContain('passphrase of');
  });

  it('is not asked where the passphrase would be typed in the open', async () => {
    const { terminal } = run(
      locked,
      'pawl -i alice inspect --passphrase-fd 0; pawl -i alice inspect --passphrase-fd 3 3<&0',
    );
    expect(await terminal.exit).toBe(64);
    expect(read(terminal)).toMatch(
      /^(error: a passphrase or key is not typed on standard input, or .*\nhint: .*\n){2}$/,
    );
  });

  it('is asked again after Ctrl-Z and fg, and the shell has the terminal as it was in between', async () => {
    const command = 'set -m; pawl -i alice inspect; echo "stopped $?"; stty -a; fg; echo "exit $?"';
    const { terminal } = run(locked, command);
    await answer(terminal, 'passphrase of', WRONG, CTRL_Z);
    await terminal.shows('stopped 148');
    expect((await terminal.shows('passphrase of')).replaceAll('\r\n', ' ')).toMatch(/ icanon .* echo /s);
    terminal.type(ALICE + ENTER);
    await terminal.shows('exit 0');
    expect(await terminal.exit).toBe(0);
    for (const passphrase of [WRONG, ALICE]) expect(terminal.shown).not.toContain(passphrase);
  });

  it('stops the other end of a pipe as well', async () => {
    const command = 'set -m; pawl -i alice inspect | cat; echo "stopped $?"; jobs; fg';
    const { terminal } = run(locked, command);
    await answer(terminal, 'passphrase of', CTRL_Z);
    await terminal.shows('stopped 148');
    await answer(terminal, 'passphrase of', ALICE, ENTER);
    expect(await terminal.exit).toBe(0);
  });

  it.each(['TSTP', 'STOP'])('is asked again after SIG%s', async (signal) => {
    const command = `set -m; sh -c 'echo "process $$"; exec pawl -i alice inspect'; echo stopped; stty -a; fg`;
    const { terminal } = run(locked, command);
    await terminal.shows('process ');
    const pid = Number.parseInt(await terminal.shows('\r\n'), 10);
    await terminal.shows('passphrase of');
    process.kill(pid, `SIG${signal}`);
    await terminal.shows('stopped');
    await answer(terminal, 'passphrase of', ALICE, ENTER);
    expect(await terminal.exit).toBe(0);
    expect(terminal.shown).not.toContain(ALICE);
  });

  it('goes on after Ctrl-Z where there is no shell to continue it', async () => {
    const { terminal } = run(locked, 'exec pawl -i alice inspect');
    await answer(terminal, 'passphrase of', WRONG, CTRL_Z);
    await terminal.shows(SHOW_CURSOR);
    await answer(terminal, 'passphrase of', ALICE, ENTER);
    expect(await terminal.exit).toBe(0);
    expect(terminal.shown).not.toContain(ALICE);
  });

  it('ends with Ctrl-C, and changes nothing', async () => {
    const { home, terminal } = run(locked, 'pawl -i alice send bob -m hi -o message; echo "exit $?"; stty -a');
    const before = home.identities();
    await answer(terminal, 'passphrase of', CTRL_C);
    await terminal.shows('error: interrupted');
    await terminal.shows('exit 130');
    expect(await terminal.exit).toBe(0);
    expect(home.identities()).toEqual(before);
    // The terminal is as it was.
    expect(read(terminal)).toMatch(/ icanon .* echo /s);
    expect(terminal.shown).toContain(SHOW_CURSOR);
  });

  it('ends with Ctrl-D', { timeout: 10_000 }, async () => {
    const { terminal } = run(locked, 'pawl -i alice inspect');
    await answer(terminal, 'passphrase of', CTRL_D);
    expect(await terminal.exit).not.toBe(0);
  });

  it('that is ended by a signal leaves the terminal as it was', async () => {
    const { terminal } = run(locked, `sh -c 'echo "process $$"; exec pawl -i alice inspect'; echo "exit $?"; stty -a`);
    await terminal.shows('process ');
    const pid = Number.parseInt(await terminal.shows('\r\n'), 10);
    await terminal.shows('passphrase of');
    process.kill(pid, 'SIGTERM');
    await terminal.shows('exit 143');
    expect(await terminal.exit).toBe(0);
    expect(read(terminal)).toMatch(/ icanon .* echo /s);
  });

  it('is asked on the terminal while standard input is a pipe', async () => {
    const { home, terminal } = run(locked, 'echo "to be sent" | pawl -i alice send bob > message');
    await answer(terminal, 'passphrase of', ALICE, ENTER);
    expect(await terminal.exit).toBe(0);
    expect((await home.prepare(`${AS_BOB} recv message`)).stdout.toString()).toBe('to be sent\n');
  });

  it('does not get into standard output or standard error where these are pipes or files', async () => {
    const { home, terminal } = run(locked, 'set -o pipefail; pawl -i alice inspect 2> errors | cat > page');
    await answer(terminal, 'passphrase of', ALICE, ENTER);
    expect(await terminal.exit).toBe(0);
    expect(home.read('page').toString()).toMatch(/^identity {5}alice\n/);
    expect(home.read('page').toString()).not.toContain('\x1b');
    expect(home.read('errors').toString()).toBe('');
    expect(read(terminal)).not.toContain('identity');
  });

  it('is asked at one end of a pipe after the other', async () => {
    const { terminal } = run(locked, 'pawl -i alice send bob -m "two ends" | pawl -i bob recv');
    const before = await terminal.shows('alice.db');
    expect(before).not.toContain('bob.db');
    terminal.type(ALICE + ENTER);
    await answer(terminal, 'bob.db', BOB, ENTER);
    expect(await terminal.exit).toBe(0);
    expect(read(terminal)).toMatch(/alice, .*:\n {2}two ends\n$/);
  });

  it.each([
    ['recv', 'pawl -i bob recv', BOB, `${AS_ALICE} send bob -m hi`],
    ['add', 'pawl -i alice add bob', ALICE, `${AS_BOB} invite alice`],
    ['send', 'pawl -i alice send bob > message', ALICE, 'true'],
  ])('comes after the input has been read: %s', async (_, command, passphrase, prepare) => {
    const home = locked.copy();
    await home.prepare(`${prepare} > envelope`);
    // More than a pipe holds: it is through once the other end reads.
    const input = `{ head -c 200000 /dev/zero | tr '\\0' '\\n'; echo 'is read' > /dev/tty; cat envelope; }`;
    const { terminal } = run(locked, `${input} | ${command}`, { home });
    const before = await terminal.shows('passphrase of');
    expect(before).toContain('is read');
    terminal.type(passphrase + ENTER);
    expect(await terminal.exit).toBe(0);
  });

  it('comes after the first line has been read: send --lines', async () => {
    const input = `{ head -c 200000 /dev/zero | tr '\\0' 'x'; echo; echo 'is read' > /dev/tty; }`;
    const { terminal } = run(locked, `${input} | pawl -i alice send bob --lines > messages`);
    const before = await terminal.shows('passphrase of');
    expect(before).toContain('is read');
    terminal.type(ALICE + ENTER);
    expect(await terminal.exit).toBe(0);
  });

  it('is not asked with --no-input, nor where there is no terminal', async () => {
    const { home, terminal } = run(locked, 'pawl -i alice --no-input inspect');
    expect(await terminal.exit).toBe(77);
    expect(read(terminal)).toMatch(/^error: .* is locked, .*\nhint: .*--key-file FILE.*\n$/);
    const without = await home.run('unset PAWL_KEY_FILE; pawl -i alice inspect');
    expect(without.exit).toBe(77);
    expect(without.stderr).toMatch(
      /^error: .* is locked, and there is no terminal .*\nhint: .*--passphrase-file FILE.*\n$/,
    );
  });

  it('has no colours where none are wanted', async () => {
    const { terminal } = run(locked, 'pawl -i alice inspect', { environment: { NO_COLOR: '1' } });
    await answer(terminal, 'passphrase of', ALICE, ENTER);
    expect(await terminal.exit).toBe(0);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: it is what this is about
    expect(terminal.shown).not.toMatch(/\x1b\[[0-9;]*m/);
  });

  it('fits a narrow terminal', async () => {
    const { home, terminal } = run(locked, 'pawl -i alice inspect', { columns: 40 });
    await answer(terminal, 'passphrase of', ALICE, ENTER);
    expect(await terminal.exit).toBe(0);
    // Up to where it is drawn again for the first key.
    const [question = ''] = terminal.shown.split('\x1b[2K');
    const lines = question.replaceAll(SEQUENCES, '').split('\r\n');
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(40);
    expect(lines.join('')).toContain(`passphrase of ${home.identity('alice')}`);
    expect(read(terminal)).toMatch(/\nidentity {5}alice\n.*\nattention\n/s);
  });

  it('has nothing in it that acts on the terminal', async () => {
    const home = String.raw`$'a\e]0;title\ab\u202ec\nd'`;
    const { terminal } = run(
      locked,
      `mkdir ${home}; cp .local/share/pawl/alice.db ${home}; pawl --home ${home} inspect`,
    );
    await answer(terminal, 'passphrase of', CTRL_C);
    expect(await terminal.exit).toBe(130);
    expect(read(terminal)).toContain('a\\u{1b}]0;title\\u{7}b\\u{202e}c\\u{a}d');
    expect(read(terminal).replaceAll('\r', '')).not.toMatch(ACTING);
  });
});

describe.concurrent('a question whether one is sure', () => {
  it.each([
    ['y', 0, /pawl: forgotten: the contact bob \([0-9a-f]{32}\), 1 session\n$/],
    ['', 0, /pawl: nothing was forgotten\n$/],
    ['n', 0, /pawl: nothing was forgotten\n$/],
  ])('takes nothing but a yes for yes: %j', async (typed, exit, said) => {
    const { home, terminal } = run(open, 'pawl -i alice forget bob');
    await answer(terminal, 'forget the contact bob', typed, ENTER);
    expect(await terminal.exit).toBe(exit);
    expect(read(terminal)).toMatch(said);
    const { stderr } = await home.prepare('pawl -i alice contacts');
    expect(stderr.includes('nobody yet')).toBe(typed === 'y');
  });

  it.each([
    ['y', /pawl: history: off\npawl: deleted: 1 text\n$/, ''],
    ['', /pawl: nothing was changed\n$/, 'keep me'],
  ])('is asked before kept texts go: %j', async (typed, said, left) => {
    const home = open.copy();
    await home.prepare('pawl -i alice history on; pawl -i alice send bob -m "keep me" > message');
    const { terminal } = run(open, 'pawl -i alice history off', { home });
    await answer(terminal, 'delete 1 text of the history?', typed, ENTER);
    expect(await terminal.exit).toBe(0);
    expect(read(terminal)).toMatch(said);
    const { stdout } = await home.prepare('pawl -i alice log');
    expect(stdout.toString().slice(stdout.toString().indexOf('\n')).trim()).toBe(left);
  });

  it('is asked again after Ctrl-Z and fg', async () => {
    const { terminal } = run(open, 'set -m; pawl -i alice forget bob; echo "stopped $?"; fg');
    await answer(terminal, 'forget the contact bob', CTRL_Z);
    await terminal.shows('stopped 148');
    await answer(terminal, 'forget the contact bob', 'y', ENTER);
    expect(await terminal.exit).toBe(0);
    expect(read(terminal)).toContain('pawl: forgotten: the contact bob');
  });

  it('ends with Ctrl-C, and changes nothing', async () => {
    const { home, terminal } = run(open, 'pawl -i alice forget bob');
    const before = home.identities();
    await answer(terminal, 'forget the contact bob', CTRL_C);
    expect(await terminal.exit).toBe(130);
    expect(home.identities()).toEqual(before);
  });
});

describe.concurrent('a QR code', () => {
  it('is drawn where the terminal holds it, and else it is said why not', async () => {
    const { terminal } = run(open, 'pawl -i alice verify bob --qr');
    expect(await terminal.exit).toBe(0);
    expect(linesIn(read(terminal)).code).toHaveLength(17);
    const { terminal: narrow } = run(open, 'pawl -i alice verify bob --qr', { columns: 32 });
    expect(await narrow.exit).toBe(0);
    expect(read(narrow)).toContain(
      'pawl: no QR code is drawn: it needs 33 columns and 20 lines, and this terminal has 32 and ',
    );
  });
});

describe.concurrent('a text on a terminal', () => {
  /** Has alice send what a line of shell prints, and bob read it on a terminal. */
  async function receive(printed: string, { columns = 80, file = '', options = '' } = {}): Promise<Session> {
    const home = open.copy();
    await home.prepare(`${printed} > sent; pawl -q -i alice send bob ${file} < sent > message`);
    const session = run(open, `pawl -i bob recv ${options} message`, { home, columns });
    expect(await session.terminal.exit).toBe(0);
    return session;
  }

  it('has in front who sent it and when', async () => {
    const { terminal } = await receive(`printf 'two\\nlines\\n'`);
    expect(terminal.shown).toMatch(/^alice, \d{4}-\d\d-\d\d \d\d:\d\d \(unverified\):\r\n {2}two\r\n {2}lines\r\n$/);
  });

  it('ends its line', async () => {
    const { terminal } = await receive(`printf 'no newline'`);
    expect(read(terminal)).toMatch(/:\n {2}no newline\n$/);
  });

  it('does not act on it', async () => {
    const hostile = String.raw`\e]0;title\a\e[2J\e[31mred\x1bc\r\b\x7fover\u009b31m\u0085\u202egnp\u2066\u200f\tend\n`;
    const { terminal } = await receive(`printf '${hostile}'`, { columns: 200 });
    const [, text = ''] = terminal.shown.split(':\r\n');
    expect(text).toBe(
      String.raw`  \u{1b}]0;title\u{7}\u{1b}[2J\u{1b}[31mred\u{1b}c\u{d}\u{8}\u{7f}over\u{9b}31m\u{85}\u{202e}gnp\u{2066}\u{200f}` +
        '\tend\r\n',
    );
    expect(terminal.shown.replaceAll('\r\n', '')).not.toMatch(ACTING);
  });

  it('is made visible, whatever the columns and the language', async () => {
    const { terminal } = await receive(`printf '%0100d Žluťoučký 你好 👩‍👩‍👧\\n' 7`, { columns: 40 });
    const [zeros, seven] = ['0'.repeat(38), '7'.padStart(24, '0')];
    expect(read(terminal)).toContain(`:\n  ${zeros}\n  ${zeros}\n  ${seven} Žluťoučký\n  你好 👩‍👩‍👧\n`);
  });

  it.each([
    ['letters', 'x'],
    ['wide characters', '\u4f60'],
    ['joined emoji', '\u{1f469}\u200d\u{1f467}'],
    ['words', 'one two '],
    ['tabs', '\t'],
  ])('cannot pose as the heading of another, however it is padded: %s', async (_, padding) => {
    const heading = 'alice2, 2026-11-26 22:31:';
    const lines = Array.from({ length: 80 }, (_line, n) => `${padding.repeat(n)}${heading}\n`).join('');
    const home = open.copy();
    home.write('sent', lines);
    await home.prepare('pawl -i bob history on; pawl -q -i alice send bob < sent > message');
    const { terminal } = run(open, 'pawl -i bob recv message; pawl -i bob log', { home });
    expect(await terminal.exit).toBe(0);
    const shown = linesOn(terminal).trimEnd().split('\n');
    expect(shown.filter((line) => !line.startsWith('  '))).toEqual([
      expect.stringMatching(/^alice, /),
      expect.stringMatching(/^alice, /),
    ]);
    const columnsOfLine = (line: string) => Array.from(line).reduce((sum, one) => sum + columnsOfCharacter(one), 0);
    expect(shown.filter((line) => !line.includes('\t') && columnsOfLine(line) > 80)).toEqual([]);
    expect(shown.join('').replaceAll(/\s/g, '').split('alice2').length).toBe(161);
  });

  it('of a file is set off in the notice and in the log, however long its name is', async () => {
    const name = `${'x'.repeat(74)}alice2, 2026-11-26 22:31: yes`;
    const home = open.copy();
    await home.prepare(`pawl -i bob history on; echo > '${name}'; pawl -q -i alice send bob '${name}' > message`);
    const command = 'pawl -i bob recv message; pawl -q -i bob recv --waiting --out-dir . --force; pawl -i bob log';
    const { terminal } = run(open, command, { home });
    expect(await terminal.exit).toBe(0);
    const shown = linesOn(terminal).trimEnd().split('\n');
    expect(shown.filter((line) => !line.startsWith('      '))).toEqual([
      expect.stringMatching(/^pawl: the file$/),
      expect.stringMatching(/^alice, .* \(file$/),
    ]);
  });

  it('of a file waits to be put under its name, which does not act on the terminal either', async () => {
    const { home, terminal } = await receive(`printf x | tee $'photo\\u202egpj.exe'`, {
      file: `$'photo\\u202egpj.exe'`,
    });
    expect(read(terminal)).toBe(
      'pawl: the file photo\\u{202e}gpj.exe (1 byte) from alice waits: pawl recv --waiting --out-dir DIR\n',
    );
    expect(`${(await home.prepare('pawl -i bob recv --waiting')).stdout}`).toBe('x');
  });

  it('is escaped by JSON as well', async () => {
    const { terminal } = await receive(`printf 'a\\u009bb\\u202ec\\x7f\\e[31m'`, { options: '--json' });
    expect(terminal.shown.trimEnd()).not.toMatch(ACTING);
    expect(JSON.parse(terminal.shown)).toMatchObject({ type: 'message', text: 'a\x9bb\u202ec\x7f\x1b[31m' });
  });

  it.each([
    ['bytes that are no UTF-8', String.raw`a\x9b31m\xff`],
    ['a NUL', String.raw`a\0b`],
  ])('that is none waits, and comes out whole elsewhere: %s', async (_, bytes) => {
    const { home, terminal } = await receive(`printf '${bytes}'`);
    expect(read(terminal)).toMatch(/^pawl: a message from alice is no text .*: pawl recv --waiting > FILE\n$/);

    const page = await home.prepare('pawl -i bob inspect');
    expect(page.stdout.toString()).toMatch(/waiting\n {2}a text of alice/);
    await home.prepare('pawl -i bob recv < /dev/null > received');
    expect(home.read('received')).toEqual(readFileSync(home.path('sent')));
    expect((await home.run('pawl -i bob recv < /dev/null')).exit).toBe(66);
  });

  it('of a file that is none waits, and is told where it can go', async () => {
    const { home, terminal } = await receive('head -c 1500 /dev/zero | tee zeros', { file: 'zeros' });
    expect(read(terminal)).toBe('pawl: the file zeros (1.5 kB) from alice waits: pawl recv --waiting --out-dir DIR\n');
    await home.prepare('mkdir got; pawl -i bob recv --out-dir got < /dev/null; cmp zeros got/zeros');
  });

  it('can be pasted in', async () => {
    const home = open.copy();
    const { stdout } = await home.prepare('pawl -q -i alice send bob -a -m "pasted"');
    const { terminal } = run(open, 'pawl -i bob recv', { home });
    await answer(terminal, 'pawl: paste it here, then press Enter and Ctrl-D', `${stdout}`, CTRL_D);
    expect(await terminal.exit).toBe(0);
    expect(read(terminal)).toMatch(/-----END PAWL MESSAGE-----\nalice, .*:\n {2}pasted\n$/);
  });

  it.each([
    ['recv', 'pawl -i bob recv', '-----END PAWL MESSAGE-----\nalice, '],
    ['recv < terminal > file', 'pawl -i bob recv > text; cat text', '-----END PAWL MESSAGE-----\npasted'],
  ])('can be pasted in without the newline at its end: %s', async (_, command, shown) => {
    const home = open.copy();
    const { stdout } = await home.prepare('pawl -q -i alice send bob -a -m "pasted"');
    const { terminal } = run(open, command, { home });
    // The first ends the line, the second the input.
    await answer(terminal, 'paste it here, then press Enter and Ctrl-D', stdout.toString().trimEnd(), CTRL_D + CTRL_D);
    expect(await terminal.exit).toBe(0);
    expect(read(terminal)).toContain(shown);
  });
});

describe.concurrent('an envelope on a terminal', () => {
  it('is read to the end of what is pasted, after the question for the passphrase', async () => {
    const home = locked.copy();
    const { stdout } = await home.prepare(`${AS_ALICE} send bob -a -m "pasted"`);
    const { terminal } = run(locked, 'pawl -i bob recv', { home });
    await answer(terminal, 'passphrase of', BOB, ENTER);
    await answer(terminal, 'then press Enter and Ctrl-D', `hi, here it is:\n${stdout}\ncheers\n`, CTRL_D);
    expect(await terminal.exit).toBe(0);
    expect(read(terminal)).toMatch(/\n {2}pasted\n$/);
  });

  it('is armored', async () => {
    const { home, terminal } = run(open, 'pawl -i alice send bob -m "armored"', { columns: 40 });
    expect(await terminal.exit).toBe(0);
    expect(read(terminal)).toMatch(
      /^-----BEGIN PAWL MESSAGE-----\n([A-Za-z0-9+/=]{1,64}\n)+-----END PAWL MESSAGE-----\n$/,
    );
    // What was copied from the terminal can be read.
    home.write('copied', terminal.shown);
    expect((await home.prepare('pawl -i bob recv copied')).stdout.toString()).toBe('armored');
  });

  it('is armored where it invites', async () => {
    const { terminal } = run(open, 'pawl -q -i alice invite carol');
    expect(await terminal.exit).toBe(0);
    expect(read(terminal)).toMatch(
      /^-----BEGIN PAWL INVITE-----\n([A-Za-z0-9+/=]{1,64}\n)+-----END PAWL INVITE-----\n$/,
    );
  });

  it('is never binary: -b is refused, and nothing is changed', async () => {
    const { home, terminal } = run(open, 'pawl -i alice send bob -m hi -b');
    const before = open.identities();
    expect(await terminal.exit).toBe(64);
    expect(read(terminal)).toBe('error: bytes are not written to a terminal\nhint: use -o FILE, or -a\n');
    expect(Object.values(home.identities())).toEqual(Object.values(before));
  });

  it('may be binary in a pipe and in a file', async () => {
    const { home, terminal } = run(
      open,
      'pawl -i alice send bob -m 1 | cat > piped; pawl -i alice send bob -b -m 2 -o file; cat piped file | pawl -i bob recv --lines',
    );
    expect(await terminal.exit).toBe(0);
    for (const file of ['piped', 'file']) expect(home.read(file).subarray(0, 4).toString()).toBe('pawl');
    expect(read(terminal)).toMatch(/^alice, .*:\n {2}1\nalice, .*:\n {2}2\n$/);
  });

  it('takes its text from the keyboard, up to Ctrl-D', async () => {
    const { home, terminal } = run(open, 'pawl -i alice send bob > message');
    await answer(terminal, 'press Ctrl-D on a line of its own', 'typed\ntext\n', CTRL_D);
    expect(await terminal.exit).toBe(0);
    expect((await home.prepare('pawl -i bob recv message')).stdout.toString()).toBe('typed\ntext\n');
  });

  it.each([
    ['send', 'pawl -i alice send bob > message', 'press Ctrl-D on a line of its own'],
    ['send --lines', 'pawl -i alice send bob --lines > message', ''],
    ['recv', 'pawl -i alice recv > message', 'then press Enter and Ctrl-D'],
  ])(
    'takes no line that the terminal has cut, nor leaves the rest of it to the shell: %s',
    async (_, command, ready) => {
      const home = open.copy();
      const before = home.identities();
      const { terminal } = run(
        open,
        `echo begin; ${command}; echo "exit $?"; read -r -t 0.1 line; echo "left: $line."`,
        {
          home,
        },
      );
      await terminal.shows(ready === '' ? 'begin' : ready);
      terminal.type(`${'x'.repeat(4_095)}\nand more\n`);
      terminal.type(CTRL_D);
      await terminal.shows('exit 74');
      await terminal.shows('left: .');
      expect(await terminal.exit).toBe(0);
      expect(read(terminal)).toMatch(/error: a line is longer than the 4094 bytes/);
      expect(home.identities()).toEqual(before);
      expect(home.read('message')).toHaveLength(0);
    },
  );

  it('takes a line that the terminal has left whole', async () => {
    const { home, terminal } = run(open, 'pawl -i alice send bob > message');
    await answer(terminal, 'press Ctrl-D on a line of its own', `${'x'.repeat(4_094)}\n`, CTRL_D);
    expect(await terminal.exit).toBe(0);
    expect((await home.prepare('pawl -i bob recv message')).stdout.toString()).toBe(`${'x'.repeat(4_094)}\n`);
  });

  it('is not made where Ctrl-C ends the text', async () => {
    const { home, terminal } = run(open, 'pawl -i alice send bob > message');
    const before = home.identities();
    await answer(terminal, 'press Ctrl-D on a line of its own', 'half a te', CTRL_C);
    expect(await terminal.exit).toBe(130);
    expect(home.identities()).toEqual(before);
    expect(home.read('message')).toHaveLength(0);
  });
});

describe.concurrent('an error on a terminal', () => {
  it.each([
    ['a name', `pawl -i alice send $'x\\e[31m\\u009b' -m hi`, 67],
    ['a file', `pawl -i alice recv $'x\\e[31m\\u009b'`, 66],
    ['a command', `pawl $'x\\e[31m\\u009b'`, 64],
    ['an option', `pawl $'--x\\e[31m\\u009b'`, 64],
    ['a value', `pawl -i alice recv --max-gap $'x\\e[31m\\u009b'`, 64],
    ['an identity', `pawl -i $'x\\e[31m\\u009b' inspect`, 64],
    ['a home', `pawl --home $'x\\e[31m\\u009b' inspect`, 78],
  ])('does not act on it: %s', async (_, command, exit) => {
    const { terminal } = run(open, command);
    expect(await terminal.exit).toBe(exit);
    expect(read(terminal)).toMatch(/^error: [^\n]*x\\u(\{1b\}|001b)\[31m\\u\{9b\}[^\n]*\nhint: [^\n]+\n$/);
    expect(terminal.shown.replaceAll('\r\n', '')).not.toMatch(ACTING);
  });

  it('in an envelope does not act on it', async () => {
    const { terminal } = run(open, `printf 'not \\e[31m an envelope' > $'x\\e.pawl'; pawl -i alice recv $'x\\e.pawl'`);
    expect(await terminal.exit).toBe(65);
    expect(read(terminal)).toMatch(/^error: x\\u\{1b\}\.pawl: [^\n]*\nhint: [^\n]+\n$/);
  });
});
