/**
 * Searches a window of a stream for the places that matter: the magic of an envelope, the BEGIN or END line of a block,
 * a part of a mail in another encoding, text in UTF-16. Does not read what is there: see scan.ts.
 */
import { LABELS, type Label } from './armor.ts';
import { KINDS, MAGIC, VERSION } from './head.ts';
import type { Window } from './window.ts';

/**
 * A place in a stream. `binary`: the magic with a known version and kind. `begin`, `end`: the words of a BEGIN or END
 * line. `base64`, `printable`: the header of a part of a mail in base64 or quoted-printable. `utf16`: text in UTF-16. `mark`: a byte-order mark, which ciphertext
 * has too. `as text`: the magic in UTF-16, of an envelope that some program took for text.
 */
export type Start =
  | { readonly kind: 'begin' | 'end'; readonly label: Label; readonly at: number; readonly end: number }
  | { readonly kind: 'binary' | 'base64' | 'printable' | 'as text'; readonly at: number; readonly end: number }
  | { readonly kind: 'utf16' | 'mark'; readonly isBigEndian: boolean; readonly at: number; readonly end: number };

/** Bytes that are searched at a time, and the most that a BEGIN line may have with noise in it. */
const PIECE = 2 ** 16;

/**
 * What may stand between two letters of a BEGIN or END line, in one byte or more: blanks, marks and bytes beyond ASCII,
 * escapes of quoted-printable, URLs and HTML, tags; and after each of those, the name of somebody who is quoted.
 */
const NOISE =
  '[^\\0A-Za-z0-9<=%&\\\\-]|\\\\(?:[nrt]|u[0-9A-Fa-f]{4})?|=[ \\t]*\\r?\\n|[=%][0-9A-Fa-f]{2}|&(?:amp;)?(?:[#\\w]|=\\r?\\n){2,10};|<(?:=\\r?\\n)?[/!A-Za-z][^<>]{0,60}>';
