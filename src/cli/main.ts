import { type Command, CommanderError } from 'commander';
import { PawlError } from '../errors.ts';
import { contactNames } from '../session/index.ts';
import { readable } from './bug-report.ts';
import type { CommandContext } from './context.ts';
import { asksNothing } from './identity/key-source.ts';
import { withIdentity } from './identity/open.ts';
import { homeOf, identitiesIn } from './identity/path.ts';
import { contextOf, createProgram } from './program.ts';
import { visible } from './terminal/format.ts';
import { type Io, systemIo } from './terminal/io.ts';
import { Reporter } from './terminal/reporter.ts';

const BUG = 1;

/** One run of pawl. @returns the exit code. Throws nothing. */
export async function main(io: Io): Promise<number> {
  // Until the command line is understood, this is all that can be known of how to speak.
  let reporter = new Reporter(io, { json: io.arguments.includes('--json'), quiet: false });
  try {
    let exit = 0;
    let help = '';
    const print = (text: string) => {
      help += text;
    };
    const begin = (chosen: Reporter) => {
      reporter = chosen;
    };
    const done = (code: number) => {
      exit = code;
    };
    const program = createProgram(io, { print, begin, done });
    try {
      await program.parseAsync(spelledOut(io.arguments, program), { from: 'user' });
    } catch (error) {
      if (!(error instanceof CommanderError) || error.exitCode === 0) throw error;
      if (error.code !== 'commander.help')
        throw new PawlError('usage', usageOf(error, commandIn(io.arguments, program)));
      const context = contextOf(io, program);
      begin(context.reporter);
      throw new PawlError('usage', { problem: 'no command was given', hint: await nextStep(context) });
    } finally {
      reporter.progress.clear();
      if (help !== '') await io.output.write(help);
    }
    return exit;
  } catch (error) {
    return report(io, reporter, error);
  }
}

/** `pawl help send` is `pawl send --help`; of a command that is not there, commander tells what may have been meant. */
function spelledOut(words: readonly string[], program: Command): string[] {
  if (words[0] !== 'help') return [...words];
  const [, name, ...others] = words;
  if (name === undefined) return ['--help'];
  return isCommand(program, name) ? [name, '--help', ...others] : [name];
}

/** The command that was meant, as far as that can be told. */
function commandIn(words: readonly string[], program: Command): string | undefined {
  return words.find((word) => isCommand(program, word));
}

function isCommand({ commands }: Command, word: string): boolean {
  return commands.some((command) => command.name() === word);
}

async function report(io: Io, reporter: Reporter, thrown: unknown): Promise<number> {
  // Help and version were asked for and have been given.
  if (thrown instanceof CommanderError && thrown.exitCode === 0) return 0;
  if (thrown instanceof PawlError) return reporter.error(thrown);
  const trace = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
  const words = `pawl: this is a bug in pawl, please report it\n${visible(readable(trace))}\n`;
  await io.errors.write(words).catch(() => undefined);
  return BUG;
}

/** Commander's sentence in our form: `error: unknown command 'sned'\n(Did you mean send?)`. */
function usageOf({ message }: CommanderError, command: string | undefined): { problem: string; hint?: string } {
  const [problem = '', suggestion] = message.replace(/^error: /, '').split('\n');
  const meant = suggestion?.match(/Did you mean (.*)\?/)?.[1];
  const sentence = problem
    .replace(/^command-argument value (.*?) is invalid for argument '(.*?)'/, '$1 cannot stand for $2')
    .replace(/\.$/, '')
    .replace(/\. (\w)/g, (_, letter: string) => `: ${letter.toLowerCase()}`);
  const hint = meant === undefined ? command && `pawl help ${command}` : `did you mean ${meant}?`;
  return { problem: sentence, ...(hint !== undefined && { hint }) };
}

/** What to type where nothing was: told by how far one has come, as far as this is known without asking. */
export async function nextStep(context: CommandContext): Promise<string> {
  const rest = 'pawl help lists the commands';
  if (identitiesIn(homeOf(context)).length === 0) return `make an identity first: pawl init NAME; ${rest}`;
  const names = asksNothing(context) ? await withIdentity(context, contactNames, 'reads').catch(() => []) : [];
  const [name] = names;
  return name === undefined
    ? `meet somebody: pawl invite bob -o for-bob.txt, or pawl add bob FILE; ${rest}`
    : `pawl send ${name}, pawl recv, or pawl inspect for what needs attention; ${rest}`;
}

/** Runs pawl as the process that it was started as; gives the exit code. */
export function run(process: NodeJS.Process): Promise<number> {
  return main(systemIo(process));
}
