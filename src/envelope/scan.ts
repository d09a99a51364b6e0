/**
 * Finds envelopes in a stream of bytes, binary or armored, whole or damaged (docs/PROTOCOL.md §7), also in what mail,
 * chats and editors make of them. Checks only their heads: `decodeEnvelope` checks the rest. Does not read the stream.
 */
import { type BlockDamage, PawlError } from '../errors.ts';
import { hexDigest, Reader } from '../primitives/index.ts';
import { beginLine, LABELS, type Label } from './armor.ts';
import { charactersIn, isBlock, readBlock } from './block.ts';
import { ENVELOPE_HEAD_LENGTH, MAGIC, readHead, restLength } from './head.ts';
import { Base64Decoder, type Decoder, PrintableDecoder, Utf16Decoder } from './parts.ts';
import { type Start, Starts } from './starts.ts';
import { Lines, Window } from './window.ts';

/**
 * An envelope or the error of a damaged one; `at` is its place for display: `line 12` for a block, `byte 2048` for
 * binary, both with the place of a part that it is in. `isNone`: nothing in the whole stream looks like an envelope.
 */
export type Found = { readonly at: string; readonly isNone?: true } & Outcome;
type Outcome = { readonly bytes: Uint8Array } | { readonly error: PawlError };

/** What is being read. */
type Begun = BegunBinary | BegunBlock | BegunPart;
interface BegunBinary {
  readonly kind: 'binary';
  /** The offset of its first byte. */
  readonly at: number;
  /** The offset after its last byte, or after its head while the length is not known yet. */
  end: number;
}
interface BegunBlock {
  readonly kind: 'block';
  readonly label: Label;
  readonly line: number;
  /** The offset after the words of its BEGIN line. */
  readonly from: number;
  /** The most bytes to its END line. */
  limit: number;
}
interface BegunPart {
  readonly kind: 'part';
  readonly decoder: Decoder;
  /** Reads what is decoded. */
  readonly scanner: Scanner;
  /** The place in front of those in the part. */
  readonly place: string;
  /** The offset of its first byte. */
  readonly from: number;
  /** The offset of the next byte. */
  at: number;
}

/** The number of damaged envelopes in a row that are reported: hostile input can contain a million. */
const REPORTED = 16;
/** The number of blocks that are remembered, so that a copy of one is not given again. */
const REMEMBERED = 1_024;
/** Bytes of a chunk that are copied at a time. */
const PIECE = 2 ** 16;
const BEGINNINGS = [MAGIC, ...LABELS.map(beginLine)];
/** Bytes of an incomplete beginning, with the end of an END line in front. */
const LONGEST_BEGINNING = 2 ** 6;
const REST_OF_END = /^-{0,5}(?:\r?\n)?/;
/** The most bytes of the headers of a part after the one that says its encoding. */
const HEADERS = 2 ** 12;
/** The end of the headers of a part. */
const BLANK_LINE = /\n[\r\t ]*\n|\r[\t ]*\r/;
/** Bytes of a block whatever its length is, and for each of its characters: quoting, tags and escapes are more. */
const BLOCK = 2 ** 14;
const BLOCK_PER_CHARACTER = 4;
/** Bytes of text in UTF-16 that are decoded together. */
const LEAST_RUN = 64;
/** Bytes after a head in which bytes that were replaced by U+FFFD are sought, and how many show that it was text. */
const PROBE = 256;
const REPLACEMENTS = 4;

/** Finds the envelopes in a complete input: see {@link Scanner}. */
export function scan(input: Uint8Array): readonly Found[] {
  const scanner = new Scanner();
  return [...scanner.push(input), ...scanner.end()];
}

/**
 * Finds the envelopes in a stream, in their order: binary ones back to back, armored blocks with whatever mail makes of
 * them as long as their characters are there (block.ts), both also in parts of mails in base64 or quoted-printable and in
 * UTF-16, or a mixture. A block or part of a mail that came before in the same stream is not given again.
 *
 * An envelope is returned as soon as its last byte is there, a block with the words of its END line. The result does not
 * depend on how the stream is divided into chunks. A damaged envelope is reported at its place, and the search continues
 * after its magic or BEGIN line, so that no text hides what follows; of more than 16 in a row, only the first 16 are
 * reported. A stream without an envelope is one `corrupt` error, unless it is blank. Time is linear in the stream and
 * memory is that of a few envelopes, also for hostile input. Throws nothing.
 */
