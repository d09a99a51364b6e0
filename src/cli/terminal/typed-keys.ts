/**
 * What is typed, as text that a line editor works on, and back as the bytes that the terminal sent: text in UTF-8 becomes its
 * characters, and any other byte a character that stands for nothing else.
 * Knows no terminal.
 */
import { concatAll, fromUtf8, utf8 } from '../../primitives/index.ts';

/** What has the form of a character of UTF-8 of more than one byte; else one byte. In Latin-1, which keeps bytes. */
const CHARACTERS = /[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}|[\x80-\xff]/g;
/** The beginning of such a character, at the end. */
const INCOMPLETE = /(?:[\xc2-\xdf]|[\xe0-\xef][\x80-\xbf]?|[\xf0-\xf4][\x80-\xbf]{0,2})$/;
/** The byte 0xff less these is the last code unit that no text in UTF-8 has alone. */
const ALONE = 0xdc00;

export class TypedKeys {
  /** The beginning of a character, until the rest comes. */
  #begun = '';

  /** The text of the keys that have come. Overwrites `keys`. */
  textOf(keys: Uint8Array): string {
    const all = this.#begun + Buffer.from(keys.buffer, keys.byteOffset, keys.length).toString('latin1');
    keys.fill(0);
    this.#begun = INCOMPLETE.exec(all)?.[0] ?? '';
    return all.slice(0, all.length - this.#begun.length).replace(CHARACTERS, textOfCharacter);
  }
}

function textOfCharacter(latin1: string): string {
  const bytes = Buffer.from(latin1, 'latin1');
  return fromUtf8(bytes) ?? Array.from(bytes, (byte) => String.fromCharCode(ALONE + byte)).join('');
}

/** The bytes that were typed for a text. */
export function bytesTyped(text: string): Uint8Array {
  return concatAll(
    Array.from(text, (character) => {
      const code = character.codePointAt(0) ?? 0;
      return code >= ALONE && code <= ALONE + 0xff ? Uint8Array.of(code - ALONE) : utf8(character);
    }),
  );
}
