import { visible } from './format.ts';
import type { Io, Output } from './io.ts';

/** In milliseconds: whoever has waited so long wants to know what for. */
export const SOON = 500;
/** And then how it goes on, in milliseconds. */
const OFTEN = 100;
/** Where the terminal does not know its size. */
const NARROW = 80;
/** To the beginning of the line, which is empty then. */
const ERASED = '\r\u001b[K';

/**
 * What keeps a person waiting: one line on standard error, drawn anew, and gone before anything else is said. Nothing is
 * drawn before half a second, nor where standard error is no terminal.
 */
export class Progress {
  readonly #io: Pick<Io, 'errors' | 'now'>;
  readonly #isWanted: boolean;
  /** When the person was shown something last. */
  #since: number;
  #isShown = false;

  constructor(io: Pick<Io, 'errors' | 'now'>, isWanted: boolean) {
    this.#io = io;
    this.#isWanted = isWanted;
    this.#since = io.now();
  }

  /** How far the work is, or which part of it begins. To be called often; it is shown now and then. */
  at(words: string): void {
    if (this.#io.now() - this.#since >= (this.#isShown ? OFTEN : SOON)) this.#draw(words);
  }

  /** What is waited for, if that takes long. The timer keeps no process alive. */
  async during<Result>(words: string, work: Promise<Result>): Promise<Result> {
    const timer = setTimeout(() => this.#draw(words), SOON).unref();
    try {
      return await work;
    } finally {
      clearTimeout(timer);
      this.#erase();
    }
  }

  /** What is waited for, where nothing else can be done meanwhile, and half a second has gone by. */
  blockedBy(words: string, wait: () => void): void {
    this.#draw(words);
    try {
      wait();
    } finally {
      this.#erase();
    }
  }

  /** To be called before anything else is shown, and when waiting begins anew. */
  clear(): void {
    this.#erase();
    this.#since = this.#io.now();
  }

  /** The same output, before which the line is cleared where both are on a terminal. */
  before(output: Output): Output {
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
    // A line that is broken by the terminal could not be taken back.
    const columns = this.#io.errors.size?.columns ?? NARROW;
    this.#write(`${ERASED}${visible(`pawl: ${words} ...`).slice(0, columns - 1)}`);
    this.#isShown = true;
  }

  #erase(): void {
    if (!this.#isShown) return;
    this.#write(ERASED);
    this.#isShown = false;
    this.#since = this.#io.now();
  }

  /** Terminals take it at once. One that has gone is no reason to fail. */
  #write(text: string): void {
    this.#io.errors.write(text).catch(() => undefined);
  }
}
