import { fromUtf8, toBase64, toHex } from '../../../primitives/index.ts';
import type { Delivery, Notice, Outcome } from '../../../session/index.ts';
import type { Shell } from '../../context.ts';
import { explain, FORKS } from '../../terminal/error-messages.ts';
import { bytesInWords, instant, iso, setOff, visible, withRemarks } from '../../terminal/format.ts';
import type { Document } from '../../terminal/reporter.ts';
import type { Saved } from './save-file.ts';

/** Says what became of an envelope that gave no text; gives the exit code. */
export async function tellOutcome({ tell }: Shell, outcome: Exclude<Outcome, Delivery>): Promise<number> {
  const { type, from, source } = outcome;
  switch (type) {
    case 'duplicate':
    case 'too-late': {
      const { id, n } = outcome;
      if (tell.json) await tell.document({ type, from, id: toHex(id), n, source });
      else if (type === 'duplicate') await tell.notice(`${source}: message ${n} of ${from} was received before`);
      else await tell.warn(`${source}: message ${n} of ${from} came too late: its key is gone`);
      return 0;
    }
    case 'forgotten':
      if (tell.json) await tell.document({ type: 'duplicate', source });
      else
        await tell.notice(`${source}: this conversation was opened here before, and forgotten; it is not opened again`);
      return 0;
    case 'refused': {
      const { error } = outcome;
      const { message, hint, exit } = explain(error);
      if (tell.json) await tell.document({ type, code: error.code, source, from, message, hint });
      else if (exit === 0) await tell.notice(`${source}: ${message}`);
      else await tell.error(error, from === undefined ? source : `${source}, from ${from}`);
      return exit;
    }
  }
}

/** Says what should be known beside a text. */
export async function tellNotices({ io, tell }: Shell, { from, again, notices }: Delivery): Promise<void> {
  if (again && !tell.json && !io.output.isTerminal) await tell.notice(`this text of ${from} may have come before`);
  for (const notice of notices) {
    if (notice.kind === 'fork') await tell.warn(sentenceOf(notice, from));
    else await tell.notice(sentenceOf(notice, from));
  }
}

/** Says where a file is. */
export async function tellSaved({ tell }: Shell, { from, content }: Delivery, saved: Saved): Promise<void> {
  const size = bytesInWords(content.bytes.length);
  const called = saved.called === undefined ? '' : `, who calls it ${saved.called}`;
  const sentence =
    saved.how === 'put'
      ? `wrote ${saved.path} (${size}) from ${from}`
      : `${saved.path} (${size}) from ${from} is there already`;
  await tell.notice(sentence + called);
}

function sentenceOf(notice: Notice, from: string): string {
  switch (notice.kind) {
    case 'new-contact':
      return `${notice.name} is new: ${notice.fingerprint}, by your invite of ${instant(notice.invitedAt)}; unverified until you compare safety numbers (pawl verify ${notice.name})`;
    case 'known-as':
      return `the invite for ${notice.invitedAs} was used by somebody who is known already, and stays ${notice.name}`;
    case 'new-session':
      return `${from} opened another session, by your invite of ${instant(notice.invitedAt)}: you both opened at once, or their identity file was lost or restored`;
    case 'lost':
      return `${notice.count} messages of ${from} are missing, and their keys are gone`;
    case 'fork':
      return `the messages of ${from} contradict each other (${FORKS[notice.reason]}): one of the two identity files was copied, restored from a backup, or is in other hands; compare safety numbers (pawl verify ${from}), then exchange a new invite`;
  }
}

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
