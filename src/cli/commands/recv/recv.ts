/**
 * `pawl recv`: its options, and what has to be known before the identity file is opened.
 */
import { PawlError } from '../../../errors.ts';
import { hasAnyRoute, LARGEST_GAP, listLent } from '../../../session/index.ts';
import type { CommandContext, DefineCommand } from '../../context.ts';
import { refuseSharedInput } from '../../identity/key-source.ts';
import { type OpenIdentity, withIdentity } from '../../identity/open.ts';
import { outputFileAt, outputFolderAt } from '../../identity/output.ts';
import { byteSize, commandLine, folderName, namedFile, outputFile, wholeNumber } from '../../option-types.ts';
import { Batches } from '../../stream/batches.ts';
import { readMessages } from '../../stream/envelopes.ts';
import { STANDARD_INPUT } from '../../stream/read.ts';
import { count, instant } from '../../terminal/format.ts';
import { hostOfProcess } from '../../terminal/process-name.ts';
import { fetchMessages } from './fetch.ts';
import { Inputs } from './inputs.ts';
import { type Item, isArrival, isPart, lengthOf, receiveAll, refusal } from './receive.ts';
import { type RecordFormat, recordFormat } from './record-format.ts';
import { reportOutcome } from './report.ts';
import { TextCommand } from './text-command.ts';

interface RecvOptions {
  readonly output?: string | undefined;
  readonly outDir?: string;
  readonly force?: true;
  readonly waiting?: true;
  readonly lines?: true;
  readonly format?: RecordFormat;
  readonly maxGap?: number;
  readonly maxSize?: number;
  readonly from?: string;
  readonly exitCode?: true;
  readonly fetch?: true;
  readonly follow?: true;
  readonly exec?: string;
}

export const defineRecv: DefineCommand = (program, makeAction) => {
  program
    .command('recv [files...]')
    .description('decrypt every message in files or standard input, or what has come along the routes')
    .option('-o, --output <file>', 'write the texts to a file', outputFile)
    .option('--out-dir <dir>', 'put files there, under their own names', folderName)
    .option('--force', 'with -o or --out-dir, replace what is there')
    .option('--waiting', 'read no input: only what still waits')
    .option('--fetch', 'read no input: what has come along the routes')
    .option('--follow', 'the same, and go on with what comes')
    .option('--exec <command>', 'with --follow, --fetch or --waiting: give each text to a command', commandLine)
    .option('--lines', 'a newline after each text')
    .option('--format <format>', 'each text in this form, made of %from, %time, %text and others', recordFormat)
    .option('--max-gap <n>', 'skip up to N missing messages', wholeNumber(1, LARGEST_GAP))
    .option('--max-size <size>', 'refuse what is larger: 500M, 100G (16G)', byteSize)
    .option('--from <name>', 'accept from NAME only; leave the others for later')
    .option('--exit-code', '79: nothing new; 80: messages are missing before those that came')
    .addHelpText(
      'after',
      `
Messages may come in any order, and more than once. A pipe or a file gets the exact bytes, of what is in the input alone:
where something waits from before, that is told, and pawl recv --waiting gives it.
What cannot be read keeps nothing else back.
--format: %from, %verified (or unverified), %time (when it was sent, as the sender says), %id, %file (the name of a file),
%text (its bytes; it may have newlines, and anything else), %%; and \\n, \\t, \\\\, \\0, \\x1e and the like, as printf has
them. A terminal gets the text escaped, and its further lines set off.
Where several machines use an identity, a large content is left to the one that has begun to collect it; with --force and not
--follow, it begins anew here, with all of its parts.
On a terminal, without a file: what has come along the routes, if there are any (pawl route); pawl recv - reads a paste.
With --out-dir, a file that cannot be put there waits, and nothing that is there is replaced. What is larger than 16 MiB is
fetched only where there is a place for it: --out-dir, -o, or a pipe.

--exec: /bin/sh runs COMMAND for one text after the other, which is its standard input. PAWL_FROM, PAWL_ID, PAWL_VERIFIED (1
or 0), PAWL_SENT_AT and, of a file, PAWL_FILE are in its environment. Exit 0 says that the text is delivered. Else, and after
nine minutes, it gets it again after 1 s, 10 s, 1 min, 10 min, then each hour, and other texts meanwhile; after ten tries
that one waits (pawl inspect, pawl recv --waiting). A text may come twice, with the same PAWL_ID, if pawl or COMMAND is killed.

Examples:
  $ pawl recv message.pawl
  $ cat inbox/*.pawl | pawl recv --json
  $ pawl recv --format '%from %time %text\\n' inbox/*.pawl
  $ pawl recv photo.pawl --out-dir ~/Downloads
  $ pawl recv --fetch --json
  $ pawl recv --follow --exec 'notify-send "$PAWL_FROM" "$(cat)"'
  $ pawl recv --waiting --out-dir /tmp/new`,
    )
    .action(makeAction(recv));
};

