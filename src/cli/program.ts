/**
 * The command tree: every command, the global options, and how help is printed.
 * Knows nothing of what the commands do.
 */
import { Command, Help, Option } from 'commander';
import { version } from '../../package.json';
import { defineAcknowledge } from './commands/acknowledge.ts';
import { defineAdd } from './commands/add.ts';
import { defineAgent } from './commands/agent.ts';
import { defineBackup } from './commands/backup.ts';
import { defineChat } from './commands/chat/chat.ts';
import { defineCompletion } from './commands/completion.ts';
import { defineContacts } from './commands/contacts.ts';
import { defineForget } from './commands/forget.ts';
import { defineHistory } from './commands/history.ts';
import { defineInit } from './commands/init.ts';
import { defineInspect } from './commands/inspect.ts';
import { defineInvite } from './commands/invite.ts';
import { defineList } from './commands/list.ts';
import { defineLock } from './commands/lock.ts';
import { defineLog } from './commands/log.ts';
import { defineMove } from './commands/move.ts';
import { defineOutbox } from './commands/outbox.ts';
import { definePasswd } from './commands/passwd.ts';
import { definePrune } from './commands/prune.ts';
import { defineRecv } from './commands/recv/recv.ts';
import { defineRename } from './commands/rename.ts';
import { defineRestore } from './commands/restore.ts';
import { defineRoute } from './commands/route.ts';
import { defineSend } from './commands/send/send.ts';
import { defineUnlock } from './commands/unlock.ts';
import { defineVerify } from './commands/verify.ts';
import type { CommandContext, DefineCommand, GlobalOptions, MakeAction } from './context.ts';
import { loadNativeParts } from './identity/open.ts';
import { wholeNumber } from './option-types.ts';
import type { Io } from './terminal/io.ts';
import { Reporter } from './terminal/reporter.ts';
import { columnsOf } from './terminal/screen.ts';

const COMMANDS: readonly DefineCommand[] = [
  defineInit,
  defineInvite,
  defineAdd,
  defineSend,
  defineRecv,
  defineRoute,
  defineChat,
  defineInspect,
  defineContacts,
  defineVerify,
  defineAcknowledge,
  defineRename,
  defineForget,
  defineList,
  defineHistory,
  defineLog,
  defineOutbox,
  definePrune,
  defineUnlock,
  defineLock,
  definePasswd,
  defineBackup,
  defineRestore,
  defineMove,
  defineCompletion,
  defineAgent,
];

const FIRST_STEPS = `
First steps (one of the two invites, the other adds):
  alice$ pawl init alice
  alice$ pawl invite bob -o invite.txt         hand it to bob
  bob$   pawl init bob
  bob$   pawl add alice invite.txt
  bob$   pawl send alice -m hi -o hi.pawl      hand it to alice
  alice$ pawl recv hi.pawl
  alice$ pawl verify bob                       compare the number with bob's

Environment: PAWL_IDENTITY and PAWL_HOME stand for -i and --home; PAWL_KEY_FILE, PAWL_PASSPHRASE_FILE, PAWL_PASSPHRASE_FD
and PAWL_PASSPHRASE_COMMAND for the options of that name; PAWL_PASSPHRASE is the passphrase itself. PAWL_MARKS=none: this
place keeps nothing (a container, CI), so a restored identity file is not noticed.`;

/** Called while a command line is parsed and run. */
interface ProgramListener {
  /** Receives the text of help or version. */
  readonly onHelp: (text: string) => void;
  /** Receives the reporter of the command that is about to run. */
  readonly onStart: (reporter: Reporter) => void;
  /** Receives the exit code of the command that has run. */
  readonly onExit: (exit: number) => void;
}

