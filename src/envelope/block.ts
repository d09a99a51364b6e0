/**
 * Reads an armored block as mail programs, chats and editors leave it: whatever is not its base64 is dropped.
 * Does not look for the block in a stream, and leaves the judgement to the strict decoder: see scan.ts, armor.ts.
 */
import { type BlockDamage, isPawlError } from '../errors.ts';
import { dearmorLines, type Label } from './armor.ts';
import { ENVELOPE_HEAD_LENGTH, MAGIC, restLength } from './head.ts';

/** The base64 that every envelope begins with: the whole characters of the magic. */
const BEGINNING = Buffer.from(MAGIC).toString('base64').slice(0, 5);
/** Characters that hold a head. */
const HEAD_CHARACTERS = charactersFor(ENVELOPE_HEAD_LENGTH);
/** Characters of the smallest message. */
const LEAST_CHARACTERS = charactersFor(392);

/** Breaks of lines that were too long for mail. */
const SOFT_BREAK = /=[ \t]*(?:\r\n?|\n)/g;
/** What looks like one. */
const PADDING = /=+(?=[ \t]*[\r\n])/g;
const ESCAPES =
  /[=%]([0-9A-F]{2})|&#(\d{1,7});|&#x([0-9A-F]{1,6});|&(\w{2,8});|\\u([0-9A-F]{4})|\\([nrt])|<[/!A-Z][^<>]{0,1000}>/gi;
const ENTITIES: ReadonlyMap<string, string> = new Map([
  ['gt', '>'],
  ['lt', '<'],
  ['amp', '&'],
  ['nbsp', ' '],
  ['plus', '+'],
  ['sol', '/'],
  ['equals', '='],
]);
/** Tags that begin another line. */
const BREAK = /^<\/?(?:br|p|div|tr|li|pre|blockquote)\b/i;
/** Escapes within escapes: a mail about a mail. */
const ROUNDS = 4;

const FOREIGN = /[^A-Za-z0-9+/]+/g;
/** The mark at the end of a word that is no base64, as of a name: `Alice>`, `12:30:`. */
const MARK = /[^A-Za-z0-9+/=]$/;
/** The beginning of an END line where the input ends. */
const CUT_END = /-----[A-Z ]{0,16}$/;
/** What stands for characters that a program did not know. */
const REPLACED = /\?|\xef\xbf\xbd/;

/**
 * Decodes what stands between the BEGIN and END line of a block.
 * @param text one character per byte, from the last letter of the BEGIN line to the first one of the END line, or to
 * where something else begins.
 * @param isClosed whether an END line follows.
 * @returns the envelope, or what has happened to it.
 * @throws `unknown-version` and `too-large` as the strict decoder does.
 */
export function readBlock(label: Label, text: string, isClosed: boolean): Uint8Array | BlockDamage {
  const damages = new Set<BlockDamage>();
  /** Whether a reading that leaves out nothing of a block has too little in it. */
  let isShort = false;
  for (const { base64, isGuess } of readings(isClosed ? text : text.replace(CUT_END, ''))) {
    const read = readBase64(label, base64);
    if (read instanceof Uint8Array) return read;
    // What follows is of another text, in which nothing is sought.
    if (!isClosed) return 'cut-off';
    damages.add(read);
    isShort ||= read === 'missing' && !isGuess;
  }
  // Readings with more in them take names for base64; those that guess leave out what may be of the block.
  const mayBeShort = damages.has('missing');
  if (mayBeShort && REPLACED.test(text)) return 'replaced';
  if (isShort) return 'missing';
  return damages.has('added') && !mayBeShort ? 'added' : 'altered';
}

/** `isGuess`: what was left out may be of the block. */
interface Reading {
  readonly base64: string;
  readonly isGuess: boolean;
}

/**
 * The base64 that a text may hold, first what it is in most cases. If there is more than that, something looks like
 * base64, most often the names of people who are quoted. What stands in front of the END line, in its line, may belong to
 * that and not to the block, and a `=` at the end of a line may be padding and not the mark of a line that goes on.
 */
function* readings(text: string): Generator<Reading, void, undefined> {
  if (text.length < LEAST_CHARACTERS) return yield { base64: '', isGuess: false };
  const whole = unescaped(text);
  const base64 = base64In(whole);
  yield { base64, isGuess: false };
  // All others have less in them.
  if (base64.length <= (charactersOf(base64) ?? base64.length)) return;
  const withPadding = unescaped(text.replace(PADDING, ''));
  const texts = [withoutLastLine(withPadding), whole, withoutLastLine(whole)].map(inUnicode);
  // By chance, another reading may have the right length: first those that leave least to it.
  for (const without of [withoutCommonStart, lastWords, unmarkedWords, String]) {
    for (const plain of texts) {
      const rest = base64In(without(plain));
      if (rest !== '') yield { base64: rest, isGuess: without !== withoutCommonStart || plain !== texts[0] };
    }
  }
}

