import type { Window } from './window.ts';

/** Numbers the lines of a stream, from 1. Asked for ascending offsets only, it looks at each byte once. */
export class Lines {
  readonly #window: Window;
  #line = 1;
  #offset = 0;

  constructor(window: Window) {
    this.#window = window;
  }

  /** The number of the line that an offset is in. */
  at(offset: number): number {
    for (let newline = this.#newline(offset); newline !== -1; newline = this.#newline(offset)) {
      this.#offset = newline + 1;
      this.#line++;
    }
    this.#offset = offset;
    return this.#line;
  }

  #newline(before: number): number {
    return this.#window.newline(this.#offset, before);
  }
}
