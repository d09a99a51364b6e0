/**
 * Finds envelopes in a stream of bytes, binary or armored, whole or damaged (docs/PROTOCOL.md §7).
 * Checks only their heads: `decodeEnvelope` checks the rest. Does not read the stream itself.
 */
import { PawlError } from '../errors.ts';
import { Reader } from '../primitives/index.ts';
import { Block, beginLine, LABELS, type Label } from './armor.ts';
import { ENVELOPE_HEAD_LENGTH, MAGIC, readHead } from './head.ts';
import { LONGEST_LINE, type Start, Starts } from './starts.ts';
import { Lines, Window } from './window.ts';

/**
 * An envelope or the error of a damaged one; `at` is its place for display: `line 12` for a block, `byte 2048` for
 * binary.
 */
export type Found = { readonly at: string } & Outcome;
type Outcome = { readonly bytes: Uint8Array } | { readonly error: PawlError };
/** The outcome at one place, and the offset where the search continues. */
type Piece = { readonly end: number } & Outcome;

/** An envelope that is being read; `place` is for display. */
type Begun = BegunBinary | BegunBlock;
interface BegunBinary {
  readonly kind: 'binary';
  readonly place: string;
  /** The offset of its first byte. */
  readonly at: number;
  /** The offset after its last byte, or after its head while the length is not known yet. */
  end: number;
}
interface BegunBlock {
  readonly kind: 'block';
  readonly place: string;
  readonly block: Block;
  /** The offset of its next line. */
  line: number;
}

/** The number of damaged envelopes in a row that are reported: hostile input can contain a million. */
const REPORTED = 16;
/** Bytes of a chunk that are copied at a time. */
const PIECE = 2 ** 16;
const BEGINNINGS = [MAGIC, ...LABELS.map(beginLine)];

/** Finds the envelopes in a complete input: see {@link Scanner}. */
export function scan(input: Uint8Array): readonly Found[] {
  const scanner = new Scanner();
  return [...scanner.push(input), ...scanner.end()];
}

/**
 * Finds the envelopes in a stream, in their order: binary ones back to back, armored blocks (with CRLF, blanks around
 * lines, blank lines, quoting by `>`, text around), or a mixture.
 *
 * An envelope is returned as soon as its last byte is there, a block with its last newline. The result does not depend
 * on how the stream is divided into chunks. A damaged envelope is reported at its place, and the search continues after
 * its magic or BEGIN line; of more than 16 in a row, only the first 16 are reported. A stream without an envelope is
 * one `corrupt` error, unless it is blank. Time is linear in the stream and memory is that of one envelope, also for
 * hostile input. Throws nothing.
 */
export class Scanner {
  readonly #window = new Window();
  readonly #starts = new Starts(this.#window);
  readonly #lines = new Lines(this.#window);
  #ended = false;
  #begun: Begun | undefined;
  /** The offset after the last outcome. */
  #position = 0;
  /** Whether an envelope may begin at `#position`. If so, a magic with an unknown version or kind is an error there. */
  #isDue = true;
  /** The number of damaged envelopes in a row, up to now. */
  #broken = 0;
  /** Whether nothing was found yet. */
  #isEmpty = true;
  /** Whether the stream was blank up to now. */
  #isBlank = true;

