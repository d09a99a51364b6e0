import { equal } from '../../../src/primitives/index.ts';
import type { IncomingId, Outgoing, OutgoingId, Transfers } from '../../../src/session/store.ts';
import { requireContact } from './contacts.ts';
import { copyOf, type Data, type MemoryTransaction } from './data.ts';

export function transfers(transaction: MemoryTransaction): Transfers {
  const change = <Row extends { readonly id: number }>(rows: readonly Row[], id: number, difference: Partial<Row>) =>
    rows.map((row) => (row.id === id ? { ...row, ...copyOf(difference) } : row));
  const changeIncoming = (id: IncomingId, difference: Partial<Data['incoming'][number]>): void =>
    transaction.change({ incoming: change(transaction.data.incoming, id, difference) });
  return {
    async addIncoming(incoming) {
      requireContact(transaction, incoming.contact);
      refuseKnownKey(transaction.data.incoming, incoming);
      const id = transaction.nextId() as IncomingId;
      const row = { ...copyOf(incoming), id, claim: undefined, place: undefined, allBelow: 0, parts: [] };
      transaction.change({ incoming: [...transaction.data.incoming, row] });
      return id;
    },

    async incoming() {
      return transaction.data.incoming.map(({ parts: _, ...row }) => copyOf(row));
    },

    async receivedParts(id, from = 0, most = Number.POSITIVE_INFINITY) {
      const parts = transaction.data.incoming.find((row) => row.id === id)?.parts ?? [];
      const some = parts.filter(({ index }) => index >= from).sort((a, b) => a.index - b.index);
      return copyOf(some.slice(0, most));
    },

    async addReceivedParts(id, parts, allBelow) {
      const known = transaction.data.incoming.find((row) => row.id === id)?.parts ?? [];
      const all = new Map([...known, ...parts].map((part) => [part.index, part]));
      changeIncoming(id, { parts: [...all.values()], ...(allBelow !== undefined && { allBelow }) });
    },

    async handOverIncoming(id, from, to, at) {
      const found = transaction.data.incoming.some((row) => row.id === id && row.claim?.process === from);
      if (found) changeIncoming(id, { claim: to === undefined ? undefined : { process: to, at } });
      return found;
    },

    async setPlace(id, place) {
      changeIncoming(id, { place });
    },

    async dropReceivedParts(id, from = 0) {
      const row = transaction.data.incoming.find((one) => one.id === id);
      if (row === undefined) return;
      const left = row.parts.filter(({ index }) => index < from);
      const allBelow = Math.min(row.allBelow, from);
      changeIncoming(id, { parts: left, allBelow, ...(from === 0 && { place: undefined }) });
    },

    async dropIncoming(id) {
      const wasThere = transaction.data.incoming.some((row) => row.id === id);
      transaction.change({ incoming: transaction.data.incoming.filter((row) => row.id !== id) });
      return wasThere;
    },

    async addOutgoing(outgoing) {
      requireContact(transaction, outgoing.contact);
      refuseKnownKey(transaction.data.outgoing, outgoing);
      const id = transaction.nextId() as OutgoingId;
      transaction.change({ outgoing: [...transaction.data.outgoing, { ...copyOf(outgoing), id }] });
      return id;
    },

    async outgoing() {
      return copyOf(transaction.data.outgoing);
    },

    async advanceOutgoing(id, { parts, partsAt, link, process, advancedAt }) {
      const progress = { parts, partsAt, link, process, advancedAt };
      transaction.change({ outgoing: change(transaction.data.outgoing, id, progress) });
    },

    async dropOutgoing(id) {
      const wasThere = transaction.data.outgoing.some((row) => row.id === id);
      transaction.change({ outgoing: transaction.data.outgoing.filter((row) => row.id !== id) });
      return wasThere;
    },

    async sweepOutgoing(before) {
      const kept = transaction.data.outgoing.filter(({ createdAt }) => createdAt >= before);
      const swept = transaction.data.outgoing.filter(({ createdAt }) => createdAt < before);
      transaction.change({ outgoing: kept });
      return copyOf(swept.map(({ contact, partsAt, descriptor: { key } }) => ({ contact, partsAt, key })));
    },
  };
}

function refuseKnownKey(rows: readonly Pick<Outgoing, 'descriptor'>[], { descriptor }: Pick<Outgoing, 'descriptor'>) {
  if (rows.some((row) => equal(row.descriptor.key, descriptor.key)))
    throw new Error('the key is that of another content');
}
