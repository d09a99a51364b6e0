import { toHex } from '../../primitives/index.ts';
import { DAY, type Logged } from '../../session/index.ts';
import type { Document } from '../tell.ts';
import { bytesInWords, setOff, withRemarks } from './page.ts';
import { instant, iso } from './time.ts';

/** A message is on its way for a while, and two clocks never agree: a smaller difference is not worth a word. */
const LONG_UNDERWAY = DAY / 24;

/** As `recv` shows a text: who and when in front, its lines set off so that none of them can pose as another's message. */
export function logLines({ direction, contact, at, sentAt, content }: Logged): readonly string[] {
  const remarks = [
    Math.abs(at - sentAt) >= LONG_UNDERWAY && `sent ${instant(sentAt)}`,
    content.kind === 'file' && `file ${content.name}, ${bytesInWords(content.length)}`,
    content.kind === 'bytes' && `${bytesInWords(content.length)}, not kept`,
  ];
  const who = direction === 'sent' ? `to ${contact}` : contact;
  const head = withRemarks(`${who}, ${instant(at)}`, remarks);
  return content.kind === 'text' ? [`${head}:`, ...setOff(content.text)] : [head];
}

export function logDocument({ direction, contact, messageId, n, at, sentAt, content }: Logged): Document {
  return {
    type: 'logged',
    direction,
    contact,
    id: toHex(messageId),
    n,
    at: iso(at),
    sent_at: iso(sentAt),
    ...(content.kind === 'text' && { text: content.text }),
    ...(content.kind === 'file' && { file: content.name }),
    ...(content.kind !== 'text' && { bytes: content.length }),
  };
}
