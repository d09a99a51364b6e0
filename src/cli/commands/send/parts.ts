/**
 * Sends a large content: the message with its descriptor, then its parts, one after the other.
 * Does not know where the content is read from.
 */
import { isPawlError } from '../../../errors.ts';
import type { OutgoingContent } from '../../../session/index.ts';
import type { CommandContext } from '../../context.ts';
import type { OpenIdentity } from '../../identity/open.ts';
import { Garbage } from '../../stream/memory.ts';
import { acknowledgeOrWarn } from '../../stream/write.ts';
import { Pace } from '../../terminal/pace.ts';
import { encryptLarge } from './encrypt.ts';
import { describe, type EnvelopeFormat, encoded } from './output.ts';
import type { LargeContent } from './source.ts';

/** Milliseconds between two commits of how much is written. */
const SAVE_INTERVAL = 1_000;

/**
 * Encrypts a large content for a contact, and writes it out.
 * @throws as `sendAll`, and what reading and writing throw.
 */
export async function sendLarge(
  context: CommandContext,
  identity: OpenIdentity,
  { name, large, format }: { readonly name: string; readonly large: LargeContent; readonly format: EnvelopeFormat },
): Promise<void> {
  await writeParts(context, await encryptLarge(context, identity, { name, large }), { large, format });
}

/** What is to be written of a content. */
export interface PartsToWrite {
  readonly large: Omit<LargeContent, 'name'>;
  /** The index of the first part; those before it are read all the same, for what the others say of them. */
  readonly first?: number;
  readonly format: EnvelopeFormat;
}

/**
 * Writes the descriptor and the parts that are not written yet. What standard output has on a disk is noted, so that a later
 * command goes on behind it; a file of `-o` is in its place when it is complete, or not at all.
 */
export async function writeParts(
  context: CommandContext,
  content: OutgoingContent,
  parts: PartsToWrite,
): Promise<void> {
  const { io, reporter } = context;
  const { format } = parts;
  const { file } = format;
  const pieces = encoded(envelopesOf(context, content, parts), format);
  try {
    if (file !== undefined) await file.writePieces(pieces);
    else {
      for await (const piece of pieces) await io.output.write(piece);
      await io.output.flush();
    }
  } catch (error) {
    await giveUpStream(content);
    throw error;
  } finally {
    reporter.progress.clear();
  }
  await finishParts(context, content, format);
}

/** All parts are written. */
export async function finishParts(
  context: CommandContext,
  content: OutgoingContent,
  format: EnvelopeFormat,
): Promise<void> {
  await acknowledgeOrWarn(context.reporter, () => content.finish());
  content.wipe();
  await describe(context, format, content);
}

/** What was not written to its end, and cannot be read again, is given up. */
export async function giveUpStream(content: OutgoingContent): Promise<void> {
  if (content.source === undefined) await content.abandon();
}

/** The message with the descriptor, then the parts that are not written yet. A file that has changed is given up. */
export async function* envelopesOf(
  context: CommandContext,
  content: OutgoingContent,
  { large, first = 0, format: { file } }: PartsToWrite,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { io, reporter } = context;
  const garbage = new Garbage();
  const pace = new Pace(io, content.size);
  let savedAt = io.now();
  try {
    yield content.envelope;
    for await (const { bytes, isLast } of large.pieces(content.partSize, content.parts)) {
      garbage.collect();
      if (content.parts < first) {
        content.pass(bytes, isLast);
        garbage.add(bytes.length);
        reporter.progress.update(`reading, ${pace.words(content.bytes)}`);
        continue;
      }
      yield content.seal(bytes, isLast);
      garbage.add(bytes.length);
      reporter.progress.update(`sending, ${pace.words(content.bytes)}`);
      if (file !== undefined || isLast || io.now() - savedAt < SAVE_INTERVAL) continue;
      await io.output.flush();
      await content.save(io.output.isFile === true);
      savedAt = io.now();
    }
  } catch (error) {
    if (isPawlError(error, 'source-changed')) await content.abandon();
    throw error;
  }
}

/** Bytes of armor of a content, at least: for the terminal, which takes none of it. */
export function leastArmor({ size = Number.POSITIVE_INFINITY }: Pick<LargeContent, 'size'>): number {
  return Math.ceil(size / 2 ** 20) * 2 ** 20;
}
