/**
 * The progress line: tells a person on standard error what a slow command is doing, and removes itself before anything
 * else is shown. Knows nothing of the work itself.
 */
import { escapeInLine } from './format.ts';
import type { Io, Output } from './io.ts';
import { columnsOf } from './screen.ts';
import { cut } from './wrap.ts';

/** Milliseconds of waiting after which the line is shown. */
const SHOW_AFTER = 500;
/** Milliseconds between two updates of the line. */
const REDRAW_INTERVAL = 100;
/** Moves the cursor to the beginning of the line, and erases the line. */
const ERASE_LINE = '\r\u001b[K';

/** One line on standard error. It is drawn only if that is a terminal, and not in the first half second. */
export class Progress {
  readonly #io: Pick<Io, 'errors' | 'now'>;
  readonly #isWanted: boolean;
  /** When something was last shown, in unix milliseconds. */
  #since: number;
  #isShown = false;

  constructor(io: Pick<Io, 'errors' | 'now'>, isWanted: boolean) {
    this.#io = io;
    this.#isWanted = isWanted;
    this.#since = io.now();
  }

  /** Tells how far the work is. May be called often: the line is drawn only if enough time has passed. */
  update(words: string): void {
    if (this.#io.now() - this.#since >= (this.#isShown ? REDRAW_INTERVAL : SHOW_AFTER)) this.#draw(words);
  }

  /** Shows the words while a promise is pending, if that takes long. What else is shown stays as it is, where it does not. */
  async during<Result>(words: string, work: Promise<Result>): Promise<Result> {
    let isLong = false;
    // The timer must not keep the process alive.
    const timer = setTimeout(() => {
      isLong = true;
      this.#draw(words);
    }, SHOW_AFTER).unref();
    try {
      return await work;
    } finally {
      clearTimeout(timer);
      if (isLong) this.#erase();
    }
  }

  /** Shows the words at once while `wait` blocks the process. The caller has already waited for half a second. */
  whileBlocked(words: string, wait: () => void): void {
    this.#draw(words);
    try {
      wait();
    } finally {
      this.#erase();
    }
  }

  /** Removes the line, and restarts the half second. To be called before anything else is shown. */
  clear(): void {
    this.#erase();
    this.#since = this.#io.now();
  }

  /** Wraps an output so that each write to a terminal clears the line first. */
  clearBefore(output: Output): Output {
    if (!output.isTerminal || !this.#isWanted) return output;
    return {
      isTerminal: true,
      size: output.size,
      write: (bytes) => {
        this.clear();
        return output.write(bytes);
      },
      flush: () => output.flush(),
    };
  }

  #draw(words: string): void {
    this.#since = this.#io.now();
    if (!this.#isWanted || !this.#io.errors.isTerminal) return;
    // A line that the terminal has wrapped could not be erased.
    this.#write(`${ERASE_LINE}${cut(escapeInLine(`pawl: ${words} ...`), columnsOf(this.#io.errors) - 1)}`);
    this.#isShown = true;
  }

  #erase(): void {
    if (!this.#isShown) return;
    this.#write(ERASE_LINE);
    this.#isShown = false;
    this.#since = this.#io.now();
  }

  /** Does not wait, and ignores errors: a closed terminal must not make the command fail. */
  #write(text: string): void {
    this.#io.errors.write(text).catch(() => undefined);
  }
}
