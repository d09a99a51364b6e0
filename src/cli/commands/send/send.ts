/**
 * `pawl send`: its options, and where the content comes from.
 */
import { basename } from 'node:path';
import { type Content, encodeContent, MAX_CONTENT } from '../../../envelope/index.ts';
import { isPawlError, PawlError } from '../../../errors.ts';
import { utf8 } from '../../../primitives/index.ts';
import { checkContact, sendAll } from '../../../session/index.ts';
import type { CommandContext, DefineCommand } from '../../context.ts';
import { refuseSharedInput } from '../../identity/key-source.ts';
import { type OpenIdentity, withIdentity } from '../../identity/open.ts';
import { outputFileAt } from '../../identity/output.ts';
import { namedFile, outputFile } from '../../option-types.ts';
import { readInput, STANDARD_INPUT } from '../../stream/read.ts';
import { bytesInWords } from '../../terminal/format.ts';
import { sendLines } from './lines.ts';
import { checkAmount, type EnvelopeFormat, EnvelopeOutput } from './output.ts';

/** Bytes whose encryption takes a noticeable time. */
const LARGE = 2 ** 20;

interface SendOptions {
  /** Each that was given. */
  readonly message?: readonly string[];
  readonly armor?: true;
  readonly binary?: true;
  readonly output?: string | undefined;
  readonly force?: true;
  readonly lines?: true;
}

/** What is to be sent: the contact's name, and a file or a text; without either, standard input. */
interface Source {
  readonly name: string;
  readonly file: string | undefined;
  readonly message: string | undefined;
}

export const defineSend: DefineCommand = (program, makeAction) => {
  program
    .command('send <name> [file]')
    .description('encrypt standard input, a file or a text for NAME')
    .option('-m, --message <text>', 'the text itself', (text, before: string[] = []) => [...before, text])
    .option('-a, --armor', 'armored text, as on a terminal')
    .option('-b, --binary', 'bytes, as in a pipe or a file')
    .option('-o, --output <file>', 'write the envelope to a file', outputFile)
    .option('--force', 'with -o, replace the file that is there')
    .option('--lines', 'each line is a message, as it comes')
    .addHelpText(
      'after',
      `
What comes out can go over any channel. It is for NAME alone, and can be read once.

Examples:
  $ pawl send bob -m 'hi bob'
  $ pawl send bob photo.jpg -o photo.pawl`,
    )
    .action(makeAction(send));
};

async function send(
  context: CommandContext,
  name: string,
  file: string | undefined,
  given: SendOptions,
): Promise<number> {
  const options = { ...given, output: namedFile(given.output) };
  const format = checkOptions(context, file, options);
  const source = { name, file, message: options.message?.[0] };
  const isTyped = file === undefined && options.message === undefined && context.io.input.isTerminal;
  if (options.lines) await sendLines(context, name, format.armored);
  else if (isTyped) await sendTyped(context, source, format);
  else {
    const plaintext = await readPlaintext(context, source, format);
    await withIdentity(context, (identity) => sendOne(context, identity, { name, plaintext, format }));
  }
  return 0;
}

function checkOptions(context: CommandContext, file: string | undefined, options: SendOptions): EnvelopeFormat {
  const problem = (text: string, hint: string) => new PawlError('usage', { problem: text, hint });
  const sources = [
    file !== undefined && 'a file',
    options.message !== undefined && '-m',
    options.lines && '--lines',
  ].filter(Boolean);
  if (sources.length > 1) throw problem(`${sources.join(' and ')} do not go together`, 'give one of them');
  if ((options.message ?? []).length > 1) throw problem('-m is given twice', 'a message is one text: give one -m');
  if (options.armor && options.binary) throw problem('-a and -b do not go together', 'give one of them');
  if (options.lines && options.output !== undefined)
    throw problem('--lines and -o do not go together', 'pawl send NAME --lines > FILE');
  if (options.force && options.output === undefined) throw problem('--force goes with -o FILE', 'leave it out');
  const readsInput = options.message === undefined && (file === undefined || file === STANDARD_INPUT);
  if (readsInput) refuseSharedInput(context, 'the message');
  const toTerminal = options.output === undefined && context.io.output.isTerminal;
  if (toTerminal && options.binary) throw problem('bytes are not written to a terminal', 'use -o FILE, or -a');
  return {
    armored: options.armor ?? (toTerminal && !options.binary),
    file: outputFor(context, readsInput ? STANDARD_INPUT : file, options),
  };
}

function outputFor(context: CommandContext, input: string | undefined, { output, force }: SendOptions) {
  if (output === undefined) return undefined;
  return outputFileAt(context, output, { force, inputs: input === undefined ? [] : [input] });
}

/** The contact and the key are checked before the message is typed, so that it is not typed in vain. */
async function sendTyped(context: CommandContext, source: Source, format: EnvelopeFormat): Promise<void> {
  const { name } = source;
  await withIdentity(context, async (identity) => {
    await checkContact(identity, name);
    await context.reporter.notice('type the message, then press Ctrl-D on a line of its own');
    await sendOne(context, identity, { name, plaintext: await readPlaintext(context, source, format), format });
  });
}

/** A function of its own, so that a large content can be collected as soon as it is encoded. */
async function readPlaintext(context: CommandContext, source: Source, format: EnvelopeFormat): Promise<Uint8Array> {
  const plaintext = encodeContent(await readContent(context, source));
  checkAmount(context, [plaintext], format);
  return plaintext;
}

async function readContent({ io, reporter }: CommandContext, { name: to, file, message }: Source): Promise<Content> {
  const sentAt = io.now();
  if (message !== undefined) return { type: 'text', sentAt, bytes: utf8(message) };
  // The name of a file is part of the content, in as many bytes and one.
  const name = file === undefined || file === STANDARD_INPUT ? undefined : basename(file);
  const limit = name === undefined ? MAX_CONTENT : MAX_CONTENT - 1 - utf8(name).length;
  const bytes = await readInput(io, file, limit, (length) => {
    if (!io.input.isTerminal) reporter.progress.update(`reading, ${bytesInWords(length)}`);
  }).catch((error) => {
    throw isPawlError(error, 'missing-file') ? new PawlError('missing-file', { ...error.detail, to }) : error;
  });
  if (name !== undefined) return { type: 'file', name, sentAt, bytes };
  // Most likely the command at the other end of the pipe has failed.
  if (bytes.length === 0) throw new PawlError('no-input', { source: 'standard input', toSend: true });
  return { type: 'text', sentAt, bytes };
}

async function sendOne(
  context: CommandContext,
  identity: OpenIdentity,
  { name, plaintext, format }: { name: string; plaintext: Uint8Array; format: EnvelopeFormat },
): Promise<void> {
  if (plaintext.length > LARGE) {
    context.reporter.progress.update(`encrypting ${bytesInWords(plaintext.length)}`);
  }
  const sent = await sendAll(identity, name, [plaintext]);
  const output = new EnvelopeOutput(context, identity, format);
  context.reporter.progress.clear();
  await output.write(sent);
  await output.acknowledge();
  await output.describe(sent);
}
