import { decodeContent } from '../envelope/index.ts';
import { dropDelivered } from './history.ts';
import type { AcceptedMessage, Delivery } from './outcome.ts';
import type { Context, InboxId, Transaction } from './store.ts';

/** Puts an accepted message into the inbox, for this process to deliver. */
export async function keep(
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

/** The texts that nobody delivers: their process has ended, or could not write them. */
export async function leftBehind({ isRunning }: Context, transaction: Transaction) {
  const inbox = await transaction.inbox();
  const running = new Set([...new Set(inbox.map(({ process }) => process))].filter((name) => name && isRunning(name)));
  return inbox.filter(({ process }) => !running.has(process));
}

/** Takes over the delivery of a text that was left behind. */
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
 * Drops from the inbox the texts that have been `written`; those that were `held`, because they could not be written here,
 * wait for the next command.
 */
export async function delivered(
  context: Context,
  { written, held }: { written: readonly InboxId[]; held: readonly InboxId[] },
): Promise<void> {
  if (written.length + held.length === 0) return;
  await context.store.transaction(async (transaction) => {
    const keeping = written.length > 0 ? await transaction.keeping() : undefined;
    await dropDelivered(transaction, written, keeping, context.now());
    // Those of a contact that was forgotten meanwhile are gone.
    const waiting = held.length > 0 ? await transaction.inbox() : [];
    for (const { id } of waiting) if (held.includes(id)) await transaction.claimInbox(id, undefined);
  });
}
