/**
 * The inbox: texts that are accepted and not yet known to be delivered (docs/PROTOCOL.md §8).
 * Does not know where texts are delivered to.
 */
import { decodeContent } from '../envelope/index.ts';
import { dropDelivered } from './history.ts';
import { correctTimes } from './maintenance.ts';
import type { AcceptedMessage, Delivery } from './outcome.ts';
import type { Context, InboxId, Transaction } from './store.ts';

/**
 * Puts an accepted message into the inbox, for this process to deliver.
 * @param now unix milliseconds.
 */
export async function enqueue(
  transaction: Transaction,
  { contact, id, n, late, plaintext, content, lost, notices }: AcceptedMessage,
  context: Context,
  now: number,
): Promise<Delivery> {
  const inboxId = await transaction.addToInbox({
    contact: contact.id,
    messageId: id,
    n,
    late,
    content: plaintext,
    receivedAt: now,
    process: context.process,
  });
  return {
    type: 'message',
    inboxId,
    from: contact.name,
    verified: contact.verifiedAt !== undefined,
    id,
    n,
    late,
    again: false,
    content,
    notices: lost > 0 ? [...notices, { kind: 'lost', count: lost }] : notices,
  };
}

/** Lists the texts that no running process delivers: their process has ended, or has deferred them. */
export async function listUndelivered({ isRunning }: Context, transaction: Transaction) {
  const inbox = await transaction.inbox();
  const running = new Set([...new Set(inbox.map(({ process }) => process))].filter((name) => name && isRunning(name)));
  return inbox.filter(({ process }) => !running.has(process));
}

/**
 * Takes over the delivery of an undelivered text.
 * @param again whether another process may have delivered the text already.
 */
export async function claim(
  context: Context,
  transaction: Transaction,
  inboxId: InboxId,
  again: boolean,
): Promise<Delivery> {
  const { contact, messageId, n, late, content } = await transaction.claimInbox(inboxId, context.process);
  const { name, verifiedAt } = await transaction.contact(contact);
  return {
    type: 'message',
    inboxId,
    from: name,
    verified: verifiedAt !== undefined,
    id: messageId,
    n,
    late,
    again,
    content: decodeContent(content),
    notices: [],
  };
}

/**
 * Removes delivered texts from the inbox.
 * @param texts.delivered texts that have been written out.
 * @param texts.deferred texts that could not be written out. They stay for the next command.
 */
export async function acknowledgeDelivered(
  context: Context,
  { delivered, deferred }: { delivered: readonly InboxId[]; deferred: readonly InboxId[] },
): Promise<void> {
  if (delivered.length + deferred.length === 0) return;
  const now = context.now();
  await context.store.transaction(async (transaction) => {
    const historySetting = delivered.length > 0 ? await transaction.historySetting() : undefined;
    if (historySetting !== undefined) await correctTimes(transaction, now);
    await dropDelivered(transaction, delivered, historySetting, now);
    // Those of a contact that was forgotten in the meantime are gone.
    const waiting = deferred.length > 0 ? await transaction.inbox() : [];
    for (const { id } of waiting) if (deferred.includes(id)) await transaction.claimInbox(id, undefined);
  });
}