  /**
   * Takes the next bytes of the stream.
   * @returns what they complete. The bytes of a binary envelope are a view, which later calls do not change.
   */
  push(chunk: Uint8Array): readonly Found[] {
    const found: Found[] = [];
    for (let rest = chunk; rest.length > 0; ) {
      const from = this.#window.end;
      const awaited = this.#begun?.kind === 'binary' ? this.#begun.end : from;
      // Appends no more than what completes the envelope: its memory can be reused afterwards.
      const length = awaited > from ? Math.min(PIECE, awaited - from) : PIECE;
      this.#window.append(rest.subarray(0, length), awaited);
      this.#isBlank &&= this.#window.text(from, this.#window.end).trim() === '';
      found.push(...this.#scan());
      rest = rest.subarray(length);
    }
    return found;
  }

  /**
   * Ends the stream.
   * @returns what the end completes or cuts short.
   */
  end(): readonly Found[] {
    this.#ended = true;
    const found = this.#scan();
    if (this.#broken > 0) return found;
    if (this.#endsInBeginning()) {
      found.push({ at: `byte ${this.#position}`, error: cutShort() });
    } else if (this.#isEmpty && !this.#isBlank) {
      found.push({ at: 'byte 0', error: corrupt('input (no pawl envelope in it)') });
    }
    return found;
  }

  #scan(): Found[] {
    const found: Found[] = [];
    for (let piece = this.#next(); piece !== undefined; piece = this.#next()) {
      this.#broken = 'error' in piece ? this.#broken + 1 : 0;
      if (this.#broken <= REPORTED) found.push(piece);
      this.#isEmpty = false;
    }
    if (!this.#ended) this.#forget();
    return found;
  }

  #next(): Found | undefined {
    this.#begun ??= this.#find();
    if (this.#begun === undefined) return undefined;
    const { kind, place } = this.#begun;
    const piece = kind === 'binary' ? this.#readBinary(this.#begun) : this.#readBlock(this.#begun);
    if (piece === undefined) return undefined;
    const { end, ...outcome } = piece;
    // The search has already passed the end of a block, and may have passed that of a damaged binary envelope.
    if (kind === 'block' || 'error' in outcome) this.#starts.goBackTo(end);
    this.#begun = undefined;
    this.#position = end;
    this.#isDue = true;
    return { at: place, ...outcome };
  }

  #find(): Begun | undefined {
    let start = this.#starts.next(this.#ended);
    for (; start !== undefined && start.at < this.#position; start = this.#starts.next(this.#ended)) {
      if (start.kind !== 'binary') return this.#beginBlock(start.kind, start);
      if (!this.#hasCome(start.at + ENVELOPE_HEAD_LENGTH)) return undefined;
      if (this.#isHead(start.at)) return beginBinary(start.at);
      this.#starts.skipTo(start.at + 1);
    }
    if (this.#isDue && start?.at !== this.#position) {
      const seen = this.#window.text(this.#position, this.#position + MAGIC.length + 1);
      const isUnknown = this.#starts.searched < this.#position || MAGIC.startsWith(seen);
      if (isUnknown && !this.#ended) return undefined;
      this.#isDue = false;
      if (seen.startsWith(MAGIC) && isControl(seen.charCodeAt(MAGIC.length))) return beginBinary(this.#position);
    }
    if (start === undefined) return undefined;
    return start.kind === 'binary' ? beginBinary(start.at) : this.#beginBlock(start.kind, start);
  }

  #beginBlock(label: Label, { at, end }: Start): BegunBlock {
    return { kind: 'block', place: `line ${this.#lines.at(at)}`, block: new Block(label), line: end };
  }

  #readBinary(begun: BegunBinary): Piece | undefined {
    const { at } = begun;
    try {
      if (!this.#hasCome(at + ENVELOPE_HEAD_LENGTH)) return undefined;
      begun.end = this.#endAt(at);
      if (this.#swallowsAnother(begun)) throw cutShort();
      if (begun.end <= this.#window.end) return { bytes: this.#window.view(at, begun.end), end: begun.end };
      if (!this.#ended) return undefined;
      throw cutShort();
    } catch (error) {
      if (error instanceof PawlError) return { error, end: at + MAGIC.length };
      throw error;
    }
  }

  /**
   * Whether another envelope begins, with a complete head, before this one ends. If so, this one was cut short (the
   * disk was full, or the writer was killed), and its length reaches into what was appended later. In ciphertext this
   * happens by chance less than once in 2^40 of the largest messages: a head has 46 fixed bits and one of a few
   * lengths.
   */
  #swallowsAnother({ at, end }: BegunBinary): boolean {
    this.#starts.skipTo(at + 1);
    for (;;) {
      const other = this.#starts.next(this.#ended);
      if (other === undefined || other.at >= end) return false;
      if (other.kind !== 'binary') return other.end <= end;
      const headEnd = other.at + ENVELOPE_HEAD_LENGTH;
      if (headEnd > end || !this.#hasCome(headEnd)) return false;
      if (this.#isHead(other.at)) return true;
      this.#starts.skipTo(other.at + 1);
    }
  }

  /**
   * Reads a block to its END line, or to the first line that cannot be part of it: another envelope may begin there.
   */
  #readBlock(begun: BegunBlock): Piece | undefined {
    for (let next = this.#lineEnd(begun.line); next !== undefined; next = this.#lineEnd(begun.line)) {
      const { block, line } = begun;
      if (next === line) return { error: corrupt('armored block (cut short)'), end: line };
      const text = this.#window.text(line, next);
      const taken = text.length < LONGEST_LINE || text.endsWith('\n') ? block.take(text) : undefined;
      if (taken === undefined) return { error: corrupt(`armored block (line ${this.#lines.at(line)})`), end: line };
      if (taken !== 'more') return { ...taken, end: next };
      begun.line = next;
    }
    return undefined;
  }

  /** The offset after the line that begins at `line`, which has a maximum length; `undefined` while it is not known. */
  #lineEnd(line: number): number | undefined {
    const limit = line + LONGEST_LINE;
    const newline = this.#window.newline(line, limit);
    if (newline !== -1) return newline + 1;
    return this.#hasCome(limit) ? Math.min(limit, this.#window.end) : undefined;
  }

  #endAt(at: number): number {
    const head = new Reader(this.#window.view(at, at + ENVELOPE_HEAD_LENGTH), () => {
      throw cutShort();
    });
    return at + ENVELOPE_HEAD_LENGTH + readHead(head).length;
  }

  #isHead(at: number): boolean {
    try {
      this.#endAt(at);
      return true;
    } catch (error) {
      if (error instanceof PawlError) return false;
      throw error;
    }
  }

  /** Whether the bytes before an offset are there, or the stream has ended. */
  #hasCome(offset: number): boolean {
    return this.#ended || offset <= this.#window.end;
  }

  /** Releases the bytes that will not be read again. */
  #forget(): void {
    const kept =
      this.#begun === undefined
        ? this.#soughtFrom()
        : this.#begun.kind === 'binary'
          ? this.#begun.at
          : this.#begun.line;
    this.#lines.at(kept);
    this.#window.forget(kept);
  }

  #soughtFrom(): number {
    return this.#isDue ? Math.min(this.#starts.searched, this.#position) : this.#starts.searched;
  }

  /** Whether the rest of the stream is an incomplete magic or BEGIN line. */
  #endsInBeginning(): boolean {
    // Bytes that were released begin no envelope.
    if (this.#position < this.#window.start || this.#position === this.#window.end) return false;
    const tail = this.#window.text(this.#position, this.#window.end);
    return BEGINNINGS.some((beginning) => beginning.startsWith(tail));
  }
}

function beginBinary(at: number): BegunBinary {
  return { kind: 'binary', place: `byte ${at}`, at, end: at + ENVELOPE_HEAD_LENGTH };
}

/** Whether a character does not occur in text, so that it must be a version byte. */
function isControl(code: number): boolean {
  return code < 0x20 && code !== 0x09 && code !== 0x0a && code !== 0x0d;
}

function cutShort(): PawlError {
  return corrupt('envelope (cut short)');
}

function corrupt(what: string): PawlError {
  return new PawlError('corrupt', { what });
}
