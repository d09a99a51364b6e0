import { NONCE_LENGTH, TAG_LENGTH } from '../primitives/index.ts';
import { HEAD_LENGTH as CONTENT_HEAD_LENGTH } from './content.ts';
import { type Envelope, encodeEnvelope } from './envelope.ts';
import { type KemField, kemFieldOf } from './head.ts';

/** What a message shows to anybody who sees its envelope (docs/PROTOCOL.md §7). */
export interface MessageView {
  readonly kind: 'opening' | 'message';
  /** Bytes of the envelope. */
  readonly length: number;
  /** Bytes that the content was padded to, */
  readonly padded: number;
  /** and the most that a text in it can have. */
  readonly longestText: number;
  readonly kem: KemField;
}

export function viewMessage(envelope: Exclude<Envelope, { kind: 'invite' }>): MessageView {
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
