/**
 * What `recv` says: the texts themselves on a terminal and as JSON, and what became of everything else.
 * Writes no text itself.
 */
import { type ForkReason, isPawlError } from '../../../errors.ts';
import { fromUtf8, toBase64, toHex } from '../../../primitives/index.ts';
import type { Delivery, Notice, Outcome, Waiting } from '../../../session/index.ts';
import type { CommandContext } from '../../context.ts';
import { explain, FORKS } from '../../terminal/error-messages.ts';
import { bytesInWords, count, instant, iso, TEXT_INDENT, textLines, withRemarks } from '../../terminal/format.ts';
import type { Document } from '../../terminal/reporter.ts';
import { wrap } from '../../terminal/wrap.ts';
import type { Repeat } from './repeats.ts';
import type { Saved } from './save-file.ts';

/** The most waiting texts that are told one by one; `AT_LENGTH` where they are what was asked for. */
const FEW = 3;
const AT_LENGTH = 20;

/**
 * Reports an envelope that was refused, or whose content waits.
 * @returns its exit code.
 */
export async function reportOutcome(
  context: CommandContext,
  outcome: Exclude<Outcome, Delivery | Repeat>,
): Promise<number> {
  if (outcome.type === 'waiting') {
    await reportNotices(context, { ...outcome, again: false }, { hasHead: true });
    await reportWaiting(context, [outcome]);
    return 0;
  }
  if (outcome.type === 'announced') {
    await reportNotices(context, { ...outcome, again: false }, { hasHead: true });
    return 0;
  }
  const { reporter } = context;
  const { type, from, source, error } = outcome;
  const { message, hint, exit } = explain(error);
  const fork = isPawlError(error, 'fork') ? { fork: foundFork(error.detail) } : {};
  if (reporter.json) await reporter.document({ type, code: error.code, source, from, message, hint, ...fork });
  else if (exit === 0) await reporter.notice(`${source}: ${message}`);
  else await reporter.error(error, from === undefined ? source : `${source}, from ${from}`);
  return exit;
}

/**
 * Reports what the person should know beside a text, before the text.
 * @param options.hasHead whether the text comes with a head or as a document, which says itself that it comes again.
 */
export async function reportNotices(
  { reporter }: CommandContext,
  { from, again, notices }: Pick<Delivery, 'from' | 'again' | 'notices'>,
  { hasHead }: { readonly hasHead: boolean },
): Promise<void> {
  if (again && !hasHead) await reporter.notice(`this text of ${from} may have come before`);
  for (const notice of notices) {
    if (notice.kind === 'fork') await reporter.warn(noticeSentence(notice, from));
    else await reporter.notice(noticeSentence(notice, from));
  }
}

/** Reports what waits because a terminal cannot show it: a few one by one, many by their number and size. */
export async function reportWaiting(
  { reporter }: CommandContext,
  texts: readonly Pick<Waiting, 'from' | 'head'>[],
  { atLength = false } = {},
): Promise<void> {
  const files = texts.filter(({ head }) => head.kind === 'file');
  const others = texts.filter(({ head }) => head.kind !== 'file');
  for (const group of [files, others]) {
    const shown = atLength ? group.slice(0, AT_LENGTH) : group.length > FEW ? [] : group;
    for (const one of shown) await reporter.warn(waitsSentence(one));
    if (shown.length < group.length) await reporter.warn(allWaitSentence(group, { isFiles: group === files }));
  }
}

/** Reports what waits because the output is for what is in the input, even with `--quiet`: nothing else would tell it. */
export async function reportHeldBack(
  { reporter }: CommandContext,
  texts: readonly Pick<Waiting, 'from' | 'head'>[],
): Promise<void> {
  if (texts.length === 0) return;
  const isFile = texts.map(({ head }) => head.kind === 'file');
  const [one, many] = isFile.every(Boolean)
    ? ['earlier file', 'earlier files']
    : isFile.some(Boolean)
      ? ['', 'earlier texts and files']
      : ['earlier text', 'earlier texts'];
  const verb = texts.length === 1 ? 'waits' : 'wait';
  await reporter.warn(`${count(texts.length, one, many)} ${verb}: pawl recv --waiting`);
}

const TO_FOLDER = 'pawl recv --waiting --out-dir DIR';
const TO_FILE = 'pawl recv --waiting > FILE';

function waitsSentence({ from, head }: Pick<Waiting, 'from' | 'head'>): string {
  const size = bytesInWords(head.length);
  return head.kind === 'file'
    ? `the file ${head.name} (${size}) from ${from} waits: ${TO_FOLDER}`
    : head.kind === 'text'
      ? `a message from ${from} waits: pawl recv --waiting`
      : `a message from ${from} is no text (${size}): ${TO_FILE}`;
}

function allWaitSentence(texts: readonly Pick<Waiting, 'from' | 'head'>[], { isFiles }: { isFiles: boolean }): string {
  const size = bytesInWords(texts.reduce((total, { head }) => total + head.length, 0));
  const names = [...new Set(texts.map(({ from }) => from))];
  const all = names.length > FEW ? `${names.length} contacts` : names.join(', ');
  return isFiles
    ? `${texts.length} files (${size}) from ${all} wait: ${TO_FOLDER}`
    : `${texts.length} messages (${size}) from ${all} are no text: ${TO_FILE}`;
}

/** Reports where a received file was saved. */
export async function reportSaved(
  { reporter }: CommandContext,
  { from, content }: Delivery,
  saved: Saved,
): Promise<void> {
  const size = bytesInWords(content.bytes.length);
  const called = saved.originalName === undefined ? '' : `, who calls it ${saved.originalName}`;
  const sentence =
    saved.how === 'put'
      ? `wrote ${saved.path} (${size}) from ${from}`
      : `${saved.path} (${size}) from ${from} is there already`;
  await reporter.notice(sentence + called);
}

function noticeSentence(notice: Notice, from: string): string {
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
      return `the messages of ${from} contradict each other (${FORKS[notice.reason]}): one of the two identities was copied, restored from a backup, or is in other hands; compare safety numbers (pawl verify ${from}), then exchange a new invite`;
  }
}

/**
 * A text for a terminal: sender and time come first, its lines are indented and wrapped so that nothing of them can pose
 * as the head of another message, and control characters are replaced.
 * @param columns of the terminal.
 */
export function textForTerminal({ from, verified, again, late, content }: Delivery, columns: number): string {
  const remarks = [!verified && 'unverified', late && 'late', again && 'again'];
  const head = withRemarks(`${from}, ${instant(content.sentAt)}`, remarks);
  return wrap([`${head}:`, ...textLines(fromUtf8(content.bytes) ?? ''), ''].join('\n'), columns, TEXT_INDENT);
}

/**
 * A received text as the document of `recv --json`.
 * @param options.withContent `false` if the content went to a file.
 */
export function deliveryDocument(delivery: Delivery, { withContent = true } = {}): Document {
  const { from, verified, id, n, late, again, content, notices } = delivery;
  const fork = notices.find((notice) => notice.kind === 'fork');
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
    ...(fork !== undefined && { fork: foundFork(fork) }),
    ...(content.type === 'file' && { file: content.name }),
    ...(withContent && (text === undefined ? { base64: toBase64(content.bytes) } : { text })),
  };
}

/** A contradiction that was just found, in the JSON output. */
function foundFork({ reason, at }: { readonly reason: ForkReason; readonly at: number }) {
  return { reason, at: iso(at) };
}
