import type { Envelope } from '../../envelope/index.ts';
import { type InviteView, viewInvite } from '../../session/index.ts';
import type { Document } from '../tell.ts';
import { facts } from './page.ts';
import { instant, iso } from './time.ts';

/** What an envelope shows to anybody who sees it. */
export function envelopePage(source: string, envelope: Envelope): string {
  if (envelope.kind === 'invite') {
    const invite = viewInvite(envelope.invite);
    return facts([
      ['envelope', source],
      ['kind', invite.reusable ? 'a reusable invite' : 'an invite, to be used once'],
      ['from', invite.fingerprint],
      ['expires', instant(invite.expires * 1_000)],
      ['signature', 'good'],
    ]);
  }
  return facts([
    ['envelope', source],
    ['kind', envelope.kind === 'opening' ? 'a message that opens a conversation' : 'a message'],
    ['text', `padded to ${paddedLength(envelope)} bytes`],
    ['hidden', 'from whom, to whom, which conversation, which position, what and when'],
  ]);
}

export function envelopeDocument(source: string, envelope: Envelope): Document {
  const type = 'envelope';
  if (envelope.kind !== 'invite') return { type, source, kind: envelope.kind, padded: paddedLength(envelope) };
  const { fingerprint, reusable, expires }: InviteView = viewInvite(envelope.invite);
  return { type, source, kind: 'invite', fingerprint, reusable, expires_at: iso(expires * 1_000) };
}

function paddedLength({ message }: Exclude<Envelope, { kind: 'invite' }>): number {
  return message.body.length - 28;
}