const NAME = "[A-Za-z0-9](?:[\\w .,:'()[\\]]|=\\r?\\n|&#?\\w{2,6};){0,40}(?:[>|:]|&gt;)";
const GAP = new RegExp(`(?:(?:${NOISE})(?:${NAME})?){0,24}`, 'y');
/** What may be the beginning of noise, at the end of what has come. */
const CUT_GAP =
  /(?:[=%][0-9A-Fa-f]?|=[ \t]*\r?|\\u[0-9A-Fa-f]{0,3}|&(?:[\w#;]|=\r?\n){0,13}=?\r?|<(?:=\r?\n?)?(?:[/!A-Za-z][^<>]{0,60})?|[A-Za-z0-9](?:[\w .,:'()[\]]|=\r?\n|&#?\w{2,6};){0,40}(?:=\r?|&#?\w{0,6})?)?$/y;

/** At most its length. */
const CUT_GAP_LENGTH = 512;

/** Byte-order marks. */
const BIG_ENDIAN = '\xfe\xff';
const LITTLE_ENDIAN = '\xff\xfe';
const BOM_LENGTH = 2;
const TEXT = '[\\t\\n\\r\\x20-\\x7e\\xa0-\\xff]';
const KIND_BYTES = String.fromCharCode(...Object.values(KINDS));
/** How the magic ends in UTF-16. */
const LOST = `${String.fromCharCode(VERSION)}\0`;
const HEADER = [...[...'content-transfer-encoding:'].map(inEitherCase), '[ \\t]*(?:\\r?\\n[ \\t]+)?', '"?'];
/** The parts of what is found without noise in it. So many letters in UTF-16 come in no ciphertext by chance. */
const EXACT = {
  binary: [...MAGIC, String.fromCharCode(VERSION), `[${KIND_BYTES}]`],
  base64: [...HEADER, ...[...'base64'].map(inEitherCase)],
  printable: [...HEADER, ...[...'quoted-printable'].map(inEitherCase)],
  lost: [...`${MAGIC}${String.fromCharCode(VERSION)}`].flatMap((letter) => [letter, '\\0']),
  little: [...Array.from({ length: 8 }, () => [TEXT, '\\0']).flat(), `(?:${TEXT}\\0)*`],
  big: [...Array.from({ length: 8 }, () => ['\\0', TEXT]).flat(), `(?:\\0${TEXT})*`],
};
const HINT = new RegExp(
  `${Object.values(EXACT)
    .map((parts) => parts.join(''))
    .join('|')}|${LITTLE_ENDIAN}|${BIG_ENDIAN}|B(?=[E\\W])|E(?=[N\\W])`,
  'y',
);
/**
 * The pairs of bytes that a hint may begin with, at first byte × 256 + second: {@link HINTED}, or by the distance of the
 * byte that must be zero as well. `INSIDE` is for what is inside of another envelope: there, only exact words count.
 */
const HINTED = 1;
const PAIRS = pairsOf(['pa', '[cC][oO]', '\\xff\\xfe', '\\xfe\\xff', 'B[E\\W]', 'E[N\\W]']);
const INSIDE = pairsOf(['pa', '[cC][oO]', 'BE']);

function pairsOf(words: readonly string[]): Uint8Array {
  const pairs = new Uint8Array(2 ** 16);
  const isWord = new RegExp(words.join('|'));
  const isText = new RegExp(TEXT);
  for (let pair = 0; pair < pairs.length; pair++) {
    const [first, second] = [String.fromCharCode(pair >> 8), String.fromCharCode(pair & 0xff)];
    if (isWord.test(first + second)) pairs[pair] = HINTED;
    else if (first === '\0' && isText.test(second)) pairs[pair] = 2;
    else if (second === '\0' && isText.test(first)) pairs[pair] = 3;
  }
  return pairs;
}

/** The index of the first byte before `to` that may begin a hint, or `to`. The expression alone is three times slower. */
function nextHint(pairs: Uint8Array, bytes: Uint8Array, from: number, to: number): number {
  const last = Math.min(to, bytes.length - 1);
  let pair = bytes[from] ?? 0;
  for (let index = from; index < last; index++) {
    pair = ((pair & 0xff) << 8) | (bytes[index + 1] ?? 0);
    const kind = pairs[pair] ?? 0;
    if (kind !== 0 && (kind === HINTED || (bytes[index + kind] ?? 0) === 0)) return index;
  }
  return to;
}

/** The beginning of any of them at the end of the text. */
const CUT_HINT = new RegExp(
  `(?:${Object.values(EXACT)
    .map((parts) => parts.slice(0, -1).reduceRight((rest, part) => `${part}(?:${rest})?`, ''))
    .join('|')}|[BE\\xfe\\xff])$`,
);
/** At most the length of such a beginning, with the blanks that mail allows in front of a value. */
const CUT_LENGTH = 128;

/** The words of BEGIN and END lines by their first letter, and their letters. */
const LINES = new Map([
  ['B', { kind: 'begin', words: 'BEGIN PAWL ', letters: 'BEGINPAWL' } as const],
  ['E', { kind: 'end', words: 'END PAWL ', letters: 'ENDPAWL' } as const],
]);

/** Finds places in the window, and reads each byte once. */
export class Starts {
  readonly #window: Window;
  #next: Start | undefined;
  /** No start is left before this offset, except `#next`. */
  #searched = 0;
  #piece = '';
  /** The same bytes. */
  #bytes: Uint8Array = new Uint8Array(0);
  #offset = 0;

  constructor(window: Window) {
    this.#window = window;
  }

  /** The bytes before this offset are not searched again, except after `goBackTo`. */
  get searched(): number {
    return this.#searched;
  }

  /** Skips the starts before an offset. */
  skipTo(offset: number): void {
    if (this.#next !== undefined && this.#next.at < offset) this.#next = undefined;
    this.#searched = Math.max(this.#searched, offset);
  }

  /** Continues the search at an earlier offset. */
  goBackTo(offset: number): void {
    this.#next = undefined;
    this.#searched = offset;
    if (offset < this.#offset) this.#load(offset);
  }

  /**
   * Finds the next start, and returns the same one until it is skipped.
   * @param ended whether the stream has ended.
   * @param envelopeEnd the search is inside of an envelope that ends there: it ends there, too, and of BEGIN lines it
   * finds those with `BE` in one piece, of other text what is rare in ciphertext. It takes half of the time.
   */
  next(ended: boolean, envelopeEnd?: number): Start | undefined {
    while (this.#next === undefined) {
      const isLast = this.#offset + this.#piece.length === this.#window.end;
      this.#next = this.#search(ended && isLast, envelopeEnd);
      if (isLast || this.#searched === envelopeEnd) break;
      if (this.#next === undefined) this.#load(this.#searched);
    }
    return this.#next;
  }

  #load(offset: number): void {
    this.#offset = offset;
    this.#piece = this.#window.text(offset, offset + PIECE);
    this.#bytes = this.#window.view(offset, offset + PIECE);
  }

  #search(ended: boolean, envelopeEnd?: number): Start | undefined {
    const piece = this.#piece;
    const bytes = this.#bytes;
    const pairs = envelopeEnd === undefined ? PAIRS : INSIDE;
    const to = Math.min(piece.length, (envelopeEnd ?? Number.POSITIVE_INFINITY) - this.#offset);
    let index = nextHint(pairs, bytes, this.#searched - this.#offset, to);
    for (; index < to; index = nextHint(pairs, bytes, index, to)) {
      HINT.lastIndex = index;
      const match = HINT.exec(piece);
      const start = match === null ? undefined : this.#startOf(match[0], index);
      const isTooLong = index === 0 && piece.length === PIECE;
      if (start === undefined || (start === 'cut' && (ended || isTooLong))) {
        index = match === null ? index + 1 : HINT.lastIndex;
        continue;
      }
      this.#searched = this.#offset + index;
      return start === 'cut' ? undefined : start;
    }
    const tail = Math.max(piece.length - CUT_LENGTH, this.#searched - this.#offset, 0);
    const cut = ended ? -1 : piece.slice(tail).search(CUT_HINT);
    const searched = Math.min(to, cut === -1 ? piece.length : tail + cut);
    this.#searched = Math.max(this.#searched, this.#offset + searched);
    return undefined;
  }

  /** The start at an index of the piece where a hint was found; `cut`: it is one, or not, by what follows. */
  #startOf(hint: string, index: number): Start | 'cut' | undefined {
    if (hint.length === 1) return this.#lineAt(index);
    const at = this.#offset + index;
    const end = at + hint.length;
    if (hint.length === BOM_LENGTH) return { kind: 'mark', isBigEndian: hint === BIG_ENDIAN, at, end };
    const zero = hint.indexOf('\0');
    if (zero === -1) {
      return { kind: hint.startsWith(MAGIC) ? 'binary' : hint.endsWith('4') ? 'base64' : 'printable', at, end };
    }
    if (hint.endsWith(LOST)) return { kind: 'as text', at, end };
    // ASCII reads the same in both byte orders, one byte apart. The units are taken to be where they are in a file of
    // nothing else.
    const isBigEndian = (at + zero) % 2 === 0;
    return { kind: 'utf16', isBigEndian, at: at + (at % 2), end };
  }

  #lineAt(index: number): Start | 'cut' | undefined {
    const piece = this.#piece;
    const line = LINES.get(piece.charAt(index));
    if (line === undefined) return undefined;
    const { kind, words, letters } = line;
    const labelAt = piece.startsWith(words, index) ? index + words.length : endOfLetters(letters, piece, index);
    if (typeof labelAt !== 'number') return labelAt;
    let isCut = false;
    for (const label of LABELS) {
      const end = endOfLetters(label, piece, labelAt);
      if (typeof end === 'number') return { kind, label, at: this.#offset + index, end: this.#offset + end };
      isCut ||= end === 'cut';
    }
    return isCut ? 'cut' : undefined;
  }
}

/** Where these letters end that may begin at an index, with noise between them; `cut`: they may go on. */
function endOfLetters(letters: string, text: string, from: number): number | 'cut' | undefined {
  let at = from;
  for (const letter of letters) {
    if (text[at] !== letter) {
      GAP.lastIndex = at;
      GAP.test(text);
      at = GAP.lastIndex;
      if (text[at] !== letter) {
        if (text.length - at > CUT_GAP_LENGTH) return undefined;
        CUT_GAP.lastIndex = at;
        return CUT_GAP.test(text) ? 'cut' : undefined;
      }
    }
    at++;
  }
  return at;
}

function inEitherCase(letter: string): string {
  return /[a-z]/.test(letter) ? `[${letter}${letter.toUpperCase()}]` : letter;
}
