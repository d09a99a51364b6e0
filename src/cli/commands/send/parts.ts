/**
 * Writes a large content out: the message with its descriptor, then its parts, one after the other. Along a route they go
 * the other way round: see carried-parts.ts.
 * Does not know where the content is read from.
 */
import { isPawlError } from '../../../errors.ts';
import type { OutgoingContent } from '../../../session/index.ts';
import type { CommandContext } from '../../context.ts';
import type { OpenIdentity } from '../../identity/open.ts';
import { Garbage } from '../../stream/memory.ts';
import { acknowledgeOrWarn } from '../../stream/write.ts';
import { Pace } from '../../terminal/pace.ts';
import { carryParts } from './carried-parts.ts';
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
  const content = await encryptLarge(context, identity, { name, large, place: format.carrier?.place });
  const parts = { large, format };
  await (format.carrier === undefined
    ? writeParts(context, content, parts)
    : carryParts(context, identity, content, parts));
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

/** All parts are written. @param fate what is said of where they are. */
export async function finishParts(
  context: CommandContext,
  content: OutgoingContent,
  format: EnvelopeFormat,
  fate: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  await acknowledgeOrWarn(context.reporter, () => content.finish());
  content.wipe();
  const { to, id, n, opening, expiredInvite, bytes, parts, partSize } = content;
  await describe(context, format, { to, id, n, opening, expiredInvite, bytes, parts, partSize, fate });
}

/** What was not written to its end, and cannot be read again, is given up. */
export async function giveUpStream(content: OutgoingContent): Promise<void> {
  if (content.source === undefined) await content.abandon();
}

/** The message with the descriptor, then the parts that are not written yet. A file that has changed is given up. */
export async function* envelopesOf(
  context: CommandContext,
  content: OutgoingContent,
  parts: PartsToWrite,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { io } = context;
  const { file } = parts.format;
  yield content.envelope;
  for await (const { envelope, isDue } of sealedParts(context, content, parts)) {
    yield envelope;
    if (file !== undefined || !isDue()) continue;
    await io.output.flush();
    if (io.output.isFile === true) content.keep();
    await content.save();
  }
}

/** A part, ready to be written. */
interface SealedEnvelope {
  readonly envelope: Uint8Array;
  /** Whether it is time to save how far it has come, once it is written. What follows on the last part saves it. */
  readonly isDue: () => boolean;
}

/** Seals the parts that are not written yet, one after the other. A file that has changed is given up. */
export async function* sealedParts(
  context: CommandContext,
  content: OutgoingContent,
  { large, first = 0 }: Pick<PartsToWrite, 'large' | 'first'>,
): AsyncGenerator<SealedEnvelope, void, undefined> {
  const { io, reporter } = context;
  const garbage = new Garbage();
  const pace = new Pace(io, content.size);
  let savedAt = io.now();
  try {
    for await (const { bytes, isLast } of large.pieces(content.partSize, content.parts)) {
      garbage.collect();
      if (content.parts < first) {
        content.pass(bytes, isLast);
        garbage.add(bytes.length);
        reporter.progress.update(`reading, ${pace.words(content.bytes)}`);
        continue;
      }
      const isDue = (): boolean => {
        if (isLast || io.now() - savedAt < SAVE_INTERVAL) return false;
        savedAt = io.now();
        return true;
      };
      yield { envelope: content.seal(bytes, isLast), isDue };
      garbage.add(bytes.length);
      reporter.progress.update(`sending, ${pace.words(content.bytes)}`);
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
