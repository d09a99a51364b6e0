import { constants } from 'node:buffer';
import { PawlError } from '../errors.ts';
import { Reader } from '../primitives/index.ts';
import { beginLine, COLUMNS, dearmor, endLine, LABELS } from './armor.ts';
import { HEAD_LENGTH, KINDS, MAGIC, readHead, VERSION } from './head.ts';
import { lineCounter, lineEnd } from './lines.ts';

/** An envelope, or what was left of one; `at` tells a person where: `line 12` for a block, `byte 2048` for binary. */
export type Found =
  | { readonly at: string; readonly bytes: Uint8Array }
  | { readonly at: string; readonly error: PawlError };

/** What was read at a place, and the offset where the search goes on. */
type Piece = { readonly end: number } & Outcome;
type Outcome = { readonly bytes: Uint8Array } | { readonly error: PawlError };

const KIND_BYTES = String.fromCharCode(...Object.values(KINDS));
const BEGIN_LINES = LABELS.map(beginLine);
/** Where an envelope begins: in binary, with a kind that is known; or at a BEGIN line, whatever is in front of it. */
const START = new RegExp(
  `${MAGIC}${String.fromCharCode(VERSION)}[${KIND_BYTES}]|(?:${BEGIN_LINES.join('|')})[ \\t\\r]*(?![^\\n])`,
  'g',
);
const BLOCK_LINE = new RegExp(`^[A-Za-z0-9+/=]{1,${COLUMNS}}$`);
/** The most that can be searched at once: what fits into one string. */
export const MAX_INPUT = constants.MAX_STRING_LENGTH;

/** Broken ones in a row that are worth a word each: hostile input can hold a million. */
const REPORTED = 16;
const QUOTING = /^[\s>]+/;

/**
 * Finds the envelopes in the whole input of a command, in their order: binary ones back to back, armored blocks (with
 * CRLF, blanks around lines, blank lines, quoting by `>`, text around), or a mixture (docs/PROTOCOL.md §7). Binary
 * envelopes come as views of the input. Only their heads are checked: `decodeEnvelope` is for the rest.
 *
 * A broken one is reported in its place, and the search goes on behind its beginning; of several in a row, the first. Input without any envelope is one
 * `corrupt`, unless it is blank. Takes time and memory in proportion to the input, whatever it is; throws nothing.
 */
export function* scan(input: Uint8Array): Generator<Found, void, undefined> {
  if (input.length > MAX_INPUT) {
    const detail = { what: 'input', bytes: input.length, limit: MAX_INPUT };
    return yield { at: 'byte 0', error: new PawlError('too-large', detail) };
  }
  const bytes = new Uint8Array(input.buffer, input.byteOffset, input.byteLength);
  // One character a byte, so that an offset is the same in both.
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
  const lineOf = lineCounter(text);
  let last: Found | undefined;
  let position = 0;
  let broken = 0;
  for (let start = find(text, 0); start !== -1; start = find(text, position)) {
    const binary = text.startsWith(MAGIC, start);
    const at = binary ? `byte ${start}` : `line ${lineOf(start)}`;
    const { end, ...outcome } = binary ? readBinary(bytes, text, start) : readBlock(text, start, lineOf);
    last = { at, ...outcome };
    broken = 'error' in last ? broken + 1 : 0;
    if (broken <= REPORTED) yield last;
    position = end;
  }
  if (last !== undefined && 'error' in last) return;
  if (isBeginning(text.slice(position))) {
    yield { at: `byte ${position}`, error: corrupt('envelope (cut short)') };
  } else if (last === undefined && text.trim() !== '') {
    yield { at: 'byte 0', error: corrupt('input (no pawl envelope in it)') };
  }
}

/** The offset of the next envelope, or -1. Where one is due, any version or kind is taken for one: it gets its error. */
function find(text: string, due: number): number {
  if (text.startsWith(MAGIC, due) && isControl(text.charCodeAt(due + MAGIC.length))) return due;
  START.lastIndex = due;
  return START.exec(text)?.index ?? -1;
}

/** A character that stands in no text, hence a version. */
function isControl(code: number): boolean {
  return code < 0x20 && code !== 0x09 && code !== 0x0a && code !== 0x0d;
}

/** Whether `tail`, all that is left of the input, is what remains of an envelope cut short in its first bytes. */
function isBeginning(tail: string): boolean {
  return tail !== '' && [MAGIC, ...BEGIN_LINES].some((beginning) => beginning.startsWith(tail));
}

function readBinary(bytes: Uint8Array, text: string, start: number): Piece {
  const outcome = attempt(() => {
    const envelope = envelopeAt(bytes, start);
    if (swallowsAnother(bytes, text, start, start + envelope.length)) throw corrupt('envelope (cut short)');
    return envelope;
  });
  return { ...outcome, end: start + ('bytes' in outcome ? outcome.bytes.length : MAGIC.length) };
}

function envelopeAt(bytes: Uint8Array, start: number): Uint8Array {
  const cutShort = (): never => {
    throw corrupt('envelope (cut short)');
  };
  const { length } = readHead(new Reader(bytes.subarray(start, start + HEAD_LENGTH), cutShort));
  const end = start + HEAD_LENGTH + length;
  return end <= bytes.length ? bytes.subarray(start, end) : cutShort();
}

/**
 * Whether another envelope begins, whole, before this one ends: then this one was cut short (a disk was full, a writer
 * killed) and its length runs into what was appended later. Ciphertext looks like this by chance less than once in 2^40
 * of the largest messages, as a head has 46 fixed bits and a length that its kind can have.
 */
function swallowsAnother(bytes: Uint8Array, text: string, start: number, end: number): boolean {
  const longest = beginLine('MESSAGE').length;
  for (const { index } of text.slice(start + 1, end + longest).matchAll(START)) {
    const other = start + 1 + index;
    if (other >= end) return false;
    if (!text.startsWith(MAGIC, other) || 'bytes' in attempt(() => envelopeAt(bytes, other))) return true;
  }
  return false;
}

/** Reads a block up to its END line, or up to the first line that cannot be in it: another envelope may begin there. */
function readBlock(text: string, start: number, lineOf: (offset: number) => number): Piece {
  const label = text.startsWith(beginLine('INVITE'), start) ? 'INVITE' : 'MESSAGE';
  const base64: string[] = [];
  for (let line = start, next = lineEnd(text, line); next < text.length; ) {
    line = next;
    next = lineEnd(text, line);
    const content = text.slice(line, next).replace(QUOTING, '').trimEnd();
    if (content === '') continue;
    if (content === endLine(label)) {
      const block = [beginLine(label), ...base64, content, ''].join('\n');
      return { ...attempt(() => dearmor(block)), end: next };
    }
    // Only the last line may be short; so nothing but what a block can hold is gathered.
    const mayFollow = (base64.at(-1)?.length ?? COLUMNS) === COLUMNS;
    if (!mayFollow || !BLOCK_LINE.test(content)) {
      return { error: corrupt(`armored block (line ${lineOf(line)})`), end: line };
    }
    base64.push(content);
  }
  return { error: corrupt('armored block (cut short)'), end: text.length };
}

function attempt(read: () => Uint8Array): Outcome {
  try {
    return { bytes: read() };
  } catch (error) {
    if (error instanceof PawlError) return { error };
    throw error;
  }
}

function corrupt(what: string): PawlError {
  return new PawlError('corrupt', { what });
}