async function recv(context: CommandContext, files: string[], given: RecvOptions): Promise<number> {
  const options = { ...given, output: namedFile(given.output) };
  checkOptions(context, files, options);
  const isFetching = options.fetch === true || options.follow === true;
  const readsInput = !options.waiting && !isFetching && (files.length === 0 || files.includes(STANDARD_INPUT));
  if (readsInput) refuseSharedInput(context, 'the messages');
  const read = readsInput ? [...files, STANDARD_INPUT] : files;
  // A folder that is missing is reported before anything is read or asked.
  const folder = options.outDir === undefined ? undefined : outputFolderAt(context, options.outDir, read);
  const { output: path, force, fetch: _, follow: follows = false, exec, ...others } = options;
  const output = path === undefined ? undefined : outputFileAt(context, path, { force, inputs: read });
  const receiveOptions = { ...others, ...(force && { force }), ...(output && { output }), ...(folder && { folder }) };
  if (isFetching) {
    return withIdentity(context, (identity) =>
      fetchMessages(context, identity, { ...receiveOptions, ...commandFor(context, identity, exec), follows }),
    );
  }
  const inputs = new Inputs(context.reporter);
  const stream = options.waiting ? emptyStream() : readMessages(context, files, inputs);
  // The identity file is opened, and a passphrase asked for, only once an envelope could be decoded. What is pasted comes
  // after the question: a wrong answer must not throw it away.
  const isPasted = readsInput && context.io.input.isTerminal;
  const early = isPasted ? undefined : await firstIntact(context, stream, inputs);
  if (early?.first.done && early.exit !== 0) return early.exit;

  return withIdentity(context, async (identity) => {
    if (isPasted && files.length === 0 && (await hasAnyRoute(identity))) {
      return fetchMessages(context, identity, { ...receiveOptions, follows: false });
    }
    const { first, exit } = early ?? (await firstIntact(context, stream, inputs));
    if (first.done && exit !== 0) return exit;
    const input = first.done ? undefined : new Batches(stream, { first, lengthOf });
    const received = await receiveAll(context, identity, input, {
      ...receiveOptions,
      ...commandFor(context, identity, exec),
    });
    if (input === undefined && received.isEmpty) {
      if (!options.waiting) throw new PawlError('no-input', { source: inputs.emptyOnes });
      await tellNothingWaits(context, identity);
    }
    await inputs.report();
    return exit || received.exit || inputs.exit || (received.news ?? 0);
  });
}

function commandFor(context: CommandContext, identity: OpenIdentity, line: string | undefined) {
  return line === undefined ? {} : { command: new TextCommand(context, identity, { line }) };
}

function isOfConversation(item: Item): item is Exclude<Item, { error: unknown }> {
  return isArrival(item) || isPart(item);
}

/** Reads on to the first envelope that can be decoded, and reports those before it; or that there is none. */
async function firstIntact(context: CommandContext, stream: AsyncIterator<Item[], void>, inputs: Inputs) {
  let exit = 0;
  let first = await stream.next();
  for (; !first.done && !first.value.some(isOfConversation); first = await stream.next()) {
    for (const item of first.value) {
      const code = isOfConversation(item) ? 0 : await reportOutcome(context, refusal(item));
      exit ||= code;
    }
  }
  if (first.done) exit ||= await inputs.refuseEmpty();
  return { first, exit };
}

/** What another machine or container has may not wait, or wait in vain. */
async function tellNothingWaits({ reporter }: CommandContext, identity: OpenIdentity): Promise<void> {
  const { texts, until, processes } = await listLent(identity);
  const hosts = new Set(processes.map(hostOfProcess).filter((host) => host !== undefined));
  const where = hosts.size === 0 ? '' : ` (${[...hosts].join(', ')})`;
  const is = texts === 1 ? 'is' : 'are';
  await reporter.notice(
    texts === 0
      ? 'nothing waits'
      : `${count(texts, 'text')} ${is} with a pawl on another machine or in another container${where}; if that has ended, pawl recv --waiting has what it left from ${instant(until)} on`,
  );
}

async function* emptyStream(): AsyncGenerator<never, void, undefined> {}

function checkOptions(
  { reporter }: CommandContext,
  files: readonly string[],
  { output, outDir, force, waiting, format, lines, fetch, follow, exec }: RecvOptions,
): void {
  const source = follow ? '--follow' : fetch ? '--fetch' : undefined;
  if (source !== undefined && (files.length > 0 || waiting)) {
    throw new PawlError('usage', {
      problem: `${waiting ? '--waiting' : 'a file'} and ${source} do not go together`,
      hint: 'give one of them',
    });
  }
  if (follow && output !== undefined) {
    throw new PawlError('usage', { problem: '-o and --follow do not go together', hint: 'pawl recv --follow > FILE' });
  }
  if (exec !== undefined && source === undefined && !waiting) {
    throw new PawlError('usage', {
      problem: '--exec goes with --follow, --fetch or --waiting',
      hint: 'pawl recv --follow --exec COMMAND',
    });
  }
  const elsewhere = output !== undefined ? '-o' : format !== undefined ? '--format' : lines ? '--lines' : undefined;
  if (exec !== undefined && elsewhere !== undefined) {
    throw new PawlError('usage', { problem: `${elsewhere} and --exec do not go together`, hint: 'give one of them' });
  }
  const other = reporter.json ? '--json' : outDir !== undefined ? '--out-dir' : lines ? '--lines' : undefined;
  if (format !== undefined && other !== undefined) {
    throw new PawlError('usage', { problem: `--format and ${other} do not go together`, hint: 'give one of them' });
  }
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