export function createProgram(io: Io, { onHelp, onStart, onExit }: ProgramListener): Command {
  const program = new Command('pawl')
    .description('Signal-grade conversations as a Unix command, over any channel that carries bytes.')
    .version(version, '-V, --version')
    .addHelpText('after', FIRST_STEPS)
    .helpCommand('help [command]', 'display help for a command')
    .exitOverride()
    // Options after the command belong to the command, so that in `-m --json` the second word is the text.
    .enablePositionalOptions()
    .configureOutput({
      writeOut: (text) => onHelp(wrapText(text, columnsOf(io.output))),
      writeErr: () => undefined,
      outputError: () => undefined,
      getOutHelpWidth: () => columnsOf(io.output),
      getOutHasColors: () => false,
    });
  const globals = globalOptions();
  for (const option of globals) program.addOption(option);

  const makeAction: MakeAction =
    (handler, opens = () => true) =>
    async (...parameters) => {
      const command = parameters.at(-1) as Command;
      const context = contextOf(io, program, command);
      onStart(context.reporter);
      if (opens(command)) await loadNativeParts(context);
      onExit(await handler(context, ...parameters));
    };
  for (const define of COMMANDS) define(program, makeAction);
  // Global options may also follow the command. They are added only to the command that is about to run, because adding
  // them to every command would slow the start down. They are hidden from its help, which refers to `pawl --help`.
  return program.hook('preSubcommand', (_, command) => {
    command.addHelpText('after', '\nOptions for every command: pawl --help');
    for (const option of globals) command.addOption(option.hideHelp());
  });
}

/**
 * The context of a command, from the options on the command line.
 * @param commands the program, then the command that runs: an option that is given to both has the value of the latter.
 */
export function contextOf(io: Io, ...commands: readonly Command[]): CommandContext {
  const given = Object.assign({}, DEFAULTS, ...commands.map(givenOptions));
  const { json, quiet, ...options } = given as GlobalOptions & { json?: true; quiet?: true };
  return { io, options, reporter: new Reporter(io, { json: json === true, quiet: quiet === true }) };
}

/** Wraps the paragraphs that commander does not wrap itself. Indented ones are left as they are. */
function wrapText(text: string, width: number): string {
  const help = new Help();
  const paragraphs = text.split('\n\n').map((paragraph) => {
    const [, before = '', prose = '', after = ''] = /^(\n*)(.*?)(\n*)$/s.exec(paragraph) ?? [];
    return /^ /m.test(prose) ? paragraph : before + help.boxWrap(prose.replaceAll('\n', ' '), width) + after;
  });
  return paragraphs.join('\n\n');
}

/** The values of the global options that are not given. */
const DEFAULTS = { input: true, wait: 5 };

/** The options that were given on the command line, without the defaults that commander adds. */
function givenOptions(command: Command): Record<string, unknown> {
  const options = Object.entries(command.opts());
  return Object.fromEntries(options.filter(([name]) => command.getOptionValueSource(name) !== 'default'));
}

function globalOptions(): Option[] {
  return [
    new Option('-i, --identity <identity>', 'the identity to use'),
    new Option('--home <dir>', 'the folder of the identity files, or a database: postgres://USER@HOST/DB'),
    new Option('--key-file <file>', 'a key file of 32 bytes opens the identity'),
    new Option('--passphrase-file <file>', 'the passphrase is in this file'),
    new Option('--passphrase-fd <n>', 'the passphrase comes from this open file').argParser(wholeNumber(0, 9_999)),
    new Option('--passphrase-command <line>', 'the passphrase is what this command prints'),
    new Option('--after-restore', 'this identity was restored, and may be older than what was sent'),
    new Option('--moved', 'this identity comes from another machine or server, and is the newest copy').conflicts(
      'afterRestore',
    ),
    new Option('--no-input', 'never ask on the terminal'),
    new Option('--json', 'one JSON document a line'),
    new Option('-q, --quiet', 'no notices, only errors'),
    new Option('--wait <seconds>', 'wait this long for another pawl on the same identity (5)').argParser(
      wholeNumber(0, 3_600),
    ),
  ];
}
