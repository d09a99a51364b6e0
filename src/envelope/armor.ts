import { PawlError } from '../errors.ts';
import { Reader, toBase64 } from '../primitives/index.ts';
import { corrupt, readHead } from './head.ts';

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
