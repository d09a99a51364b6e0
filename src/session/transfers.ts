/**
 * What contents in parts have in common, whichever way they go: what they are called, and how they end.
 * Knows nothing of parts.
 */
import type { Descriptor } from '../envelope/index.ts';
import { sweep } from './maintenance.ts';
import type { Context, HistoryEntry, StoredIncoming, StoredOutgoing, Transaction } from './store.ts';

/** What a content is called where it is told of: its name, or that it has none. */
export function nameOf({ name }: Pick<Descriptor, 'name'>): string {
  return name ?? 'a stream';
}

/** A content of which nothing is left to be done. */
export interface Ended extends Pick<HistoryEntry, 'direction'> {
  readonly row: Pick<StoredIncoming | StoredOutgoing, 'contact' | 'messageId' | 'n' | 'descriptor'>;
  /** In bytes. */
  readonly length: number;
}

/**
 * Ends a content: its key goes, and the history gets name and length; not of one that was gone before, because another
 * command has ended it or forgotten its contact.
 * @param options.drop deletes its row. @returns whether that was there.
 * @returns the same.
 */
export async function endIn(
  transaction: Transaction,
  { direction, row, length }: Ended,
  { now: at, drop }: { readonly now: number; readonly drop: () => Promise<boolean> },
): Promise<boolean> {
  const { contact, messageId, n, descriptor } = row;
  const { name, sentAt } = descriptor;
  const { historySetting } = await sweep(transaction, at);
  const wasThere = await drop();
  if (historySetting === undefined || !wasThere) return wasThere;
  const content = name === undefined ? ({ kind: 'bytes', length } as const) : ({ kind: 'file', name, length } as const);
  await transaction.addToHistory({ contact, direction, messageId, n, at, sentAt, content });
  return wasThere;
}

/** Does so in a transaction of its own. */
export async function endContent(
  { store, now }: Context,
  ended: Ended,
  drop: (transaction: Transaction, at: number) => Promise<boolean>,
): Promise<void> {
  await store.transaction(async (transaction) => {
    const at = now();
    await endIn(transaction, ended, { now: at, drop: () => drop(transaction, at) });
  });
}
