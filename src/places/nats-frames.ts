/**
 * Divides what a NATS server sends into operations, strictly and within limits, so that the package is handed nothing but
 * what it can read: it believes every length, decodes headers of any size in quadratic time, and dies of a bad one.
 * Knows no stream and no box.
 */
import { concat } from '../primitives/index.ts';
import { Incoming } from './incoming.ts';

/** What a server sends at a time. */
export interface Operation {
  readonly verb: 'INFO' | 'PING' | 'MSG' | 'other';
  readonly bytes: Uint8Array;
}

/** The fields of headers that are of any use. All others are left out: whoever sends to a box may have written them. */
export const FIELDS = { name: 'Pawl-Name', size: 'Nats-Msg-Size' } as const;

/** In bytes: lines of a server are shorter, its greeting too. */
export const LONGEST_LINE = 2 ** 16;
/**
 * In bytes: the largest answer that is taken. It has an envelope of 17 MiB in base64, and there is room for headers. What
 * is larger is passed over.
 */
export const LARGEST_ANSWER = 2 ** 25;
/** In characters: the value of a field, and what a status says. */
const LONGEST_FIELD = 128;
const SKIPPED_AT_ONCE = 2 ** 16;

/** In front of the lengths are the subject, the subscription, and the subject for answers where there is one. */
const PLAIN = /^MSG +(\S+ +\d{1,9}(?: +\S+)?) +(\d{1,15})$/i;
const WITH_HEADERS = /^HMSG +(\S+ +\d{1,9}(?: +\S+)?) +(\d{1,15}) +(\d{1,15})$/i;
const OTHER = /^(?:(PING)|PONG|\+OK|-ERR [^\r]*|(INFO)\s+(\{[^\r]*\})\s*)$/i;
const CRLF = '\r\n';

/** The server's bytes are no NATS. */
export class NoNats extends Error {
  constructor(options?: ErrorOptions) {
    super('it does not answer as a NATS server', options);
    this.name = 'NoNats';
  }
}

/**
 * Reads operations. Of headers only {@link FIELDS} and the status are left. A message that is too large has no bytes.
 * @throws {@link NoNats}.
 */
export async function* operationsIn(source: AsyncGenerator<Uint8Array>): AsyncGenerator<Operation, void, undefined> {
  const incoming = new Incoming(source);
  for (;;) {
    const text = await incoming.line(LONGEST_LINE);
    if (text === undefined) return;
    if (text.length >= LONGEST_LINE || !text.endsWith('\r')) throw new NoNats();
    const line = text.slice(0, -1);
    const [, to, length] = PLAIN.exec(line) ?? [];
    const [, headedTo, headers, inAll] = WITH_HEADERS.exec(line) ?? [];
    if (to !== undefined) yield await message(incoming, to, 0, Number(length));
    else if (headedTo !== undefined) yield await message(incoming, headedTo, Number(headers), Number(inAll));
    else yield other(line);
  }
}

function other(line: string): Operation {
  const [all, ping, info, json = ''] = OTHER.exec(line) ?? [];
  if (all === undefined) throw new NoNats();
  if (info !== undefined) checkInfo(json);
  return { verb: info ? 'INFO' : ping ? 'PING' : 'other', bytes: Buffer.from(line + CRLF, 'latin1') };
}

/** What the package would fail at. */
function checkInfo(json: string): void {
  let info: unknown;
  try {
    info = JSON.parse(Buffer.from(json, 'latin1').toString());
  } catch (cause) {
    throw new NoNats({ cause });
  }
  const { version, max_payload } = { ...(info as Record<string, unknown>) };
  if (typeof version !== 'string' || !/\d+\.\d+\.\d+/.test(version)) throw new NoNats();
  if (!Number.isSafeInteger(max_payload)) throw new NoNats();
}

/** @param headers how many of the bytes are headers; 0: there are none. */
async function message(incoming: Incoming, to: string, headers: number, length: number): Promise<Operation> {
  if (headers > length) throw new NoNats();
  if (length > LARGEST_ANSWER) {
    for (let left = length + CRLF.length; left > 0; left -= SKIPPED_AT_ONCE) {
      await whole(incoming, Math.min(left, SKIPPED_AT_ONCE));
    }
    return { verb: 'MSG', bytes: Buffer.from(`MSG ${to} 0${CRLF}${CRLF}`, 'latin1') };
  }
  const bytes = await whole(incoming, length + CRLF.length);
  if (Buffer.from(bytes.subarray(length)).toString('latin1') !== CRLF) throw new NoNats();
  const useful = headers === 0 ? '' : usefulOf(bytes.subarray(0, headers));
  const lengths = headers === 0 ? length : `${useful.length} ${useful.length + length - headers}`;
  const head = Buffer.from(`${headers === 0 ? '' : 'H'}MSG ${to} ${lengths}${CRLF}${useful}`, 'latin1');
  return { verb: 'MSG', bytes: concat(head, bytes.subarray(headers)) };
}

/** The source ends with the connection, which is told by that. */
async function whole(incoming: Incoming, length: number): Promise<Uint8Array> {
  const bytes = await incoming.take(length);
  if (bytes === undefined) throw new Error('connection closed');
  return bytes;
}

function usefulOf(bytes: Uint8Array): string {
  const { buffer, byteOffset, length } = bytes;
  const text = Buffer.from(buffer, byteOffset, length).toString('latin1');
  const [status = ''] = text.slice(0, LONGEST_FIELD).split(/[\r\n]/, 1);
  const fields = Object.values(FIELDS).flatMap((name) => {
    const value = fieldOf(text, name);
    return value === undefined ? [] : [`${name}: ${value}${CRLF}`];
  });
  return `${status}${CRLF}${fields.join('')}${CRLF}`;
}

/**
 * The value of a field of headers, the last one of its name: the server's own is behind those of whoever sent them.
 * @param headers a character a byte.
 * @returns `undefined` where there is none, and for one that is too long or of more than one line.
 */
export function fieldOf(headers: string, name: string): string | undefined {
  const start = `${CRLF}${name}:`;
  const at = headers.lastIndexOf(start);
  if (at < 0) return undefined;
  const from = at + start.length;
  const end = headers.indexOf(CRLF, from);
  if (end < 0 || end - from > LONGEST_FIELD) return undefined;
  const value = headers.slice(from, end).trim();
  return /[\r\n]/.test(value) ? undefined : value;
}