export class Scanner {
  readonly #window = new Window();
  readonly #starts = new Starts(this.#window);
  readonly #lines: Lines;
  /** The blocks that were found, also in parts. */
  readonly #known: Set<string>;
  readonly #isPart: boolean;
  #ended = false;
  #begun: Begun | undefined;
  readonly #isPrintable: boolean;
  /** The offset after the header that announces a part, from where its blank line is sought. */
  #headers: { readonly from: number; readonly kind: 'base64' | 'printable' } | undefined;
  /** The offset after the last outcome. */
  #position = 0;
  /** The offset after the words of the last END line. */
  #closed: number | undefined;
  /** Whether an envelope may begin at `#position`. If so, a magic with an unknown version or kind is an error there. */
  #isDue = true;
  /** The number of damaged envelopes in a row, up to now. */
  #broken = 0;
  /** Whether nothing was found yet. */
  #isEmpty = true;
  /** Whether the stream was blank up to now. */
  #isBlank = true;
  /** The label of an END line that has come without its BEGIN line. */
  #strayEnd: Label | undefined;
  #found: Found[] = [];

  /**
   * @param outer for a part of a stream: the blocks that are known there, the number of its first line, and whether it is in
   * quoted-printable. Such a part has none like it in it: unlike the other encodings it may hardly get shorter by decoding, so
   * that the work would grow with each.
   */
  constructor(outer?: { readonly known: Set<string>; readonly line: number; readonly isPrintable: boolean }) {
    this.#known = outer?.known ?? new Set();
    this.#lines = new Lines(this.#window, outer?.line ?? 1);
    this.#isPart = outer !== undefined;
    this.#isPrintable = outer?.isPrintable ?? false;
  }

  /**
   * Takes the next bytes of the stream.
   * @returns what they complete. The bytes of a binary envelope are a view, which later calls do not change.
   */
  push(chunk: Uint8Array): readonly Found[] {
    for (let rest = chunk; rest.length > 0; ) {
      const from = this.#window.end;
      const awaited = this.#begun?.kind === 'binary' ? this.#begun.end : from;
      // Appends no more than what completes the envelope: its memory can be reused afterwards.
      const length = awaited > from ? Math.min(PIECE, awaited - from) : PIECE;
      this.#window.append(rest.subarray(0, length), awaited);
      this.#isBlank &&= this.#window.text(from, this.#window.end).trim() === '';
      this.#scan();
      rest = rest.subarray(length);
    }
    return this.#taken();
  }

  /**
   * Ends the stream.
   * @returns what the end completes or cuts short.
   */
  end(): readonly Found[] {
    this.#ended = true;
    this.#scan();
    if (this.#broken === 0) {
      // Any text may be in quoted-printable, and end in such letters where a block begins.
      if (!this.#isPrintable && this.#endsInBeginning()) {
        this.#found.push({ at: `byte ${this.#position}`, error: cutShort() });
      } else if (this.#isEmpty && !this.#isBlank && !this.#isPart) {
        const damage = this.#strayEnd === undefined ? undefined : 'no-begin';
        const error = corrupt('input (no pawl envelope in it)', damage, this.#strayEnd);
        this.#found.push({ at: 'byte 0', error, ...(damage === undefined && { isNone: true }) });
      }
    }
    return this.#taken();
  }

  #taken(): readonly Found[] {
    const found = this.#found;
    this.#found = [];
    return found;
  }

  #scan(): void {
    while (this.#advance());
    if (!this.#ended) this.#forget();
  }

  /** Finds or reads the next thing. @returns whether there may be more; else bytes are awaited, or it is the end. */
  #advance(): boolean {
    this.#begun ??= this.#find();
    switch (this.#begun?.kind) {
      case 'binary':
        return this.#readBinary(this.#begun);
      case 'block':
        return this.#readBlock(this.#begun);
      case 'part':
        return this.#readPart(this.#begun);
      case undefined:
        return false;
    }
  }

