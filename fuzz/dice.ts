/** Dice that fall alike whenever their seed is the same: sfc32, seeded by FNV-1a. */
export class Dice {
  readonly #state = new Uint32Array(4);

  constructor(seed: string) {
    let hash = 0x811c9dc5;
    for (let i = 0; i < seed.length; i++) hash = Math.imul(hash ^ seed.charCodeAt(i), 0x01000193);
    this.#state.set([hash, hash ^ 0x9e3779b9, Math.imul(hash, 0x85ebca6b), 1]);
    for (let i = 0; i < 12; i++) this.next();
  }

  /** 32 bits. */
  next(): number {
    const [a = 0, b = 0, c = 0, counter = 0] = this.#state;
    const result = (a + b + counter) >>> 0;
    this.#state.set([b ^ (b >>> 9), c + (c << 3), ((c << 21) | (c >>> 11)) + result, counter + 1]);
    return result;
  }

  /** An integer from 0 up to, not including, `limit`. */
  below(limit: number): number {
    return Math.floor((this.next() / 2 ** 32) * limit);
  }

  /** True once in `times`. */
  oneIn(times: number): boolean {
    return this.below(times) === 0;
  }

  pick<Value>(values: readonly Value[]): Value {
    const value = values[this.below(values.length)];
    if (value === undefined) throw new Error('there is nothing to pick from');
    return value;
  }

  /** Also a source of randomness for pawl itself. */
  readonly bytes = (length: number): Uint8Array => {
    const words = Uint32Array.from({ length: Math.ceil(length / 4) }, () => this.next());
    return new Uint8Array(words.buffer).slice(0, length);
  };
}
