import { PawlError } from '../../errors.ts';
import { concatAll } from '../../primitives/index.ts';
import { explain } from '../terminal/error-messages.ts';
import type { Output } from '../terminal/io.ts';
import type { Tell } from '../terminal/reporter.ts';

/** So many bytes are gathered into one write. Where it fails, none of them counts as written. */
const GATHERED = 2 ** 14;

/** Writes many small pieces in few writes, and knows which pieces have been written for good. */
export class GatheredOutput<Id> {
  readonly #output: Output;
  #pieces: Uint8Array[] = [];
  #length = 0;
  #gathered: Id[] = [];
  #handedOver: Id[] = [];
  #written: Id[] = [];

  constructor(output: Output) {
    this.#output = output;
  }

  /** @throws as `Output.write` does. */
  async write(piece: Uint8Array, id: Id): Promise<void> {
    if (this.#length + piece.length > GATHERED) await this.handOver();
    this.#pieces.push(piece);
    this.#length += piece.length;
    this.#gathered.push(id);
  }

  /** Hands to the operating system what has been gathered. @throws as `Output.write` does. */
  async handOver(): Promise<void> {
    const [pieces, ids] = [this.#pieces, this.#gathered];
    if (pieces.length === 0) return;
    this.#pieces = [];
    this.#length = 0;
    this.#gathered = [];
    const [first = concatAll(pieces)] = pieces.length === 1 ? pieces : [];
    await this.#output.write(first);
    this.#handedOver.push(...ids);
  }

  /** Resolves once everything has been written for good. @throws as `Output.write` and `Output.flush` do. */
  async flush(): Promise<void> {
    await this.handOver();
    const ids = this.#handedOver;
    if (ids.length === 0) return;
    this.#handedOver = [];
    await this.#output.flush();
    this.#written.push(...ids);
  }

  /** Tells `note` what has been written; once it is noted, it is not told again. */
  async noting<Result>(note: (written: readonly Id[]) => Promise<Result>): Promise<Result> {
    const written = this.#written;
    const result = await note(written);
    this.#written = this.#written.slice(written.length);
    return result;
  }
}

/**
 * Notes in the identity file that something has been written out. That it cannot be noted is no failure of what was done:
 * who did it again would do it twice. It stays in its box, and may come once more.
 */
export async function afterwards(tell: Tell, note: () => Promise<void>): Promise<void> {
  try {
    await note();
  } catch (error) {
    if (!(error instanceof PawlError)) throw error;
    await tell.warn(`this is done, but could not be noted, and may come once more: ${explain(error).message}`);
  }
}
