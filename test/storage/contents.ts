/**
 * Fills every table of a store, and reads all of it.
 */
import { expect } from 'vitest';
import type { SessionStore, Transaction } from '../../src/session/store.ts';
import { bytesOf, Conversation, HEAD, incomingOf, inviteFor, NOW, outgoingTo, partRecord } from './fixtures.ts';

/** What reads all that a store has. */
export async function readAll(view: Transaction): Promise<void> {
  for (const { id } of await view.contacts()) {
    for (const session of await view.sessions(id)) await view.missingMessages(session.id);
  }
  await view.findEntry(() => false);
  await view.invites();
  await view.lastNumber('for-all');
  for (const { id } of await view.outbox()) await view.envelope(id);
  for (const { id } of await view.inbox()) await view.inboxContent(id);
  for (const { id } of await view.incoming()) await view.receivedParts(id);
  await view.outgoing();
  await view.routes();
  await view.leftEntries(bytesOf('box', 16));
  await view.spentBoxes();
  await view.lists();
  await view.isInLedger(bytesOf('prefix digest', 16));
  await view.history({ limit: 10 });
}

export async function contactAlice(view: Transaction) {
  const alice = await view.contactNamed('alice');
  return alice?.id ?? expect.fail('alice is there');
}

/** Puts something into every table. */
export async function fill(store: SessionStore): Promise<void> {
  const conversation = await Conversation.begin(store);
  const sent = conversation.alice.sendMany(3);
  for (const message of sent.slice(2)) await conversation.receive(message);
  await store.transaction(async (transaction) => {
    const alice = await transaction.contactNamed('alice');
    if (alice === undefined) throw new Error('alice is there');
    const contact = alice.id;
    await transaction.addInvite({ ...inviteFor('for-carol', NOW + 9_000), lastUser: 0 });
    await transaction.useInvite(inviteFor('for-carol').id, 1, bytesOf('prefix digest', 16));
    await transaction.raiseNumber('for-all', 3);
    const entry = { contact, messageId: bytesOf('id', 16), process: 'process-7' };
    await transaction.addToOutbox({
      ...entry,
      envelope: bytesOf('envelope', 2 ** 20 + 9),
      createdAt: NOW,
      box: undefined,
    });
    const text = { ...entry, n: 0, late: false, head: HEAD, receivedAt: NOW, claimedAt: NOW };
    await transaction.addToInbox(text, bytesOf('content', 5_000));
    await transaction.addToInbox(text, new TextEncoder().encode('the text'));
    const incoming = await transaction.addIncoming(incomingOf(contact, 'plan.pdf'));
    await transaction.addReceivedParts(incoming, [partRecord(0)]);
    await transaction.addOutgoing(outgoingTo(contact));
    const route = { kind: 'dir', path: '/home/bob/inbox', mark: 'mark' } as const;
    await transaction.setRoute({ owner: { contact }, route, setAt: NOW, isTrusted: true });
    const left = {
      box: bytesOf('box', 16),
      name: 'junk',
      size: 3,
      version: '1',
      code: 'corrupt',
      tries: 1,
      triedAt: NOW,
    };
    await transaction.setLeftEntry(left);
    await transaction.addSpentBox({ box: bytesOf('spent', 16), contact, spentAt: NOW });
    await transaction.setList('a list', [contact]);
    await transaction.addToHistory({
      ...{ contact, direction: 'sent', messageId: bytesOf('id', 16), n: 0, at: NOW, sentAt: NOW },
      content: { kind: 'text', text: 'the text' },
    });
  });
}
