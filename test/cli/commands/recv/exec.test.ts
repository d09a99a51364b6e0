import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { TextCommand } from '../../../../src/cli/commands/recv/text-command.ts';
import { systemIo } from '../../../../src/cli/terminal/io.ts';
import { utf8 } from '../../../../src/primitives/index.ts';
import type { Delivery, InboxId } from '../../../../src/session/index.ts';
import { START } from '../../../session/party.ts';
import { type FakeIo, fakeIo, Person, type Said, temporaryFolder } from '../../fake-io.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
/** How long a text rests after each failure. */
const PAUSES = [SECOND, 10 * SECOND, MINUTE, 10 * MINUTE, HOUR, HOUR, HOUR, HOUR, HOUR];

const { killGroup } = systemIo(process);
const SECRETS = { PAWL_PASSPHRASE: 'a', PAWL_PASSPHRASE_FD: '9', PAWL_PASSPHRASE_COMMAND: 'pass' };
const VARIABLES: Readonly<Record<string, string>> = {
  ...SECRETS,
  PATH: process.env.PATH ?? '',
  PAWL_IDENTITY: 'somebody',
  PAWL_KEY_FILE: '/key',
  PAWL_FILE: 'of another',
};
const OUTSIDE: Partial<FakeIo> = {
  killGroup,
  variables: (isMeant) => Object.fromEntries(Object.entries(VARIABLES).filter(([name]) => isMeant(name))),
};

let folder: string;
let alice: Person;
let bob: Person;

const at = (name: string) => join(folder, name);
const read = (name: string) => (existsSync(at(name)) ? readFileSync(at(name), 'utf8') : '');
/** The text, and a newline, at the end of a file. */
const TAKE = () => `cat >> ${at('taken')}; echo >> ${at('taken')}`;

async function receive(how: string, command: string): Promise<Said> {
  return bob.run(['recv', how, '--exec', command], undefined, OUTSIDE);
}

/** Alice and bob, who reach each other by a folder. */
beforeEach(async () => {
  folder = temporaryFolder();
  [alice, bob] = [await Person.named('alice'), await Person.named('bob')];
  await alice.add('bob', await bob.invite('alice'));
  await alice.pawl(['route', 'bob', `dir:${folder}`]);
  await bob.pawl(['route', 'alice', `dir:${folder}`]);
});

