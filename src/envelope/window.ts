/**
 * The part of a stream that a scanner still needs, and line numbers in it.
 * Knows nothing of envelopes.
 */
const NEWLINE = 0x0a;
/** The minimum size of a new buffer in bytes: hostile input can have a window in every hundred of its bytes. */
const LEAST = 2 ** 10;
/** A buffer larger than this is released as soon as little of it is needed. */
const LARGE = 2 ** 20;
/**
 * A new buffer has at most this many times the bytes that are there, so that a false length in a head allocates little.
 */
const MOST_TIMES = 32;

/**
 * Keeps the part of a stream that is still needed, addressed by offsets in the whole stream. Bytes are only appended,
 * never overwritten, so a view of them does not change.
 */
export class Window {
  #buffer = Buffer.alloc(0);
  /** The index in the buffer of the stream's offset 0; negative once bytes have been released. */
  #origin = 0;
  #start = 0;
  #end = 0;

  /** The offset of the first byte that is kept. */
  get start(): number {
    return this.#start;
  }

  /** The offset after the last byte. */
  get end(): number {
    return this.#end;
  }

  /**
   * Appends bytes.
   * @param awaited the offset up to which bytes are expected to be kept; reserving memory for them saves copies.
   */
  append(chunk: Uint8Array, awaited: number): void {
    const end = this.#end + chunk.length;
    if (this.#origin + end > this.#buffer.length) this.#move(end - this.#start, awaited - this.#start);
    this.#buffer.set(chunk, this.#origin + this.#end);
    this.#end = end;
  }

  /** Releases the bytes before `offset`. */
  forget(offset: number): void {
    this.#start = Math.max(this.#start, offset);
    const kept = this.#end - this.#start;
    if (kept < LEAST && this.#buffer.length > LARGE) this.#move(kept, 0);
  }

  /** A view of the bytes from one offset to another, or to the last byte there is. */
  view(from: number, to: number): Uint8Array {
    const length = Math.min(to, this.#end) - from;
    return new Uint8Array(this.#buffer.buffer, this.#buffer.byteOffset + this.#origin + from, length);
  }

  /** The same bytes as text, one character per byte. */
  text(from: number, to: number): string {
    return this.#buffer.toString('latin1', this.#origin + from, this.#origin + Math.min(to, this.#end));
  }

  /** The offset of the first newline between two offsets, or -1. */
  newline(from: number, to: number): number {
    const start = this.#origin + from;
    const index = this.#buffer.subarray(start, this.#origin + Math.min(to, this.#end)).indexOf(NEWLINE);
    return index === -1 ? -1 : from + index;
  }

  #move(needed: number, awaited: number): void {
    const room = awaited < needed ? Math.max(2 * needed, LEAST) : Math.min(awaited, MOST_TIMES * needed);
    const buffer = Buffer.allocUnsafeSlow(room);
    this.#buffer.copy(buffer, 0, this.#origin + this.#start, this.#origin + this.#end);
    this.#buffer = buffer;
    this.#origin = -this.#start;
  }
}

/** Numbers the lines of a stream, in ascending order, so that each byte is read once. */
export class Lines {
  readonly #window: Window;
  #line: number;
  #offset = 0;

  constructor(window: Window, first: number) {
    this.#window = window;
    this.#line = first;
  }

  /** The number of the line that contains an offset, or the last one that was asked for, if that is further. */
  at(offset: number): number {
    if (offset <= this.#offset) return this.#line;
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
