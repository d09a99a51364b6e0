/**
 * `pawl recv`: its options, and what has to be known before the identity file is opened.
 */
import { PawlError } from '../../../errors.ts';
import { type Arrival, LARGEST_GAP } from '../../../session/index.ts';
import type { CommandContext, DefineCommand } from '../../context.ts';
import { refuseSharedInput } from '../../identity/key-source.ts';
import { withIdentity } from '../../identity/open.ts';
import { outputFileAt, outputFolderAt } from '../../identity/output.ts';
import { folderName, namedFile, outputFile, wholeNumber } from '../../option-types.ts';
import { Batches } from '../../stream/batches.ts';
import { type InputItem, readMessages } from '../../stream/envelopes.ts';
import { nameOfInput, STANDARD_INPUT } from '../../stream/read.ts';
import { isArrival, lengthOf, receiveAll, refusal } from './receive.ts';
import { reportOutcome } from './report.ts';

interface RecvOptions {
  readonly output?: string | undefined;
  readonly outDir?: string;
  readonly force?: true;
  readonly waiting?: true;
  readonly lines?: true;
  readonly maxGap?: number;
  readonly from?: string;
  readonly exitCode?: true;
}

export const defineRecv: DefineCommand = (program, makeAction) => {
  program
    .command('recv [files...]')
    .description('decrypt every message in files or standard input')
    .option('-o, --output <file>', 'write the texts to a file', outputFile)
    .option('--out-dir <dir>', 'put files there, under their own names', folderName)
    .option('--force', 'with -o or --out-dir, replace what is there')
    .option('--waiting', 'read no input: only what still waits')
    .option('--lines', 'a newline after each text')
    .option('--max-gap <n>', 'skip up to N missing messages', wholeNumber(1, LARGEST_GAP))
    .option('--from <name>', 'accept from NAME only; leave the others for later')
    .option('--exit-code', '79: nothing new; 80: messages are missing before those that came')
    .addHelpText(
      'after',
      `
Messages may come in any order, and more than once. A pipe or a file gets the exact bytes.
With --out-dir, a file that cannot be put there waits, and nothing that is there is replaced.

Examples:
  $ pawl recv message.pawl
  $ cat inbox/*.pawl | pawl recv --json
  $ pawl recv photo.pawl --out-dir ~/Downloads
  $ pawl recv --waiting --out-dir /tmp/new`,
    )
    .action(makeAction(recv));
};

async function recv(context: CommandContext, files: string[], given: RecvOptions): Promise<number> {
  const options = { ...given, output: namedFile(given.output) };
  checkOptions(files, options);
  const readsInput = !options.waiting && (files.length === 0 || files.includes(STANDARD_INPUT));
  if (readsInput) refuseSharedInput(context, 'the messages');
  const inputs = readsInput ? [...files, STANDARD_INPUT] : files;
  // A folder that is missing is reported before anything is read or asked.
  const folder = options.outDir === undefined ? undefined : outputFolderAt(context, options.outDir, inputs);
  const { output: path, force, ...others } = options;
  const output = path === undefined ? undefined : outputFileAt(context, path, { force, inputs });
  const stream = options.waiting ? emptyStream() : readMessages(context, files);
  // The identity file is opened, and a passphrase asked for, only once an envelope could be decoded. What is pasted comes
  // after the question: a wrong answer must not throw it away.
  const isPasted = readsInput && context.io.input.isTerminal;
  const early = isPasted ? undefined : await firstIntact(context, stream);
  if (early?.first.done && early.exit !== 0) return early.exit;

  return withIdentity(context, async (identity) => {
    const { first, exit } = early ?? (await firstIntact(context, stream));
    if (first.done && exit !== 0) return exit;
    const input = first.done ? undefined : new Batches(stream, { first, lengthOf });
    const received = await receiveAll(context, identity, input, {
      ...others,
      ...(force && { force }),
      ...(output && { output }),
      ...(folder && { folder }),
    });
    if (input === undefined && received.isEmpty) {
      if (!options.waiting)
        throw new PawlError('no-input', {
          source: (files.length === 0 ? [STANDARD_INPUT] : files).map(nameOfInput).join(', '),
        });
      await context.reporter.notice('nothing waits');
    }
    return exit || received.exit;
  });
}

/** Reads on to the first envelope that can be decoded, and reports those before it. */
async function firstIntact(context: CommandContext, stream: AsyncIterator<InputItem<Arrival>[], void>) {
  let exit = 0;
  let first = await stream.next();
  for (; !first.done && !first.value.some(isArrival); first = await stream.next()) {
    for (const item of first.value) {
      const code = isArrival(item) ? 0 : await reportOutcome(context, refusal(item));
      exit ||= code;
    }
  }
  return { first, exit };
}

async function* emptyStream(): AsyncGenerator<never, void, undefined> {}

function checkOptions(files: readonly string[], { output, outDir, force, waiting }: RecvOptions): void {
  if (waiting && files.length > 0) {
    throw new PawlError('usage', { problem: 'a file and --waiting do not go together', hint: 'give one of them' });
  }
  if (output !== undefined && outDir !== undefined) {
    throw new PawlError('usage', {
      problem: '-o and --out-dir do not go together',
      hint: 'pawl recv --out-dir DIR > FILE puts files into DIR, and texts into FILE',
    });
  }
  if (force && output === undefined && outDir === undefined) {
    throw new PawlError('usage', { problem: '--force goes with -o FILE or --out-dir' });
  }
}
