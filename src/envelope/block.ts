import { PawlError } from '../errors.ts';
import { beginLine, COLUMNS, dearmor, endLine, type Label } from './armor.ts';
import { HEAD_LENGTH, MAX_REST } from './head.ts';

const QUOTING = /^[\s>]+/;
const BASE64 = new RegExp(`^[A-Za-z0-9+/=]{1,${COLUMNS}}$`);
/** What the largest envelope fills. */
const MAX_LINES = Math.ceil((Math.ceil((HEAD_LENGTH + MAX_REST) / 3) * 4) / COLUMNS);

/** An armored block whose lines are being read, in whatever mail made of them. */
export class Block {
  readonly #label: Label;
  readonly #base64: string[] = [];

  constructor(label: Label) {
    this.#label = label;
  }

  /**
   * Takes a line behind the BEGIN line, with blanks and quoting around it. Nothing but what a block can hold is gathered.
   * @returns with the END line, the envelope or what `dearmor` throws; nothing for a line that cannot be in a block.
   */
  take(line: string): { readonly bytes: Uint8Array } | { readonly error: PawlError } | 'more' | undefined {
    const content = line.replace(QUOTING, '').trimEnd();
    if (content === '') return 'more';
    if (content === endLine(this.#label)) return this.#end(content);
    // Only the last line may be short.
    const mayFollow = (this.#base64.at(-1)?.length ?? COLUMNS) === COLUMNS && this.#base64.length < MAX_LINES;
    if (!mayFollow || !BASE64.test(content)) return undefined;
    this.#base64.push(content);
    return 'more';
  }

  #end(last: string) {
    try {
      return { bytes: dearmor([beginLine(this.#label), ...this.#base64, last, ''].join('\n')) };
    } catch (error) {
      if (error instanceof PawlError) return { error };
      throw error;
    }
  }
}
