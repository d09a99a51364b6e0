/**
 * Decodes what stands in a stream in another encoding: the base64 parts of mails, and text in UTF-16.
 * Finds where such a part ends by itself, and knows nothing of envelopes or of the rest of MIME.
 */
export interface Decoder {
  /**
   * Takes the next bytes of a part, one character per byte.
   * @param isLast whether nothing more follows.
   * @returns what they decode to, how many of them were used, and whether the part ends behind those. What was not used
   * is given again, with what follows.
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
