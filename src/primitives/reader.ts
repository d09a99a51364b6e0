/**
 * Reads the fields of binary formats. All strict decoders use it, so that lengths are checked in one place.
 * Knows no format, and leaves the error to the decoder.
 */

/**
 * Reads a byte string from front to back. What it returns are copies, so nothing decoded keeps the input in memory.
 *
 * `fail` throws the decoder's error. It is called for a field that is cut short, a number out of range, and bytes left
 * over at the end.
 */
export class Reader {
  readonly #bytes: Uint8Array;
  readonly #fail: () => never;
  #offset = 0;

  constructor(bytes: Uint8Array, fail: () => never) {
    this.#bytes = bytes;
    this.#fail = fail;
  }

  /** Bytes not read yet. */
  get left(): number {
    return this.#bytes.length - this.#offset;
  }

  take(length: number): Uint8Array {
    const end = this.#advance(length);
    return new Uint8Array(this.#bytes.subarray(end - length, end));
  }

  /** Reads all bytes that are left. */
  rest(): Uint8Array {
    return this.take(this.left);
  }

  /** Reads an unsigned big-endian integer of 1 to 4 bytes. */
  uint(length: 1 | 2 | 3 | 4): number {
    const end = this.#advance(length);
    let value = 0;
    for (let index = end - length; index < end; index++) value = value * 256 + (this.#bytes[index] ?? 0);
    return value;
  }

  /** Reads an unsigned big-endian integer of 8 bytes, at most `max`, which is a safe integer. */
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

  /** Fails if bytes are left over. */
  end(): void {
    if (this.left !== 0) this.#fail();
  }
}
