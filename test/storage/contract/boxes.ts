import { expect, it } from 'vitest';
import { equal } from '../../../src/primitives/index.ts';
import type {
  ContactId,
  InboxEntry,
  InboxId,
  ListedOutboxEntry,
  OutboxEntry,
  OutboxId,
} from '../../../src/session/store.ts';
import { addContact, bytesOf, type MakeStore, NOW } from '../fixtures.ts';

export function boxes(make: MakeStore): void {
  async function withContact() {
    const { store } = make();
    const contact = await store.transaction((transaction) => addContact(transaction, 'alice'));
    return { store, contact };
  }

  const outgoing = (contact: ContactId, text: string): OutboxEntry => ({
    contact,
    messageId: bytesOf(text, 16),
    envelope: bytesOf(text, 5_000),
    process: '123@456',
    createdAt: NOW,
  });
  const asListed = ({ envelope, ...entry }: OutboxEntry, id: OutboxId): ListedOutboxEntry => ({
    ...entry,
    id,
    length: envelope.length,
  });
  const incoming = (contact: ContactId, text: string): InboxEntry => ({
    contact,
    messageId: bytesOf(text, 16),
    n: 2 ** 32 - 2,
    late: text === 'late',
    content: bytesOf(text, 256),
    receivedAt: NOW,
    process: undefined,
  });

  it('keeps envelopes until they are written, oldest first', async () => {
    const { store, contact } = await withContact();
    await store.transaction(async (transaction) => {
      const [b, a] = [outgoing(contact, 'b'), outgoing(contact, 'a')];
      const ids = [await transaction.addToOutbox(b), await transaction.addToOutbox(a)] as const;
      expect(await transaction.outbox()).toEqual([asListed(b, ids[0]), asListed(a, ids[1])]);
      expect(await transaction.envelope(ids[0])).toEqual(b.envelope);
      await transaction.dropFromOutbox([ids[0]]);
      await transaction.dropFromOutbox([ids[0]]);
      await transaction.dropFromOutbox([]);
      expect(await transaction.outbox()).toEqual([asListed(a, ids[1])]);
      expect(await transaction.envelope(ids[0])).toBeUndefined();
    });
  });

  it.each([2 ** 20 - 1, 2 ** 20, 2 ** 20 + 1, 3 * 2 ** 20 + 7])(
    'keeps all of %i bytes, and lets all of it go',
    async (length) => {
      const { store, contact } = await withContact();
      const large = bytesOf(String(length), length);
      await store.transaction(async (transaction) => {
        const sent = await transaction.addToOutbox({ ...outgoing(contact, 'large'), envelope: large });
        const small = await transaction.addToOutbox(outgoing(contact, 'small'));
        const received = await transaction.addToInbox({ ...incoming(contact, 'large'), content: large });
        const [first, second] = await transaction.outbox();
        expect(first?.length).toBe(length);
        // Not toEqual, which looks at each of millions of elements.
        const envelope = await transaction.envelope(sent);
        expect(envelope !== undefined && equal(envelope, large)).toBe(true);
        expect(second).toEqual(asListed(outgoing(contact, 'small'), small));
        const { content } = await transaction.claimInbox(received, undefined);
        expect(equal(content, large)).toBe(true);
        await transaction.dropFromOutbox([sent]);
        await transaction.dropFromInbox([received]);
        expect((await transaction.outbox()).map(({ id }) => id)).toEqual([small]);
        expect(await transaction.inbox()).toEqual([]);
      });
    },
  );

  it('keeps texts until they are delivered, oldest first, and lists them without their content', async () => {
    const { store, contact } = await withContact();
    await store.transaction(async (transaction) => {
      const [late, other] = [incoming(contact, 'late'), incoming(contact, 'other')];
      const ids = [await transaction.addToInbox(late), await transaction.addToInbox(other)] as const;
      const { content: _, ...listed } = late;
      const { content: __, ...listedToo } = other;
      expect(await transaction.inbox()).toEqual([
        { ...listed, id: ids[0] },
        { ...listedToo, id: ids[1] },
      ]);
      await transaction.dropFromInbox(ids);
      expect(await transaction.inbox()).toEqual([]);
    });
  });

  it('counts what is in each, and lists only the newest, oldest first', async () => {
    const { store, contact } = await withContact();
    await store.transaction(async (transaction) => {
      expect([...(await transaction.countOutbox())]).toEqual([]);
      expect(await transaction.countInbox()).toBe(0);
      const sent: OutboxId[] = [];
      const received: InboxId[] = [];
      for (const process of ['one', 'two', 'one', 'one', 'three']) {
        sent.push(await transaction.addToOutbox({ ...outgoing(contact, process), process }));
        received.push(await transaction.addToInbox({ ...incoming(contact, process), process }));
      }
      const counts = [...(await transaction.countOutbox())].sort();
      expect(counts).toEqual([
        ['one', 3],
        ['three', 1],
        ['two', 1],
      ]);
      expect(await transaction.countInbox()).toBe(5);
      for (const newest of [0, 1, 2, 5, 99]) {
        const from = Math.max(0, 5 - newest);
        expect((await transaction.outbox(newest)).map(({ id }) => id)).toEqual(sent.slice(from));
        expect((await transaction.inbox(newest)).map(({ id }) => id)).toEqual(received.slice(from));
      }
    });
  });

  it('gives a text to the process that claims it', async () => {
    const { store, contact } = await withContact();
    await store.transaction(async (transaction) => {
      const text = incoming(contact, 'text');
      const id = await transaction.addToInbox({ ...text, process: 'dead' });
      const other = await transaction.addToInbox({ ...text, process: 'other' });
      expect(await transaction.claimInbox(id, 'alive')).toEqual({ ...text, process: 'alive' });
      expect((await transaction.inbox()).map(({ process }) => process)).toEqual(['alive', 'other']);
      expect(await transaction.claimInbox(other, undefined)).toEqual(text);
      expect((await transaction.inbox()).map(({ process }) => process)).toEqual(['alive', undefined]);
      await expect(transaction.claimInbox(99 as InboxId, 'alive')).rejects.toThrow('text');
    });
  });

  it('never gives an id again', async () => {
    const { store, contact } = await withContact();
    await store.transaction(async (transaction) => {
      const sent = await transaction.addToOutbox(outgoing(contact, 'a'));
      await transaction.dropFromOutbox([sent]);
      expect(await transaction.addToOutbox(outgoing(contact, 'a'))).toBeGreaterThan(sent);
      const received = await transaction.addToInbox(incoming(contact, 'a'));
      await transaction.dropFromInbox([received]);
      expect(await transaction.addToInbox(incoming(contact, 'a'))).toBeGreaterThan(received);
    });
  });

  it('holds nothing of nobody', async () => {
    const { store } = make();
    const nobody = 99 as ContactId;
    await expect(store.transaction((t) => t.addToOutbox(outgoing(nobody, 'a')))).rejects.toThrow();
    await expect(store.transaction((t) => t.addToInbox(incoming(nobody, 'a')))).rejects.toThrow();
  });
}
