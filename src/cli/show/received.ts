import { fromUtf8, toBase64, toHex } from '../../primitives/index.ts';
import type { Delivery } from '../../session/index.ts';
import type { Document } from '../tell.ts';
import { setOff, withRemarks } from './page.ts';
import { instant, iso } from './time.ts';
import { visible } from './visible.ts';

/**
 * A text for a terminal: who and when in front, its lines set off so that none of them can pose as another's message, and
 * nothing in it that acts on the terminal.
 */
export function forTerminal({ from, verified, again, late, content }: Delivery): string {
  const remarks = [!verified && 'unverified', late && 'late', again && 'again'];
  const head = withRemarks(`${from}, ${instant(content.sentAt)}`, remarks);
  return visible([`${head}:`, ...setOff(fromUtf8(content.bytes) ?? ''), ''].join('\n'));
}

/** A text as the JSON contract has it; `withContent` is false where the text itself went to a file. */
export function documentOf(delivery: Delivery, withContent = true): Document {
  const { from, verified, id, n, late, again, content } = delivery;
  const text = fromUtf8(content.bytes);
  return {
    type: 'message',
    from,
    verified,
    id: toHex(id),
    n,
    late,
    ...(again && { again }),
    sent_at: iso(content.sentAt),
    ...(content.type === 'file' && { file: content.name }),
    ...(withContent && (text === undefined ? { base64: toBase64(content.bytes) } : { text })),
  };
}
