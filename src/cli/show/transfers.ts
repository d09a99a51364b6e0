/**
 * Contents that come or go in parts, in words and as JSON.
 * Reads nothing from the store: it is given what is known of them.
 */
import { toHex } from '../../primitives/index.ts';
import { type IncomingContent, nameOf, type UnsentContent } from '../../session/index.ts';
import { bytesInWords, instant, iso } from '../terminal/format.ts';
import { hostOfMachine } from '../terminal/process-name.ts';

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
export function incomingLine({ from, log, row, place }: IncomingContent, host: string): string {
  const { descriptor, receivedAt } = row;
  const size = descriptor.size === undefined ? '' : ` (${bytesInWords(descriptor.size)})`;
  return `${nameOf(descriptor)}${size} from ${from}, since ${instant(receivedAt)}: ${partsInWords(log)}${onHost(place, host)}`;
}

/** Where a file is, if not on this machine. @param host the name of this one. */
export function onHost(file: { readonly host: string | undefined } | undefined, host: string): string {
  return file?.host === undefined || file.host === host ? '' : `, on ${hostOfMachine(file.host)}`;
}

/** What is known of an incoming content, in the JSON output. */
export function incomingFields({ from, log, row, place }: IncomingContent) {
  const { descriptor, messageId, receivedAt } = row;
  return {
    from,
    id: toHex(messageId),
    ...(descriptor.name !== undefined && { file: descriptor.name }),
    ...(descriptor.size !== undefined && { size: descriptor.size }),
    part_size: descriptor.partSize,
    received_at: iso(receivedAt),
    parts: log.count,
    ...(log.total !== undefined && { of: log.total }),
    bytes: log.bytes,
    ...(!log.isComplete && { first_missing: log.firstMissing + 1 }),
    ...(place !== undefined && { partial: place.path }),
    ...(place?.host !== undefined && { host: hostOfMachine(place.host) }),
  };
}

/** In front of the number of a large content in the outbox. */
export const LARGE = 'L';

/** One line of `pawl inspect` and of the outbox. */
export function unsentLine(content: UnsentContent, host: string): string {
  const since = `since ${instant(content.createdAt)}${onHost(content.source, host)}`;
  return `${nameOf(content)} for ${content.to}, ${since}: ${writtenInWords(content)}`;
}

/** How far an outgoing content has come: `3 of 1500 parts are known to be written`. What went into a pipe is not. @param route along which it goes. */
export function writtenInWords({ id, parts, total, source }: UnsentContent, route?: string): string {
  const of = total === undefined ? '' : ` of ${total}`;
  const resend = `pawl outbox resend ${LARGE}${id}${route === undefined ? ' >> FILE' : ''}`;
  const next = source === undefined ? 'it cannot go on' : resend;
  const done = route === undefined ? 'written' : `handed over to ${route}`;
  return `${parts}${of} ${(total ?? parts) === 1 ? 'part is' : 'parts are'} known to be ${done}; ${next}`;
}

/** What is known of an outgoing content, in the JSON output. */
export function unsentFields({ id, to, messageId, createdAt, name, size, parts, total, source }: UnsentContent) {
  return {
    outbox_id: `${LARGE}${id}`,
    to,
    id: toHex(messageId),
    created_at: iso(createdAt),
    ...(name !== undefined && { file: name }),
    ...(size !== undefined && { size }),
    parts,
    ...(total !== undefined && { of: total }),
    resumable: source !== undefined,
  };
}
