import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { ContactId, HistoryContent, HistoryRange, SessionStore } from '../../src/session/store.ts';
import { addContact, bytesOf, NOW, record } from './fixtures.ts';
import { newFile, openStore } from './folder.ts';
import { MemoryStore } from './memory/index.ts';

/** Times of an hour: few enough that they meet one another, and the bounds of what is asked for. */
const time = fc.integer({ min: NOW, max: NOW + 12 });
const who = fc.integer({ min: 0, max: 2 });
const range = fc.record({ from: time, before: time }, { requiredKeys: [] });

const content: fc.Arbitrary<HistoryContent> = fc.oneof(
  fc.record({ kind: fc.constant('text' as const), text: fc.string({ unit: 'grapheme' }) }),
  fc.record({ kind: fc.constant('file' as const), name: fc.string({ minLength: 1 }), length: fc.nat() }),
  fc.record({ kind: fc.constant('bytes' as const), length: fc.nat() }),
);

type Event =
  | { readonly type: 'keep'; readonly who: number; readonly at: number; readonly content: HistoryContent }
  | { readonly type: 'sweep'; readonly before: number }
  | { readonly type: 'forget'; readonly who: number }
  | { readonly type: 'set'; readonly maxAge: number | undefined }
  | { readonly type: 'ask'; readonly range: HistoryRange; readonly who: number | undefined; readonly limit: number };

const events: fc.Arbitrary<Event> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ type: fc.constant('keep' as const), who, at: time, content }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('sweep' as const), before: time }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('forget' as const), who }) },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant('set' as const),
      maxAge: fc.option(fc.integer({ min: 1 }), { nil: undefined }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant('ask' as const),
      range,
      who: fc.option(who, { nil: undefined }),
      limit: fc.integer({ min: 1, max: 4 }),
    }),
  },
);

it('the two stores keep the same history, whatever is kept, asked for and dropped', async () => {
  const memory = new MemoryStore(record());
  const file = openStore(newFile());
  let asked = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(events, { minLength: 10, maxLength: 40 }), async (script) => {
      const answers = await play(file, script);
      expect(answers).toEqual(await play(memory, script));
      asked += answers.flat().length;
    }),
    { numRuns: 100 },
  );
  expect(asked).toBeGreaterThan(500);
});

/** Plays a script in one transaction, of which nothing is left. @returns what the store answered. */
async function play(store: SessionStore, script: readonly Event[]): Promise<unknown[][]> {
  const answers: unknown[][] = [];
  const undone = new Error('undone');
  await store
    .transaction(async (transaction) => {
      const contacts: ContactId[] = [];
      for (const name of ['alice', 'carol', 'dave']) contacts.push(await addContact(transaction, name));
      const idOf = (number: number) => contacts[number] as ContactId;
      const gone = new Set<number>();
      for (const [n, event] of script.entries()) {
        switch (event.type) {
          case 'keep': {
            if (gone.has(event.who)) break;
            const { at } = event;
            const direction = n % 2 === 0 ? 'sent' : 'received';
            const entry = {
              contact: idOf(event.who),
              direction,
              messageId: bytesOf(`${n}`, 16),
              n,
              at,
              sentAt: at + n,
              content: event.content,
            } as const;
            await transaction.addToHistory(entry);
            break;
          }
          case 'sweep':
            answers.push([await transaction.sweepHistory(event.before)]);
            break;
          case 'forget':
            if (!gone.has(event.who)) await transaction.dropContact(idOf(event.who));
            gone.add(event.who);
            break;
          case 'set':
            await transaction.setHistorySetting({ since: NOW + n, maxAge: event.maxAge });
            answers.push([await transaction.historySetting()]);
            break;
          case 'ask': {
            const wanted = { ...event.range, ...(event.who !== undefined && { contact: idOf(event.who) }) };
            answers.push([await transaction.countHistory(wanted)]);
            let slice = await transaction.history({ ...wanted, limit: event.limit });
            while (slice.length > 0) {
              // The ids are each store's own, and so are those of the contacts.
              answers.push(slice.map(({ id: _, contact, ...entry }) => ({ ...entry, who: contacts.indexOf(contact) })));
              const after = slice.at(-1)?.id;
              slice = await transaction.history({
                ...wanted,
                limit: event.limit,
                ...(after !== undefined && { after }),
              });
            }
            break;
          }
        }
      }
      throw undone;
    })
    .catch((error) => expect(error).toBe(undone));
  return answers;
}
