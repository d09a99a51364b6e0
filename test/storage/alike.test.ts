import fc from 'fast-check';
import { expect, it } from 'vitest';
import { utf8 } from '../../src/primitives/index.ts';
import {
  decrypt,
  type Encrypted,
  encrypt,
  type FindEntry,
  isSealedFor,
  LIMITS,
  type Limits,
  openHeader,
  type Place,
  type RatchetState,
  type Rules,
  type SealedMessage,
  type SessionId,
} from '../../src/ratchet/index.ts';
import type { SessionStore, Transaction } from '../../src/session/store.ts';
import { chainOf, EAGER, expectSame, IN_TURNS, meet, repeatable, TRANSCRIPT } from '../ratchet/party.ts';
import { addContact, findEntries, NOW, opened, record } from './fixtures.ts';
import { newFile, openStore } from './folder.ts';
import { MemoryStore } from './memory/index.ts';

/** Small enough that a short script reaches all of them. */
const SMALL: Limits = { ...LIMITS, keptKeys: 5, recentChains: 2, keptChains: 3, keptDigests: 6 };

/** What two people and the channel between them do. */
type Event =
  | { readonly type: 'alice sends'; readonly count: number }
  | { readonly type: 'bob answers' }
  /** Any message, the newest likeliest, maybe not for the first time. */
  | { readonly type: 'arrives'; readonly behind: number }
  | { readonly type: 'sweep'; readonly age: number };

const scripts: fc.Arbitrary<readonly Event[]> = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.record({ type: fc.constant('alice sends'), count: fc.integer({ min: 1, max: 4 }) }) },
    { weight: 3, arbitrary: fc.record({ type: fc.constant('bob answers') }) },
    { weight: 5, arbitrary: fc.record({ type: fc.constant('arrives'), behind: fc.nat(12) }) },
    { weight: 1, arbitrary: fc.record({ type: fc.constant('sweep'), age: fc.integer({ min: 3, max: 20 }) }) },
  ) as fc.Arbitrary<Event>,
  { minLength: 20, maxLength: 60 },
);

it('the two stores hold the same, after every event of any conversation', async () => {
  const memory = new MemoryStore(record());
  const file = openStore(newFile());
  let count = 0;
  const exchanges = new Set<string>();
  await fc.assert(
    fc.asyncProperty(scripts, fc.constantFrom(EAGER, IN_TURNS), async (script, rules) => {
      const name = `conversation-${count++}`;
      const history = await play(file, name, script, rules);
      expectSame(history, await play(memory, name, script, rules));
      for (const event of history) if (typeof event === 'object') exchanges.add(exchangeIn(event.state));
    }),
    { numRuns: 40 },
  );
  // All that a row can say of an exchange was said.
  expect([...exchanges].sort()).toEqual(['idle', 'idle, carries answer', 'offered, carries offer', 'owed']);
});

function exchangeIn({ rekeying, sending }: RatchetState): string {
  const field = sending.kind === 'chain' ? sending.kem : undefined;
  return `${rekeying.exchange.kind}${field === undefined ? '' : `, carries ${field.kind}`}`;
}

/** Plays a script with bob's side in a store, in one transaction. @returns what the store held after each event. */
function play(store: SessionStore, name: string, script: readonly Event[], rules: Rules): Promise<(string | Held)[]> {
  const { alice, bob } = meet(SMALL, rules);
  const random = repeatable(name);
  const sent: Encrypted[] = [];
  return store.transaction(async (transaction) => {
    const contact = await addContact(transaction, name);
    const session = await transaction.addSession(opened(contact, name), bob.state);
    const history: (string | Held)[] = [];
    for (const [minute, event] of script.entries()) {
      switch (event.type) {
        case 'alice sends':
          sent.push(...alice.sendMany(event.count));
          break;
        case 'bob answers': {
          const state = await transaction.ratchetState(session);
          if (state.sending.kind === 'awaiting') break;
          const answer = encrypt(state, utf8('answer'), {
            associatedData: TRANSCRIPT,
            random,
            now: NOW + minute,
            rules,
          });
          await transaction.saveSent(session, answer.state);
          alice.read(answer);
          break;
        }
        case 'arrives': {
          const message = sent.at(-1 - event.behind);
          if (message !== undefined) history.push(await receive(transaction, session, message.message, NOW + minute));
          break;
        }
        case 'sweep':
          await transaction.sweepSkippedKeys(NOW + minute - event.age);
          break;
      }
      history.push(await held(transaction, session));
    }
    return history;
  });
}

async function receive(transaction: Transaction, session: SessionId, message: SealedMessage, at: number) {
  const entry = (await findEntries(transaction, session)).find(({ find }) => isSealedFor(find, message));
  if (entry === undefined) return 'not found';
  const state = await transaction.ratchetState(session);
  const place = await placeOf(transaction, entry, state);
  const header = openHeader(headerKeysOf(state, place), message, TRANSCRIPT);
  if (header === undefined) return 'not opened';
  const kept = await transaction.keptPosition(session, chainOf(state, place), header.header.n);
  const decrypted = decrypt(
    state,
    { place, opened: header, body: message.body },
    { kept, associatedData: TRANSCRIPT, limits: SMALL, now: at },
  );
  if (decrypted.kind === 'accepted') {
    await transaction.saveReceived(session, [{ step: decrypted.step, digest: header.digest }], at, SMALL);
  }
  return decrypted.kind;
}

async function placeOf(transaction: Transaction, { session, chain }: FindEntry, state: RatchetState): Promise<Place> {
  if (chain === 'next') return 'next';
  const { receiving } = state;
  const isCurrent = receiving.kind === 'chain' && receiving.chain === chain;
  return isCurrent ? 'current' : transaction.finishedChain(session, chain);
}

function headerKeysOf({ receiving, nextReceiving }: RatchetState, place: Place) {
  if (typeof place === 'object') return place.header;
  return place === 'current' && receiving.kind === 'chain' ? receiving.header : nextReceiving;
}

type Held = Awaited<ReturnType<typeof held>>;

/** All that a store says about a session, without its ids. */
async function held(transaction: Transaction, id: SessionId) {
  const state = await transaction.ratchetState(id);
  const current = chainOf(state, 'current');
  const entries = (await findEntries(transaction, id)).map(({ chain, find }) => ({ chain, find }));
  const finished = entries.flatMap(({ chain }) => (chain === 'next' || chain === current ? [] : [chain]));
  const positions = Array.from({ length: (current + 1) * 12 }, (_, i) => [Math.floor(i / 12), i % 12] as const);
  const { id: _id, contact: _contact, ...session } = await transaction.session(id);
  return {
    session,
    state,
    entries,
    finished: await Promise.all(finished.map((chain) => transaction.finishedChain(id, chain))),
    missing: await transaction.missingMessages(id),
    kept: await Promise.all(positions.map(([chain, n]) => transaction.keptPosition(id, chain, n))),
  };
}
