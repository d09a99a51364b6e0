/**
 * Encodes and decodes envelopes, and describes what an envelope reveals without keys (docs/PROTOCOL.md §7).
 * Does not read what is inside an invite or the prefix of an opening: see handshake.
 */
import { concat, NONCE_LENGTH, Reader, TAG_LENGTH, uint, XNONCE_LENGTH } from '../primitives/index.ts';
import type { SealedMessage } from '../ratchet/index.ts';
import { CONTENT_HEAD_LENGTH } from './content.ts';
import {
  corrupt,
  ENVELOPE_HEAD_LENGTH,
  headBefore,
  isBodyLength,
  isSealedHeaderLength,
  type KemField,
  kemFieldOf,
  PART_FIELDS_LENGTH,
  PART_SALT_LENGTH,
  PART_TAG_LENGTH,
  PREFIX_LENGTH,
  partLength,
  readHead,
  withHead,
} from './head.ts';

/** A sealed part of a content (docs/PROTOCOL.md §7.1). */
export interface SealedPart {
  /** 16 bytes. */
  readonly salt: Uint8Array;
  /** 8 bytes. */
  readonly tag: Uint8Array;
  /** Ciphertext || tag: 57 bytes more than the part size of its content. */
  readonly sealed: Uint8Array;
}

/** The unit of transport: an invite, a message with or without the prefix that opens a session, a part of a content. */
export type Envelope =
  | {
      readonly kind: 'opening';
      /** 1,208 bytes (docs/PROTOCOL.md §4). */
      readonly prefix: Uint8Array;
      readonly message: SealedMessage;
    }
  | { readonly kind: 'message'; readonly message: SealedMessage }
  | { readonly kind: 'part'; readonly part: SealedPart }
  | {
      readonly kind: 'invite';
      /** 1,321 bytes (docs/PROTOCOL.md §3). */
      readonly invite: Uint8Array;
    };

/** An envelope of the ratchet. */
export type MessageEnvelope = Extract<Envelope, { readonly message: SealedMessage }>;

/**
 * Encodes `"pawl"` (4) || version (1) || kind (1) || length of the rest (4) || rest. The rest of a message is
 * [prefix 1208] || header nonce 24 || sealed header length (2) || sealed header || body; that of a part is salt 16 ||
 * tag 8 || sealed. Lengths of fields are not checked here; {@link decodeEnvelope} checks them.
 */
export function encodeEnvelope(envelope: Envelope): Uint8Array {
  switch (envelope.kind) {
    case 'opening':
      return withHead(envelope.kind, envelope.prefix, ...messageParts(envelope.message));
    case 'message':
      return withHead(envelope.kind, ...messageParts(envelope.message));
    case 'part': {
      const { salt, tag, sealed } = envelope.part;
      return withHead(envelope.kind, salt, tag, sealed);
    }
    case 'invite':
      return withHead(envelope.kind, envelope.invite);
  }
}

/**
 * Decodes exactly one envelope, strictly. The fields that it returns are copies, except what is sealed of a part.
 * @throws `unknown-version` for a version other than 1; `too-large` for a rest over 17 MiB, before memory of that
 * length is allocated; `corrupt` for any other invalid input.
 */
export function decodeEnvelope(bytes: Uint8Array): Envelope {
  const reader = new Reader(bytes, corrupt);
  const { kind, length } = readHead(reader);
  if (length !== reader.left) corrupt();
  switch (kind) {
    case 'opening':
      return { kind, prefix: reader.take(PREFIX_LENGTH), message: readMessage(reader) };
    case 'message':
      return { kind, message: readMessage(reader) };
    case 'part':
      return {
        kind,
        // A view: there are thousands of them, each of which is let go before the next one is opened.
        part: {
          salt: reader.take(PART_SALT_LENGTH),
          tag: reader.take(PART_TAG_LENGTH),
          sealed: bytes.subarray(ENVELOPE_HEAD_LENGTH + PART_SALT_LENGTH + PART_TAG_LENGTH),
        },
      };
    case 'invite':
      return { kind, invite: reader.rest() };
  }
}

/**
 * The bytes of the envelope of a part in front of what is sealed: 34. They are the associated data of the part.
 * @param partSize of its content.
 */
export function partHead({ salt, tag }: Pick<SealedPart, 'salt' | 'tag'>, partSize: number): Uint8Array {
  return concat(headBefore('part', partLength(partSize) - ENVELOPE_HEAD_LENGTH), salt, tag);
}

/** The bytes of data that a sealed part may have: the part size of its content. */
export function partSizeOf({ sealed }: Pick<SealedPart, 'sealed'>): number {
  return sealed.length - PART_FIELDS_LENGTH - TAG_LENGTH;
}

function messageParts({ headerNonce, sealedHeader, body }: SealedMessage): Uint8Array[] {
  return [headerNonce, uint(sealedHeader.length, 2), sealedHeader, body];
}

function readMessage(reader: Reader): SealedMessage {
  const headerNonce = reader.take(XNONCE_LENGTH);
  const headerLength = reader.uint(2);
  if (!isSealedHeaderLength(headerLength)) corrupt();
  const sealedHeader = reader.take(headerLength);
  const body = reader.rest();
  if (!isBodyLength(body.length)) corrupt();
  return { headerNonce, sealedHeader, body };
}

/** What an envelope reveals about its message without any key (docs/PROTOCOL.md §7). */
export interface MessageView {
  readonly kind: 'opening' | 'message';
  /** Length of the envelope in bytes. */
  readonly length: number;
  /** Length of the padded content in bytes. */
  readonly padded: number;
  /** The longest text that fits, in bytes. */
  readonly longestText: number;
  readonly kem: KemField;
}

export function viewMessage(envelope: MessageEnvelope): MessageView {
  const { kind, message } = envelope;
  const padded = message.body.length - NONCE_LENGTH - TAG_LENGTH;
  return {
    kind,
    length: encodeEnvelope(envelope).length,
    padded,
    longestText: padded - CONTENT_HEAD_LENGTH,
    kem: kemFieldOf(message.sealedHeader),
  };
}
