import { concat, digest, equal, hmacSha256, xopen, xseal } from '../primitives/index.ts';
import { SALT_LENGTH } from './body.ts';
import { decodeHeader, encodeHeader, type Header } from './header.ts';
import type { FindKey, HeaderKeys } from './keys.ts';
import type { SealedMessage } from './sealed-message.ts';

const DIGEST_LENGTH = 16;
const TAG_LENGTH = 8;

/** A header that authenticated under one of the session's header keys. */
export interface OpenedHeader {
  readonly header: Header;
  /** 16 bytes: binds the header to one body, and is the message's id on both sides. */
  readonly digest: Uint8Array;
}

/**
 * Seals a header under a chain's header key and binds it to its body (Double Ratchet §4; docs/PROTOCOL.md §5).
 * The nonce is 16 bytes that look random, since a header key seals a whole chain, and the find tag of them. They are
 * hedged as a body's nonce is: if the random source repeats itself, two headers still never share one.
 */
export function sealHeader(
  keys: HeaderKeys,
  header: Header,
  body: Uint8Array,
  associatedData: Uint8Array,
  salt: Uint8Array,
): { message: SealedMessage; digest: Uint8Array } {
  const id = digest(DIGEST_LENGTH, body);
  const plaintext = concat(encodeHeader(header), id);
  const headerNonce = concat(salt, findTag(keys.find, salt));
  const sealedHeader = xseal(keys.header, headerNonce, plaintext, associatedData);
  return { message: { headerNonce, sealedHeader, body }, digest: id };
}

/** Whether a message was sealed under the header key of `find`: a cheap answer, wrong once in 2^64 times. */
export function isSealedFor(find: FindKey, message: SealedMessage): boolean {
  return equal(findTag(find, message.headerNonce.slice(0, SALT_LENGTH)), message.headerNonce.subarray(SALT_LENGTH));
}

/**
 * Opens a sealed header and holds it against the body, before any key is derived.
 * @returns `undefined` when the header does not authenticate or belongs to another body.
 * @throws `corrupt`, `weak-key`: what `decodeHeader` throws for an authentic header that is malformed.
 */
export function openHeader(
  keys: HeaderKeys,
  message: SealedMessage,
  associatedData: Uint8Array,
): OpenedHeader | undefined {
  const opened = xopen(keys.header, message.headerNonce, message.sealedHeader, associatedData);
  if (opened === undefined) return undefined;
  const end = opened.length - DIGEST_LENGTH;
  const id = opened.slice(end);
  if (!equal(id, digest(DIGEST_LENGTH, message.body))) return undefined;
  return { header: decodeHeader(opened.slice(0, end)), digest: id };
}

function findTag(find: FindKey, salt: Uint8Array): Uint8Array {
  return hmacSha256(find, salt).subarray(0, TAG_LENGTH);
}
