import { type Content, decodeContent, textOf } from '../envelope/index.ts';
import { contactCalled } from './contacts.ts';
import { sweep } from './maintenance.ts';
import type {
  ContactId,
  Context,
  HistoryEntry,
  HistoryId,
  InboxId,
  Keeping,
  KeptContent,
  Transaction,
} from './store.ts';

/** What a person asks for: that no text is kept, every one without end, or each for so many milliseconds. */
export type Retention = 'off' | 'on' | number;

/** Whether delivered and sent texts are kept, and how many there are. Times in unix milliseconds. */
export type HistoryReport =
  | { readonly on: false }
  | ({ readonly on: true; readonly texts: number; readonly first: number | undefined } & Keeping);

/** A message of the history. */
export interface Logged extends Omit<HistoryEntry, 'contact'> {
  /** Their name as it is now. */
  readonly contact: string;
}

/** More than anybody types, in bytes of UTF-8; and a bound to what a peer can make us keep with one message. */
const LONGEST_KEPT = 2 ** 16;

/** The texts that a log reads at once: other commands cannot commit meanwhile. */
const SLICE = 64;

/** What `retention` means for a file in which texts were kept as `before`. `now`: unix milliseconds. */
export function keepingOf(retention: Retention, now: number, before?: Keeping): Keeping | undefined {
  if (retention === 'off') return undefined;
  return { since: before?.since ?? now, keptFor: retention === 'on' ? undefined : retention };
}

/** Keeps what was just sealed: its text is nowhere else in the file, where only the envelope waits to be written. */
export async function keepSent(
  transaction: Transaction,
  sealed: { readonly contact: ContactId; readonly id: Uint8Array; readonly n: number; readonly plaintext: Uint8Array },
  now: number,
): Promise<void> {
  const { contact, id: messageId, n, plaintext } = sealed;
  const { sentAt, content } = keptOf(decodeContent(plaintext));
  await transaction.addToHistory({ contact, direction: 'sent', messageId, n, at: now, sentAt, content });
}

/**
 * Drops from the inbox the texts that have been written out. Where texts are kept, each goes into the history by the same
 * commit: at any time it is in one of the two, and in one only.
 */
export async function dropDelivered(
  transaction: Transaction,
  ids: readonly InboxId[],
  keeping: Keeping | undefined,
  now: number,
): Promise<void> {
  if (keeping === undefined) return transaction.dropFromInbox(ids);
  for (const id of ids) {
    const taken = await transaction.takeFromInbox(id);
    if (taken === undefined) continue;
    const { contact, messageId, n } = taken;
    const { sentAt, content } = keptOf(decodeContent(taken.content));
    await transaction.addToHistory({ contact, direction: 'received', messageId, n, at: now, sentAt, content });
  }
}

export async function historyReport({ store, now }: Pick<Context, 'store' | 'now'>): Promise<HistoryReport> {
  return store.snapshot((view) => historyOf(view, now()));
}

/** Part of a report, in the snapshot of the whole. */
export async function historyOf(view: Transaction, now: number): Promise<HistoryReport> {
  const keeping = await view.keeping();
  if (keeping === undefined) return { on: false };
  const { count, first } = await view.countHistory({ from: begin(keeping, now) });
  return { on: true, ...keeping, texts: count, first };
}

/** How many texts `setHistory` would delete that are kept otherwise. */
export async function deletable({ store, now }: Pick<Context, 'store' | 'now'>, retention: Retention): Promise<number> {
  return store.snapshot(async (view) => {
    const keeping = await view.keeping();
    if (keeping === undefined) return 0;
    const after = keepingOf(retention, now(), keeping);
    return (await view.countHistory({ from: begin(keeping, now()), before: begin(after, now()) })).count;
  });
}

/** Sets whether texts are kept and for how long, and deletes those that are not any more. @returns how many these were. */
export async function setHistory(context: Context, retention: Retention): Promise<number> {
  const now = context.now();
  return context.store.transaction(async (transaction) => {
    const { keeping } = await sweep(transaction, now);
    const after = keepingOf(retention, now, keeping);
    await transaction.setKeeping(after);
    return transaction.sweepHistory(begin(after, now));
  });
}

/**
 * What was sealed and delivered, the oldest first, in slices; nothing that has been kept for longer than it should. `since`:
 * unix milliseconds. @throws `unknown-contact`.
 */
export async function* log(
  { store, now }: Pick<Context, 'store' | 'now'>,
  { contact: name, since = 0 }: { readonly contact?: string; readonly since?: number },
): AsyncGenerator<readonly Logged[]> {
  const names = new Map<ContactId, string>();
  let after: HistoryId | undefined;
  for (;;) {
    const slice = await store.snapshot(async (view) => {
      const contact = name === undefined ? undefined : (await contactCalled(view, name)).id;
      const from = Math.max(since, begin(await view.keeping(), now()));
      const entries = await view.history({
        from,
        limit: SLICE,
        ...(contact !== undefined && { contact }),
        ...(after !== undefined && { after }),
      });
      for (const { contact: id } of entries) if (!names.has(id)) names.set(id, (await view.contact(id)).name);
      return entries;
    });
    const last = slice.at(-1);
    if (last === undefined) return;
    after = last.id;
    yield slice.map(({ id: _, contact, ...entry }) => ({ ...entry, contact: names.get(contact) ?? '' }));
  }
}

/** The time from which on texts are kept: those from before it are not, or not any more. */
function begin(keeping: Keeping | undefined, now: number): number {
  if (keeping === undefined) return Number.MAX_SAFE_INTEGER;
  return keeping.keptFor === undefined ? Number.MIN_SAFE_INTEGER : now - keeping.keptFor;
}

function keptOf(content: Content): { readonly sentAt: number; readonly content: KeptContent } {
  const { sentAt, bytes } = content;
  const { length } = bytes;
  if (content.type === 'file') return { sentAt, content: { kind: 'file', name: content.name, length } };
  const text = length > LONGEST_KEPT ? undefined : textOf(bytes);
  return { sentAt, content: text === undefined ? { kind: 'bytes', length } : { kind: 'text', text } };
}
