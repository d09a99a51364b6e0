/**
 * `pawl completion`, which prints a script for a shell, and the hidden `pawl complete`, which the script calls.
 * Knows nothing of how a command line is parsed.
 */
import { Argument } from 'commander';
import { contactNames, listReports, openInvites } from '../../session/index.ts';
import {
  type Candidates,
  candidatesFor,
  candidatesInBash,
  type GivenOptions,
  type Names,
} from '../completion/candidates.ts';
import { SCRIPTS, SHELLS, type ShellName } from '../completion/scripts.ts';
import type { CommandContext, DefineCommand, GlobalOptions } from '../context.ts';
import { peekNames } from '../identity/home.ts';
import { silently } from '../identity/key-source.ts';
import { type OpenIdentity, withIdentity } from '../identity/open.ts';
import { Reporter } from '../terminal/reporter.ts';

/** The names of contacts are looked up where that goes without a word: all else is completed where it does not. */
const OPENS_NOTHING = () => false;

export const defineCompletion: DefineCommand = (program, makeAction) => {
  program
    .command('completion')
    .description('print a script that completes pawl commands in your shell')
    .addArgument(new Argument('<shell>', 'your shell').choices(SHELLS))
    .addHelpText(
      'after',
      `
The names of contacts are completed where the key of the identity is given without asking: in a key file, in a
passphrase file or variable (pawl --help), or while it is unlocked (pawl unlock).

Examples:
  $ source <(pawl completion bash)             in ~/.bashrc
  $ source <(pawl completion zsh)              in ~/.zshrc, after compinit
  $ pawl completion fish > ~/.config/fish/completions/pawl.fish`,
    )
    .action(
      makeAction(async ({ io }, shell: ShellName) => {
        await io.output.write(SCRIPTS[shell]);
        return 0;
      }, OPENS_NOTHING),
    );

  program
    .command('complete [words...]', { hidden: true })
    .description('what the scripts of pawl completion ask')
    .option('--bash', 'the words are as bash divides them')
    .action(
      makeAction(async (context, words: readonly string[], { bash }: { bash?: true }) => {
        const propose = bash ? candidatesInBash : candidatesFor;
        const candidates = await propose(program, words, namesFor(context));
        await context.io.output.write(formatCandidates(candidates));
        return 0;
      }, OPENS_NOTHING),
    );
};

function formatCandidates({ values, files }: Candidates): string {
  const lines = values.map(({ value, description }) =>
    description === undefined ? value : `${value}\t${description}`,
  );
  return [...lines, ...(files ? [':files'] : [])].map((line) => `${line}\n`).join('');
}

/** Looks names up for the options on the line. An error, as with an incomplete option, gives no names. */
function namesFor(context: CommandContext): Names {
  const read = async <Name>(
    given: GivenOptions,
    names: (identity: OpenIdentity) => Promise<readonly Name[]>,
  ): Promise<readonly Name[]> => {
    try {
      const silent = silently(contextOfLine(context, given));
      return silent === undefined ? [] : await withIdentity(silent, names, 'peeks');
    } catch {
      return [];
    }
  };
  return {
    identities: async (given) => {
      try {
        return await peekNames(contextOfLine(context, given));
      } catch {
        return [];
      }
    },
    contacts: (given) => read(given, contactNames),
    lists: (given) => read(given, async (identity) => (await listReports(identity)).map(({ name }) => name)),
    invites: (given) =>
      read(given, async (identity) => {
        const invites = await openInvites(identity);
        return invites.map(({ id, name }) => ({ value: id, description: `for ${name}` }));
      }),
  };
}

/** The context for the options on the line. It writes no messages, and does not wait for a lock. */
function contextOfLine({ io, options }: CommandContext, given: GivenOptions): CommandContext {
  const { identity, home, keyFile, passphraseFile } = given;
  const typed = { identity, home, keyFile, passphraseFile };
  const paths = Object.entries(typed).filter((entry): entry is [string, string] => entry[1] !== undefined);
  // bash and zsh pass the words before they expand `~`.
  const expanded = Object.fromEntries(
    paths.map(([name, path]) => [name, path.replace(/^~(?=\/|$)/, () => io.home() ?? '~')]),
  );
  const silent = { ...io, errors: { ...io.errors, isTerminal: false, write: async () => undefined } };
  return {
    io: silent,
    options: { ...options, ...expanded, wait: 0 } satisfies GlobalOptions,
    reporter: new Reporter(silent, { json: false, quiet: true }),
  };
}
