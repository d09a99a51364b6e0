/**
 * Searches a window of a stream for places where an envelope may begin: a magic or a BEGIN line.
 * Does not read envelopes: see scan.ts.
 */
import { beginLine, LABELS, type Label } from './armor.ts';
import { KINDS, MAGIC, VERSION } from './head.ts';
import type { Window } from './window.ts';

/** A place where an envelope may begin. */
export interface Start {
  readonly kind: 'binary' | Label;
  readonly at: number;
  /** The offset after magic, version and kind, or after a BEGIN line with its newline. */
  readonly end: number;
}

/** The maximum length of a block's line in bytes, with quoting and blanks. Mail allows 998. */
export const LONGEST_LINE = 1_024;

const KIND_BYTES = String.fromCharCode(...Object.values(KINDS));
/** Matches the magic with a known version and kind, or a BEGIN line after any text. */
const START = new RegExp(
  `${MAGIC}${String.fromCharCode(VERSION)}[${KIND_BYTES}]|-----BEGIN PAWL (${LABELS.join('|')})-----[ \\t\\r]{0,${LONGEST_LINE}}(\\n|$)`,
  'g',
);
/** The maximum length of an incomplete start in bytes, without the blanks after a BEGIN line. */
const BEGINNING = beginLine('MESSAGE').length - 1;
/** Bytes that are searched at a time. */
const PIECE = 2 ** 16;

/** Finds starts of envelopes in the window, and reads each byte once. */
export class Starts {
  readonly #window: Window;
  #next: Start | undefined;
  /** No start is left before this offset, except `#next`. */
  #searched = 0;
  #piece = '';
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
   */
  next(ended: boolean): Start | undefined {
    while (this.#next === undefined) {
      const isLast = this.#offset + this.#piece.length === this.#window.end;
      this.#next = this.#search(ended && isLast);
      if (isLast) break;
      if (this.#next === undefined) this.#load(this.#searched);
    }
    return this.#next;
  }

  #load(offset: number): void {
    this.#offset = offset;
    this.#piece = this.#window.text(offset, offset + PIECE);
  }

  #search(ended: boolean): Start | undefined {
    START.lastIndex = this.#searched - this.#offset;
    const match = START.exec(this.#piece);
    if (match === null) {
      const end = this.#offset + this.#piece.length;
      this.#searched = Math.max(this.#searched, ended ? end : end - BEGINNING);
      return undefined;
    }
    const at = this.#offset + match.index;
    this.#searched = at;
    const [all, label, newline] = match;
    if (label === undefined) return { kind: 'binary', at, end: at + all.length };
    // At the end of the piece, the line may continue with more blanks or other characters.
    if (newline === '' && !ended) return undefined;
    return { kind: label as Label, at, end: at + all.length };
  }
}
