import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { main } from '../../../src/cli/main.ts';
import { acquaint, fakeIo, Person } from '../fake-io.ts';
import { PseudoTerminal } from '../pseudo-terminal.ts';
import { type Home, inHome, meet } from '../shell.ts';

/** What pawl proposes for the last of the words, without the descriptions. */
async function complete(person: Person, ...words: readonly string[]): Promise<readonly string[]> {
  const { text, errors } = await person.pawl(['complete', '--', ...words]);
  expect(errors).toBe('');
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => line.replace(/\t.*/, ''));
}

describe('what is proposed', () => {
  it('are commands, with what they do, and their options and those of every command', async () => {
    const { alice } = await acquaint();
    expect(await complete(alice, 'in')).toEqual(['init', 'invite', 'inspect']);
    expect((await alice.pawl(['complete', '--', 'verif'])).text).toMatch(/^verify\tshow the safety number/);
    expect(await complete(alice, '')).not.toContain('complete');
    expect(await complete(alice, 'send', '--')).toEqual(expect.arrayContaining(['--armor', '--json', '--help']));
    expect(await complete(alice, '--no')).toEqual(['--no-input']);
    expect(await complete(alice, 'sned', '')).toEqual([]);
  });

  it('are the names of contacts and identities, wherever one can stand', async () => {
    const { alice } = await acquaint();
    for (const line of [
      'send',
      'verify',
      'inspect',
      'forget',
      'rename',
      'acknowledge',
      '-q send -a -o x',
      'recv --from',
      'send --',
    ]) {
      expect(await complete(alice, ...line.split(' '), ''), line).toEqual(['bob']);
    }
    expect(await complete(alice, 'recv', '--from=b')).toEqual(['--from=bob']);
    // bash makes words of their own of equals signs.
    expect(await complete(alice, 'recv', '--from', '=', 'b')).toEqual(['bob']);
    expect(await complete(alice, 'recv', '--from', '=')).toEqual(['bob']);
    expect(await complete(alice, '-i', '')).toEqual(['alice']);
    for (const line of ['init', 'rename bob', 'send bob -m', 'inspect bob', 'send -m bob --wait']) {
      expect(await complete(alice, ...line.split(' '), ''), line).toEqual([]);
    }
  });

  it('are lists as well, and several, where a text is for them', async () => {
    const { alice } = await acquaint();
    await alice.add('carol', await (await Person.named('carol')).invite('alice'));
    await alice.pawl(['list', 'ops', 'bob', 'carol']);
    expect(await complete(alice, 'send', '')).toEqual(['bob', 'carol', '@ops']);
    expect(await complete(alice, 'send', '@')).toEqual(['@ops']);
    expect(await complete(alice, 'send', 'bob,')).toEqual(['bob,carol', 'bob,@ops']);
    expect(await complete(alice, 'send', '@ops,c')).toEqual(['@ops,carol']);
    expect(await complete(alice, 'send', '@ops,x')).toEqual([]);
    expect(await complete(alice, 'list', '')).toEqual(['ops']);
    expect(await complete(alice, 'list', 'ops', 'bob', 'c')).toEqual(['carol']);
    // bash makes a word of its own of the sign, and replaces what is behind it.
    const inBash = async (...words: readonly string[]) =>
      (await alice.pawl(['complete', '--bash', '--', ...words])).text;
    expect(await inBash('send', '@')).toBe('ops\n');
    expect(await inBash('send', '@', 'o')).toBe('ops\n');
    expect(await inBash('send', 'bob,', '@', 'o')).toBe('ops\n');
    expect(await inBash('send', 'bob,', '@')).toBe('ops\n');
    expect(await inBash('send', 'bob,c')).toBe('bob,carol\n');
    expect(await inBash('send', '@', 'ops,', '@', '')).toBe('');
    expect(await inBash('send', '@', 'ops', '')).toBe(':files\n');
  });

  it('are the IDs of open invites, which may be left out', async () => {
    const { alice } = await acquaint();
    await alice.invite('carol');
    const [invite] = (await alice.documents<{ invites: { id: string }[] }>(['inspect']))[0]?.invites ?? [];
    expect(await complete(alice, 'invite', 'carol', '--withdraw', '')).toEqual([invite?.id]);
    expect((await alice.pawl(['complete', '--', 'invite', '--withdraw', ''])).text).toBe(`${invite?.id}\tfor carol\n`);
    expect(await complete(alice, 'invite', 'carol', '--withdraw', '--js')).toEqual(['--json']);
    expect(await complete(alice, 'invite', '--withdraw', '--json', '')).toEqual(['bob']);
    expect(await complete(alice, 'invite', '--withdraw', 'x', '')).toEqual(['bob']);
  });

  it('are files where one can stand, and what there is to choose from', async () => {
    const { alice } = await acquaint();
    for (const line of ['add bob', 'send bob', 'recv', 'recv a b', 'backup', '--key-file', 'send -o', 'recv -- x']) {
      expect(await complete(alice, ...line.split(' '), ''), line).toEqual([':files']);
    }
    expect(await complete(alice, 'completion', '')).toEqual(['bash', 'zsh', 'fish']);
    expect(await complete(alice, 'outbox', 're')).toEqual(['resend']);
  });

  it('depends on the identity, the folder and the key that stand on the line', async () => {
    const { alice, bob } = await acquaint();
    const given = ['--home', bob.folder, `--key-file=${bob.folder}/key`];
    expect(await complete(alice, ...given, 'send', '')).toEqual(['alice']);
    expect(await complete(alice, 'send', ...given, '')).toEqual(['alice']);
    expect(await complete(alice, 'send', '--key-file', '~/key', '')).toEqual(['bob']);
    expect(await complete(alice, '-i', 'nobody', 'send', '')).toEqual([]);
  });

  it.each([
    ['nothing is known of a key', {}],
    ['a command would have to be run', { PAWL_PASSPHRASE_COMMAND: 'echo secret' }],
    ['an open file would have to be read', { PAWL_PASSPHRASE_FD: '0' }],
    ['the passphrase is wrong', { PAWL_PASSPHRASE: 'wrong' }],
  ])('are no names where %s', async (_, environment) => {
    const { alice } = await acquaint();
    const io = fakeIo({
      arguments: ['complete', '--', 'send', ''],
      environment: { PAWL_HOME: alice.folder, ...environment },
      openTerminal: () => {
        throw new Error('asked');
      },
      runCommand: () => {
        throw new Error('ran a command');
      },
    });
    expect([await main(io), io.output.text, io.errors.text]).toEqual([0, '', '']);
  });
});

