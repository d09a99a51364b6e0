import { type HistoryReport, SECOND } from '../../session/index.ts';
import { count } from './page.ts';
import { instant, iso, timeSpanOf } from './time.ts';

/** What is given up by keeping texts. */
export const WHO_READS_IT = 'whoever has this file and its passphrase or key reads the texts that are kept, too';

/** Whether texts are kept, for how long and since when, and how many there are. */
export function historyWords(report: HistoryReport): string {
  if (!report.on) return 'off';
  const { keptFor, since, texts, first } = report;
  const setting = `${keptFor === undefined ? 'on' : `${timeSpanOf(keptFor)}, on`} since ${instant(since)}`;
  return first === undefined
    ? `${setting}, no texts yet`
    : `${setting}, ${count(texts, 'text')} from ${instant(first)} on`;
}

/** What the JSON contract says of it. `kept_for` is in seconds. */
export function historyFields(report: HistoryReport) {
  const { since, keptFor, texts, first } = report.on
    ? report
    : { since: undefined, keptFor: undefined, texts: 0, first: undefined };
  return {
    on: report.on,
    since: since === undefined ? null : iso(since),
    kept_for: keptFor === undefined ? null : keptFor / SECOND,
    texts,
    first_at: first === undefined ? null : iso(first),
  };
}
