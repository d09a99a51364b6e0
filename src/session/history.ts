/**
 * The history: the texts that were sent and delivered, if the owner wants them stored (docs/PROTOCOL.md §8).
 * Does not know how texts are encrypted or shown.
 */
import { decodeWhole, textOf, type WholeContent } from '../envelope/index.ts';
import { requireContact } from './contacts.ts';
import { sweep } from './maintenance.ts';
import type {
  ContactId,
  Context,
  HistoryContent,
  HistoryEntry,
  HistoryId,
  HistorySetting,
  InboxId,
  ListedInboxEntry,
  Transaction,
} from './store.ts';

/** The choice of the owner: no history, a history without limit, or each text for a number of milliseconds. */
export type Retention = 'off' | 'on' | number;

/** The setting and the size of the history. `first`: when the oldest text was added, in unix milliseconds. */
export type HistoryReport =
  | { readonly on: false }
  | ({ readonly on: true; readonly texts: number; readonly first: number | undefined } & HistorySetting);

/** A message of the history, as it is shown. */
export interface Logged extends Omit<HistoryEntry, 'contact'> {
  /** The current name of the contact. */
  readonly contact: string;
}

/**
 * The longest text that is stored, in bytes of UTF-8: more than anybody types, and a bound on what a peer can store.
 */
const LONGEST_TEXT = 2 ** 16;

/** The number of texts that `log` reads in one snapshot, during which other commands cannot commit. */
const SLICE = 64;

/**
 * Returns the setting that a choice leads to.
 * @param now unix milliseconds.
 * @param before the setting so far; a history that is on keeps its `since`.
 */
export function historySettingFor(
  retention: Retention,
  now: number,
  before?: HistorySetting,
): HistorySetting | undefined {
  if (retention === 'off') return undefined;
  return { since: before?.since ?? now, maxAge: retention === 'on' ? undefined : retention };
}

/** Adds a text to the history in the transaction that encrypts it. */
export async function recordSent(
  transaction: Transaction,
  sealed: { readonly contact: ContactId; readonly id: Uint8Array; readonly n: number; readonly plaintext: Uint8Array },
  now: number,
): Promise<void> {
  const { contact, id: messageId, n, plaintext } = sealed;
  const { sentAt, content } = toHistory(decodeWhole(plaintext));
  await transaction.addToHistory({ contact, direction: 'sent', messageId, n, at: now, sentAt, content });
}

/**
 * Removes delivered texts from the inbox. If the history is on, the same transaction adds them to it: at any time a
 * text is in exactly one of the two.
 */
export async function dropDelivered(
  transaction: Transaction,
  ids: readonly InboxId[],
  historySetting: HistorySetting | undefined,
  now: number,
): Promise<void> {
  if (historySetting === undefined) return transaction.dropFromInbox(ids);
  for (const id of ids) {
    const entry = await transaction.inboxEntry(id);
    if (entry === undefined) continue;
    const { contact, messageId, n, head } = entry;
    const { sentAt } = head;
    const content = await contentToKeep(transaction, entry);
    await transaction.dropFromInbox([id]);
    await transaction.addToHistory({ contact, direction: 'received', messageId, n, at: now, sentAt, content });
  }
}

/** What the history stores of a text in the inbox. Only what it stores itself is read. */
async function contentToKeep(transaction: Transaction, { id, head }: ListedInboxEntry): Promise<HistoryContent> {
  const { length } = head;
  if (head.kind === 'file') return { kind: 'file', name: head.name, length };
  const content = head.kind === 'text' && length <= LONGEST_TEXT ? await transaction.inboxContent(id) : undefined;
  return content === undefined ? { kind: 'bytes', length } : toHistory(decodeWhole(content)).content;
}

/** Reports the setting and the size of the history. */
export async function historyReport({ store, now }: Pick<Context, 'store' | 'now'>): Promise<HistoryReport> {
  return store.snapshot((view) => historyOf(view, now()));
}

