import { toHex } from '../../primitives/index.ts';
import { DAY, type HistoryReport, type Logged, SECOND } from '../../session/index.ts';
import { bytesInWords, count, instant, iso, setOff, timeSpanOf, withRemarks } from '../terminal/format.ts';
import type { Document } from '../terminal/reporter.ts';

/** What is given up by keeping texts. */
export const WHO_READS_IT = 'whoever has this file and its passphrase or key reads the texts that are kept, too';

/** Whether texts are kept, for how long and since when, and how many there are. */
export function historyWords(report: HistoryReport): string {
  if (!report.on) return 'off';
  const { maxAge, since, texts, first } = report;
  const setting = `${maxAge === undefined ? 'on' : `${timeSpanOf(maxAge)}, on`} since ${instant(since)}`;
  return first === undefined
    ? `${setting}, no texts yet`
    : `${setting}, ${count(texts, 'text')} from ${instant(first)} on`;
}

/** What the JSON contract says of it. `kept_for` is in seconds. */
export function historyFields(report: HistoryReport) {
  const { since, maxAge, texts, first } = report.on
    ? report
    : { since: undefined, maxAge: undefined, texts: 0, first: undefined };
  return {
    on: report.on,
    since: since === undefined ? null : iso(since),
    kept_for: maxAge === undefined ? null : maxAge / SECOND,
    texts,
    first_at: first === undefined ? null : iso(first),
  };
}

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
