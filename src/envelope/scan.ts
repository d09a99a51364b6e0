import { PawlError } from '../errors.ts';
import { Reader } from '../primitives/index.ts';
import { Block, beginLine, LABELS, type Label } from './armor.ts';
import { ENVELOPE_HEAD_LENGTH, MAGIC, readHead } from './head.ts';
import { LONGEST_LINE, type Start, Starts } from './starts.ts';
import { Lines, Window } from './window.ts';

/** An envelope, or what was left of one; `at` tells a person where: `line 12` for a block, `byte 2048` for binary. */
export type Found = { readonly at: string } & Outcome;
type Outcome = { readonly bytes: Uint8Array } | { readonly error: PawlError };
/** What was read at a place, and the offset where the search goes on. */
type Piece = { readonly end: number } & Outcome;

/** An envelope that is being read, with the words for its place. */
type Begun = BegunBinary | BegunBlock;
interface BegunBinary {
  readonly kind: 'binary';
  readonly place: string;
  /** Where it begins. */
  readonly at: number;
  /** As far as it is known: behind its head, or behind its last byte. */
  end: number;
}
interface BegunBlock {
  readonly kind: 'block';
  readonly place: string;
  readonly block: Block;
  /** Where its next line begins. */
  line: number;
}

/** Broken ones in a row that are worth a word each: hostile input can hold a million. */
const REPORTED = 16;
/** So much of a chunk is copied at a time. */
const PIECE = 2 ** 16;
const BEGINNINGS = [MAGIC, ...LABELS.map(beginLine)];

/** The envelopes in a whole input: see {@link Scanner}. */
export function scan(input: Uint8Array): readonly Found[] {
  const scanner = new Scanner();
  return [...scanner.push(input), ...scanner.end()];
}

/**
 * Finds the envelopes in a stream, in their order: binary ones back to back, armored blocks (with CRLF, blanks around
 * lines, blank lines, quoting by `>`, text around), or a mixture (docs/PROTOCOL.md §7). Only their heads are checked:
 * `decodeEnvelope` is for the rest.
 *
 * Each is given out with its last byte, a block with its last newline; what is found does not depend on how the stream is
 * cut into chunks. A broken one is reported in its place, and the search goes on behind its beginning; of several in a
 * row, the first. A stream without any envelope is one `corrupt`, unless it is blank. Takes time in proportion to the
 * stream and memory for one envelope, whatever comes; throws nothing.
 */
export class Scanner {
  readonly #window = new Window();
  readonly #starts = new Starts(this.#window);
  readonly #lines = new Lines(this.#window);
  #ended = false;
  #begun: Begun | undefined;
  /** Behind what was read last. */
  #position = 0;
  /** Whether an envelope is due there: one of any version and kind is taken for one, and gets its error. */
  #isDue = true;
  /** So many broken ones were read last, in a row. */
  #broken = 0;
  /** Whether nothing was found yet, and nothing but blanks seen. */
  #isEmpty = true;
  #isBlank = true;

  /** What the next bytes of the stream complete. The bytes of a binary envelope are a view, and stay what they are. */
  push(chunk: Uint8Array): readonly Found[] {
    const found: Found[] = [];
    for (let rest = chunk; rest.length > 0; ) {
      const from = this.#window.end;
      const awaited = this.#begun?.kind === 'binary' ? this.#begun.end : from;
      // Not beyond what is awaited: when it is all there, and has gone, there is room.
      const length = awaited > from ? Math.min(PIECE, awaited - from) : PIECE;
      this.#window.append(rest.subarray(0, length), awaited);
      this.#isBlank &&= this.#window.text(from, this.#window.end).trim() === '';
      found.push(...this.#scan());
      rest = rest.subarray(length);
    }
    return found;
  }

  /** What the end of the stream completes or cuts short. */
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
    // The last bytes of a binary envelope may be the first ones of another: they have not been passed over yet.
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
   * Whether another envelope begins, with a whole head, before this one ends: then this one was cut short (a disk was full,
   * a writer killed) and its length runs into what was appended later. Ciphertext looks like this by chance less than once
   * in 2^40 of the largest messages, as a head has 46 fixed bits and a length that its kind can have.
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

  /** Reads a block up to its END line, or up to the first line that cannot be in it: another envelope may begin there. */
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

  /** The offset behind the line that begins at an offset, or behind as much as a line can have; nothing where it is not known yet. */
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

  /** Whether the bytes in front of an offset have come, or never will. */
  #hasCome(offset: number): boolean {
    return this.#ended || offset <= this.#window.end;
  }

  /** Keeps the bytes that will be looked at again. */
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

  /** Whether what is left of the stream is the beginning of an envelope, cut short in its first bytes. */
  #endsInBeginning(): boolean {
    // What is not kept has been passed over.
    if (this.#position < this.#window.start || this.#position === this.#window.end) return false;
    const tail = this.#window.text(this.#position, this.#window.end);
    return BEGINNINGS.some((beginning) => beginning.startsWith(tail));
  }
}

function beginBinary(at: number): BegunBinary {
  return { kind: 'binary', place: `byte ${at}`, at, end: at + ENVELOPE_HEAD_LENGTH };
}

/** A character that stands in no text, hence a version. */
function isControl(code: number): boolean {
  return code < 0x20 && code !== 0x09 && code !== 0x0a && code !== 0x0d;
}

function cutShort(): PawlError {
  return corrupt('envelope (cut short)');
}

function corrupt(what: string): PawlError {
  return new PawlError('corrupt', { what });
}
