/**
 * `pawl send`: its options, and one content after the other.
 */
import { existsSync } from 'node:fs';
import { encodeContent } from '../../../envelope/index.ts';
import { isPawlError, PawlError } from '../../../errors.ts';
import { acknowledgeSent, checkContact, type OutgoingContent } from '../../../session/index.ts';
import { isOfPlace } from '../../carrier/hand-over.ts';
import type { CommandContext, DefineCommand } from '../../context.ts';
import { refuseSharedInput } from '../../identity/key-source.ts';
import { type OpenIdentity, withIdentity } from '../../identity/open.ts';
import { outputFileAt } from '../../identity/output.ts';
import { namedFile, outputFile } from '../../option-types.ts';
import { STANDARD_INPUT } from '../../stream/read.ts';
import { acknowledgeOrWarn, checkFitsTerminal } from '../../stream/write.ts';
import { bytesInWords } from '../../terminal/format.ts';
import { type ChosenFormat, withCarrier } from './carried.ts';
import { encrypt, encryptLarge } from './encrypt.ts';
import { sendLines } from './lines.ts';
import { checkAmount, type EnvelopeFormat, EnvelopeOutput, encoded } from './output.ts';
import { envelopesOf, finishParts, giveUpStream, leastArmor, sendLarge } from './parts.ts';
import { fileSource, inputSource, type LargeContent, type Source, textSource } from './source.ts';

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

export const defineSend: DefineCommand = (program, makeAction) => {
  program
    .command('send <name> [files...]')
    .description('encrypt standard input, files, folders or a text for NAME')
    .option('-m, --message <text>', 'the text itself', (text, before: string[] = []) => [...before, text])
    .option('-a, --armor', 'armored text, as on a terminal')
    .option('-b, --binary', 'bytes, as in a pipe or a file')
    .option('-o, --output <file>', 'write the envelope to a file', outputFile)
    .option('--force', 'with -o, replace the file that is there')
    .option('--lines', 'each line is a message, as it comes')
    .addHelpText(
      'after',
      `
What comes out can go over any channel. It is for NAME alone, and can be read once. What is larger than 16 MiB goes in
parts: give all of them to pawl recv, in any order. A folder becomes a tar archive.

Examples:
  $ pawl send bob -m 'hi bob'
  $ pawl send bob -a < letter.txt > mail.txt      text, to be pasted into a mail
  $ pawl send bob photo.jpg -o photo.pawl
  $ pawl send bob film.mkv notes/ > all.pawl`,
    )
    .action(makeAction(send));
};

async function send(context: CommandContext, name: string, files: string[], given: SendOptions): Promise<number> {
  const options = { ...given, output: namedFile(given.output) };
  const format = checkOptions(context, files, options);
  const [file] = files;
  const text = options.message?.[0];
  const isTyped = file === undefined && text === undefined && context.io.input.isTerminal;
  if (options.lines) await sendLines(context, name, format);
  else if (isTyped) await sendTyped(context, name, format);
  else if (files.length > 1) return sendFiles(context, name, files, format);
  else {
    const source =
      text !== undefined
        ? textSource(text, context.io.now())
        : await (file === undefined ? inputSource(context) : fileSource(context, file, name));
    const prepared = prepare(source);
    await withIdentity(context, (identity) =>
      withCarrier(context, identity, { name, format }, (destination) =>
        sendOne(context, identity, { name, prepared, format: destination }),
      ),
    );
  }
  return 0;
}

function checkOptions(context: CommandContext, files: readonly string[], options: SendOptions): ChosenFormat {
  const problem = (text: string, hint: string) => new PawlError('usage', { problem: text, hint });
  const sources = [
    files.length > 0 && 'a file',
    options.message !== undefined && '-m',
    options.lines && '--lines',
  ].filter(Boolean);
  if (sources.length > 1) throw problem(`${sources.join(' and ')} do not go together`, 'give one of them');
  if ((options.message ?? []).length > 1) throw problem('-m is given twice', 'a message is one text: give one -m');
  if (options.armor && options.binary) throw problem('-a and -b do not go together', 'give one of them');
  if (options.lines && options.output !== undefined)
    throw problem('--lines and -o do not go together', 'pawl send NAME --lines > FILE');
  if (options.force && options.output === undefined) throw problem('--force goes with -o FILE', 'leave it out');
  if (files.filter((file) => file === STANDARD_INPUT).length > 1)
    throw problem('standard input is given twice', 'give - once');
  const readsInput = options.message === undefined && (files.length === 0 || files.includes(STANDARD_INPUT));
  if (readsInput) refuseSharedInput(context, 'the message');
  const toTerminal = options.output === undefined && context.io.output.isTerminal;
  if (toTerminal && options.binary) throw problem('bytes are not written to a terminal', 'use -o FILE, or -a');
  const inputs = readsInput ? [...files, STANDARD_INPUT] : files;
  return {
    armored: options.armor ?? (toTerminal && !options.binary),
    file: outputFor(context, inputs, options),
    isChosen: options.output !== undefined || options.armor === true || options.binary === true,
  };
}

function outputFor(context: CommandContext, inputs: readonly string[], { output, force }: SendOptions) {
  return output === undefined ? undefined : outputFileAt(context, output, { force, inputs });
}

