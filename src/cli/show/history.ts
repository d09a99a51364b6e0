/**
 * The setting of the history, and the texts it keeps, as lines and as JSON.
 * Knows nothing of how they are stored.
 */
import { toHex } from '../../primitives/index.ts';
import { DAY, type HistoryReport, type Logged, SECOND } from '../../session/index.ts';
import {
  bytesInWords,
  count,
  escapeInLine,
  instant,
  iso,
  textLines,
  timeSpanOf,
  withRemarks,
} from '../terminal/format.ts';
import type { Document } from '../terminal/reporter.ts';

/** Shown whenever the history is switched on. */
export const HISTORY_WARNING = 'whoever has this file and its passphrase or key reads the texts that are kept, too';

/** The setting, since when it holds, and the number of kept texts, in one line. */
export function historyWords(report: HistoryReport): string {
  if (!report.on) return 'off';
  const { maxAge, since, texts, first } = report;
  const setting = `${maxAge === undefined ? 'on' : `${timeSpanOf(maxAge)}, on`} since ${instant(since)}`;
  return first === undefined
    ? `${setting}, no texts yet`
    : `${setting}, ${count(texts, 'text')} from ${instant(first)} on`;
}

/** The fields of the setting in the JSON output. `kept_for` is in seconds. */
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

/** Milliseconds between sending and receiving from which on both times are shown. Clocks differ, and delivery takes time. */
const NOTABLE_DELAY = DAY / 24;

/**
 * A kept text as `recv` shows it: a heading with contact and time, then its lines, indented. What a terminal would act on
 * is escaped, in a pipe as well: what reads it is a terminal in the end (`pawl log | tail`).
 */
export function logLines({ direction, contact, at, sentAt, content }: Logged): readonly string[] {
  const remarks = [
    Math.abs(at - sentAt) >= NOTABLE_DELAY && `sent ${instant(sentAt)}`,
    content.kind === 'file' && `file ${escapeInLine(content.name)}, ${bytesInWords(content.length)}`,
    content.kind === 'bytes' && `${bytesInWords(content.length)}, not kept`,
  ];
  const who = direction === 'sent' ? `to ${contact}` : contact;
  const head = withRemarks(`${who}, ${instant(at)}`, remarks);
  return content.kind === 'text' ? [`${head}:`, ...textLines(content.text)] : [head];
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
