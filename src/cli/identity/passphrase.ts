/**
 * The rules for passphrases, the same for every source: what is part of one, what no lock is made of, and in which forms
 * one is tried. Reads and derives nothing.
 */
import { wordlist } from '@scure/bip39/wordlists/english.js';
import { type PassphraseFlaw, type PassphraseOddity, PawlError } from '../../errors.ts';
import { equal, fromUtf8, type Random, utf8 } from '../../primitives/index.ts';

/** The most bytes of a passphrase, and of what is read for one: a device may be endless. */
export const LONGEST_SECRET = 65_536;
/** A new passphrase of fewer characters is told to be short. Ten random words have at least 39. */
const SHORT = 12;
/** Ten words out of 2,048 are 110 bits. */
const GENERATED_WORDS = 10;

const NEWLINE = 0x0a;
const RETURN = 0x0d;
const UTF8_MARK = [0xef, 0xbb, 0xbf];
const UTF16_MARKS = [
  [0xff, 0xfe],
  [0xfe, 0xff],
];

/**
 * Takes a passphrase from what its source gave: a single line, without its newline. More lines are most likely a mistake:
 * the wrong file, or a note below the passphrase.
 * @throws `empty-passphrase`, `several-lines`, `bad-passphrase`.
 */
export function lineOf(given: Uint8Array, source: string): Uint8Array {
  if (given.length > LONGEST_SECRET) throw new PawlError('bad-passphrase', { source, flaw: 'long' });
  const line = stripNewline(given);
  if (line.includes(NEWLINE)) {
    const flaw = flawOf(line);
    throw flaw === undefined
      ? new PawlError('several-lines', { source })
      : new PawlError('bad-passphrase', { source, flaw });
  }
  if (line.length === 0) throw new PawlError('empty-passphrase', { source });
  return line;
}

function stripNewline(bytes: Uint8Array): Uint8Array {
  if (bytes.at(-1) !== NEWLINE) return bytes;
  return bytes.subarray(0, bytes.at(-2) === RETURN ? -2 : -1);
}

/** What shows that a passphrase was saved as something else than UTF-8 text; `undefined` if nothing does. */
export function flawOf(line: Uint8Array): PassphraseFlaw | undefined {
  const begins = (mark: readonly number[]) => mark.every((byte, i) => line[i] === byte);
  if (begins(UTF8_MARK)) return 'bom';
  if (UTF16_MARKS.some(begins)) return 'utf-16';
  return line.includes(0) ? 'nul' : undefined;
}

/** What may be the mistake in a passphrase that does not fit; `undefined` if nothing looks like one. */
export function oddityOf(line: Uint8Array): PassphraseFlaw | PassphraseOddity | undefined {
  const flaw = flawOf(line);
  if (flaw !== undefined) return flaw;
  const text = fromUtf8(line);
  if (text === undefined) return 'not-utf8';
  return text === text.trim() ? undefined : 'blank';
}

/**
 * The form that a lock is made of: text in NFC, and any other bytes as they are.
 * @throws `bad-passphrase`.
 */
export function formForLock(line: Uint8Array, source: string): Uint8Array {
  const flaw = flawOf(line);
  if (flaw !== undefined) throw new PawlError('bad-passphrase', { source, flaw });
  return normalized(line);
}

/**
 * The forms in which a passphrase is tried: as it was given, and where they differ its normal form and the generated
 * passphrase that it may be. Each costs a derivation where those before it are wrong.
 */
export function formsToTry(line: Uint8Array): readonly Uint8Array[] {
  const forms = [line, normalized(line), generated(line)];
  return forms.filter(
    (form, at) => form !== undefined && !forms.slice(0, at).some((other) => other !== undefined && equal(other, form)),
  ) as Uint8Array[];
}

function normalized(line: Uint8Array): Uint8Array {
  const text = fromUtf8(line);
  return text === undefined ? line : utf8(text.normalize('NFC'));
}

/** A passphrase as `randomWords` makes them that was copied from paper: with capitals, and blanks for dashes. */
function generated(line: Uint8Array): Uint8Array | undefined {
  const words = fromUtf8(line)
    ?.toLowerCase()
    .split(/[\s\p{Pd}]+/u)
    .filter((word) => word !== '');
  if (words?.length !== GENERATED_WORDS || !words.every((word) => wordlist.includes(word))) return undefined;
  return utf8(words.join('-'));
}

/** Whether a new passphrase has so few characters that its owner is told what a guess costs. */
export function isShort(line: Uint8Array): boolean {
  const text = fromUtf8(line);
  return (text === undefined ? line.length : Array.from(text).length) < SHORT;
}

/** Random words of the BIP-39 list, joined by dashes, so that the passphrase can be written down and typed. */
export function randomWords(random: Random): Uint8Array {
  const bytes = random(2 * GENERATED_WORDS);
  const words = Array.from({ length: GENERATED_WORDS }, (_, i) => {
    // 2^16 is a multiple of the length of the list, so that every word is equally likely.
    const index = (((bytes[2 * i] ?? 0) << 8) | (bytes[2 * i + 1] ?? 0)) % wordlist.length;
    return wordlist[index] ?? '';
  });
  return utf8(words.join('-'));
}
