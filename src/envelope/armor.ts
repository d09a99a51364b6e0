/**
 * Armored blocks: envelopes as base64 text between a BEGIN and an END line (docs/PROTOCOL.md §7).
 * Checks only the head of an envelope, and does not search for blocks in other text: see scan.ts.
 */
import { PawlError } from '../errors.ts';
import { Reader, toBase64 } from '../primitives/index.ts';
import { corrupt, ENVELOPE_HEAD_LENGTH, MAX_REST, readHead } from './head.ts';

/** The labels of the two kinds of block. */
export const LABELS = ['MESSAGE', 'INVITE'] as const;
export type Label = (typeof LABELS)[number];

/** Characters per line: fewer than the 72 to 78 at which mail programs break lines, so that quoting fits. */
export const COLUMNS = 64;
const LINE = new RegExp(`.{1,${COLUMNS}}`, 'g');

export function beginLine(label: Label): string {
  return `-----BEGIN PAWL ${label}-----`;
}

function endLine(label: Label): string {
  return `-----END PAWL ${label}-----`;
}

/**
 * Encodes an envelope as a block for pasting: standard base64 in 64 columns between a BEGIN and an END line that name
 * the kind, with a newline at the end.
 * @param envelope as `encodeEnvelope` returns it; only its head is read.
 * @throws `corrupt`, `unknown-version`, `too-large` when its head is invalid.
 */
export function armor(envelope: Uint8Array): string {
  const { kind } = readHead(new Reader(envelope, corrupt));
  const label = kind === 'invite' ? 'INVITE' : 'MESSAGE';
  const lines = toBase64(envelope).match(LINE) ?? [];
  return [beginLine(label), ...lines, endLine(label), ''].join('\n');
}

/** The length in characters of what {@link armor} makes of a message of so many bytes. */
export function armoredLength(bytes: number): number {
  const base64 = 4 * Math.ceil(bytes / 3);
  const lines = Math.ceil(base64 / COLUMNS);
  return beginLine('MESSAGE').length + base64 + lines + endLine('MESSAGE').length + 2;
}

/**
 * Decodes one canonical block, which is exactly what {@link armor} returns. Only the envelope's head is checked.
 * `scan` finds blocks in other text.
 * @throws `corrupt` for any other text; also `unknown-version` and `too-large` when the envelope's head is invalid.
 */
export function dearmor(block: string): Uint8Array {
  const base64 = block.slice(block.indexOf('\n') + 1, block.lastIndexOf('\n-----END'));
  const envelope = new Uint8Array(Buffer.from(base64, 'base64'));
  // Node's decoder ignores invalid characters. Comparing with the canonical block checks alphabet, columns, padding,
  // spare bits, labels and newlines at once.
  if (armor(envelope) !== block) throw new PawlError('corrupt', { what: 'armored block' });
  return envelope;
}

const QUOTING = /^[\s>]+/;
const BASE64 = new RegExp(`^[A-Za-z0-9+/=]{1,${COLUMNS}}$`);
/** Base64 lines of the largest envelope. */
const MAX_LINES = Math.ceil((Math.ceil((ENVELOPE_HEAD_LENGTH + MAX_REST) / 3) * 4) / COLUMNS);

/** Reads the lines of one armored block, which mail programs may have indented or quoted. */
export class Block {
  readonly #label: Label;
  readonly #base64: string[] = [];

  constructor(label: Label) {
    this.#label = label;
  }

  /**
   * Reads the next line after the BEGIN line, with blanks and quoting around it. Lines beyond the longest block are not
   * kept.
   * @returns at the END line, the envelope or the error of `dearmor`; `'more'` after any other valid line; `undefined`
   * for a line that cannot be part of a block.
   */
  take(line: string): { readonly bytes: Uint8Array } | { readonly error: PawlError } | 'more' | undefined {
    const content = line.replace(QUOTING, '').trimEnd();
    if (content === '') return 'more';
    if (content === endLine(this.#label)) return this.#end(content);
    // Only the last base64 line may be short.
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
