/**
 * One run of pawl: parses the command line, runs the command, reports errors, and returns the exit code.
 * Knows no command, and touches the process only through `Io`.
 */
import { type Command, CommanderError } from 'commander';
import { PawlError } from '../errors.ts';
import { codeOf, REPLACEMENT } from '../files/index.ts';
import { contactNames } from '../session/index.ts';
import { mapStackTrace } from './bug-report.ts';
import type { CommandContext } from './context.ts';
import { peekNames } from './identity/home.ts';
import { silently } from './identity/key-source.ts';
import { withIdentity } from './identity/open.ts';
import { contextOf, createProgram } from './program.ts';
import { escapeInvisible } from './terminal/format.ts';
import { type Io, systemIo } from './terminal/io.ts';
import { Reporter } from './terminal/reporter.ts';
import { commandFor } from './terminal/similar.ts';

/** The exit code for an error that is not a `PawlError`. */
const BUG = 1;

/**
 * Runs the command line in `io.arguments`. Every error is reported on standard error; none is thrown.
 * @returns the exit code.
 */
export async function main(io: Io): Promise<number> {
  // A syntax error may come before the options are parsed. Only `--json` matters for reporting it.
  let reporter = new Reporter(io, { json: io.arguments.includes('--json'), quiet: false });
  try {
    refuseReplaced(io.arguments);
    let exit = 0;
    let help = '';
    const program = createProgram(io, {
      onHelp: (text) => {
        help += text;
      },
      onStart: (chosen) => {
        reporter = chosen;
      },
      onExit: (code) => {
        exit = code;
      },
    });
    try {
      await program.parseAsync(expandHelp(io.arguments, program), { from: 'user' });
    } catch (error) {
      if (!(error instanceof CommanderError) || error.exitCode === 0) throw error;
      if (error.code !== 'commander.help')
        throw new PawlError('usage', usageDetail(error, findCommand(io.arguments, program)));
      const context = contextOf(io, program);
      reporter = context.reporter;
      throw new PawlError('usage', { problem: 'no command was given', hint: await suggestCommand(context) });
    } finally {
      reporter.progress.clear();
      if (help !== '') await io.output.write(help);
    }
    return exit;
  } catch (error) {
    return reportFailure(io, reporter, error);
  }
}

/**
 * Refuses arguments of which Node has replaced bytes that are no UTF-8: they would name other files, and be another text.
 * One that was typed with the replacement itself looks the same.
 * @throws `not-utf8`.
 */
function refuseReplaced(words: readonly string[]): void {
  const word = words.find((one) => one.includes(REPLACEMENT));
  if (word !== undefined) throw new PawlError('not-utf8', { what: `the argument ${JSON.stringify(word)}` });
}

/**
 * Rewrites `pawl help send` to `pawl send --help`. For an unknown command the name alone remains, so that commander
 * suggests a similar one.
 */
function expandHelp(words: readonly string[], program: Command): string[] {
  if (words[0] !== 'help') return [...words];
  const [, name, ...others] = words;
  if (name === undefined) return ['--help'];
  return isCommand(program, name) ? [name, '--help', ...others] : [name];
}

/** The first word that is the name of a command. An option value with such a name is mistaken for it. */
function findCommand(words: readonly string[], program: Command): string | undefined {
  return words.find((word) => isCommand(program, word));
}

function isCommand({ commands }: Command, word: string): boolean {
  return commands.some((command) => command.name() === word);
}

async function reportFailure(io: Io, reporter: Reporter, thrown: unknown): Promise<number> {
  // Commander also throws after it has printed the help or the version.
  if (thrown instanceof CommanderError && thrown.exitCode === 0) return 0;
  if (thrown instanceof PawlError) return reporter.error(thrown);
  if (['MODULE_NOT_FOUND', 'ERR_MODULE_NOT_FOUND'].includes(codeOf(thrown) ?? '')) {
    return reporter.error(
      new PawlError('no-addon', { part: 'a package', why: 'missing', node: '' }, { cause: thrown }),
    );
  }
  const trace = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
  const words = `pawl: this is a bug in pawl, please report it\n${escapeInvisible(mapStackTrace(trace))}\n`;
  await io.errors.write(words).catch(() => undefined);
  return BUG;
}

/**
 * Rewrites an error message of commander as the problem and the hint of a `usage` error.
 * @param command the command that the hint refers to.
 * @example `error: unknown command 'sned'\n(Did you mean send?)` gives `unknown command 'sned'`, `did you mean send?`
 */
function usageDetail(
  { code, message }: CommanderError,
  command: string | undefined,
): { problem: string; hint?: string } {
  const [problem = '', suggestion] = message.replace(/^error: /, '').split('\n');
  const meant = suggestion?.match(/Did you mean (.*)\?/)?.[1];
  const sentence = problem
    .replace(/^command-argument value (.*?) is invalid for argument '(.*?)'/, '$1 cannot stand for $2')
    .replace(/\.$/, '')
    .replace(/\. (\w)/g, (_, letter: string) => `: ${letter.toLowerCase()}`);
  const tried = /^commander\.unknown(?:Command|Option)$/.test(code) ? /'(.*)'$/.exec(problem)?.[1] : undefined;
  const isText = command === 'invite' && /^(-[ab]|--armor|--binary)$/.test(tried ?? '');
  const hint =
    (isText ? 'leave it out: an invite is always text, which can be pasted anywhere' : undefined) ??
    commandFor(tried ?? '') ??
    (meant === undefined ? command && `pawl help ${command}` : `did you mean ${meant}?`);
  return { problem: sentence, ...(hint !== undefined && { hint }) };
}

/**
 * The hint for a command line without a command. It depends on whether there are identities and contacts; contacts are
 * looked up only if the identity file opens without a question.
 */
async function suggestCommand(context: CommandContext): Promise<string> {
  const rest = 'pawl help lists the commands';
  const identities = await peekNames(context).catch(() => undefined);
  if (identities === undefined) return rest;
  if (identities.length === 0) return `make an identity first: pawl init NAME; ${rest}`;
  const silent = silently(context);
  const names = silent === undefined ? [] : await withIdentity(silent, contactNames, 'peeks').catch(() => []);
  const [name] = names;
  return name === undefined
    ? `meet somebody: pawl invite bob -o for-bob.txt, or pawl add bob FILE; ${rest}`
    : `pawl send ${name}, pawl recv, or pawl inspect for what needs attention; ${rest}`;
}

/**
 * Runs pawl on a real process: `bin/pawl.js` calls it.
 * @returns the exit code.
 */
export function run(process: NodeJS.Process): Promise<number> {
  return main(systemIo(process));
}
