/**
 * Takes lines and bytes from what comes in pieces of any size.
 * Knows no format.
 */
import { concat } from '../primitives/index.ts';

const NEWLINE = 10;
const EMPTY = new Uint8Array(0);

export class Incoming {
  readonly #source: AsyncGenerator<Uint8Array>;
  #rest: Uint8Array = EMPTY;

  constructor(source: AsyncGenerator<Uint8Array>) {
    this.#source = source;
  }

  /**
   * Takes a line of at most so many bytes: without the newline, or as much of it as there is. The characters are its bytes.
   * @returns `undefined` at the end.
   */
  async line(most: number): Promise<string | undefined> {
    let end = this.#rest.indexOf(NEWLINE);
    while (end < 0 && this.#rest.length <= most) {
      const { value, done } = await this.#source.next();
      if (done) break;
      this.#rest = concat(this.#rest, value);
      end = this.#rest.indexOf(NEWLINE);
    }
    if (end < 0 && this.#rest.length === 0) return undefined;
    const line = this.#rest.subarray(0, end < 0 ? most : Math.min(end, most));
    this.#rest = this.#rest.subarray(end < 0 ? this.#rest.length : end + 1);
    return Buffer.from(line).toString('latin1');
  }

  /** Takes so many bytes, in memory of their own. @returns `undefined` where fewer come. */
  async take(length: number): Promise<Uint8Array | undefined> {
    const bytes = new Uint8Array(length);
    for (let at = 0; at < length; ) {
      if (this.#rest.length === 0) {
        const { value, done } = await this.#source.next();
        if (done) return undefined;
        this.#rest = value;
      }
      const piece = this.#rest.subarray(0, length - at);
      bytes.set(piece, at);
      this.#rest = this.#rest.subarray(piece.length);
      at += piece.length;
    }
    return bytes;
  }

  /** Ends the source. */
  async end(): Promise<void> {
    await this.#source.return(undefined);
  }
}
