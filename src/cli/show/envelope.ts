/**
 * What anybody can learn from an envelope without a key, as a page and as JSON.
 * Decrypts nothing, and knows nothing of the identity.
 */
import {
  type Envelope,
  type MessageView,
  partLength,
  partSizeOf,
  type SealedPart,
  viewMessage,
} from '../../envelope/index.ts';
import { viewInvite } from '../../session/index.ts';
import { type Fact, facts, instant, iso } from '../terminal/format.ts';
import type { Document } from '../terminal/reporter.ts';

/** @param source where the envelope was found. */
export function envelopePage(source: string, envelope: Envelope): string {
  return facts([['envelope', source], ...factsOf(envelope)]);
}

function factsOf(envelope: Envelope): readonly Fact[] {
  switch (envelope.kind) {
    case 'invite':
      return inviteFacts(envelope.invite);
    case 'part':
      return partFacts(envelope.part);
    default:
      return messageFacts(viewMessage(envelope));
  }
}

function partFacts(part: SealedPart): readonly Fact[] {
  return [
    ['kind', 'a part of a large content'],
    [
      'seen',
      `${partLength(partSizeOf(part))} bytes that are pawl's, version 1`,
      `at most ${partSizeOf(part)} bytes of data, padded to as many`,
    ],
    ['hidden', 'from whom, to whom, of which content, which part of it, and what'],
    ['not hidden', 'the channel, and how many parts go over it: about how large the content is'],
  ];
}

function inviteFacts(bytes: Uint8Array): readonly Fact[] {
  const { fingerprint, reusable, expiresAt } = viewInvite(bytes);
  return [
    ['kind', reusable ? 'a reusable invite' : 'an invite, to be used once'],
    ['from', fingerprint],
    ['expires', instant(expiresAt)],
    ['signature', 'good'],
    ['hidden', 'nothing: whoever has it can write to its maker, and an invite for one goes to the first'],
  ];
}

function messageFacts({ kind, length, padded, longestText, kem }: MessageView): readonly Fact[] {
  return [
    ['kind', kind === 'opening' ? 'a message that opens a conversation' : 'a message'],
    [
      'seen',
      `${length} bytes that are pawl's, version 1`,
      `a text of at most ${longestText} bytes, padded to ${padded}`,
      ...KEM_WORDS[kem],
      ...(kind === 'opening' ? ['the same 1,208 bytes in each message before the first answer'] : []),
    ],
    ['hidden', 'from whom, to whom, which conversation, which position, what and when'],
    ['not hidden', 'the channel: who hands it over to whom, and when'],
  ];
}

const KEM_WORDS: Readonly<Record<MessageView['kem'], readonly string[]>> = {
  none: [],
  offer: ['a post-quantum key is offered'],
  answer: ['a post-quantum key is answered'],
};

/** @param source where the envelope was found. */
export function envelopeDocument(source: string, envelope: Envelope): Document {
  const type = 'envelope';
  if (envelope.kind === 'invite') {
    const { fingerprint, reusable, expiresAt } = viewInvite(envelope.invite);
    return { type, source, kind: 'invite', fingerprint, reusable, expires_at: iso(expiresAt) };
  }
  if (envelope.kind === 'part') {
    const size = partSizeOf(envelope.part);
    return { type, source, kind: 'part', bytes: partLength(size), part_size: size };
  }
  const { kind, length, padded, longestText, kem } = viewMessage(envelope);
  return { type, source, kind, bytes: length, padded, longest_text: longestText, kem };
}
