/**
 * The head of an envelope, and the lengths that the parts of an envelope may have (docs/PROTOCOL.md §7).
 * Does not read the rest of an envelope.
 */
import { PawlError } from '../errors.ts';
import {
  concat,
  ENCAPSULATION_KEY_LENGTH,
  fromUtf8,
  KEM_CIPHERTEXT_LENGTH,
  NONCE_LENGTH,
  type Reader,
  TAG_LENGTH,
  uint,
  utf8,
  XNONCE_LENGTH,
} from '../primitives/index.ts';
import { paddedLength } from './padding.ts';

export const MAGIC = 'pawl';
export const VERSION = 1;
const MAGIC_BYTES = utf8(MAGIC);
/** The kind byte of each kind of envelope. */
export const KINDS = { opening: 1, message: 2, part: 3, invite: 16 } as const;
export type Kind = keyof typeof KINDS;
const KIND_NAMES: ReadonlyMap<number | undefined, Kind> = new Map(
  Object.entries(KINDS).map(([kind, byte]) => [byte, kind as Kind]),
);

/** Length of the head: "pawl" (4) || version (1) || kind (1) || length of the rest (4). */
export const ENVELOPE_HEAD_LENGTH = 10;
/** 17 MiB: 16 MiB of content, at most half a MiB of padding, and the other fields. */
export const MAX_REST = 17 * 2 ** 20;

/** flags 1 || identity 32 || prekey 32 || KEM key 1184 || expiry 8 || signature 64 (docs/PROTOCOL.md §3) */
const INVITE_LENGTH = 1321;
/** ephemeral key 32 || KEM ciphertext 1088 || hint 32 || sender 56 (docs/PROTOCOL.md §4) */
export const PREFIX_LENGTH = 1208;
/** dh 32 || n 4 || pn 4 || digest 16 || tag (docs/PROTOCOL.md §5) */
const SEALED_HEADER_LENGTH = 56 + TAG_LENGTH;
/** salt 16 || tag 8 (docs/PROTOCOL.md §7.1) */
export const PART_SALT_LENGTH = 16;
export const PART_TAG_LENGTH = 8;
/** index 4 || last 1 || data length 4 || chain 32, in front of the data of a part. */
export const PART_FIELDS_LENGTH = 41;
/** The least and the most bytes of data that one part of a content has, and what pawl itself takes. */
export const PART_SIZES = { least: 2 ** 16, most: 2 ** 24, usual: 983_040 } as const;
/** What a part has beside its data and its padding. */
const PART_OVERHEAD = PART_SALT_LENGTH + PART_TAG_LENGTH + PART_FIELDS_LENGTH + TAG_LENGTH;
/** The KEM field of a sealed header by the header's length, which is its only mark (docs/PROTOCOL.md §6). */
const KEM_FIELDS: ReadonlyMap<number, KemField> = new Map([
  [SEALED_HEADER_LENGTH, 'none'],
  [SEALED_HEADER_LENGTH + ENCAPSULATION_KEY_LENGTH, 'offer'],
  [SEALED_HEADER_LENGTH + KEM_CIPHERTEXT_LENGTH, 'answer'],
]);
export type KemField = 'none' | 'offer' | 'answer';

/** The most bytes of the envelope of a message: its content is padded to so many. */
export function longestMessage(padded: number): number {
  const header = SEALED_HEADER_LENGTH + Math.max(ENCAPSULATION_KEY_LENGTH, KEM_CIPHERTEXT_LENGTH);
  return ENVELOPE_HEAD_LENGTH + PREFIX_LENGTH + XNONCE_LENGTH + 2 + header + NONCE_LENGTH + padded + TAG_LENGTH;
}

/** The bytes of the envelope of a part of a content. */
export function partLength(partSize: number): number {
  return ENVELOPE_HEAD_LENGTH + PART_OVERHEAD + partSize;
}

/** Joins the head of an envelope and the fields of its rest. */
export function withHead(kind: Kind, ...rest: readonly Uint8Array[]): Uint8Array {
  const length = rest.reduce((sum, field) => sum + field.length, 0);
  return concat(headBefore(kind, length), ...rest);
}

/** The head of an envelope whose rest has so many bytes. */
export function headBefore(kind: Kind, length: number): Uint8Array {
  return concat(MAGIC_BYTES, uint(VERSION, 1), uint(KINDS[kind], 1), uint(length, 4));
}

/**
 * Reads the 10 bytes at the front of every envelope. The caller checks whether the rest is complete. A length that no
 * envelope of the kind can have is refused, so that a damaged length seldom misleads a scan.
 * @returns the kind, and the length of the rest in bytes.
 * @throws `unknown-version`; `too-large` for a rest over 17 MiB; `corrupt` for any other invalid head.
 */
export function readHead(reader: Reader): { readonly kind: Kind; readonly length: number } {
  if (fromUtf8(reader.take(MAGIC.length)) !== MAGIC) corrupt();
  const version = reader.uint(1);
  if (version !== VERSION) throw new PawlError('unknown-version', { version });
  const kind = kindOf(reader.uint(1));
  const length = reader.uint(4);
  if (length > MAX_REST) throw new PawlError('too-large', { what: 'envelope', bytes: length, limit: MAX_REST });
  if (!isRestLength(kind, length)) corrupt();
  return { kind, length };
}

/**
 * The length that {@link readHead} returns of these bytes, or `undefined` where it throws: hostile input has a million
 * heads, and an error costs more than the search.
 */
export function restLength(bytes: Uint8Array): number | undefined {
  const [m0, m1, m2, m3, version, kindByte, l0 = 0, l1 = 0, l2 = 0, l3 = 0] = bytes;
  const kind = KIND_NAMES.get(kindByte);
  const isKnown = m0 === MAGIC_BYTES[0] && m1 === MAGIC_BYTES[1] && m2 === MAGIC_BYTES[2] && m3 === MAGIC_BYTES[3];
  if (!isKnown || version !== VERSION || kind === undefined || bytes.length < ENVELOPE_HEAD_LENGTH) return undefined;
  const length = ((l0 << 24) | (l1 << 16) | (l2 << 8) | l3) >>> 0;
  return length <= MAX_REST && isRestLength(kind, length) ? length : undefined;
}

export function isSealedHeaderLength(length: number): boolean {
  return KEM_FIELDS.has(length);
}

export function kemFieldOf({ length }: Uint8Array): KemField {
  return KEM_FIELDS.get(length) ?? corrupt();
}

/** Whether a body can have this length: nonce || ciphertext || tag, where the ciphertext has a padded length. */
export function isBodyLength(length: number): boolean {
  const padded = length - NONCE_LENGTH - TAG_LENGTH;
  return paddedLength(padded) === padded;
}

/** Whether the parts of a content may have so many bytes of data. */
export function isPartSize(size: number): boolean {
  return size >= PART_SIZES.least && size <= PART_SIZES.most;
}

export function corrupt(): never {
  throw new PawlError('corrupt', { what: 'envelope' });
}

function kindOf(byte: number): Kind {
  return KIND_NAMES.get(byte) ?? corrupt();
}

function isRestLength(kind: Kind, length: number): boolean {
  if (kind === 'invite') return length === INVITE_LENGTH;
  if (kind === 'part') return isPartSize(length - PART_OVERHEAD);
  const message = kind === 'opening' ? length - PREFIX_LENGTH : length;
  return [...KEM_FIELDS.keys()].some((header) => isBodyLength(message - XNONCE_LENGTH - 2 - header));
}