function withoutLastLine(text: string): string {
  return text.slice(0, Math.max(text.lastIndexOf('\n'), text.lastIndexOf('\r'), 0));
}

/** The number of base64 characters, without padding, of the envelope that begins in a text of a block. */
export function charactersIn(text: string): number | undefined {
  return charactersOf(base64In(unescaped(text)));
}

/** Whether the text after the words of a BEGIN line is that of a block, and not of a sentence about blocks. */
export function isBlock(text: string): boolean {
  return /^-[^A-Za-z0-9\r\n]*(?:[\r\n]|$)/.test(text) || base64In(unescaped(text)).startsWith(BEGINNING);
}

function readBase64(label: Label, base64: string): Uint8Array | BlockDamage {
  const expected = charactersOf(base64);
  const isHead = base64.length >= LEAST_CHARACTERS && base64.startsWith(BEGINNING);
  // Without its head nobody knows how long it was.
  if (expected === undefined && !isHead) return base64.length < LEAST_CHARACTERS ? 'missing' : 'altered';
  if (expected !== undefined && base64.length !== expected) return base64.length < expected ? 'missing' : 'added';
  try {
    return decode(label, base64);
  } catch (error) {
    // Another reading may be the right one. What a version or length is that is not known, the decoder says.
    if (isPawlError(error, 'corrupt')) return 'altered';
    throw error;
  }
}

/** @throws `corrupt`, `unknown-version`, `too-large`. */
function decode(label: Label, characters: string): Uint8Array {
  return dearmorLines(label, characters.padEnd(Math.ceil(characters.length / 4) * 4, '='));
}

function charactersOf(base64: string): number | undefined {
  const length = restLength(Buffer.from(base64.slice(0, HEAD_CHARACTERS), 'base64'));
  return length === undefined ? undefined : charactersFor(ENVELOPE_HEAD_LENGTH + length);
}

/** The base64 characters of a text, from those that begin an envelope. */
function base64In(text: string): string {
  const base64 = text.replace(FOREIGN, '');
  return base64.slice(Math.max(base64.indexOf(BEGINNING), 0));
}

/** The text without invisible marks, and with blanks that are known as such. */
function inUnicode(text: string): string {
  return Buffer.from(text, 'latin1')
    .toString()
    .replace(/\p{Cf}+/gu, '')
    .replaceAll('\ufffd', ' ');
}

/** The last word of each line: names, times or numbers are in front of it. */
function lastWords(text: string): string {
  return text
    .split(/[\r\n]+/)
    .map((line) => line.trimEnd().split(/\s+/).at(-1))
    .join('');
}

function unmarkedWords(text: string): string {
  return text
    .split(/\s+/)
    .filter((word) => !MARK.test(word))
    .join('');
}

/**
 * The text without what all of its lines begin with, up to a mark or blank; the first one is the rest of the BEGIN line.
 * Nothing if there is no such beginning.
 */
function withoutCommonStart(text: string): string {
  const [first = '', one = '', ...more] = text.split(/[\r\n]+/).filter((line, index) => index === 0 || line !== '');
  let length = one.length;
  for (const line of more) {
    let same = 0;
    while (same < length && line[same] === one[same]) same++;
    length = same;
  }
  while (length > 0 && !MARK.test(one.charAt(length - 1))) length--;
  return length === 0 ? '' : first + [one, ...more].map((line) => line.slice(length)).join('');
}

/** A text without the escapes of quoted-printable, HTML, JSON and URLs, and without tags. */
function unescaped(text: string): string {
  let plain = text.replace(SOFT_BREAK, '');
  for (let round = 0; round < ROUNDS; round++) {
    const before = plain;
    plain = plain.replace(ESCAPES, (all: string, ...groups: (string | undefined)[]) => {
      const [hex, decimal, hexadecimal, entity, unicode, control] = groups;
      if (entity !== undefined) return ENTITIES.get(entity.toLowerCase()) ?? '';
      if (control !== undefined) return control === 't' ? '\t' : '\n';
      const code = hex ?? hexadecimal ?? unicode;
      if (code !== undefined) return characterOf(Number.parseInt(code, 16));
      if (decimal !== undefined) return characterOf(Number(decimal));
      return BREAK.test(all) ? '\n' : '';
    });
    if (plain === before) break;
  }
  return plain;
}

/** Beyond Latin-1 there is no base64. */
function characterOf(code: number): string {
  return code < 0x100 ? String.fromCharCode(code) : '';
}

function charactersFor(bytes: number): number {
  return Math.ceil((bytes * 8) / 6);
}