const SCRIPT = (shell: string) => `source <(pawl completion ${shell})`;

/** Stands in a line that is being completed; none of it may be run. */
const TRAP = '"$(touch trapped)"';

describe('the script for bash', () => {
  const drive = (home: Home, ...words: readonly string[]) =>
    home.prepare(
      `${SCRIPT('bash')}; ${SCRIPT('bash')}
      COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}
      _pawl 2>/dev/null; printf '%s\\n' "\${COMPREPLY[@]}"`,
      { environment: { PAWL_IDENTITY: 'alice' } },
    );

  it('proposes, and runs nothing of what is typed', () =>
    inHome(async (home) => {
      await meet(home);
      expect(`${(await drive(home, 'pawl', 'send', '')).stdout}`).toBe('bob\n');
      expect(`${(await drive(home, 'pawl', 'send', 'bob', '-m', TRAP, '--li')).stdout}`).toBe('--lines\n');
      expect(existsSync(home.path('trapped'))).toBe(false);
      await home.prepare('pawl -i alice list ops bob');
      expect(`${(await drive(home, 'pawl', 'send', 'bob,', '@', 'o')).stdout}`).toBe('ops\n');
    }));
});

const INSTALLED = (shell: string) => spawnSync(shell, ['--version']).status === 0;

describe.each([
  ['bash', ['bash', '--norc', '-i'], SCRIPT('bash')],
  ['zsh', ['zsh', '-f', '-i'], `autoload -U compinit; compinit -u; ${SCRIPT('zsh')}`],
  ['fish', ['fish', '--no-config', '-i'], 'pawl completion fish | source'],
])('%s', (shell, command, setUp) => {
  it.skipIf(!INSTALLED(shell))('completes on a terminal, and runs nothing of what is typed', () =>
    inHome(async (home) => {
      await meet(home);
      home.write('a-picture.jpg', '');
      const trap = shell === 'fish' ? '(touch trapped)' : TRAP;
      const environment = { ...home.environment, PAWL_IDENTITY: 'alice', TERM: 'dumb', PS1: '> ' };
      const terminal = new PseudoTerminal(command, { folder: home.folder, environment });
      terminal.type(`${setUp}; echo rea''dy\r`);
      await terminal.shows('ready');
      for (const [typed, completed] of [
        ['pawl verif', 'verify '],
        ['pawl send b', 'bob '],
        ['pawl recv a-pic', 'a-picture.jpg '],
        [`pawl send bob -m ${trap} --li`, '--lines '],
      ] as const) {
        terminal.type(`${typed}\t`);
        await terminal.shows(completed);
        terminal.type('\x15');
      }
      terminal.type('exit\r');
      await terminal.exit;
      expect(existsSync(home.path('trapped'))).toBe(false);
    }),
  );
});
