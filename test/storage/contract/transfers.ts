import { expect, it } from 'vitest';
import type {
  ContactId,
  Incoming,
  IncomingId,
  Outgoing,
  OutgoingId,
  StoredIncoming,
} from '../../../src/session/store.ts';
import { addContact, bytesOf, incomingOf, type MakeStore, NOW, outgoingTo, partRecord } from '../fixtures.ts';

const PLACE = { path: '/tmp/.pawl-1.part', inode: '1 2', host: 'a host', target: undefined };
const GONE = 99;

export function transfers(make: MakeStore): void {
  async function withContact() {
    const { store } = make();
    const contact = await store.transaction((transaction) => addContact(transaction, 'alice'));
    return { store, contact };
  }

  const asStored = (incoming: Incoming, id: IncomingId): StoredIncoming => ({
    ...incoming,
    id,
    claim: undefined,
    place: undefined,
    allBelow: 0,
  });
  const stream = (contact: ContactId): Incoming => {
    const { descriptor, ...incoming } = incomingOf(contact, 'stream');
    return { ...incoming, late: true, descriptor: { ...descriptor, name: undefined, size: undefined, sentAt: 0 } };
  };

  it('are awaited, oldest first, until they are dropped', async () => {
    const { store, contact } = await withContact();
    await store.transaction(async (transaction) => {
      expect(await transaction.incoming()).toEqual([]);
      const empty = incomingOf(contact, 'ä empty');
      const contents = [
        stream(contact),
        incomingOf(contact),
        { ...empty, descriptor: { ...empty.descriptor, size: 0 } },
      ];
      const ids: IncomingId[] = [];
      for (const content of contents) ids.push(await transaction.addIncoming(content));
      const stored = contents.map((content, index) => asStored(content, ids[index] as IncomingId));
      expect(await transaction.incoming()).toEqual(stored);
      await transaction.addReceivedParts(ids[1] as IncomingId, [partRecord(0)]);
      expect(await transaction.dropIncoming(ids[1] as IncomingId)).toBe(true);
      expect(await transaction.dropIncoming(ids[1] as IncomingId)).toBe(false);
      expect(await transaction.incoming()).toEqual([stored[0], stored[2]]);
      expect(await transaction.addIncoming(incomingOf(contact))).toBeGreaterThan(ids[2] as IncomingId);
    });
  });

  it('have parts, in the order of their indexes, whatever the order in which they came', async () => {
    const { store, contact } = await withContact();
    await store.transaction(async (transaction) => {
      const id = await transaction.addIncoming(incomingOf(contact));
      const other = await transaction.addIncoming(stream(contact));
      expect(await transaction.receivedParts(id)).toEqual([]);
      const last = partRecord(2 ** 32 - 1, true);
      await transaction.addReceivedParts(id, [last, partRecord(1)]);
      await transaction.addReceivedParts(id, []);
      await transaction.addReceivedParts(id, [partRecord(0)]);
      await transaction.addReceivedParts(other, [partRecord(1)]);
      expect(await transaction.receivedParts(id)).toEqual([partRecord(0), partRecord(1), last]);
      await transaction.dropIncoming(id);
      expect(await transaction.receivedParts(id)).toEqual([]);
      expect(await transaction.receivedParts(other)).toEqual([partRecord(1)]);
    });
  });

  it('have parts that are read in pieces, and of which it is known that all below one are there', async () => {
    const { store, contact } = await withContact();
    await store.transaction(async (transaction) => {
      const id = await transaction.addIncoming(incomingOf(contact));
      const other = await transaction.addIncoming(stream(contact));
      const known = async () => (await transaction.incoming()).map(({ allBelow }) => allBelow);
      const read = async (...range: number[]) =>
        (await transaction.receivedParts(id, ...range)).map((one) => one.index);
      const records = [0, 1, 2, 5].map((index) => partRecord(index));
      for (const one of [id, other]) await transaction.addReceivedParts(one, records, 2);
      expect([await read(1), await read(1, 2), await read(3), await read(6), await read(0, 0)]).toEqual([
        [1, 2, 5],
        [1, 2],
        [5],
        [],
        [],
      ]);
      await transaction.addReceivedParts(id, [partRecord(3)]);
      expect(await known()).toEqual([2, 2]);
      await transaction.setPlace(id, PLACE);
      await transaction.dropReceivedParts(id, 3);
      expect([await read(), await known()]).toEqual([
        [0, 1, 2],
        [2, 2],
      ]);
      await transaction.dropReceivedParts(id, 1);
      expect([await read(), await known(), (await transaction.incoming())[0]?.place]).toEqual([[0], [1, 2], PLACE]);
      await transaction.dropReceivedParts(id);
      expect([await read(), await known(), (await transaction.incoming())[0]?.place]).toEqual([[], [0, 2], undefined]);
    });
  });

  it('have each part once', async () => {
    const { store, contact } = await withContact();
    const id = await store.transaction((transaction) => transaction.addIncoming(incomingOf(contact)));
    const add = (...indexes: readonly number[]) =>
      store.transaction((transaction) =>
        transaction.addReceivedParts(
          id,
          indexes.map((index) => partRecord(index)),
        ),
      );
    await add(0, 1);
    // A commit that failed may have been done.
    await add(0, 1, 2);
    await add(2);
    expect(await store.snapshot((view) => view.receivedParts(id))).toEqual([0, 1, 2].map((index) => partRecord(index)));
  });

  it('have a place, which is set and goes with the parts', async () => {
    const { store, contact } = await withContact();
    await store.transaction(async (transaction) => {
      const id = await transaction.addIncoming(incomingOf(contact));
      const other = await transaction.addIncoming(stream(contact));
      const places = async () => (await transaction.incoming()).map(({ place }) => place);
      await transaction.setPlace(other, PLACE);
      await transaction.setPlace(id, PLACE);
      expect(await places()).toEqual([PLACE, PLACE]);
      await transaction.setPlace(id, { ...PLACE, target: '/tmp/film.mkv' });
      await transaction.addReceivedParts(id, [partRecord(0)]);
      await transaction.addReceivedParts(other, [partRecord(0)]);
      expect(await places()).toEqual([{ ...PLACE, target: '/tmp/film.mkv' }, PLACE]);
      await transaction.dropReceivedParts(id);
      expect(await places()).toEqual([undefined, PLACE]);
      expect(await transaction.receivedParts(id)).toEqual([]);
      expect(await transaction.receivedParts(other)).toEqual([partRecord(0)]);
    });
  });

  it('are handed from the process that takes their parts to another, and from no other', async () => {
    const { store, contact } = await withContact();
    await store.transaction(async (transaction) => {
      const id = await transaction.addIncoming(incomingOf(contact));
      await transaction.addIncoming(stream(contact));
      const claims = async () => (await transaction.incoming()).map(({ claim }) => claim);
      expect(await transaction.handOverIncoming(id, 'dead', 'alive', 7)).toBe(false);
      expect(await transaction.handOverIncoming(id, undefined, 'one', 7)).toBe(true);
      expect(await transaction.handOverIncoming(id, undefined, 'two', 7)).toBe(false);
      expect(await claims()).toEqual([{ process: 'one', at: 7 }, undefined]);
      expect(await transaction.handOverIncoming(id, 'one', 'two', 7)).toBe(true);
      expect(await transaction.handOverIncoming(id, 'two', undefined, 7)).toBe(true);
      expect(await claims()).toEqual([undefined, undefined]);
      expect(await transaction.handOverIncoming(GONE as IncomingId, undefined, 'one', 7)).toBe(false);
    });
  });

  it('that are gone are changed by nothing, and nothing is theirs', async () => {
    const { store, contact } = await withContact();
    await store.transaction(async (transaction) => {
      const gone = GONE as IncomingId;
      await transaction.addReceivedParts(gone, [partRecord(0)]);
      await transaction.setPlace(gone, PLACE);
      await transaction.dropReceivedParts(gone);
      await transaction.advanceOutgoing(GONE as OutgoingId, outgoingTo(contact));
      await transaction.dropOutgoing(GONE as OutgoingId);
      expect(await transaction.receivedParts(gone)).toEqual([]);
      expect([await transaction.incoming(), await transaction.outgoing()]).toEqual([[], []]);
    });
  });

  it('are sent, oldest first, and it is known how far', async () => {
    const { store, contact } = await withContact();
    await store.transaction(async (transaction) => {
      const { descriptor, ...file } = outgoingTo(contact, 'stream');
      const contents: readonly Outgoing[] = [
        { ...file, source: undefined, descriptor: { ...descriptor, name: undefined, size: undefined } },
        { ...outgoingTo(contact), box: bytesOf('box', 16), partsAt: 'dir:0123' },
      ];
      const ids: OutgoingId[] = [];
      for (const content of contents) ids.push(await transaction.addOutgoing(content));
      const stored = contents.map((content, index) => ({ ...content, id: ids[index] }));
      expect(await transaction.outgoing()).toEqual(stored);
      const progress = { parts: 2 ** 32 - 1, link: bytesOf('another link', 32), process: 'two', advancedAt: NOW + 1 };
      const state = { ...progress, partsAt: undefined };
      await transaction.advanceOutgoing(ids[1] as OutgoingId, { ...progress, partsAt: 'nats://relay' });
      expect(await transaction.outgoing()).toEqual([stored[0], { ...stored[1], ...progress, partsAt: 'nats://relay' }]);
      await transaction.advanceOutgoing(ids[1] as OutgoingId, state);
      expect(await transaction.outgoing()).toEqual([stored[0], { ...stored[1], ...state }]);
      expect(await transaction.dropOutgoing(ids[0] as OutgoingId)).toBe(true);
      expect(await transaction.dropOutgoing(ids[0] as OutgoingId)).toBe(false);
      expect(await transaction.outgoing()).toEqual([{ ...stored[1], ...state }]);
      expect(await transaction.addOutgoing(outgoingTo(contact, 'next'))).toBeGreaterThan(ids[1] as OutgoingId);
    });
  });

  it('are no longer sent when they were begun before a time', async () => {
    const { store, contact } = await withContact();
    await store.transaction(async (transaction) => {
      const names = async () => (await transaction.outgoing()).map(({ descriptor }) => descriptor.name);
      for (const [index, name] of ['a', 'b', 'c'].entries()) {
        const partsAt = name === 'b' ? 'dir:0123' : undefined;
        await transaction.addOutgoing({ ...outgoingTo(contact, name), createdAt: NOW + index, partsAt });
      }
      const swept = (name: string, partsAt?: string) => ({ contact, partsAt, key: bytesOf(name, 32) });
      expect([await transaction.sweepOutgoing(NOW), await names()]).toEqual([[], ['a', 'b', 'c']]);
      expect([await transaction.sweepOutgoing(NOW + 2), await names()]).toEqual([
        [swept('a'), swept('b', 'dir:0123')],
        ['c'],
      ]);
      expect([await transaction.sweepOutgoing(Number.MAX_SAFE_INTEGER), await names()]).toEqual([[swept('c')], []]);
    });
  });

  it('have each a key of their own', async () => {
    const { store, contact } = await withContact();
    const keyOf = (name: string) => ({ ...incomingOf(contact).descriptor, key: bytesOf(name, 32) });
    await store.transaction(async (transaction) => {
      await transaction.addIncoming({ ...incomingOf(contact), descriptor: keyOf('one') });
      // The two directions have nothing to do with each other.
      await transaction.addOutgoing({ ...outgoingTo(contact), descriptor: keyOf('one') });
    });
    const descriptor = keyOf('one');
    await expect(store.transaction((t) => t.addIncoming({ ...incomingOf(contact), descriptor }))).rejects.toThrow();
    await expect(store.transaction((t) => t.addOutgoing({ ...outgoingTo(contact), descriptor }))).rejects.toThrow();
  });

  it('go with their contact, and belong to somebody', async () => {
    const { store, contact } = await withContact();
    await store.transaction(async (transaction) => {
      const carol = await addContact(transaction, 'carol');
      const id = await transaction.addIncoming(incomingOf(contact));
      await transaction.addReceivedParts(id, [partRecord(0)]);
      await transaction.addOutgoing(outgoingTo(contact));
      await transaction.addIncoming(incomingOf(carol, 'hers'));
      await transaction.addOutgoing(outgoingTo(carol, 'to her'));
      await transaction.dropContact(contact);
      expect((await transaction.incoming()).map(({ descriptor }) => descriptor.name)).toEqual(['hers']);
      expect((await transaction.outgoing()).map(({ descriptor }) => descriptor.name)).toEqual(['to her']);
      expect(await transaction.receivedParts(id)).toEqual([]);
    });
    const nobody = GONE as ContactId;
    await expect(store.transaction((t) => t.addIncoming(incomingOf(nobody)))).rejects.toThrow();
    await expect(store.transaction((t) => t.addOutgoing(outgoingTo(nobody)))).rejects.toThrow();
  });
}
