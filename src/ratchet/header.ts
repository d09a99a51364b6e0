import { PawlError } from '../errors.ts';
import {
  concat,
  digest,
  ENCAPSULATION_KEY_LENGTH,
  equal,
  hmacSha256,
  KEM_CIPHERTEXT_LENGTH,
  type KemCiphertext,
  Reader,
  readPublicKey,
  uint,
  type X25519PublicKey,
  xopen,
  xseal,
} from '../primitives/index.ts';
import { SALT_LENGTH } from './body.ts';
import type { FindKey, HeaderKeys } from './kdf.ts';
import type { ReceivedKemField } from './rekeying.ts';

/** The header of a message in clear form: 40 bytes on the wire, dh || n || pn (docs/PROTOCOL.md §5), and a KEM field (§6). */
export interface Header {
  /** The sender's ratchet key. */
  readonly dh: X25519PublicKey;
  /** The message's position in its chain. */
  readonly n: number;
  /** The length of the sender's chain before this one. */
  readonly pn: number;
  /** Of a chain that has to do with an exchange of KEM keys; its length tells which field it is. */
  readonly kem?: ReceivedKemField;
}

export function encodeHeader(header: Header): Uint8Array {
  return concat(header.dh, uint(header.n, 4), uint(header.pn, 4), bytesOf(header.kem));
}

/**
 * @param bytes 40 bytes, and behind them nothing, an encapsulation key or a ciphertext.
 * @throws `corrupt` for any other length, `weak-key` for a ratchet key that `readPublicKey` refuses.
 */
export function decodeHeader(bytes: Uint8Array): Header {
  const reader = new Reader(bytes, () => {
    throw new PawlError('corrupt', { what: 'message header' });
  });
  const dh = reader.take(32);
  const n = reader.uint(4);
  const pn = reader.uint(4);
  const kem = readKemField(reader);
  reader.end();
  return { dh: readPublicKey(dh, 'ratchet key'), n, pn, ...(kem && { kem }) };
}

function readKemField(reader: Reader): ReceivedKemField | undefined {
  switch (reader.left) {
    case ENCAPSULATION_KEY_LENGTH:
      return { kind: 'offer', key: reader.rest() };
    case KEM_CIPHERTEXT_LENGTH:
      return { kind: 'answer', ciphertext: reader.rest() as KemCiphertext };
    default:
      return undefined;
  }
}

function bytesOf(field: ReceivedKemField | undefined): Uint8Array {
  if (field === undefined) return NOTHING;
  return field.kind === 'offer' ? field.key : field.ciphertext;
}

const NOTHING = new Uint8Array(0);

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
  { associatedData, salt }: { readonly associatedData: Uint8Array; readonly salt: Uint8Array },
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

/** A message as the ratchet hands it over; `envelope` gives it its place on the wire (docs/PROTOCOL.md §7). */
export interface SealedMessage {
  /** 24 bytes: 16 random ones and the 8 of the find tag. */
  readonly headerNonce: Uint8Array;
  /** The sealed header: header || 16-byte digest of `body` || 16-byte tag; 72 bytes, or more with a KEM field. */
  readonly sealedHeader: Uint8Array;
  /** 12-byte nonce || ciphertext || 16-byte tag. */
  readonly body: Uint8Array;
}
