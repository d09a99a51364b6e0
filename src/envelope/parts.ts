/**
 * Decodes what stands in a stream in another encoding: parts of mails in base64 and quoted-printable, and text in UTF-16.
 * Finds where such a part ends by itself, and knows nothing of envelopes or of the rest of MIME.
 */
export interface Decoder {
  /**
   * Takes the next bytes of a part, one character per byte.
   * @param isLast whether nothing more follows.
   * @returns what they decode to, how many of them were used, and whether the part ends behind those. What was not used
   * is given again, with what follows; after the last bytes, nothing is.
   */
  take(
    text: string,
    isLast: boolean,
  ): { readonly decoded: Uint8Array; readonly used: number; readonly isOver: boolean };
}

const NO_BASE64 = /[^A-Za-z0-9+/=\s]/;
/** Four characters hold three bytes. */
const GROUP = 4;

/** Base64 with blanks in it. It ends at the first other character, such as a dash of the boundary. */
export class Base64Decoder implements Decoder {
  #rest = '';

  take(text: string, isLast: boolean) {
    const end = text.search(NO_BASE64);
    const used = end === -1 ? text.length : end;
    const isOver = end !== -1;
    const decoded: Buffer[] = [];
    // Padding ends a group: after it another text may begin, as where parts were joined.
    const [first = '', ...more] = text.slice(0, used).replace(/\s+/g, '').split(/=+/);
    let characters = this.#rest + first;
    for (const next of more) {
      decoded.push(Buffer.from(characters, 'base64'));
      characters = next;
    }
    const whole = characters.length - (characters.length % GROUP);
    decoded.push(Buffer.from(characters.slice(0, isOver || isLast ? characters.length : whole), 'base64'));
    this.#rest = characters.slice(whole);
    return { decoded: Buffer.concat(decoded), used, isOver };
  }
}

/** What no quoted-printable has: bytes that are no ASCII text, and a `=` that is neither an escape nor at the end of a line. */
const NO_PRINTABLE = /[^\t\n\r\x20-\x7e]|=(?![0-9A-Fa-f]{2}|[ \t]{0,76}\r?\n)/;
const SOFT_BREAK = /=[ \t]*\r?\n/g;
const ESCAPE = /=([0-9A-Fa-f]{2})/g;
/** What may be the beginning of an escape or break. */
const UNDECIDED_PRINTABLE = /(?:=(?:[0-9A-Fa-f]|[ \t]{0,76}\r?)|\r)$/;
/** At most its length. */
const UNDECIDED_LENGTH = 79;

/**
 * Quoted-printable. A break that stays is one newline, as encoders of bytes mean it; text does not mind. It ends at the first
 * thing that is none, and not at the boundary, which it may have in it: what follows is read by its own rules all the same.
 */
export class PrintableDecoder implements Decoder {
  take(text: string) {
    const tail = Math.max(text.length - UNDECIDED_LENGTH, 0);
    const undecided = text.slice(tail).search(UNDECIDED_PRINTABLE);
    const ready = undecided === -1 ? text : text.slice(0, tail + undecided);
    const end = ready.search(NO_PRINTABLE);
    const isOver = end !== -1;
    const used = isOver ? end : ready.length;
    const plain = ready.slice(0, used).replace(SOFT_BREAK, '').replaceAll('\r\n', '\n');
    const decoded = plain.replace(ESCAPE, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
    return { decoded: Buffer.from(decoded, 'latin1'), used, isOver };
  }
}

/** Bytes of ASCII text. */
const ASCII = [0x09, 0x0a, 0x0d, ...Array.from({ length: 0x7f - 0x20 }, (_, index) => 0x20 + index)];
const MISREAD_UNITS = ASCII.map((high) => {
  const unit = (low: number) => `\\u${high.toString(16).padStart(2, '0')}${low.toString(16).padStart(2, '0')}`;
  return `${unit(0)}${unit(9)}${unit(10)}${unit(13)}${unit(0x20)}-${unit(0x7e)}`;
}).join('');
/** So many of them in a row that they are bytes of something else: a block in ASCII, or UTF-16 of another byte order. */
const MISREAD = new RegExp(`[${MISREAD_UNITS}]{4}`);
/** What may be the beginning of such a row, or of a pair of surrogates. */
const UNDECIDED = new RegExp(`[${MISREAD_UNITS}]{0,3}[\\ud800-\\udbff]?$`);

/** UTF-16, as UTF-8. It ends where it would be ASCII, or the other byte order. */
export class Utf16Decoder implements Decoder {
  readonly #isBigEndian: boolean;

  constructor(isBigEndian: boolean) {
    this.#isBigEndian = isBigEndian;
  }

  take(text: string, isLast: boolean) {
    const bytes = Buffer.from(text.slice(0, text.length - (text.length % 2)), 'latin1');
    const units = (this.#isBigEndian ? bytes.swap16() : bytes).toString('utf16le');
    const end = units.search(MISREAD);
    const isOver = end !== -1;
    const tail = Math.max(units.length - 4, 0);
    const decoded = units.slice(0, isOver ? end : isLast ? undefined : tail + units.slice(tail).search(UNDECIDED));
    return { decoded: Buffer.from(decoded), used: 2 * decoded.length, isOver };
  }
}
