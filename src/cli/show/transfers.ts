/**
 * Contents that come or go in parts, in words and as JSON.
 * Reads nothing from the store: it is given what is known of them.
 */
import { toHex } from '../../primitives/index.ts';
import { type IncomingContent, nameOf, type UnsentContent } from '../../session/index.ts';
import { bytesInWords, instant, iso } from '../terminal/format.ts';
import type { Document } from '../terminal/reporter.ts';

/** `3 of 1,500 parts are there; part 2 is missing`. Parts are counted from 1 for people. */
export function partsInWords({
  count,
  total,
  firstMissing,
}: Pick<IncomingContent['log'], 'count' | 'total' | 'firstMissing'>): string {
  const of = total === undefined ? '' : ` of ${total}`;
  const missing = firstMissing === total ? '' : `; part ${firstMissing + 1} is missing`;
  return `${count}${of} ${(total ?? count) === 1 ? 'part is' : 'parts are'} there${missing}`;
}

/** One line of `pawl inspect`. */
export function incomingLine({ from, log, row }: IncomingContent): string {
  const { descriptor, receivedAt } = row;
  const size = descriptor.size === undefined ? '' : ` (${bytesInWords(descriptor.size)})`;
  return `${nameOf(descriptor)}${size} from ${from}, since ${instant(receivedAt)}: ${partsInWords(log)}`;
}

export function incomingDocument({ from, log, row, place }: IncomingContent): Document {
  const { descriptor, messageId, receivedAt } = row;
  return {
    type: 'incoming',
    from,
    id: toHex(messageId),
    ...(descriptor.name !== undefined && { file: descriptor.name }),
    ...(descriptor.size !== undefined && { size: descriptor.size }),
    part_size: descriptor.partSize,
    received_at: iso(receivedAt),
    parts: log.count,
    ...(log.total !== undefined && { of: log.total }),
    bytes: log.bytes,
    ...(!log.isComplete && { first_missing: log.firstMissing }),
    ...(place !== undefined && { partial: place.path }),
  };
}

/** How far an outgoing content has come: `3 of 1,500 parts`. */
export function writtenInWords({ parts, total }: Pick<UnsentContent, 'parts' | 'total'>): string {
  return `${parts}${total === undefined ? '' : ` of ${total}`} parts written`;
}
