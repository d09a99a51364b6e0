/**
 * `pawl send`: its options.
 */
import { PawlError } from '../../../errors.ts';
import { isSeveral, parseAddressees } from '../../addressees.ts';
import type { CommandContext, DefineCommand } from '../../context.ts';
import { refuseSharedInput } from '../../identity/key-source.ts';
import { outputFileAt } from '../../identity/output.ts';
import { folderName, namedFile, outputFile } from '../../option-types.ts';
import { STANDARD_INPUT } from '../../stream/read.ts';
import type { ChosenFormat } from './carried.ts';
import { contentsOf } from './contents.ts';
import { Draft } from './editor.ts';
import { sendLines } from './lines.ts';
import { sendToOne } from './to-one.ts';
import { sendToSeveral } from './to-several.ts';

interface SendOptions {
  /** Each that was given. */
  readonly message?: readonly string[];
  readonly edit?: true;
  readonly armor?: true;
  readonly binary?: true;
  readonly output?: string | undefined;
  readonly outDir?: string;
  readonly force?: true;
  readonly lines?: true;
  readonly allOrNone?: true;
}

export const defineSend: DefineCommand = (program, makeAction) => {
  program
    .command('send <to> [files...]')
    .description('encrypt standard input, files, folders or a text for a contact, or for several')
    .option('-m, --message <text>', 'the text itself', (text, before: string[] = []) => [...before, text])
    .option('-e, --edit', 'write the text in $VISUAL or $EDITOR')
    .option('-a, --armor', 'armored text, as on a terminal')
    .option('-b, --binary', 'bytes, as in a pipe or a file')
    .option('-o, --output <file>', 'write the envelope to a file', outputFile)
    .option('--out-dir <dir>', 'write an envelope for each contact there, as NAME.pawl', folderName)
    .option('--force', 'with -o or --out-dir, replace what is there')
    .option('--lines', 'each line is a message, as it comes')
    .option('--all-or-none', 'of several: nobody gets it, unless it can be encrypted for all')
    .addHelpText(
      'after',
      `
What comes out can go over any channel. It is for one contact alone, and can be read once. What is larger than 16 MiB goes
in parts: give all of them to pawl recv, in any order. A folder becomes a tar archive.

TO is a contact; or several, as bob,carol; or a list, as @ops (pawl list); or both, as @ops,dave. Each gets an envelope of
its own, along its route or in a file of --out-dir, and is not told of the others: this is no group. Whom nothing can be
encrypted for, or nothing reaches, is named, and keeps nothing back from the others; the exit code is 0 only where all is
handed over, or written.

With -e, the text is in a file in memory, where there is such a place, until it is encrypted. An empty one is not sent. Where
the text cannot be encrypted, the file stays, and is named.

Examples:
  $ pawl send bob -m 'hi bob'
  $ pawl send bob -e
  $ pawl send bob -a < letter.txt > mail.txt      text, to be pasted into a mail
  $ pawl send bob photo.jpg -o photo.pawl
  $ pawl send bob film.mkv notes/ > all.pawl
  $ pawl send @ops,dave -m 'the disk is full'
  $ pawl send bob,carol plan.pdf --out-dir out`,
    )
    .action(makeAction(send));
};

async function send(context: CommandContext, to: string, files: string[], given: SendOptions): Promise<number> {
  const options = { ...given, output: namedFile(given.output) };
  checkSources(context, files, options);
  const goesToSeveral = isSeveral(to) || options.outDir !== undefined;
  if (goesToSeveral) checkForSeveral(to, given);
  else if (options.allOrNone) throw problem('--all-or-none goes with several contacts', 'leave it out');
  const format = goesToSeveral ? undefined : formatOf(context, files, options);
  if (options.lines && format !== undefined) {
    await sendLines(context, to, format);
    return 0;
  }
  const { message, edit, armor = false, force = false, allOrNone = false, outDir } = options;
  const draft = edit && new Draft(context);
  try {
    const contents = contentsOf(context, { to, files, message: message?.[0], draft });
    if (format !== undefined) return await sendToOne(context, to, contents, format);
    const addressees = parseAddressees(to);
    return await sendToSeveral(context, contents, { to, addressees, outDir, armored: armor, force, allOrNone });
  } finally {
    await draft?.end();
  }
}

function problem(text: string, hint: string): PawlError {
  return new PawlError('usage', { problem: text, hint });
}

/** @throws `usage`. */
function checkSources(context: CommandContext, files: readonly string[], options: SendOptions): void {
  const sources = [
    files.length > 0 && 'a file',
    options.message !== undefined && '-m',
    options.edit && '-e',
    options.lines && '--lines',
  ].filter(Boolean);
  if (sources.length > 1) throw problem(`${sources.join(' and ')} do not go together`, 'give one of them');
  if (options.edit && !context.options.input)
    throw problem('--no-input and -e do not go together: an editor asks on the terminal', 'pawl send NAME -m TEXT');
  if ((options.message ?? []).length > 1) throw problem('-m is given twice', 'a message is one text: give one -m');
  if (options.armor && options.binary) throw problem('-a and -b do not go together', 'give one of them');
  if (options.lines && options.output !== undefined)
    throw problem('--lines and -o do not go together', 'pawl send NAME --lines > FILE');
  if (options.force && options.output === undefined && options.outDir === undefined)
    throw problem('--force goes with -o FILE, or --out-dir DIR', 'leave it out');
  if (files.filter((file) => file === STANDARD_INPUT).length > 1)
    throw problem('standard input is given twice', 'give - once');
  if (readsInput(files, options)) refuseSharedInput(context, 'the message');
}

function readsInput(files: readonly string[], { message, edit }: SendOptions): boolean {
  return message === undefined && !edit && (files.length === 0 || files.includes(STANDARD_INPUT));
}

/** One output for several contacts would show each how many others there are. @throws `usage`. */
function checkForSeveral(to: string, { output, outDir, armor, binary, lines }: SendOptions): void {
  const hint = `pawl send ${to} --out-dir DIR gives a file for each; along routes, none of them is needed`;
  if (output !== undefined && outDir !== undefined) throw problem('-o and --out-dir do not go together', hint);
  if (output !== undefined) throw problem('-o is for one contact: each would see how many others there are', hint);
  if ((armor || binary) && outDir === undefined) throw problem(`${armor ? '-a' : '-b'} is for one contact`, hint);
  if (lines)
    throw problem(
      '--lines is for one contact, and one output',
      `each line by itself: while read -r line; do pawl send ${to} -m "$line"; done`,
    );
}

/** @throws `usage`, and what choosing the file throws. */
function formatOf(context: CommandContext, files: readonly string[], options: SendOptions): ChosenFormat {
  const { output, force, armor, binary } = options;
  const toTerminal = output === undefined && context.io.output.isTerminal;
  if (toTerminal && binary) throw problem('bytes are not written to a terminal', 'use -o FILE, or -a');
  const inputs = readsInput(files, options) ? [...files, STANDARD_INPUT] : files;
  return {
    armored: armor ?? (toTerminal && !binary),
    file: output === undefined ? undefined : outputFileAt(context, output, { force, inputs }),
    isChosen: output !== undefined || armor === true || binary === true,
  };
}
