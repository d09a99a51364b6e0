import { readdirSync, renameSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PseudoTerminal } from './pseudo-terminal.ts';
import { Home, meet } from './shell.ts';
import { VirtualScreen } from './virtual-screen.ts';

const ENTER = '\r';
const CTRL_C = '\x03';
const CTRL_D = '\x04';
const CTRL_Z = '\x1a';
const PASTES_MARKED = '\x1b[?2004h';
const PASTES_UNMARKED = '\x1b[?2004l';
const paste = (text: string) => `\x1b[200~${text}\x1b[201~`;
const PROMPT = 'to bob: ';
const PASSPHRASE = 'speak friend and enter';
const TIME = /\d{4}-\d\d-\d\d \d\d:\d\d/g;

/** Alice and bob, who have met; alice knows carol as well. */
let met: Home;
const homes: Home[] = [];
const terminals: PseudoTerminal[] = [];

beforeAll(async () => {
  met = Home.create();
  await meet(met);
  await met.prepare(`set -e
    pawl init carol
    pawl -i alice invite carol | pawl -i carol add alice
    pawl -i carol send alice -m hi | pawl -i alice recv`);
}, 180_000);

afterAll(() => {
  for (const terminal of terminals) terminal.hangUp();
  for (const home of homes) home.remove();
  met.remove();
});

/** A home of its own, in which alice and bob reach each other by a folder, after some lines of shell. */
async function routed(...lines: readonly string[]): Promise<Home> {
  const home = met.copy();
  homes.push(home);
  const routes = ['mkdir us', 'pawl -q -i alice route bob dir:us', 'pawl -q -i bob route alice dir:us'];
  await home.prepare(['set -e', ...routes, ...lines].join('\n'));
  return home;
}

function run(home: Home, command: string, columns = 80): PseudoTerminal {
  const environment = { ...home.environment, TERM: 'xterm-256color' };
  const terminal = new PseudoTerminal(['bash', '-c', command], { columns, folder: home.folder, environment });
  terminals.push(terminal);
  return terminal;
}

/** What a person sees in the end, with what is of the moment left out. */
function seen({ shown }: PseudoTerminal, columns = 80): string {
  return new VirtualScreen(shown, columns).text.replace(TIME, 'NOW').replaceAll(/dir:\S+us\b/g, 'dir:us');
}

/** What bob has received, once so many texts have. */
async function bobGets(home: Home, many: number): Promise<readonly string[]> {
  const { stdout } = await home.prepare(
    `while test "$(grep -c message bob.json)" -lt ${many}; do pawl -q -i bob recv --fetch --json >> bob.json; done; cat bob.json`,
  );
  const documents = stdout.toString().trim().split('\n');
  return documents.map((line) => JSON.parse(line).text);
}

const HELLO = [
  'pawl: history is off, so nothing that is said here is kept (pawl history 30d)',
  'pawl: bob is unverified: it may be anyone until you compare safety numbers (pawl',
  '      verify bob)',
  'pawl: Ctrl-D ends it',
];

