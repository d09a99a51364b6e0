import { openPart } from '../../fuzz/one-part.ts';
import { decodeEnvelope } from '../../src/envelope/index.ts';
import { PawlError } from '../../src/errors.ts';
import { deriveKeys, isOf, type OpenedPart, PartLog } from '../../src/parts/index.ts';
import { hex } from '../primitives/hex.ts';
import type { InParts } from './format.ts';

/** Opens an envelope as a part of a content. @throws `unknown-part` where it is of another; `corrupt`. */
export function openedPart({ key, partSize }: InParts, bytes: Uint8Array): OpenedPart {
  const keys = deriveKeys(hex(key));
  const envelope = decodeEnvelope(bytes);
  if (envelope.kind !== 'part' || !isOf(keys, envelope.part)) throw new PawlError('unknown-part', {});
  return openPart(keys, envelope.part, partSize);
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
