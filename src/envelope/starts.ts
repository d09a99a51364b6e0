import { beginLine, LABELS, type Label } from './armor.ts';
import { KINDS, MAGIC, VERSION } from './head.ts';
import type { Window } from './window.ts';

/** A place where an envelope seems to begin. */
export interface Start {
  readonly kind: 'binary' | Label;
  readonly at: number;
  /** Behind what shows it: magic, version and kind; or a BEGIN line with its newline. */
  readonly end: number;
}

/** The most bytes of a line of a block, with quoting and blanks around it: mail allows 998. */
export const LONGEST_LINE = 1_024;

const KIND_BYTES = String.fromCharCode(...Object.values(KINDS));
/** In binary, with a kind that is known; or at a BEGIN line, whatever is in front of it. */
const START = new RegExp(
  `${MAGIC}${String.fromCharCode(VERSION)}[${KIND_BYTES}]|-----BEGIN PAWL (${LABELS.join('|')})-----[ \\t\\r]{0,${LONGEST_LINE}}(\\n|$)`,
  'g',
);
/** The most that may be there of one that is not all there, blanks aside. */
const BEGINNING = beginLine('MESSAGE').length - 1;
/** So much is searched at a time. */
const PIECE = 2 ** 16;

/** Looks for beginnings of envelopes in what has come of a stream, each byte once. */
export class Starts {
  readonly #window: Window;
  #next: Start | undefined;
  /** In front of this offset, none is left to be found. */
  #searched = 0;
  #piece = '';
  #offset = 0;

  constructor(window: Window) {
    this.#window = window;
  }

  /** The bytes in front of this offset are not looked at again. */
  get searched(): number {
    return this.#searched;
  }

  /** Passes over the beginnings in front of an offset. */
  skipTo(offset: number): void {
    if (this.#next !== undefined && this.#next.at < offset) this.#next = undefined;
    this.#searched = Math.max(this.#searched, offset);
  }

  /** Looks again from an offset on. */
  goBackTo(offset: number): void {
    this.#next = undefined;
    this.#searched = offset;
    if (offset < this.#offset) this.#load(offset);
  }

  /** The next beginning, where one is to be seen yet. @param ended whether nothing more will come. */
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
    // At the end of the piece: more blanks may come, and other characters.
    if (newline === '' && !ended) return undefined;
    return { kind: label as Label, at, end: at + all.length };
  }
}
