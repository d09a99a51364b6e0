const NEWLINE = 0x0a;
/** Room for so many bytes, at least. */
const LEAST = 2 ** 16;
/** A larger buffer is given back as soon as nothing in it is of use. */
const LARGE = 2 ** 20;
/** Room for what is awaited is made when a part of it is there: a stream of lies allocates little. */
const MOST_TIMES = 32;

/**
 * The part of a stream that is still of use, addressed by offsets in the whole of it. Bytes are only ever written behind
 * those that are there, so a view of them stays what it was.
 */
export class Window {
  #buffer = Buffer.alloc(0);
  /** Where in the buffer the byte at offset 0 is, or would be. */
  #origin = 0;
  #start = 0;
  #end = 0;

  /** The offset of the first byte that is kept. */
  get start(): number {
    return this.#start;
  }

  /** The offset behind the last byte that has come. */
  get end(): number {
    return this.#end;
  }

  /** @param awaited the offset up to which bytes will be kept, as far as that is known: it saves copies. */
  append(chunk: Uint8Array, awaited: number): void {
    const end = this.#end + chunk.length;
    if (this.#origin + end > this.#buffer.length) this.#move(end - this.#start, awaited - this.#start);
    this.#buffer.set(chunk, this.#origin + this.#end);
    this.#end = end;
  }

  /** The bytes in front of `offset` are not asked for again. */
  forget(offset: number): void {
    this.#start = Math.max(this.#start, offset);
    if (this.#start < this.#end || this.#buffer.length <= LARGE) return;
    this.#buffer = Buffer.alloc(0);
    this.#origin = -this.#end;
  }

  /** A view of the bytes from one offset up to another, as far as they have come. */
  view(from: number, to: number): Uint8Array {
    const length = Math.min(to, this.#end) - from;
    return new Uint8Array(this.#buffer.buffer, this.#buffer.byteOffset + this.#origin + from, length);
  }

  /** The same as text, one character a byte. */
  text(from: number, to: number): string {
    return this.#buffer.toString('latin1', this.#origin + from, this.#origin + Math.min(to, this.#end));
  }

  /** The offset of the first newline there, or -1. */
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