/** The contact and the key are checked before the message is typed, so that it is not typed in vain. */
async function sendTyped(context: CommandContext, name: string, format: ChosenFormat): Promise<void> {
  await withIdentity(context, async (identity) => {
    await checkContact(identity, name);
    await context.reporter.notice('type the message, then press Ctrl-D on a line of its own');
    await withCarrier(context, identity, { name, format }, async (destination) => {
      const prepared = prepare(await inputSource(context));
      await sendOne(context, identity, { name, prepared, format: destination });
    });
  });
}

/** What is ready to be encrypted. */
type Prepared = { readonly plaintext: Uint8Array } | { readonly large: LargeContent };

/** Encodes what fits into one message, so that its content can be collected. */
function prepare(source: Source): Prepared {
  return 'large' in source ? source : { plaintext: encodeContent(source.whole) };
}

/** @throws `usage` for more armor than a terminal takes. */
function checkPrepared(context: CommandContext, prepared: Prepared, format: EnvelopeFormat): void {
  if ('plaintext' in prepared) checkAmount(context, [prepared.plaintext], format);
  else if (format.file === undefined && format.carrier === undefined) {
    checkFitsTerminal(context.io.output, leastArmor(prepared.large), TO_A_FILE);
  }
}

/**
 * Several files are read one after the other. None is sent where one of them does not exist. Where a place fails, all of them
 * wait.
 * @returns the exit code of the first that waits.
 */
async function sendFiles(
  context: CommandContext,
  name: string,
  files: readonly string[],
  chosen: ChosenFormat,
): Promise<number> {
  const missing = files.find((file) => file !== STANDARD_INPUT && !existsSync(file));
  if (missing !== undefined) throw new PawlError('missing-file', { path: missing, to: name });
  let exit = 0;
  await withIdentity(context, async (identity) => {
    await checkContact(identity, name);
    const { file: output } = chosen;
    if (output === undefined) {
      await withCarrier(context, identity, { name, format: chosen }, async (destination) => {
        for (const file of files) {
          const prepared = prepare(await fileSource(context, file, name));
          try {
            await sendOne(context, identity, { name, prepared, format: destination });
          } catch (error) {
            if (!isOfCarrying(error)) throw error;
            const code = await context.reporter.error(error, file);
            exit ||= code;
          }
        }
      });
      return;
    }
    const format = chosen;
    // All of them become one file, which is in its place at the end.
    const afterwards: (() => Promise<void>)[] = [];
    const begun: OutgoingContent[] = [];
    try {
      await output.writePieces(
        (async function* () {
          for (const file of files) {
            const prepared = prepare(await fileSource(context, file, name));
            yield* inOneFile(context, identity, { name, prepared, format, begun, afterwards });
          }
        })(),
      );
    } catch (error) {
      for (const content of begun) await giveUpStream(content);
      throw error;
    }
    for (const acknowledge of afterwards) await acknowledge();
  });
  return exit;
}

/** What keeps no other file back: each waits, or is given up. */
function isOfCarrying(error: unknown): error is PawlError {
  return isOfPlace(error) || isPawlError(error, 'queued') || isPawlError(error, 'stream-lost');
}

/** The envelopes of one of several files. */
async function* inOneFile(
  context: CommandContext,
  identity: OpenIdentity,
  { name, prepared, format, begun, afterwards }: Gathering,
): AsyncGenerator<Uint8Array, void, undefined> {
  if ('large' in prepared) {
    const content = await encryptLarge(context, identity, { name, large: prepared.large });
    begun.push(content);
    yield* encoded(envelopesOf(context, content, { large: prepared.large, format }), format);
    afterwards.push(() => finishParts(context, content, format));
    return;
  }
  const sent = await encrypt(context, identity, { name, plaintexts: [prepared.plaintext] });
  const output = new EnvelopeOutput(context, identity, format);
  yield* encoded(
    sent.map(({ envelope }) => envelope),
    format,
  );
  afterwards.push(async () => {
    await acknowledgeOrWarn(context.reporter, () =>
      acknowledgeSent(
        identity,
        sent.map(({ outboxId }) => outboxId),
      ),
    );
    await output.describe(sent);
  });
}

/** One content on its way. */
interface Sending {
  readonly name: string;
  readonly prepared: Prepared;
  readonly format: EnvelopeFormat;
}

/** One of several contents on their way into one file. */
interface Gathering extends Sending {
  /** Gets the large content. */
  readonly begun: OutgoingContent[];
  /** Gets what is to be done once all are written. */
  readonly afterwards: (() => Promise<void>)[];
}

async function sendOne(
  context: CommandContext,
  identity: OpenIdentity,
  { name, prepared, format }: Sending,
): Promise<void> {
  checkPrepared(context, prepared, format);
  if ('large' in prepared) return sendLarge(context, identity, { name, large: prepared.large, format });
  const { plaintext } = prepared;
  if (plaintext.length > LARGE) {
    context.reporter.progress.update(`encrypting ${bytesInWords(plaintext.length)}`);
  }
  const sent = await encrypt(context, identity, { name, plaintexts: [plaintext] });
  const output = new EnvelopeOutput(context, identity, format);
  context.reporter.progress.clear();
  await output.write(sent);
  await output.acknowledge();
  await output.describe(sent);
  await output.tellOfCarrier();
}

const TO_A_FILE = 'use -o FILE, or a pipe';
