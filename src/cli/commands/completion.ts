import { Argument } from 'commander';
import { contactNames } from '../../session/index.ts';
import { type Candidates, candidatesFor, type GivenOptions, type Names } from '../completion/candidates.ts';
import { SCRIPTS, SHELLS, type ShellName } from '../completion/scripts.ts';
import type { CommandContext, DefineCommand, GlobalOptions } from '../context.ts';
import { asksNothing } from '../identity/key-source.ts';
import { withIdentity } from '../identity/open.ts';
import { homeOf, identitiesIn } from '../identity/path.ts';
import { Reporter } from '../terminal/reporter.ts';

export const defineCompletion: DefineCommand = (program, act) => {
  program
    .command('completion')
    .description('print a script that completes pawl commands in your shell')
    .addArgument(new Argument('<shell>', 'your shell').choices(SHELLS))
    .addHelpText(
      'after',
      `
The names of contacts are completed where the key of the identity is given without asking: in a key file, or in a
passphrase file or variable (pawl --help).

Examples:
  $ source <(pawl completion bash)             in ~/.bashrc
  $ source <(pawl completion zsh)              in ~/.zshrc, after compinit
  $ pawl completion fish > ~/.config/fish/completions/pawl.fish`,
    )
    .action(
      act(async ({ io }, shell: ShellName) => {
        await io.output.write(SCRIPTS[shell]);
        return 0;
      }),
    );

  program
    .command('complete [words...]', { hidden: true })
    .description('what the scripts of pawl completion ask')
    .action(
      act(async (shell, words: readonly string[]) => {
        await shell.io.output.write(asLines(await candidatesFor(program, words, namesFor(shell))));
        return 0;
      }),
    );
};

function asLines({ values, files }: Candidates): string {
  const lines = values.map(({ value, description }) =>
    description === undefined ? value : `${value}\t${description}`,
  );
  return [...lines, ...(files ? [':files'] : [])].map((line) => `${line}\n`).join('');
}

/** What is wrong with the line that is being typed is no matter yet: then there are no names. */
function namesFor(shell: CommandContext): Names {
  return {
    identities: (given) => {
      try {
        return identitiesIn(homeOf(asTyped(shell, given)));
      } catch {
        return [];
      }
    },
    contacts: async (given) => {
      try {
        const typed = asTyped(shell, given);
        if (!asksNothing(typed)) return [];
        return await withIdentity(typed, contactNames, 'reads');
      } catch {
        return [];
      }
    },
  };
}

/** The shell as it will be for the command that is being typed; it waits for nobody and says nothing. */
function asTyped({ io, options }: CommandContext, given: GivenOptions): CommandContext {
  const { identity, home, keyFile, passphraseFile } = given;
  const typed = { identity, home, keyFile, passphraseFile };
  const paths = Object.entries(typed).filter((entry): entry is [string, string] => entry[1] !== undefined);
  // bash and zsh hand the words over before they expand them.
  const expanded = Object.fromEntries(paths.map(([name, path]) => [name, path.replace(/^~(?=\/|$)/, () => io.home())]));
  const silent = { ...io, errors: { ...io.errors, isTerminal: false, write: async () => undefined } };
  return {
    io: silent,
    options: { ...options, ...expanded, input: false, wait: 0 } satisfies GlobalOptions,
    reporter: new Reporter(silent, { json: false, quiet: true }),
  };
}
