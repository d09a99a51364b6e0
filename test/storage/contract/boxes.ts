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

const CONTENT = bytesOf('content', 256);

export function boxes(make: MakeStore): void {
  async function withContact() {
    const { store } = make();
    const contact = await store.transaction((transaction) => addContact(transaction, 'alice'));
    return { store, contact };
  }

  const outgoing = (contact: ContactId, text: string): OutboxEntry => ({
    box: text === 'b' ? undefined : bytesOf(`box of ${text}`, 16),
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
    head: { kind: 'text', sentAt: NOW, length: 243 },
    receivedAt: NOW,
    claimedAt: NOW + 1,
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

  it.each([2_048, 2_049, 2 ** 20 - 1, 2 ** 20, 2 ** 20 + 1, 3 * 2 ** 20 + 7])(
    'keeps all of %i bytes, and lets all of it go',
    async (length) => {
      const { store, contact } = await withContact();
      const large = bytesOf(String(length), length);
      await store.transaction(async (transaction) => {
        const sent = await transaction.addToOutbox({ ...outgoing(contact, 'large'), envelope: large });
        const small = await transaction.addToOutbox(outgoing(contact, 'small'));
        const received = await transaction.addToInbox(incoming(contact, 'large'), large);
        const other = await transaction.addToInbox(incoming(contact, 'small'), bytesOf('small', 256));
        const [first, second] = await transaction.outbox();
        expect(first?.length).toBe(length);
        // Not toEqual, which looks at each of millions of elements.
        const envelope = await transaction.envelope(sent);
        expect(envelope !== undefined && equal(envelope, large)).toBe(true);
        expect(second).toEqual(asListed(outgoing(contact, 'small'), small));
        const content = await transaction.inboxContent(received);
        expect(content !== undefined && equal(content, large)).toBe(true);
        expect(await transaction.inboxContent(other)).toEqual(bytesOf('small', 256));
        await transaction.dropFromOutbox([sent]);
        await transaction.dropFromInbox([received]);
        expect((await transaction.outbox()).map(({ id }) => id)).toEqual([small]);
        expect((await transaction.inbox()).map(({ id }) => id)).toEqual([other]);
        expect(await transaction.inboxContent(received)).toBeUndefined();
      });
    },
  );

  it('keeps texts until they are delivered, oldest first, and lists them without their content', async () => {
    const { store, contact } = await withContact();
    await store.transaction(async (transaction) => {
      const late = incoming(contact, 'late');
      const file: InboxEntry = {
        ...incoming(contact, 'file'),
        head: { kind: 'file', name: 'ä list.txt', sentAt: 8.64e15, length: 0 },
        process: 'one',
      };
      const bytes: InboxEntry = { ...incoming(contact, 'bytes'), head: { kind: 'bytes', sentAt: 0, length: 2 ** 24 } };
      const entries = [late, file, bytes];
      const ids: InboxId[] = [];
      for (const entry of entries) ids.push(await transaction.addToInbox(entry, CONTENT));
      const listed = entries.map((entry, index) => ({
        ...entry,
        id: ids[index],
        tries: 0,
        triedAt: undefined,
      }));
      expect(await transaction.inbox()).toEqual(listed);
      for (const [index, id] of ids.entries()) expect(await transaction.inboxEntry(id)).toEqual(listed[index]);
      await transaction.dropFromInbox(ids);
      expect(await transaction.inbox()).toEqual([]);
      expect(await transaction.inboxEntry(ids[0] as InboxId)).toBeUndefined();
    });
  });

  it('counts what waits of a contact, but not what the asking process delivers', async () => {
    const { store, contact } = await withContact();
    await store.transaction(async (transaction) => {
      const carol = await addContact(transaction, 'carol');
      expect(await transaction.waitingOf(contact, 'one')).toEqual({ texts: 0, bytes: 0 });
      const add = (of: ContactId, process: string | undefined, length: number) =>
        transaction.addToInbox({ ...incoming(of, 'a'), head: { kind: 'text', sentAt: NOW, length }, process }, CONTENT);
      await add(contact, undefined, 1);
      await add(contact, 'one', 10);
      await add(contact, 'two', 100);
      await add(carol, undefined, 1_000);
      expect(await transaction.waitingOf(contact, 'one')).toEqual({ texts: 2, bytes: 101 });
      expect(await transaction.waitingOf(contact, 'two')).toEqual({ texts: 2, bytes: 11 });
      expect(await transaction.waitingOf(carol, 'two')).toEqual({ texts: 1, bytes: 1_000 });
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
        const createdAt = NOW + sent.length;
        sent.push(await transaction.addToOutbox({ ...outgoing(contact, process), process, createdAt }));
        received.push(await transaction.addToInbox({ ...incoming(contact, process), process }, CONTENT));
      }
      const counts = [...(await transaction.countOutbox())].sort();
      expect(counts).toEqual([
        ['one', { count: 3, latest: NOW + 3 }],
        ['three', { count: 1, latest: NOW + 4 }],
        ['two', { count: 1, latest: NOW + 1 }],
      ]);
      expect(await transaction.countInbox()).toBe(5);
      for (const newest of [0, 1, 2, 5, 99]) {
        const from = Math.max(0, 5 - newest);
        expect((await transaction.outbox(newest)).map(({ id }) => id)).toEqual(sent.slice(from));
        expect((await transaction.inbox(newest)).map(({ id }) => id)).toEqual(received.slice(from));
      }
    });
  });

  it('hands a text from the process that has it to another, and from no other', async () => {
    const { store, contact } = await withContact();
    await store.transaction(async (transaction) => {
      const text = incoming(contact, 'text');
      const dead = await transaction.addToInbox({ ...text, process: 'dead' }, CONTENT);
      const free = await transaction.addToInbox(text, CONTENT);
      const processes = async () => (await transaction.inbox()).map(({ process }) => process);
      expect(await transaction.handOver(dead, undefined, 'alive', NOW + 7)).toBe(false);
      expect(await transaction.handOver(dead, 'other', 'alive', NOW + 7)).toBe(false);
      expect(await transaction.handOver(free, 'dead', 'alive', NOW + 7)).toBe(false);
      expect(await processes()).toEqual(['dead', undefined]);
      for (const one of await transaction.inbox()) expect(one.claimedAt).toBe(NOW + 1);
      expect(await transaction.handOver(dead, 'dead', 'alive', NOW + 7)).toBe(true);
      expect(await transaction.handOver(free, undefined, 'alive', NOW + 7)).toBe(true);
      expect(await processes()).toEqual(['alive', 'alive']);
      const claimedAt = async () => (await transaction.inbox()).map((entry) => entry.claimedAt);
      expect(await claimedAt()).toEqual([NOW + 7, NOW + 7]);
      expect(await transaction.handOver(dead, 'alive', undefined, NOW + 7)).toBe(true);
      expect(await processes()).toEqual([undefined, 'alive']);
      expect(await transaction.handOver(99 as InboxId, undefined, 'alive', NOW + 7)).toBe(false);
    });
  });

  it('notes how often a command has failed on a text, and counts those texts by contact', async () => {
    const { store, contact } = await withContact();
    await store.transaction(async (transaction) => {
      const carol = await addContact(transaction, 'carol');
      const ids: InboxId[] = [];
      for (const of of [carol, contact, contact, contact]) {
        ids.push(await transaction.addToInbox(incoming(of, 'a'), CONTENT));
      }
      const [ofCarol, once, thrice] = ids as [InboxId, InboxId, InboxId];
      for (const [index, id] of [ofCarol, once, thrice, ofCarol, thrice, thrice].entries()) {
        await transaction.noteTry(id, NOW + index);
      }
      await transaction.noteTry(99 as InboxId, NOW);
      const tried = (await transaction.inbox()).map(({ tries, triedAt }) => [tries, triedAt]);
      expect(tried).toEqual([
        [2, NOW + 3],
        [1, NOW + 1],
        [3, NOW + 5],
        [0, undefined],
      ]);
      expect((await transaction.inboxEntry(thrice))?.tries).toBe(3);
      const counted = async (least: number) =>
        (await transaction.countTried(least)).map((one) => [one.contact === carol ? 'carol' : 'alice', one.texts]);
      expect(await counted(1)).toEqual([
        ['alice', 2],
        ['carol', 1],
      ]);
      expect(await counted(2)).toEqual([
        ['alice', 1],
        ['carol', 1],
      ]);
      expect(await counted(3)).toEqual([['alice', 1]]);
      expect(await counted(4)).toEqual([]);
      expect(await transaction.handOver(thrice, undefined, 'one', NOW)).toBe(true);
      expect((await transaction.inboxEntry(thrice))?.tries).toBe(3);
    });
  });

  it('never gives an id again', async () => {
    const { store, contact } = await withContact();
    await store.transaction(async (transaction) => {
      const sent = await transaction.addToOutbox(outgoing(contact, 'a'));
      await transaction.dropFromOutbox([sent]);
      expect(await transaction.addToOutbox(outgoing(contact, 'a'))).toBeGreaterThan(sent);
      const received = await transaction.addToInbox(incoming(contact, 'a'), CONTENT);
      await transaction.dropFromInbox([received]);
      expect(await transaction.addToInbox(incoming(contact, 'a'), CONTENT)).toBeGreaterThan(received);
    });
  });

  it('holds nothing of nobody', async () => {
    const { store } = make();
    const nobody = 99 as ContactId;
    await expect(store.transaction((t) => t.addToOutbox(outgoing(nobody, 'a')))).rejects.toThrow();
    await expect(store.transaction((t) => t.addToInbox(incoming(nobody, 'a'), CONTENT))).rejects.toThrow();
  });
}
