/**
 * Sends to one contact: along its route, into a file, or to standard output.
 * Does not know the options of the command.
 */
import { isPawlError, type PawlError } from '../../../errors.ts';
import type { OutputFile } from '../../../files/index.ts';
import { acknowledgeSent, checkCanSend, checkContact, type OutgoingContent } from '../../../session/index.ts';
import { isOfPlace } from '../../carrier/hand-over.ts';
import type { CommandContext } from '../../context.ts';
import { type OpenIdentity, withIdentity } from '../../identity/open.ts';
import { acknowledgeOrWarn, checkFitsTerminal } from '../../stream/write.ts';
import { bytesInWords } from '../../terminal/format.ts';
import { type ChosenFormat, withCarrier } from './carried.ts';
import { type Contents, type Item, type Prepared, prepare } from './contents.ts';
import { encrypt, encryptLarge, TAKES_TIME } from './encrypt.ts';
import { checkAmount, type EnvelopeFormat, EnvelopeOutput, encoded } from './output.ts';
import { envelopesOf, finishParts, giveUpStream, leastArmor, sendLarge } from './parts.ts';

/** @returns the exit code of what waits. */
export async function sendToOne(
  context: CommandContext,
  name: string,
  { items, isWritten }: Contents,
  format: ChosenFormat,
): Promise<number> {
  const [item] = items;
  if (item === undefined || items.length > 1) return sendFiles(context, name, items, format);
  const early = isWritten ? undefined : await prepare(item);
  await withIdentity(context, async (identity) => {
    if (isWritten) await checkCanSend(identity, name);
    await withCarrier(context, identity, { name, format }, async (destination) => {
      await sendOne(context, identity, { name, prepared: early ?? (await prepare(item)), format: destination });
    });
  });
  return 0;
}

/** @throws `usage` for more armor than a terminal takes. */
function checkPrepared(context: CommandContext, prepared: Prepared, format: EnvelopeFormat): void {
  if ('plaintext' in prepared) checkAmount(context, [prepared.plaintext], format);
  else if (format.file === undefined && format.carrier === undefined) {
    checkFitsTerminal(context.io.output, leastArmor(prepared.large), TO_A_FILE);
  }
}

/**
 * Several files are read one after the other. Where a place fails, all of them wait.
 * @returns the exit code of the first that waits.
 */
async function sendFiles(
  context: CommandContext,
  name: string,
  items: readonly Item[],
  format: ChosenFormat,
): Promise<number> {
  let exit = 0;
  await withIdentity(context, async (identity) => {
    await checkContact(identity, name);
    const { file } = format;
    if (file !== undefined) return gatherInFile(context, identity, { name, items, format, file });
    await withCarrier(context, identity, { name, format }, async (destination) => {
      for (const item of items) {
        const prepared = await prepare(item);
        try {
          await sendOne(context, identity, { name, prepared, format: destination });
        } catch (error) {
          if (!isOfCarrying(error)) throw error;
          const code = await context.reporter.error(error, item.path);
          exit ||= code;
        }
      }
    });
  });
  return exit;
}

/** What keeps nothing else back: each waits, or is given up. */
function isOfCarrying(error: unknown): error is PawlError {
  return isOfPlace(error) || isPawlError(error, 'queued') || isPawlError(error, 'stream-lost');
}

/** All contents become one file, which is in its place at the end. */
async function gatherInFile(
  context: CommandContext,
  identity: OpenIdentity,
  {
    name,
    items,
    format,
    file,
  }: {
    readonly name: string;
    readonly items: readonly Item[];
    readonly format: ChosenFormat;
    readonly file: OutputFile;
  },
): Promise<void> {
  const afterwards: (() => Promise<void>)[] = [];
  const begun: OutgoingContent[] = [];
  try {
    await file.writePieces(
      (async function* () {
        for (const item of items) {
          const prepared = await prepare(item);
          yield* inOneFile(context, identity, { name, prepared, format, begun, afterwards });
        }
      })(),
    );
  } catch (error) {
    for (const content of begun) await giveUpStream(content);
    throw error;
  }
  for (const acknowledge of afterwards) await acknowledge();
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
  const { plaintext, onSealed } = prepared;
  if (plaintext.length > TAKES_TIME) {
    context.reporter.progress.update(`encrypting ${bytesInWords(plaintext.length)}`);
  }
  const sent = await encrypt(context, identity, { name, plaintexts: [plaintext] });
  onSealed?.();
  const output = new EnvelopeOutput(context, identity, format);
  context.reporter.progress.clear();
  await output.write(sent);
  await output.acknowledge();
  await output.describe(sent);
  await output.tellOfCarrier();
}

const TO_A_FILE = 'use -o FILE, or a pipe';
