import { openPart, sealPart } from '../../fuzz/one-part.ts';
import { decodeEnvelope, encodeEnvelope, type SealedPart } from '../../src/envelope/index.ts';
import { PawlError } from '../../src/errors.ts';
import { deriveKeys, isOf, type OpenedPart, type Part, PartLog } from '../../src/parts/index.ts';
import { type Context, type IncomingContent, incomingContents } from '../../src/session/index.ts';
import { hex } from '../primitives/hex.ts';
import type { DescriptorFields, Hex, InParts, PartTaken } from './format.ts';

/** Opens an envelope as a part of a content. @throws `unknown-part` where it is of another; `corrupt`. */
export function openedPart({ key, partSize }: InParts, bytes: Uint8Array): OpenedPart {
  const keys = deriveKeys(hex(key));
  const envelope = decodeEnvelope(bytes);
  if (envelope.kind !== 'part' || !isOf(keys, envelope.part)) throw new PawlError('unknown-part', {});
  return openPart(keys, envelope.part, partSize);
}

/**
 * What becomes of a part at somebody who has accepted descriptors: it is noted, and with the last one that was missing the
 * content ends.
 */
export async function takePart(context: Context, bytes: Uint8Array): Promise<PartTaken> {
  const envelope = decodeEnvelope(bytes);
  if (envelope.kind !== 'part') throw new Error('a part is taken');
  const { part } = envelope;
  const content = (await incomingContents(context)).find((one) => one.owns(part));
  if (content === undefined) return { outcome: 'unknown-part' };
  const outcome = await taken(content, part);
  const { firstMissing: missing, bytes: there, isComplete: complete } = content.log;
  if (complete) await content.finish();
  return { outcome, there: { missing, bytes: there, complete } };
}

async function taken(content: IncomingContent, sealed: SealedPart): Promise<string> {
  try {
    const { part, verdict } = content.open(sealed);
    if (verdict === 'new') {
      await content.take();
      content.add(part);
      await content.save();
    }
    if (verdict !== 'stored') return verdict;
    await content.compare(part);
    return 'duplicate';
  } catch (error) {
    if (error instanceof PawlError) return error.code;
    throw error;
  }
}

/** The envelope of a part of a descriptor, as its sender makes it. */
export function partOf({ key, partSize }: Pick<DescriptorFields, 'key' | 'partSize'>, part: Part, r: Hex): Uint8Array {
  const { sealed } = sealPart(deriveKeys(hex(key)), part, { partSize, random: () => hex(r) });
  return encodeEnvelope({ kind: 'part', part: sealed });
}

/** What of a content is there: nothing. */
export function logFor({ size, partSize }: InParts): PartLog {
  return new PartLog({ size: size ?? undefined, partSize });
}

/** What becomes of a part that comes. @returns the code of a refusal; `new`, which adds it; `duplicate`. */
export function take(log: PartLog, part: OpenedPart): string {
  try {
    const verdict = log.check(part);
    if (verdict === 'new') log.add(part);
    return verdict;
  } catch (error) {
    if (error instanceof PawlError) return error.code;
    throw error;
  }
}