describe.concurrent('chat', () => {
  it('shows what comes above the line that is typed, and sends what is typed', async () => {
    const home = await routed(": > bob.json; pawl -q -i bob send alice -m 'earlier'");
    const terminal = run(home, 'exec pawl -i alice chat bob');
    await terminal.shows('earlier');
    await terminal.shows(PROMPT);
    terminal.type('see you');
    await terminal.shows('see you');
    await home.prepare("printf 'two\\nlines \\033]0;owned\\a' | pawl -q -i bob send alice");
    await terminal.shows('lines');
    await terminal.shows('see you');
    terminal.type(` at noon${ENTER}`);
    terminal.type(paste('one\n\ntwo \u{1f41a}\n'));
    terminal.type(` ${ENTER}  ${ENTER}`);
    expect(await bobGets(home, 2)).toEqual(['see you at noon', 'one\n\ntwo \u{1f41a} ']);
    terminal.type(CTRL_D);
    expect(await terminal.exit).toBe(0);
    expect(seen(terminal).split('\n')).toEqual([
      ...HELLO,
      'bob, NOW:',
      '  earlier',
      'bob, NOW:',
      '  two',
      '  lines \\u{1b}]0;owned\\u{7}',
      'to bob: see you at noon',
      'to bob: one\u2424\u2424two \u{1f41a}',
      'to bob:',
      'to bob:',
    ]);
    expect(terminal.shown).toContain(PASTES_MARKED);
    expect(terminal.shown.indexOf(PASTES_UNMARKED)).toBeGreaterThan(terminal.shown.lastIndexOf(PASTES_MARKED));
    // It was shown, and is gone.
    expect((await home.run('pawl -i alice recv --waiting')).stderr).toContain('nothing waits');
  });

  it('begins with the first message of who comes in by an invite, and takes up a route that is changed', async () => {
    const home = await routed(
      'pawl init dave; pawl -i alice invite dave > invite; pawl -q -i alice route dave dir:us; : > dave.json',
    );
    const terminal = run(home, 'exec pawl -i alice chat dave');
    await terminal.shows('to dave: ');
    terminal.type(`too early${ENTER}`);
    await terminal.shows('recv');
    await home.prepare(
      'pawl -i dave add alice < invite; pawl -q -i dave route alice dir:us; pawl -i dave send alice -m hello',
    );
    await terminal.shows('hello');
    terminal.type(`welcome${ENTER}`);
    await home.prepare(`while ! pawl -q -i dave recv --fetch --lines | grep welcome; do :; done
      mkdir them; pawl -i alice route dave dir:them; pawl -i dave route alice dir:them; pawl -i dave send alice -m moved`);
    await terminal.shows('moved');
    terminal.type(CTRL_D);
    expect(await terminal.exit).toBe(0);
    expect(seen(terminal)).toContain('pawl: nobody has come in by the invite for dave yet: they write first\n');
    expect(seen(terminal)).toContain('error: nobody has come in by the invite for dave yet\n');
  });

  it('says of files, and of messages of others, that they wait, and leaves them where they are', async () => {
    const home = await routed(
      'pawl -q -i carol route alice dir:us; pawl -q -i alice route carol dir:us',
      'echo list > list.txt; pawl -q -i bob send alice list.txt',
    );
    const terminal = run(home, 'exec pawl -i alice chat bob');
    await terminal.shows('the file list.txt');
    await home.prepare('pawl -q -i carol send alice -m one; pawl -q -i carol send alice -m two');
    await terminal.shows('of carol');
    await terminal.shows(PROMPT);
    terminal.type(CTRL_D);
    expect(await terminal.exit).toBe(0);
    expect(seen(terminal)).toContain(
      'pawl: the file list.txt (5 bytes) from bob waits: pawl recv --waiting --out-dir\n      DIR\n',
    );
    expect(seen(terminal)).toMatch(/pawl: \d messages? of carol waits?: pawl recv --waiting\n/);
    const { stdout, stderr } = await home.prepare('mkdir out; pawl -i alice recv --fetch --lines --out-dir out');
    expect([stdout.toString().split('\n').sort(), home.files('out').length]).toEqual([['', 'one', 'two'], 1]);
    expect(stderr).toContain('list.txt');
  });

  it('keeps what cannot be handed over, says so once, and hands it over when the place is back', async () => {
    const home = await routed(': > bob.json');
    const terminal = run(home, 'exec pawl -i alice chat bob');
    await terminal.shows(PROMPT);
    renameSync(home.path('us'), home.path('away'));
    terminal.type(`first${ENTER}second${ENTER}`);
    await terminal.shows('it waits: ');
    await terminal.shows('it waits: ');
    renameSync(home.path('away'), home.path('us'));
    await terminal.shows('handed over to ');
    expect(await bobGets(home, 2)).toEqual(['first', 'second']);
    terminal.type(CTRL_D);
    expect(await terminal.exit).toBe(0);
    expect(seen(terminal).replaceAll(/\n {6}/g, ' ')).toContain(
      'pawl: handed over to dir:us: 2 messages that had to wait\n',
    );
    expect(seen(terminal).match(/^error: /gm)?.length ?? 0).toBeLessThanOrEqual(1);
    expect((await home.run('pawl -i alice outbox')).stderr).toContain('nothing is waiting');
  });

  it('ends with Ctrl-C, loses nothing, and says what waits', async () => {
    const home = await routed(': > bob.json');
    const terminal = run(home, 'pawl -i alice chat bob; echo "exit $?"; stty -a');
    await terminal.shows(PROMPT);
    renameSync(home.path('us'), home.path('away'));
    terminal.type(`first${ENTER}`);
    await terminal.shows('it waits: ');
    await terminal.shows(PROMPT);
    terminal.type(`half a line${CTRL_C}`);
    await terminal.shows('exit 130');
    await terminal.exit;
    expect(seen(terminal)).toContain('pawl: 1 message for bob waits: it goes with the next pawl send, recv or chat');
    expect(seen(terminal)).toMatch(/ icanon .* echo /s);
    expect(terminal.shown.indexOf(PASTES_UNMARKED)).toBeGreaterThan(terminal.shown.lastIndexOf(PASTES_MARKED));
    renameSync(home.path('away'), home.path('us'));
    await home.prepare('pawl -q -i alice recv --fetch');
    expect(await bobGets(home, 1)).toEqual(['first']);
  });

  it('asks for the passphrase once, begins with the last screenful of the history, and keeps what is said', async () => {
    const home = await routed(
      ': > bob.json',
      'pawl -q -i alice history on',
      'for i in $(seq 30); do echo "old $i"; done | pawl -q -i alice send bob --lines',
      'pawl -q -i alice verify bob "$(pawl -q -i bob verify alice --json | grep -o "[0-9 ]\\{60,\\}" | head -n 1)"',
      `umask 077; printf '${PASSPHRASE}' > new; pawl -q -i alice passwd --new-passphrase-file new`,
    );
    const terminal = run(home, 'unset PAWL_KEY_FILE; exec pawl -i alice chat bob');
    await terminal.shows('passphrase of');
    terminal.type(`${PASSPHRASE}${ENTER}`);
    await terminal.shows('old 30');
    await terminal.shows(PROMPT);
    terminal.type(`new${ENTER}`);
    await bobGets(home, 31);
    await home.prepare('pawl -q -i bob send alice -m answer');
    await terminal.shows('answer');
    terminal.type(CTRL_D);
    expect(await terminal.exit).toBe(0);
    const lines = seen(terminal).split('\n');
    expect(lines.filter((line) => line.includes('passphrase of'))).toHaveLength(1);
    expect(lines.filter((line) => line.startsWith('  old '))).toEqual(
      Array.from({ length: 9 }, (_, i) => `  old ${22 + i}`),
    );
    expect(lines.filter((line) => /unverified|history/.test(line))).toEqual([]);
    const { stdout } = await home.run(`PAWL_PASSPHRASE='${PASSPHRASE}' pawl -i alice log bob`, {
      environment: { PAWL_KEY_FILE: '' },
    });
    expect(
      stdout
        .toString()
        .trim()
        .split('\n')
        .slice(-3)
        .map((line) => line.replace(TIME, 'NOW')),
    ).toEqual(['  new', 'bob, NOW:', '  answer']);
  });

  it('goes on after Ctrl-Z and fg, and in another width', async () => {
    const home = await routed(': > bob.json');
    const terminal = run(home, 'set -m; tty > tty; pawl -i alice chat bob; echo "stopped $?"; stty -a; fg');
    await terminal.shows(PROMPT);
    terminal.type(`${'漢'.repeat(30)}`);
    await terminal.shows('漢'.repeat(30));
    await home.prepare('stty -F "$(cat tty)" cols 40');
    await terminal.shows(`${PROMPT}${'漢'.repeat(30)}`);
    terminal.type(CTRL_Z);
    await terminal.shows('stopped 148');
    await terminal.shows(' icanon ');
    await terminal.shows(PASTES_MARKED);
    await terminal.shows(`${PROMPT}${'漢'.repeat(30)}`);
    terminal.type(`!${ENTER}`);
    expect(await bobGets(home, 1)).toEqual([`${'漢'.repeat(30)}!`]);
    terminal.type(CTRL_D);
    expect(await terminal.exit).toBe(0);
  });

  it('refuses what is no text, and goes on', async () => {
    const home = await routed(': > bob.json');
    const terminal = run(home, 'exec pawl -i alice chat bob');
    await terminal.shows(PROMPT);
    terminal.type(Uint8Array.of(0x68, 0xff, 0x0d));
    await terminal.shows('error: what was typed has bytes that are no UTF-8');
    await terminal.shows(PROMPT);
    terminal.type(`\ufffd${ENTER}`);
    terminal.type(`fine${ENTER}`);
    expect(await bobGets(home, 1)).toEqual(['fine']);
    terminal.type(CTRL_D);
    expect(await terminal.exit).toBe(0);
  });

  it('gives the terminal back when it is ended', async () => {
    const home = await routed();
    const terminal = run(home, `sh -c 'echo "process $$"; exec pawl -i alice chat bob'; echo "exit $?"; stty -a`);
    await terminal.shows('process ');
    const pid = Number.parseInt(await terminal.shows('\r\n'), 10);
    await terminal.shows(PROMPT);
    process.kill(pid, 'SIGTERM');
    await terminal.shows('exit 143');
    await terminal.exit;
    expect(seen(terminal)).toMatch(/ icanon .* echo /s);
    expect(terminal.shown.indexOf(PASTES_UNMARKED)).toBeGreaterThan(terminal.shown.lastIndexOf(PASTES_MARKED));
  });

  it('is refused without a terminal, a contact or a route', async () => {
    const home = met.copy();
    homes.push(home);
    expect(await home.run('pawl -i alice chat bob')).toMatchObject({
      exit: 64,
      stderr: expect.stringContaining('error: chat needs a terminal to show and to read on\nhint: pawl recv --follow'),
    });
    expect((await home.run('pawl -i alice --json chat bob')).exit).toBe(64);
    const terminal = run(home, 'pawl -i alice chat dave; echo "exit $?"; pawl -i alice chat bob; echo "exit $?"');
    await terminal.shows('exit 67');
    await terminal.shows('exit 64');
    expect(seen(terminal)).toContain('error: there is no route to bob\nhint: pawl route bob dir:FOLDER');
    expect(readdirSync(home.folder)).not.toContain('us');
  });
});
