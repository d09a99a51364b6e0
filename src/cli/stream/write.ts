/**
 * Writes many small pieces in few system calls, and knows which of them are durable, so that the identity file can
 * acknowledge exactly those.
 * Knows nothing of texts and envelopes: a piece is bytes and an id.
 */
import { PawlError } from '../../errors.ts';
import { concatAll } from '../../primitives/index.ts';
import { explain } from '../terminal/error-messages.ts';
import { bytesInWords } from '../terminal/format.ts';
import type { Output } from '../terminal/io.ts';
import type { Reporter } from '../terminal/reporter.ts';

/** Bytes that are buffered before they are written. If that write fails, none of its pieces counts as written. */
const BUFFER_LENGTH = 2 ** 14;

/** Characters of armor that are still written to a terminal: some hundred lines can be copied from it. */
const MOST_ON_TERMINAL = 2 ** 16;

/**
 * Refuses to pour armor onto a terminal. To be called before anything is committed.
 * @param characters of what would be written.
 * @param way what to type instead.
 * @throws `usage`.
 */
export function checkFitsTerminal(output: Output, characters: number, way: string): void {
  if (!output.isTerminal || characters <= MOST_ON_TERMINAL) return;
  throw new PawlError('usage', {
    problem: `this is ${bytesInWords(characters)} of armor, too much for a terminal`,
    hint: way,
  });
}

export class BufferedOutput<Id> {
  readonly #output: Output;
  readonly #admit: (ids: readonly Id[]) => Promise<readonly Id[]>;
  #pieces: Uint8Array[] = [];
  #length = 0;
  #buffered: Id[] = [];
  #drained: Id[] = [];
  #written: Id[] = [];

  /**
   * @param admit is asked of what is in the buffer, right before it is written: that may be long after it was put there.
   * @returns those pieces that are still to be written.
   */
  constructor(output: Output, admit: (ids: readonly Id[]) => Promise<readonly Id[]> = async (ids) => ids) {
    this.#output = output;
    this.#admit = admit;
  }

  /** The ids of the pieces that are written for good, and not acknowledged yet. */
  get written(): readonly Id[] {
    return this.#written;
  }

  /** Removes ids from `written`: the identity file has recorded them. */
  markAcknowledged(ids: readonly Id[]): void {
    const done = new Set(ids);
    this.#written = this.#written.filter((id) => !done.has(id));
  }

  /**
   * Adds a piece to the buffer.
   * @throws as `Output.write` does.
   */
  async write(piece: Uint8Array, id: Id): Promise<void> {
    if (this.#length + piece.length > BUFFER_LENGTH) await this.drain();
    this.#pieces.push(piece);
    this.#length += piece.length;
    this.#buffered.push(id);
  }

  /**
   * Hands the buffer to the operating system.
   * @throws as `Output.write` does.
   */
  async drain(): Promise<void> {
    const [buffered, all] = [this.#pieces, this.#buffered];
    if (buffered.length === 0) return;
    this.#pieces = [];
    this.#length = 0;
    this.#buffered = [];
    const ids = await this.#admit(all);
    if (ids.length === 0) return;
    const admitted = new Set(ids);
    const pieces = buffered.filter((_, index) => admitted.has(all[index] as Id));
    // A single large piece is not copied.
    const [bytes = concatAll(pieces)] = pieces.length === 1 ? pieces : [];
    await this.#output.write(bytes);
    this.#drained.push(...ids);
  }

  /**
   * Drains the buffer, and resolves once everything that was written to a file is on the disk.
   * @throws as `Output.write` and `Output.flush` do.
   */
  async flush(): Promise<void> {
    await this.drain();
    const ids = this.#drained;
    if (ids.length === 0) return;
    this.#drained = [];
    await this.#output.flush();
    this.#written = [...this.#written, ...ids];
  }
}

/**
 * Records in the identity file that something was written. If that fails, the command has still done its work: repeating
 * the command would do it twice. So it is only a warning, and the outbox or inbox keeps the entry, which may be written
 * once more.
 */
export async function acknowledgeOrWarn(reporter: Reporter, acknowledge: () => Promise<void>): Promise<void> {
  try {
    await acknowledge();
  } catch (error) {
    if (!(error instanceof PawlError)) throw error;
    await reporter.warn(`this is done, but could not be noted, and may come once more: ${explain(error).message}`);
  }
}
