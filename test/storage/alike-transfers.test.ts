import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { ContactId, IncomingId, OutgoingId, SessionStore, Transaction } from '../../src/session/store.ts';
import { addContact, bytesOf, incomingOf, NOW, outgoingTo, partRecord, record } from './fixtures.ts';
import { newFile, openStore } from './folder.ts';
import { MemoryStore } from './memory/index.ts';

const who = fc.nat(2);
/** Which of the contents that were ever begun, also ones that are gone. */
const which = fc.nat(9);
const process = fc.constantFrom('one', 'two', undefined);
const time = fc.integer({ min: NOW, max: NOW + 12 });

type Event =
  | { readonly type: 'await' | 'send'; readonly who: number; readonly at: number; readonly isStream: boolean }
  | { readonly type: 'parts'; readonly which: number; readonly indexes: readonly number[] }
  | { readonly type: 'hand over'; readonly which: number; readonly from?: string; readonly to?: string }
  | { readonly type: 'place' | 'drop' | 'sent'; readonly which: number }
  | { readonly type: 'begin'; readonly which: number; readonly from: number }
  | { readonly type: 'advance'; readonly which: number; readonly parts: number }
  | { readonly type: 'sweep'; readonly before: number }
  | { readonly type: 'correct'; readonly now: number }
  | { readonly type: 'forget'; readonly who: number };

/** What was begun, in its order. */
interface Ids {
  readonly incoming: IncomingId[];
  readonly outgoing: OutgoingId[];
}

const just = <Type extends string>(type: Type) => fc.constant(type);
const events = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ type: fc.constantFrom('await', 'send'), who, at: time, isStream: fc.boolean() }),
  },
  {
    weight: 6,
    arbitrary: fc.record({ type: just('parts'), which, indexes: fc.uniqueArray(fc.nat(6), { maxLength: 3 }) }),
  },
  { weight: 4, arbitrary: fc.record({ type: just('hand over'), which, from: process, to: process }) },
  { weight: 4, arbitrary: fc.record({ type: fc.constantFrom('place', 'drop', 'sent'), which }) },
  { weight: 2, arbitrary: fc.record({ type: just('begin'), which, from: fc.nat(4) }) },
  { weight: 3, arbitrary: fc.record({ type: just('advance'), which, parts: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ type: just('sweep'), before: time }) },
  { weight: 1, arbitrary: fc.record({ type: just('correct'), now: time }) },
  { weight: 1, arbitrary: fc.record({ type: just('forget'), who }) },
) as fc.Arbitrary<Event>;

it('the two stores hold the same contents in parts, after every event', async () => {
  const memory = new MemoryStore(record());
  const file = openStore(newFile());
  let count = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(events, { minLength: 10, maxLength: 40 }), async (script) => {
      const history = await play(file, script);
      expect(history).toEqual(await play(memory, script));
      count += history.flat(2).length;
    }),
    { numRuns: 100 },
  );
  expect(count).toBeGreaterThan(500);
});

/** Plays a script in one transaction, of which nothing is left. @returns what the store held after each event. */
async function play(store: SessionStore, script: readonly Event[]): Promise<unknown[][]> {
  const history: unknown[][] = [];
  const undone = new Error('undone');
  const work = store.transaction(async (transaction) => {
    const contacts: (ContactId | undefined)[] = [];
    for (const name of ['alice', 'carol', 'dave']) contacts.push(await addContact(transaction, name));
    const ids: Ids = { incoming: [], outgoing: [] };
    for (const [n, event] of script.entries()) {
      const answer = await perform(transaction, { event, n, contacts, ids });
      history.push([answer, ...(await held(transaction, ids))]);
    }
    throw undone;
  });
  await work.catch((error) => expect(error).toBe(undone));
  return history;
}

async function perform(
  transaction: Transaction,
  { event, n, contacts, ids }: { event: Event; n: number; contacts: (ContactId | undefined)[]; ids: Ids },
): Promise<unknown> {
  const pick = <Id extends number>(of: readonly Id[]): Id =>
    ('which' in event ? of[event.which % of.length] : undefined) ?? (0 as Id);
  const [incoming, outgoing] = [pick(ids.incoming), pick(ids.outgoing)];
  switch (event.type) {
    case 'await':
    case 'send': {
      const contact = contacts[event.who];
      if (contact === undefined) return undefined;
      const [one, other] = [incomingOf(contact, `${n}`), outgoingTo(contact, `${n}`)];
      const descriptor = event.isStream ? { ...one.descriptor, name: undefined, size: undefined } : one.descriptor;
      const source = event.isStream ? undefined : other.source;
      return event.type === 'await'
        ? ids.incoming.push(
            await transaction.addIncoming({ ...one, late: event.isStream, receivedAt: event.at, descriptor }),
          )
        : ids.outgoing.push(await transaction.addOutgoing({ ...other, createdAt: event.at, descriptor, source }));
    }
    case 'parts': {
      const there = new Set((await transaction.receivedParts(incoming)).map(({ index }) => index));
      const records = event.indexes.filter((index) => !there.has(index)).map((index) => partRecord(index, index === 6));
      return transaction.addReceivedParts(incoming, records, event.indexes[0]);
    }
    case 'hand over':
      return transaction.handOverIncoming(incoming, event.from, event.to, n);
    case 'place': {
      const [host, target] = [n % 3 === 0 ? undefined : 'a host', n % 2 === 0 ? '/a' : undefined];
      return transaction.setPlace(incoming, { path: `/${n}`, inode: `${n}`, host, target });
    }
    case 'begin':
      return transaction.dropReceivedParts(incoming, event.from);
    case 'drop':
      return transaction.dropIncoming(incoming);
    case 'sent':
      return transaction.dropOutgoing(outgoing);
    case 'advance': {
      const partsAt = n % 2 === 0 ? `dir:${n}` : undefined;
      const state = { parts: event.parts, partsAt, link: bytesOf(`${n}`, 32), process: `${n}`, advancedAt: n };
      return transaction.advanceOutgoing(outgoing, state);
    }
    case 'sweep':
      return (await transaction.sweepOutgoing(event.before)).map(({ contact: _, ...swept }) => swept);
    case 'correct':
      return transaction.correctTimes(event.now, 3);
    case 'forget': {
      const contact = contacts[event.who];
      contacts[event.who] = undefined;
      return contact === undefined ? undefined : transaction.dropContact(contact);
    }
  }
}

/** All that a store says of contents in parts. Its ids are its own, and are told by their order. */
async function held(transaction: Transaction, ids: Ids): Promise<unknown[]> {
  const contacts = new Map((await transaction.contacts()).map(({ id, name }) => [id, name]));
  const told =
    <Id extends number>(known: readonly Id[]) =>
    <Row extends { id: Id; contact: ContactId }>({ id, contact, ...row }: Row) => ({
      ...row,
      of: contacts.get(contact),
      number: known.indexOf(id),
    });
  const incoming = await transaction.incoming();
  const parts = await Promise.all(
    incoming.flatMap(({ id }) => [transaction.receivedParts(id), transaction.receivedParts(id, 2, 2)]),
  );
  return [incoming.map(told(ids.incoming)), parts, (await transaction.outgoing()).map(told(ids.outgoing))];
}
