import { PawlError } from '../errors.ts';
import { Reader, toBase64 } from '../primitives/index.ts';
import { corrupt, ENVELOPE_HEAD_LENGTH, MAX_REST, readHead } from './head.ts';

/** The labels of the two kinds of block. */
export const LABELS = ['MESSAGE', 'INVITE'] as const;
export type Label = (typeof LABELS)[number];

/** Characters a line: below the 72 to 78 at which mail programs break lines, with room for quoting. */
export const COLUMNS = 64;
const LINE = new RegExp(`.{1,${COLUMNS}}`, 'g');

export function beginLine(label: Label): string {
  return `-----BEGIN PAWL ${label}-----`;
}

export function endLine(label: Label): string {
  return `-----END PAWL ${label}-----`;
}

/**
 * An envelope as a block for pasting (docs/PROTOCOL.md §7): standard base64 in 64 columns between a BEGIN and an END
 * line that name the kind, with a newline at the end.
 * @param envelope as `encodeEnvelope` makes it; only its head is read.
 * @throws as the head is read: `corrupt`, `unknown-version`, `too-large`.
 */
export function armor(envelope: Uint8Array): string {
  const { kind } = readHead(new Reader(envelope, corrupt));
  const label = kind === 'invite' ? 'INVITE' : 'MESSAGE';
  const lines = toBase64(envelope).match(LINE) ?? [];
  return [beginLine(label), ...lines, endLine(label), ''].join('\n');
}

/**
 * The envelope in one canonical block, byte for byte what {@link armor} makes; only the envelope's head is checked.
 * For blocks found in other text there is `scan`.
 * @throws `corrupt` for any other text; for a block whose envelope has no good head also `unknown-version`, `too-large`.
 */
export function dearmor(block: string): Uint8Array {
  const base64 = block.slice(block.indexOf('\n') + 1, block.lastIndexOf('\n-----END'));
  const envelope = new Uint8Array(Buffer.from(base64, 'base64'));
  // Node's decoder passes over what it does not know. One comparison stands for every rule that a block has to keep:
  // alphabet, columns, padding, spare bits, labels, newlines.
  if (armor(envelope) !== block) throw new PawlError('corrupt', { what: 'armored block' });
  return envelope;
}

const QUOTING = /^[\s>]+/;
const BASE64 = new RegExp(`^[A-Za-z0-9+/=]{1,${COLUMNS}}$`);
/** What the largest envelope fills. */
const MAX_LINES = Math.ceil((Math.ceil((ENVELOPE_HEAD_LENGTH + MAX_REST) / 3) * 4) / COLUMNS);

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