describe('recv --exec', () => {
  it('gives each text to the standard input of a command, with what is known of it, and then it is gone', async () => {
    const text = 'two lines,\nand no secret: \u{1f41a}\n';
    const { id } = JSON.parse((await alice.pawl(['--json', 'send', 'bob', '-m', text])).text);
    const { exit, text: shown } = await receive(
      '--fetch',
      `env | grep ^PAWL_ | sort > ${at('env')}; cat > ${at('text')}`,
    );
    expect([exit, shown]).toEqual([0, '']);
    expect(read('text')).toBe(text);
    expect(read('env').trim().split('\n')).toEqual([
      'PAWL_FROM=alice',
      `PAWL_HOME=${bob.folder}`,
      `PAWL_ID=${id}`,
      'PAWL_IDENTITY=bob',
      'PAWL_KEY_FILE=/key',
      `PAWL_SENT_AT=${new Date(START).toISOString()}`,
      'PAWL_VERIFIED=0',
    ]);
    expect((await receive('--waiting', 'false')).errors).toContain('nothing waits');
  });

  it('says who is verified, and what a file is called', async () => {
    writeFileSync(at('a list.txt'), Uint8Array.of(0, 255, 10));
    await alice.pawl(['send', 'bob', at('a list.txt')]);
    await receive('--fetch', `echo "$PAWL_FILE $PAWL_VERIFIED" > ${at('said')}; cat > ${at('file')}`);
    expect(read('said')).toBe('a list.txt 0\n');
    expect(readFileSync(at('file'))).toEqual(Buffer.of(0, 255, 10));
    const { safety_number: theirs = '' } =
      (await alice.documents<{ safety_number: string }>(['verify', 'bob']))[0] ?? {};
    await bob.pawl(['verify', 'alice', theirs]);
    await alice.pawl(['send', 'bob', '-m', 'hi']);
    await receive('--fetch', `echo "$PAWL_FILE $PAWL_VERIFIED" > ${at('said')}`);
    expect(read('said')).toBe(' 1\n');
  });

  it('puts files into --out-dir, and gives only texts to the command', async () => {
    writeFileSync(at('list.txt'), 'a list');
    await alice.pawl(['send', 'bob', at('list.txt')]);
    await alice.pawl(['send', 'bob', '-m', 'hi']);
    const out = temporaryFolder();
    const { exit } = await bob.run(['recv', '--fetch', '--exec', TAKE(), '--out-dir', out], undefined, OUTSIDE);
    expect([exit, read('taken'), readFileSync(join(out, 'list.txt'), 'utf8')]).toEqual([0, 'hi\n', 'a list']);
  });

  it('keeps a text on which the command fails, and goes on with others; gives it again after a pause that grows', async () => {
    await alice.pawl(['send', 'bob', '-m', 'bad']);
    await alice.pawl(['send', 'bob', '-m', 'good']);
    const command = `read -r text; echo "$PAWL_ID $text" >> ${at('taken')}; test "$text" != bad`;
    const first = await receive('--fetch', command);
    expect(first.exit).toBe(75);
    expect(first.errors).toContain(
      'pawl: the command failed on a message of alice (exit 1): try 1 of 10; the next is due after 1 s, by another pawl recv --exec\n',
    );
    for (const [index, pause] of PAUSES.entries()) {
      bob.time += pause - 1;
      expect((await receive('--fetch', command)).exit).toBe(0);
      bob.time += 1;
      expect([index, (await receive('--fetch', command)).exit]).toEqual([index, 75]);
    }
    const lines = read('taken').trim().split('\n');
    expect(lines.filter((line) => line.endsWith(' good'))).toHaveLength(1);
    const bad = lines.filter((line) => line.endsWith(' bad'));
    expect(bad).toHaveLength(10);
    expect(new Set(bad).size).toBe(1);
    // It waits for its owner now, whatever time passes.
    bob.time += 24 * HOUR;
    expect((await receive('--fetch', command)).exit).toBe(0);
    const attention = 'alice: the command of recv --exec failed 10 times on 1 message: pawl recv --waiting';
    expect((await bob.pawl(['inspect'])).text).toContain(attention);
    const [identity] = await bob.documents<{ inbox: object[]; attention: string[] }>(['inspect']);
    expect(identity?.inbox).toMatchObject([{ from: 'alice', tries: 10 }]);
    expect(identity?.attention).toContain(attention);
    expect((await bob.pawl(['recv', '--waiting'])).text).toBe('bad');
    expect((await bob.pawl(['inspect'])).text).not.toContain('recv --exec');
  });

  it('gives it at once where that is asked for, however often the command has failed', async () => {
    await alice.pawl(['send', 'bob', '-m', 'hi']);
    expect((await receive('--fetch', 'exit 3')).errors).toContain('(exit 3)');
    for (let tries = 2; tries <= 10; tries++) {
      const { errors } = await receive('--waiting', 'kill -9 $$');
      expect(errors).toContain(`(ended by SIGKILL): try ${tries}`);
      expect(errors.includes('the last; it waits: pawl recv --waiting')).toBe(tries === 10);
    }
    expect((await receive('--waiting', TAKE())).exit).toBe(0);
    expect(read('taken')).toBe('hi\n');
  });

  it('does not rest for ever where the clock is turned back', async () => {
    await alice.pawl(['send', 'bob', '-m', 'hi']);
    await receive('--fetch', 'false');
    bob.time -= HOUR;
    expect((await receive('--fetch', TAKE())).exit).toBe(0);
    expect(read('taken')).toBe('hi\n');
  });

  it('takes a text as delivered that the command has not read', async () => {
    writeFileSync(at('large'), new Uint8Array(2 ** 20));
    await alice.pawl(['send', 'bob', at('large')]);
    expect((await receive('--fetch', 'true')).exit).toBe(0);
    expect((await receive('--waiting', 'false')).errors).toContain('nothing waits');
  });

  it('ends where the command cannot be run, and counts no try', async () => {
    await alice.pawl(['send', 'bob', '-m', 'one']);
    await alice.pawl(['send', 'bob', '-m', 'two']);
    writeFileSync(at('script'), '', { mode: 0o600 });
    for (const [command, exit] of [
      ['exec 2> /dev/null; no-such-command', 127],
      [`exec 2> /dev/null; ${at('.')}`, 126],
    ] as const) {
      const said = await receive('--fetch', command);
      expect([said.exit, said.errors.match(/error: .*/g)]).toEqual([
        64,
        [`error: the command ${JSON.stringify(command)} cannot be run: exit ${exit}`],
      ]);
    }
    const [identity] = await bob.documents<{ inbox: object[] }>(['inspect']);
    expect(identity?.inbox.filter((one) => 'tries' in one)).toEqual([]);
    const { exit, errors } = await receive('--fetch', TAKE());
    expect([exit, errors.includes('may have come before')]).toEqual([0, false]);
    expect(read('taken').trim().split('\n').sort()).toEqual(['one', 'two']);
  });

  it.each([
    [['--exec', 'cat'], '--exec goes with --follow, --fetch or --waiting'],
    [['--fetch', '--exec', ' '], 'it must be a command line for the shell'],
    [['--fetch', '--exec', 'cat', '--lines'], '--lines and --exec do not go together'],
    [['--fetch', '--exec', 'cat', '-o', 'x'], '-o and --exec do not go together'],
    [['--fetch', '--exec', 'cat', '--format', '%text'], '--format and --exec do not go together'],
  ])('is refused with %j', async (options, problem) => {
    const { exit, errors } = await bob.run(['recv', ...options]);
    expect([exit, errors.includes(problem)]).toEqual([64, true]);
  });
});

