/**
 * Encodes, seals and opens message headers (Double Ratchet §4; docs/PROTOCOL.md §5).
 * Knows nothing of a session's state: callers choose the header key.
 */
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

/** A message header before sealing: 40 bytes, dh || n || pn (docs/PROTOCOL.md §5), and a KEM field (§6). */
export interface Header {
  /** The sender's ratchet key. */
  readonly dh: X25519PublicKey;
  /** The message's position in its chain. */
  readonly n: number;
  /** The length of the sender's chain before this one. */
  readonly pn: number;
  /** The KEM field of the chain, if it has one. Its length distinguishes an offer from an answer. */
  readonly kem?: ReceivedKemField;
}

export function encodeHeader(header: Header): Uint8Array {
  return concat(header.dh, uint(header.n, 4), uint(header.pn, 4), bytesOf(header.kem));
}

/**
 * Decodes what {@link encodeHeader} encoded.
 * @param bytes 40 bytes, then nothing, an encapsulation key or a ciphertext.
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
  /** 16 bytes: the digest of the body that the header belongs to, and the message's id on both sides. */
  readonly digest: Uint8Array;
}

/**
 * Seals a header under a chain's header key, and binds it to its body. The nonce is the salt and its find tag.
 * @param associatedData the session's transcript, 32 bytes.
 * @param salt 16 bytes, different for each header that a header key seals: see `hedgedNonces`.
 * @returns the message, and its digest of 16 bytes.
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

/** Whether a message's find tag belongs to `find`. Costs one HMAC; a false positive has probability 2^-64. */
export function isSealedFor(find: FindKey, message: SealedMessage): boolean {
  return equal(findTag(find, message.headerNonce.slice(0, SALT_LENGTH)), message.headerNonce.subarray(SALT_LENGTH));
}

/**
 * Opens a sealed header and compares its digest with the body.
 * @returns `undefined` when the header does not authenticate or belongs to another body.
 * @throws `corrupt`, `weak-key` as `decodeHeader` does for a header that authenticates but is malformed.
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

/** A sealed message. An envelope carries it (docs/PROTOCOL.md §7). */
export interface SealedMessage {
  /** 24 bytes: the salt (16) || the find tag (8). */
  readonly headerNonce: Uint8Array;
  /** Encrypted header || encrypted digest of `body` (16) || tag (16): 72 bytes, or more with a KEM field. */
  readonly sealedHeader: Uint8Array;
  /** 12-byte nonce || ciphertext || 16-byte tag. */
  readonly body: Uint8Array;
}
