/**
 * Armored blocks: envelopes as base64 text between a BEGIN and an END line (docs/PROTOCOL.md §7).
 * Checks only the head of an envelope, and does not search for blocks in other text: see scan.ts.
 */
import { PawlError } from '../errors.ts';
import { Reader, toBase64 } from '../primitives/index.ts';
import { corrupt, readHead } from './head.ts';

/** The labels of the two kinds of block. */
export const LABELS = ['MESSAGE', 'INVITE'] as const;
export type Label = (typeof LABELS)[number];

/** Characters per line: fewer than the 72 to 78 at which mail programs break lines, so that quoting fits. */
const COLUMNS = 64;
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
  const lines = toBase64(envelope).match(LINE) ?? [];
  const label = labelOf(envelope);
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

/**
 * Decodes what a canonical block of this label has in its lines, joined: as strict as {@link dearmor}, without the lines.
 * @throws as {@link dearmor}.
 */
export function dearmorLines(label: Label, base64: string): Uint8Array {
  const { buffer, byteOffset, length } = Buffer.from(base64, 'base64');
  const envelope = new Uint8Array(buffer, byteOffset, length);
  if (labelOf(envelope) !== label || toBase64(envelope) !== base64) {
    throw new PawlError('corrupt', { what: 'armored block' });
  }
  return envelope;
}

function labelOf(envelope: Uint8Array): Label {
  const { kind } = readHead(new Reader(envelope, corrupt));
  return kind === 'invite' ? 'INVITE' : 'MESSAGE';
}
