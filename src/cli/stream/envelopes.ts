/**
 * Reads envelopes from files and standard input. A broken envelope becomes an item with its error, and reading goes on.
 * Decrypts nothing.
 */
import { decodeEnvelope, type Envelope, type Found, Scanner, type SealedPart } from '../../envelope/index.ts';
import { PawlError } from '../../errors.ts';
import type { Arrival } from '../../session/index.ts';
import type { CommandContext } from '../context.ts';
import { bytesInWords } from '../terminal/format.ts';
import { nameOfInput, STANDARD_INPUT, streamOf } from './read.ts';

/** An envelope in the input, or the error if it cannot be decoded. `source` is its file and position, for messages. */
export type InputItem<Arrived = { readonly source: string; readonly envelope: Envelope }> =
  | Arrived
  | { readonly source: string; readonly error: PawlError };

/** Is told what becomes of each input. Without it, an input that cannot be read ends the reading. */
export interface InputListener {
  /** The input cannot be read, or not to its end. The next one is read. */
  onUnreadable(error: PawlError): Promise<void>;
  /**
   * The input was read to its end.
   * @param what there was in it: an envelope, be it broken; or none, with the error that says so, unless it is blank.
   */
  onRead(name: string, what: { readonly hasEnvelope: boolean; readonly error?: PawlError }): Promise<void>;
}

interface ReadOptions<Item> {
  /** The most bytes in each input. */
  readonly limit?: number;
  readonly itemOf: (read: InputItem) => Item;
  readonly listener?: InputListener;
}

/** The most bytes of input for a command that reads all of it before it begins. */
const MAX_INPUT = 2 ** 29;

/**
 * Reads the envelopes in files, or in standard input if no file is given. Those that arrive in one chunk are yielded
 * together, in an array that belongs to the caller: it is the only one that holds them.
 * @throws `missing-file`, `read-failed`, `cut-line`, `too-large`, unless there is a listener.
 */
async function* readEnvelopes<Item>(
  context: CommandContext,
  files: readonly string[],
  options: ReadOptions<Item>,
): AsyncGenerator<Item[], void, undefined> {
  const { listener } = options;
  for (const path of files.length === 0 ? [STANDARD_INPUT] : files) {
    try {
      yield* readInput(context, path, options);
    } catch (error) {
      if (listener === undefined || !(error instanceof PawlError)) throw error;
      await listener.onUnreadable(error);
    }
  }
}

/** A part of a content in the input. */
export interface PartArrival {
  readonly source: string;
  readonly part: SealedPart;
}

/** Reads the envelopes in one file, or in standard input for `-`. */
async function* readInput<Item>(
  { io, reporter }: CommandContext,
  path: string,
  { limit = Number.POSITIVE_INFINITY, itemOf, listener }: ReadOptions<Item>,
): AsyncGenerator<Item[], void, undefined> {
  const name = nameOfInput(path);
  const read = (found: Found) => itemOf(decode(`${name}, ${found.at}`, found));
  const scanner = new Scanner();
  // On a terminal, all input is read before the caller may ask for a passphrase there.
  const isPasted = path === STANDARD_INPUT && io.input.isTerminal;
  const pasted: Item[] = [];
  let bytes = 0;
  let hasEnvelope = false;
  if (isPasted) await reporter.notice('paste it here, then press Enter and Ctrl-D');
  for await (const chunk of streamOf(io, path)) {
    bytes += chunk.length;
    if (bytes > limit) throw new PawlError('too-large', { what: 'input', bytes, limit, isLeast: true });
    const reads = scanner.push(chunk).map(read);
    hasEnvelope ||= reads.length > 0;
    if (isPasted) pasted.push(...reads);
    else if (reads.length > 0) yield reads;
    else reporter.progress.update(`reading, ${bytesInWords(bytes)}`);
  }
  const end = scanner.end();
  hasEnvelope ||= end.length > 0;
  const [only] = end;
  if (listener !== undefined && only !== undefined && 'error' in only && only.isNone) {
    await listener.onRead(name, { hasEnvelope: false, error: only.error });
    return;
  }
  const last = [...pasted, ...end.map(read)];
  await listener?.onRead(name, { hasEnvelope });
  if (last.length > 0) yield last;
}

/**
 * Like `readEnvelopes`, for messages and parts only: an invite becomes an item with the error `wrong-kind`. An input that cannot be
 * read keeps none of the others back.
 */
export function readMessages(
  context: CommandContext,
  files: readonly string[],
  listener: InputListener,
): AsyncGenerator<InputItem<Arrival | PartArrival>[], void, undefined> {
  return readEnvelopes(context, files, { itemOf: asMessage, listener });
}

/**
 * Reads the only invite in a file, or in standard input if `file` is `undefined`.
 * @returns 1,321 bytes.
 * @throws `missing-file`, `read-failed`, `too-large`, `no-input`, `wrong-kind`, `usage` for several envelopes, and what
 * decoding throws.
 */
export async function readInviteFrom(context: CommandContext, file: string | undefined): Promise<Uint8Array> {
  const [read, ...more] = await readAll(context, file ?? STANDARD_INPUT);
  if (read === undefined) throw new PawlError('no-input', { source: nameOfInput(file ?? STANDARD_INPUT) });
  if ('error' in read) throw read.error;
  if (read.envelope.kind !== 'invite') throw new PawlError('wrong-kind', { expected: 'invite', found: 'message' });
  if (more.length > 0) {
    throw new PawlError('usage', { problem: 'there are several envelopes here', hint: 'give one invite at a time' });
  }
  return read.envelope.invite;
}

/**
 * Reads all envelopes in a file, or in standard input for `-`.
 * @throws `missing-file`, `read-failed`, `too-large`, `no-input` if there is none, and the error of the first broken one.
 */
export async function readIntactEnvelopes(
  context: CommandContext,
  file: string,
): Promise<readonly { readonly source: string; readonly envelope: Envelope }[]> {
  const reads = await readAll(context, file);
  if (reads.length === 0) throw new PawlError('no-input', { source: nameOfInput(file) });
  return reads.map((read) => {
    if ('error' in read) throw read.error;
    return read;
  });
}

function decode(source: string, found: Found): InputItem {
  if ('error' in found) return { source, error: found.error };
  try {
    return { source, envelope: decodeEnvelope(found.bytes) };
  } catch (error) {
    if (error instanceof PawlError) return { source, error };
    throw error;
  }
}

function asMessage(read: InputItem): InputItem<Arrival | PartArrival> {
  if ('error' in read) return read;
  const { source, envelope } = read;
  if (envelope.kind === 'part') return { source, part: envelope.part };
  if (envelope.kind !== 'invite') return { source, envelope };
  return { source, error: new PawlError('wrong-kind', { expected: 'message', found: 'invite' }) };
}

async function readAll(context: CommandContext, file: string): Promise<readonly InputItem[]> {
  const all: InputItem[] = [];
  const options = { limit: MAX_INPUT, itemOf: (read: InputItem) => read };
  for await (const reads of readEnvelopes(context, [file], options)) all.push(...reads);
  return all;
}
