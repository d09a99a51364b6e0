import { fromUtf8, toBase64, toHex } from '../../primitives/index.ts';
import type { Delivery, Notice, Outcome } from '../../session/index.ts';
import { explain, FORKS } from '../explain.ts';
import type { Shell } from '../shell.ts';
import type { Document } from '../tell.ts';
import { instant } from './time.ts';
import { visible } from './visible.ts';

export function isText(bytes: Uint8Array): boolean {
  return fromUtf8(bytes)?.includes('\0') === false;
}

/** A text for a terminal: who and when in front, and nothing in it that acts on the terminal. */
export function forTerminal({ from, verified, again, late, content }: Delivery): string {
  const remarks = [
    !verified && 'unverified',
    late && 'late',
    again && 'again',
    content.type === 'file' && `file ${content.name}`,
  ].filter(Boolean);
  const head = `${from}, ${instant(content.sentAt)}${remarks.length > 0 ? ` (${remarks.join(', ')})` : ''}:`;
  const text = fromUtf8(content.bytes) ?? '';
  return visible(`${head}\n${text}${text.endsWith('\n') ? '' : '\n'}`);
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
    sent_at: new Date(content.sentAt).toISOString(),
    ...(content.type === 'file' && { file: content.name }),
    ...(withContent && (text === undefined ? { base64: toBase64(content.bytes) } : { text })),
  };
}

/** Says what became of an envelope that gave no text; gives the exit code. */
export async function tellOutcome({ tell }: Shell, outcome: Exclude<Outcome, Delivery>): Promise<number> {
  const { type, from, source } = outcome;
  switch (type) {
    case 'duplicate':
    case 'too-late': {
      const { id, n } = outcome;
      if (tell.json) await tell.result('', { type, from, id: toHex(id), n, source });
      else if (type === 'duplicate')
        await tell.notice(`${source}: message ${n} of ${from} came before; it is not shown again`);
      else await tell.warn(`${source}: message ${n} of ${from} came too late: its key is gone`);
      return 0;
    }
    case 'refused': {
      const { error } = outcome;
      if (!tell.json) return tell.error(error, from === undefined ? source : `${source}, from ${from}`);
      const { message, hint, exit } = explain(error);
      await tell.result('', { type, code: error.code, source, from, message, hint });
      return exit;
    }
  }
}

export async function tellNotices({ tell }: Shell, { from, notices }: Delivery): Promise<void> {
  for (const notice of notices) {
    if (notice.kind === 'fork') await tell.warn(sentenceOf(notice, from));
    else await tell.notice(sentenceOf(notice, from));
  }
}

function sentenceOf(notice: Notice, from: string): string {
  switch (notice.kind) {
    case 'new-contact':
      return `${notice.name} is new: ${notice.fingerprint}, by your invite of ${instant(notice.invitedAt)}; unverified until you compare safety numbers (pawl inspect ${notice.name})`;
    case 'known-as':
      return `the invite for ${notice.invitedAs} was used by somebody who is known already, and stays ${notice.name}`;
    case 'new-session':
      return `${from} opened another session, by your invite of ${instant(notice.invitedAt)}: as after a lost or restored identity file`;
    case 'lost':
      return `${notice.count} messages of ${from} are missing, and their keys are gone`;
    case 'fork':
      return `the messages of ${from} contradict each other (${FORKS[notice.reason]}): one of the two identity files was copied, restored from a backup, or is in other hands; compare safety numbers, then exchange a new invite`;
  }
}