describe('the command', () => {
  const delivery = {
    from: 'alice',
    verified: true,
    id: new Uint8Array(16),
    inboxId: 1 as InboxId,
    claimedAt: 0,
  } as const;
  const said: Delivery = {
    ...delivery,
    ...{ type: 'message', n: 0, late: false, again: false, notices: [] },
    content: { type: 'text', sentAt: 0, bytes: utf8('hi') },
  };
  const commandOf = (line: string, given: Partial<FakeIo> = {}, timeLimit?: number) =>
    new TextCommand(
      { io: fakeIo({ ...OUTSIDE, ...given }) },
      { name: 'bob', home: '/home' },
      { line, ...(timeLimit !== undefined && { timeLimit }) },
    );

  it('is ended, with all that it has started, when it takes too long', async () => {
    const command = commandOf(`sleep 60 & echo $! > ${at('pid')}; wait`, {}, 600_000);
    // Of the time that the text is left to it, so much is over.
    expect(await command.run(said, 600_000 - 300)).toContain('it took more than');
    const pid = Number(read('pid'));
    expect(pid).toBeGreaterThan(1);
    await expect.poll(() => isThere(pid)).toBe(false);
  });

  it('is not started before a signal to end pawl would be passed on to it', async () => {
    const order: string[] = [];
    const command = commandOf('true', {
      beforeEnd: () => {
        order.push('listens');
        return { remove: () => undefined };
      },
      variables: () => {
        order.push('starts');
        return {};
      },
    });
    await command.run(said);
    expect(order).toEqual(['listens', 'starts']);
  });

  it('is told to end when pawl is, and pawl waits for that', async () => {
    let tell: (signal: NodeJS.Signals) => Promise<void> = async () => undefined;
    const beforeEnd = (work: typeof tell) => {
      tell = work;
      return { remove: () => undefined };
    };
    const command = commandOf(
      `trap 'echo ended > ${at('said')}; exit 0' TERM; echo > ${at('begun')}; while :; do sleep 0.01; done`,
      {
        beforeEnd,
      },
    );
    const running = command.run(said);
    await expect.poll(() => existsSync(at('begun'))).toBe(true);
    await tell('SIGTERM');
    expect(read('said')).toBe('ended\n');
    await running;
  });
});

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