/** The same within a snapshot of the caller's. */
export async function historyOf(view: Transaction, now: number): Promise<HistoryReport> {
  const historySetting = await view.historySetting();
  if (historySetting === undefined) return { on: false };
  const { count, first } = await view.countHistory({ from: oldestStored(historySetting, now) });
  return { on: true, ...historySetting, texts: count, first };
}

/** Counts the texts that `setHistory` would delete and that the present setting would not. */
export async function countDeletable(
  { store, now }: Pick<Context, 'store' | 'now'>,
  retention: Retention,
): Promise<number> {
  return store.snapshot(async (view) => {
    const historySetting = await view.historySetting();
    if (historySetting === undefined) return 0;
    const after = historySettingFor(retention, now(), historySetting);
    return (await view.countHistory({ from: oldestStored(historySetting, now()), before: oldestStored(after, now()) }))
      .count;
  });
}

/**
 * Sets whether the history is on and for how long it stores texts, and deletes the texts that it no longer stores.
 * @returns how many texts were deleted.
 */
export async function setHistory(context: Context, retention: Retention): Promise<number> {
  const now = context.now();
  return context.store.transaction(async (transaction) => {
    const { historySetting } = await sweep(transaction, now);
    const after = historySettingFor(retention, now, historySetting);
    await transaction.setHistorySetting(after);
    return transaction.sweepHistory(oldestStored(after, now));
  });
}

/**
 * Reads the history in slices, oldest text first. Leaves out texts that are older than the setting allows.
 * @param options.contact the name of the only contact to read.
 * @param options.since the earliest time, in unix milliseconds.
 * @throws `unknown-contact`.
 */
export async function* log(
  { store, now }: Pick<Context, 'store' | 'now'>,
  { contact: name, since = Number.MIN_SAFE_INTEGER }: { readonly contact?: string; readonly since?: number },
): AsyncGenerator<readonly Logged[]> {
  const names = new Map<ContactId, string>();
  let after: HistoryId | undefined;
  for (;;) {
    const slice = await store.snapshot(async (view) => {
      const only = name === undefined ? undefined : (await requireContact(view, name)).id;
      const from = Math.max(since, oldestStored(await view.historySetting(), now()));
      const entries = await view.history({
        limit: SLICE,
        ...(from > Number.MIN_SAFE_INTEGER && { from }),
        ...(only !== undefined && { contact: only }),
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

/**
 * Reads the newest texts of the history with a contact, oldest first. Leaves out those that are older than the setting allows.
 * @param most how many.
 * @returns `undefined` where the history is off.
 * @throws `unknown-contact`.
 */
export async function recentHistory(
  { store, now }: Pick<Context, 'store' | 'now'>,
  name: string,
  most: number,
): Promise<readonly Logged[] | undefined> {
  return store.snapshot(async (view) => {
    const { id, name: contact } = await requireContact(view, name);
    const setting = await view.historySetting();
    if (setting === undefined) return undefined;
    const entries = await view.history({
      contact: id,
      from: oldestStored(setting, now()),
      limit: most,
      newest: true,
    });
    return entries.map(({ id: _, contact: __, ...entry }) => ({ ...entry, contact }));
  });
}

/** Returns the earliest time of which texts are stored under a setting, in unix milliseconds. */
function oldestStored(setting: HistorySetting | undefined, now: number): number {
  if (setting === undefined) return Number.MAX_SAFE_INTEGER;
  return setting.maxAge === undefined ? Number.MIN_SAFE_INTEGER : now - setting.maxAge;
}

function toHistory(content: WholeContent): { readonly sentAt: number; readonly content: HistoryContent } {
  const { sentAt, bytes } = content;
  const { length } = bytes;
  if (content.type === 'file') return { sentAt, content: { kind: 'file', name: content.name, length } };
  const text = length > LONGEST_TEXT ? undefined : textOf(bytes);
  return { sentAt, content: text === undefined ? { kind: 'bytes', length } : { kind: 'text', text } };
}
