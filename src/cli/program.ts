import { Command, Option } from 'commander';
import { version } from '../../package.json';
import { defineAdd } from './commands/add.ts';
import { defineBackup } from './commands/backup.ts';
import { defineInit } from './commands/init.ts';
import { defineInspect } from './commands/inspect.ts';
import { defineInvite } from './commands/invite.ts';
import { defineOutbox } from './commands/outbox.ts';
import { definePasswd } from './commands/passwd.ts';
import { defineRecv } from './commands/recv.ts';
import { defineSend } from './commands/send.ts';
import type { Io } from './io.ts';
import { wholeNumber } from './parse.ts';
import type { Act, Define, GlobalOptions } from './shell.ts';
import { Tell } from './tell.ts';

const COMMANDS: readonly Define[] = [
  defineInit,
  defineInvite,
  defineAdd,
  defineSend,
  defineRecv,
  defineInspect,
  defineOutbox,
  definePasswd,
  defineBackup,
];

const FIRST_MINUTE = `
First steps:
  $ pawl init alice                            make an identity
  $ pawl invite bob > for-bob.txt              an invite, for bob to add
  $ pawl add bob invite-of-bob.txt             keep an invite of bob's
  $ echo hello | pawl send bob > message.pawl  encrypt
  $ pawl recv message.pawl                     decrypt`;

/** The command tree. `done` is told the exit code of the command that ran. */
export function createProgram(io: Io, done: (exit: number) => void): Command {
  const program = new Command('pawl')
    .description('Signal-grade conversations as a Unix command, over any channel that carries bytes.')
    .version(version, '-V, --version')
    .option('-i, --identity <name>', 'the identity to use')
    .option('--home <dir>', 'the folder of the identity files')
    .option('--key-file <file>', 'a key file of 32 bytes opens the identity')
    .option('--passphrase-file <file>', 'the passphrase is in this file')
    .option('--after-restore', 'go on with an identity file that was restored')
    .option('--no-input', 'never ask on the terminal')
    .option('--json', 'one JSON document a line')
    .option('-q, --quiet', 'no notices, only errors')
    .addOption(
      new Option('--wait <seconds>', 'wait this long for another pawl on the same identity')
        .default(5)
        .argParser(wholeNumber(0, 3_600)),
    )
    .addHelpText('after', FIRST_MINUTE)
    .helpCommand(false)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void io.output.write(text),
      writeErr: (text) => void io.errors.write(text),
      outputError: () => undefined,
    });

  const act: Act =
    (work) =>
    async (...parameters) => {
      const { json, quiet, ...options } = program.opts<GlobalOptions & { json?: true; quiet?: true }>();
      const tell = new Tell(io, { json: json === true, quiet: quiet === true });
      done(await work({ io, options, tell }, ...parameters));
    };
  for (const define of COMMANDS) define(program, act);
  return program;
}
