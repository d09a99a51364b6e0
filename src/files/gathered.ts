const SMALL = 2 ** 16;

/** Gathers the chunks of an input into one byte string, without keeping them beside it. */
export class Gathered {
  readonly #limit: number;
  #buffer = new Uint8Array(0);
  #length = 0;

  /** @param limit the most bytes that are any use. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Whether more has come than is of any use. */
  get isFull(): boolean {
    return this.#length > this.#limit;
  }

  /** A view of all that has come. */
  get bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }

  add(chunk: Uint8Array): void {
    const length = this.#length + chunk.length;
    if (length > this.#buffer.length) this.#grow(length);
    this.#buffer.set(chunk, this.#length);
    this.#length = length;
  }

  /** Room for a small input, then for the largest: what is not written to takes no memory. */
  #grow(needed: number): void {
    const room = needed <= SMALL ? SMALL : Math.max(needed, this.#limit + SMALL);
    const { buffer } = Buffer.allocUnsafeSlow(room);
    const larger = new Uint8Array(buffer);
    larger.set(this.bytes);
    this.#buffer = larger;
  }
}
