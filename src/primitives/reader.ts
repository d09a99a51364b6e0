/**
 * Reads fields off the front of a byte string; the one place where lengths are checked. Every strict decoder is built on
 * it: `fail` is called for a field that is cut short, for a number out of range and for bytes left over, and throws the
 * decoder's own typed error. What it returns are copies: nothing decoded keeps the input alive.
 */
export class Reader {
  readonly #bytes: Uint8Array;
  readonly #fail: () => never;
  #offset = 0;

  constructor(bytes: Uint8Array, fail: () => never) {
    this.#bytes = bytes;
    this.#fail = fail;
  }

  get left(): number {
    return this.#bytes.length - this.#offset;
  }

  take(length: number): Uint8Array {
    const end = this.#advance(length);
    return new Uint8Array(this.#bytes.subarray(end - length, end));
  }

  /** All that is left. */
  rest(): Uint8Array {
    return this.take(this.left);
  }

  /** An unsigned big-endian integer of 1 to 4 bytes. */
  uint(length: 1 | 2 | 3 | 4): number {
    const end = this.#advance(length);
    let value = 0;
    for (let index = end - length; index < end; index++) value = value * 256 + (this.#bytes[index] ?? 0);
    return value;
  }

  /** An unsigned big-endian integer of 8 bytes, at most `max` (itself a safe integer). */
  uint64(max: number): number {
    const value = this.uint(4) * 2 ** 32 + this.uint(4);
    if (value > max) this.#fail();
    return value;
  }

  #advance(length: number): number {
    if (!(Number.isInteger(length) && length >= 0 && length <= this.left)) this.#fail();
    this.#offset += length;
    return this.#offset;
  }

  /** Nothing may follow. */
  end(): void {
    if (this.left !== 0) this.#fail();
  }
}