  #find(): Begun | undefined {
    for (;;) {
      const start = this.#starts.next(this.#ended);
      const part = this.#findPart(start);
      if (part !== undefined) return part;
      // One that the end of another envelope overlaps: that one lacks its last bytes, if this is one.
      const isOverlapped = start !== undefined && start.at < this.#position;
      if (isOverlapped && start.kind === 'binary') {
        if (!this.#hasCome(start.at + ENVELOPE_HEAD_LENGTH)) return undefined;
        if (this.#restLength(start.at) !== undefined) return beginBinary(start.at);
      } else {
        if (!isOverlapped && this.#isDue && start?.at !== this.#position) {
          const seen = this.#window.text(this.#position, this.#position + MAGIC.length + 1);
          const isUnknown = this.#starts.searched < this.#position || MAGIC.startsWith(seen);
          if (isUnknown && !this.#ended) return undefined;
          this.#isDue = false;
          if (seen.startsWith(MAGIC) && isControl(seen.charCodeAt(MAGIC.length))) return beginBinary(this.#position);
        }
        if (start === undefined) return undefined;
        const begun = this.#begin(start);
        if (begun !== undefined) return begun;
      }
      this.#starts.skipTo(start.kind === 'binary' ? start.at + 1 : start.end);
    }
  }

  #begin(start: Start): Begun | undefined {
    switch (start.kind) {
      case 'binary':
        return beginBinary(start.at);
      case 'begin':
        this.#starts.skipTo(start.end);
        return { kind: 'block', label: start.label, line: this.#lines.at(start.at), from: start.end, limit: BLOCK };
      case 'utf16':
      case 'mark':
        return this.#beginPart(new Utf16Decoder(start.isBigEndian), start.at, '');
      case 'as text':
        this.#refuse(
          () => `byte ${start.at}`,
          () => corrupt('envelope', 'taken-for-text'),
        );
        break;
      case 'base64':
      case 'printable':
        if (start.kind === 'base64' || !this.#isPrintable) this.#headers = { from: start.end, kind: start.kind };
        break;
      case 'end':
        this.#strayEnd = start.label;
    }
    return undefined;
  }

  #beginPart(decoder: Decoder, at: number, place: string): BegunPart {
    const line = this.#lines.at(at);
    const isPrintable = decoder instanceof PrintableDecoder;
    const inside = { known: this.#known, line: place === '' ? line : 1, isPrintable };
    return { kind: 'part', decoder, scanner: new Scanner(inside), place, from: at, at };
  }

  /** Finds the blank line after the headers of a part, unless they are too long or something else begins in them. */
  #findPart(start: Start | undefined): BegunPart | undefined {
    if (this.#headers === undefined) return undefined;
    const { from, kind } = this.#headers;
    const searched = start?.at ?? this.#starts.searched;
    const limit = Math.min(searched, from + HEADERS);
    const blank = BLANK_LINE.exec(this.#window.text(from, limit));
    if (blank === null && limit === searched && start === undefined && !this.#ended) return undefined;
    this.#headers = undefined;
    if (blank === null) return undefined;
    const at = from + blank.index + blank[0].length;
    const decoder = kind === 'base64' ? new Base64Decoder() : new PrintableDecoder();
    return this.#beginPart(decoder, at, `part at line ${this.#lines.at(at)}, `);
  }

  #readBinary(begun: BegunBinary): boolean {
    const { at } = begun;
    if (!this.#hasCome(at + ENVELOPE_HEAD_LENGTH)) return false;
    const length = this.#restLength(at);
    if (length !== undefined) begun.end = at + ENVELOPE_HEAD_LENGTH + length;
    const isWhole = begun.end <= this.#window.end;
    const isCut = length !== undefined && (this.#swallowsAnother(begun) || (!isWhole && this.#ended));
    if (length !== undefined && !isCut && !isWhole) return false;
    const place = () => `byte ${at}`;
    const taken = () => corrupt('envelope', 'taken-for-text');
    if (length === undefined) this.#refuse(place, () => this.#headError(at));
    else if (isCut) this.#refuse(place, () => (this.#wasText(at) ? taken() : cutShort()));
    else if (this.#wasText(at)) this.#refuse(place, taken);
    else {
      // A stream of envelopes is given as it is; parts of one mail may repeat each other.
      this.#give(place(), this.#window.view(at, begun.end), this.#isPart);
      this.#finish(begun.end, true);
      return true;
    }
    this.#finish(at + MAGIC.length, true);
    // The search may have passed it.
    this.#starts.goBackTo(this.#position);
    return true;
  }

  /**
   * Whether another envelope begins, with a complete head, before this one ends. If so, this one was cut short (the
   * disk was full, or the writer was killed), and its length reaches into what was appended later. In ciphertext this
   * happens by chance less than once in 2^30 of the largest parts: a head has 46 fixed bits, and a length of which the
   * first byte is 0 or 1.
   */
  #swallowsAnother({ at, end }: BegunBinary): boolean {
    this.#starts.skipTo(at + 1);
    for (;;) {
      const other = this.#starts.next(this.#ended, end);
      if (other === undefined || other.at >= end) return false;
      if (other.kind === 'binary') {
        const headEnd = other.at + ENVELOPE_HEAD_LENGTH;
        if (headEnd > end || !this.#hasCome(headEnd)) return false;
        if (this.#restLength(other.at) !== undefined) return true;
      } else if (other.kind !== 'end' && other.kind !== 'mark') {
        return other.end <= end;
      }
      this.#starts.skipTo(other.at + 1);
    }
  }

  /** Reads a block to its END line, or to where something else begins. */
  #readBlock(begun: BegunBlock): boolean {
    const { from, label, line } = begun;
    const next = this.#starts.next(this.#ended);
    const to = next?.at ?? this.#starts.searched;
    if (to - from > begun.limit) {
      const characters = charactersIn(this.#window.text(from, from + BLOCK)) ?? 0;
      begun.limit = BLOCK + BLOCK_PER_CHARACTER * characters;
    }
    const isTooLong = to - from > begun.limit;
    if (next === undefined && !isTooLong && !this.#ended) return false;
    const end = !isTooLong && next?.kind === 'end' ? next : undefined;
    if (end !== undefined) {
      this.#starts.skipTo(end.end);
      this.#closed = end.end;
    }
    const text = this.#window.text(from, isTooLong ? from + begun.limit : to);
    const read =
      end === undefined || end.label === label
        ? tried(() => readBlock(label, text, end !== undefined))
        : corrupt('armored block (its BEGIN and END lines differ)');
    const place = () => `line ${line}`;
    if (read instanceof Uint8Array) this.#give(place(), read, true);
    else if (this.#broken >= REPORTED || isBlock(text))
      this.#refuse(place, () => (typeof read === 'string' ? corrupt('armored block', read, label) : read));
    else {
      this.#begun = undefined;
      return true;
    }
    this.#finish(end?.end ?? to, false);
    return true;
  }

  /** Decodes a part as far as it has come, and gives what is in it. It ends where something else begins. */
  #readPart(begun: BegunPart): boolean {
    const { from, decoder, place, scanner } = begun;
    // Text in UTF-16 goes on; not much further than what was read of it, since it may end in front of that.
    const far = begun.at + LEAST_RUN + (begun.at - from);
    let next = this.#starts.next(this.#ended);
    while (decoder instanceof Utf16Decoder && (next?.kind === 'utf16' || next?.kind === 'mark') && next.at < far) {
      this.#starts.skipTo(next.end);
      next = this.#starts.next(this.#ended);
    }
    const to = next?.at ?? this.#starts.searched;
    const goesOn = decoder instanceof Utf16Decoder && (next?.kind === 'utf16' || next?.kind === 'mark');
    const isLast = !goesOn && (next !== undefined || this.#ended);
    const { decoded, used, isOver } = decoder.take(this.#window.text(begun.at, to), isLast);
    begun.at += used;
    this.#giveAll(place, scanner.push(decoded));
    if (!isOver && !isLast) return goesOn;
    this.#giveAll(place, scanner.end());
    this.#finish(begun.at, false);
    if (isOver) this.#starts.goBackTo(begun.at);
    return true;
  }

  #finish(end: number, isDue: boolean): void {
    this.#begun = undefined;
    this.#position = end;
    this.#isDue = isDue;
  }

  #give(at: string, bytes: Uint8Array, isOnce: boolean): void {
    this.#broken = 0;
    this.#isEmpty = false;
    if (isOnce && !this.#remember(bytes)) return;
    this.#found.push({ at, bytes });
  }

  #giveAll(place: string, found: readonly Found[]): void {
    for (const { at, ...one } of found) {
      if ('error' in one) {
        this.#refuse(
          () => place + at,
          () => one.error,
        );
      } else {
        this.#give(place + at, one.bytes, false);
      }
    }
  }

  /** Takes functions, which are not called for an error that is not reported. */
  #refuse(place: () => string, error: () => PawlError): void {
    this.#isEmpty = false;
    if (++this.#broken <= REPORTED) this.#found.push({ at: place(), error: error() });
  }

  /** @returns whether it was not known. */
  #remember(bytes: Uint8Array): boolean {
    const name = hexDigest(32, bytes);
    if (this.#known.has(name)) return false;
    const [oldest] = this.#known;
    if (oldest !== undefined && this.#known.size >= REMEMBERED) this.#known.delete(oldest);
    this.#known.add(name);
    return true;
  }

  #restLength(at: number): number | undefined {
    return restLength(this.#window.view(at, at + ENVELOPE_HEAD_LENGTH));
  }

  #headError(at: number): PawlError {
    const head = new Reader(this.#window.view(at, at + ENVELOPE_HEAD_LENGTH), () => {
      throw cutShort();
    });
    const read = tried(() => readHead(head));
    return read instanceof PawlError ? read : cutShort();
  }

  /** Whether the bytes after a head were taken for UTF-8: what is none became U+FFFD, and none of it can be read. */
  #wasText(at: number): boolean {
    const from = at + ENVELOPE_HEAD_LENGTH;
    return this.#window.text(from, from + PROBE).split('\xef\xbf\xbd').length > REPLACEMENTS;
  }

  /** Whether the bytes before an offset are there, or the stream has ended. */
  #hasCome(offset: number): boolean {
    return this.#ended || offset <= this.#window.end;
  }

  /** Releases the bytes that will not be read again. */
  #forget(): void {
    const needed = Math.min(this.#neededFrom(), this.#headers?.from ?? Number.POSITIVE_INFINITY);
    const kept = Math.max(Math.min(needed, this.#window.end - LONGEST_BEGINNING), this.#window.start);
    this.#lines.at(kept);
    this.#window.forget(kept);
  }

  #neededFrom(): number {
    switch (this.#begun?.kind) {
      case 'binary':
      case 'part':
        return this.#begun.at;
      case 'block':
        return this.#begun.from;
      case undefined:
        return this.#isDue ? Math.min(this.#starts.searched, this.#position) : this.#starts.searched;
    }
  }

  /** Whether the rest of the stream is an incomplete magic or BEGIN line. */
  #endsInBeginning(): boolean {
    // If bytes after it were released, what is kept is too long for a beginning.
    const rest = this.#window.text(this.#position, this.#window.end);
    const tail = this.#position === this.#closed ? rest.replace(REST_OF_END, '') : rest;
    return tail !== '' && BEGINNINGS.some((beginning) => beginning.startsWith(tail));
  }
}

function beginBinary(at: number): BegunBinary {
  return { kind: 'binary', at, end: at + ENVELOPE_HEAD_LENGTH };
}

/** Whether a character does not occur in text, so that it must be a version byte. */
function isControl(code: number): boolean {
  return code < 0x20 && code !== 0x09 && code !== 0x0a && code !== 0x0d;
}

/** The value of `work`, or the known error that it throws. */
function tried<Value>(work: () => Value): Value | PawlError {
  try {
    return work();
  } catch (error) {
    if (error instanceof PawlError) return error;
    throw error;
  }
}

function cutShort(): PawlError {
  return corrupt('envelope (cut short)');
}

function corrupt(what: string, damage?: BlockDamage, label?: Label): PawlError {
  const isInvite = label === 'INVITE';
  return new PawlError('corrupt', { what, ...(damage !== undefined && { damage }), ...(isInvite && { isInvite }) });
}
