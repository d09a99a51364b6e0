import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { main } from '../../src/cli/main.ts';
import { commandFor } from '../../src/cli/terminal/similar.ts';
import { acquaint, CollectedOutput, commandTree, fakeIo, Person } from './fake-io.ts';

const COMMANDS = commandTree().commands;

async function said(...words: readonly string[]): Promise<{ exit: number; text: string; errors: string }> {
  const io = fakeIo({ arguments: words });
  return { exit: await main(io), text: io.output.text, errors: io.errors.text };
}

describe('help', () => {
  it.each(COMMANDS.map((command) => command.name()))('of %s has two examples, which name it', async (name) => {
    const { exit, text } = await said(name, '--help');
    expect(exit).toBe(0);
    const examples = text.split('Examples:\n')[1]?.match(/^ {2}\$ .*$/gm) ?? [];
    expect(examples.length).toBeGreaterThanOrEqual(2);
    for (const example of examples) expect(example).toMatch(new RegExp(`pawl (?:-\\S+ \\S+ )?${name}\\b`));
    expect(text).toContain('pawl --help');
    expect(await said('help', name)).toEqual({ exit, text, errors: '' });
  });

  it('is the same by every name', async () => {
    const help = await said('--help');
    expect(await said('help')).toEqual(help);
    expect(await said('-h')).toEqual(help);
  });

  it.each(['sned', 'help sned'])('of what is misspelt says what may have been meant: %s', async (line) => {
    const { exit, errors } = await said(...line.split(' '));
    expect([exit, errors]).toEqual([64, "error: unknown command 'sned'\nhint: did you mean send?\n"]);
  });

  it.each([
    ['ls', 'pawl contacts'],
    ['Status', 'pawl inspect'],
    ['delete', 'pawl forget'],
    ['remove', 'pawl forget'],
    ['read', 'pawl recv'],
    ['decrypt', 'pawl recv'],
    ['reply', 'pawl send'],
    ['encrypt', 'pawl send'],
    ['import', 'pawl add'],
    ['export', 'pawl backup'],
    ['version', 'pawl --version'],
    ['-v', 'pawl --version'],
    ['help ls', 'pawl contacts'],
  ])('of a word that other programs have says what to type: %s', async (line, command) => {
    const { exit, errors } = await said(...line.split(' '));
    expect(exit).toBe(64);
    expect(errors).toMatch(/^error: unknown (?:command|option) '.*'\nhint: pawl /);
    expect(errors).toContain(`hint: ${command}`);
  });

  it('names no command that there is not', () => {
    const names = COMMANDS.map((command) => command.name());
    const source = readFileSync(new URL('../../src/cli/terminal/similar.ts', import.meta.url), 'utf8');
    const [, tried = ''] = /const TRIED.*?\[\n(.*?)\n\];/s.exec(source) ?? [];
    const meant = [...tried.matchAll(/pawl (\w+)/g)].map(([, name]) => name);
    expect(meant.length).toBeGreaterThan(15);
    expect(meant.filter((name) => name !== 'help' && !names.includes(name ?? ''))).toEqual([]);
    for (const name of names) expect([name, commandFor(name)]).toEqual([name, undefined]);
  });

  it.each([80, 132])('fits a terminal of %i columns', async (columns) => {
    for (const command of COMMANDS) {
      const io = fakeIo({
        arguments: [command.name(), '--help'],
        output: new CollectedOutput(true, { columns, rows: 24 }),
      });
      await main(io);
      const lines = io.output.text.split('\n').filter((line) => !/\d{5} \d{5}/.test(line));
      for (const line of lines) expect(line.length, line).toBeLessThanOrEqual(columns);
    }
  });
});

describe('pawl alone', () => {
  it('says what to do next', async () => {
    const hint = async (person: Person, ...words: readonly string[]) => {
      const error = await person.pawl(words).catch((thrown: Error) => thrown.message);
      return /exit 64\nerror: no command was given\nhint: (.*); pawl help lists the commands\n$/.exec(
        String(error),
      )?.[1];
    };
    const { alice } = await acquaint();
    expect(await hint(alice)).toBe('pawl send bob, pawl recv, or pawl inspect for what needs attention');
    expect(await hint(await Person.named('carol'))).toBe(
      'meet somebody: pawl invite bob -o for-bob.txt, or pawl add bob FILE',
    );
    expect(await hint(alice, '--home', '/nowhere/at/all')).toBe('make an identity first: pawl init NAME');
    expect(await hint(alice, '-i', 'nobody')).toBe(
      'meet somebody: pawl invite bob -o for-bob.txt, or pawl add bob FILE',
    );
  });
});
