import { basename } from 'node:path';
import { armor, type Content, encodeContent, MAX_CONTENT } from '../../../envelope/index.ts';
import { isPawlError, PawlError } from '../../../errors.ts';
import { replaceFile } from '../../../files/index.ts';
import { utf8 } from '../../../primitives/index.ts';
import { acknowledgeSent, checkContact, sendAll } from '../../../session/index.ts';
import type { Define, Shell } from '../../context.ts';
import { type Unlocked, withIdentity } from '../../identity/open.ts';
import { outputFile } from '../../option-types.ts';
import { readInput } from '../../stream/read.ts';
import { afterwards } from '../../stream/write.ts';
import { bytesInWords } from '../../terminal/format.ts';
import { sendLines } from './lines.ts';
import { sentDocument } from './output.ts';

/** What takes a noticeable time to encrypt, in bytes. */
const LARGE = 2 ** 20;

interface SendOptions {
  readonly message?: string;
  readonly armor?: true;
  readonly binary?: true;
  readonly output?: string;
  readonly lines?: true;
}

export const defineSend: Define = (program, act) => {
  program
    .command('send <name> [file]')
    .description('encrypt standard input, a file or a text for NAME')
    .option('-m, --message <text>', 'the text itself')
    .option('-a, --armor', 'armored text, as on a terminal')
    .option('-b, --binary', 'bytes, as in a pipe or a file')
    .option('-o, --output <file>', 'write the envelope to a file', outputFile)
    .option('--lines', 'each line is a message, as it comes')
    .addHelpText(
      'after',
      `
What comes out can go over any channel. It is for NAME alone, and can be read once.

Examples:
  $ pawl send bob -m 'hi bob'
  $ pawl send bob photo.jpg -o photo.pawl`,
    )
    .action(
      act(async (shell, name: string, file: string | undefined, options: SendOptions) => {
        const format = checkOptions(shell, file, options);
        if (options.lines) {
          await sendLines(shell, name, format.armored);
          return 0;
        }
        const isTyped = options.message === undefined && file === undefined && shell.io.input.isTerminal;
        if (isTyped) await sendTyped(shell, name, format);
        else {
          const plaintext = await readPlaintext(shell, name, file, options.message);
          await withIdentity(shell, (identity) => sendOne(shell, identity, name, plaintext, format));
        }
        return 0;
      }),
    );
};

interface Format {
  readonly armored: boolean;
  readonly output: string | undefined;
}

function checkOptions({ io }: Shell, file: string | undefined, options: SendOptions): Format {
  const problem = (text: string, hint: string) => new PawlError('usage', { problem: text, hint });
  const sources = [
    file !== undefined && 'a file',
    options.message !== undefined && '-m',
    options.lines && '--lines',
  ].filter(Boolean);
  if (sources.length > 1) throw problem(`${sources.join(' and ')} do not go together`, 'give one of them');
  if (options.armor && options.binary) throw problem('-a and -b do not go together', 'give one of them');
  if (options.lines && options.output !== undefined)
    throw problem('--lines and -o do not go together', 'pawl send NAME --lines > FILE');
  const toTerminal = options.output === undefined && io.output.isTerminal;
  if (toTerminal && options.binary) throw problem('bytes are not written to a terminal', 'use -o FILE, or -a');
  return { armored: options.armor ?? (toTerminal && !options.binary), output: options.output };
}

/** Nobody types a message in vain: who is to have it, and the key, are looked at first. */
async function sendTyped(shell: Shell, name: string, format: Format): Promise<void> {
  await withIdentity(shell, async (identity) => {
    await checkContact(identity, name);
    await shell.tell.notice('type the message, then press Ctrl-D on a line of its own');
    await sendOne(shell, identity, name, await readPlaintext(shell, name, undefined, undefined), format);
  });
}

/** A large content is let go as soon as it is encoded. */
async function readPlaintext(...of: Parameters<typeof readContent>): Promise<Uint8Array> {
  return encodeContent(await readContent(...of));
}

async function readContent(
  shell: Shell,
  name: string,
  file: string | undefined,
  message: string | undefined,
): Promise<Content> {
  const sentAt = shell.io.now();
  if (message !== undefined) return { type: 'text', sentAt, bytes: utf8(message) };
  const { isTerminal } = shell.io.input;
  const bytes = await readInput(shell.io, file, MAX_CONTENT, (length) => {
    if (!isTerminal) shell.tell.progress.at(`reading, ${bytesInWords(length)}`);
  }).catch((error) => {
    throw isPawlError(error, 'missing-file') ? new PawlError('missing-file', { ...error.detail, to: name }) : error;
  });
  if (file !== undefined && file !== '-') return { type: 'file', name: basename(file), sentAt, bytes };
  // Whatever was to come through the pipe has failed.
  if (bytes.length === 0) throw new PawlError('no-input', { source: 'standard input', toSend: true });
  return { type: 'text', sentAt, bytes };
}

/** Commits, then speaks; and only what has been written goes from the outbox. */
async function sendOne(
  { io, tell }: Shell,
  identity: Unlocked,
  name: string,
  plaintext: Uint8Array,
  { armored, output }: Format,
): Promise<void> {
  if (plaintext.length > LARGE) tell.progress.at(`encrypting ${bytesInWords(plaintext.length)}`);
  for (const sent of await sendAll(identity, name, [plaintext])) {
    const bytes = armored ? utf8(armor(sent.envelope)) : sent.envelope;
    tell.progress.clear();
    if (output === undefined) {
      await io.output.write(bytes);
      await io.output.flush();
    } else replaceFile(output, bytes);
    await afterwards(tell, () => acknowledgeSent(identity, [sent.outboxId]));
    if (output === undefined) await tell.aside(sentDocument(sent));
    else if (tell.json) await tell.document(sentDocument(sent));
  }
}
