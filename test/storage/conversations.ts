/** Random conversations, played with one side in a store. */
import fc from 'fast-check';
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
import { chainOf, meet, repeatable, TRANSCRIPT } from '../ratchet/party.ts';
import { addContact, findEntries, NOW, opened } from './fixtures.ts';

/** Small enough that a short script reaches all of them. */
const SMALL: Limits = { ...LIMITS, keptKeys: 5, recentChains: 2, keptChains: 3, keptDigests: 6 };

/** What two people and the channel between them do. */
type Event =
  | { readonly type: 'alice sends'; readonly count: number }
  | { readonly type: 'bob answers' }
  /** Any message, the newest likeliest, maybe not for the first time. */
  | { readonly type: 'arrives'; readonly behind: number }
  | { readonly type: 'sweep'; readonly age: number };

/** Conversations. */
export const scripts: fc.Arbitrary<readonly Event[]> = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.record({ type: fc.constant('alice sends'), count: fc.integer({ min: 1, max: 4 }) }) },
    { weight: 3, arbitrary: fc.record({ type: fc.constant('bob answers') }) },
    { weight: 5, arbitrary: fc.record({ type: fc.constant('arrives'), behind: fc.nat(12) }) },
    { weight: 1, arbitrary: fc.record({ type: fc.constant('sweep'), age: fc.integer({ min: 3, max: 20 }) }) },
  ) as fc.Arbitrary<Event>,
  { minLength: 20, maxLength: 60 },
);

/** What a state says of its exchange of KEM keys. */
export function exchangeIn({ rekeying, sending }: RatchetState): string {
  const field = sending.kind === 'chain' ? sending.kem : undefined;
  return `${rekeying.exchange.kind}${field === undefined ? '' : `, carries ${field.kind}`}`;
}

/** Conversations of which a store has bob's side. */
export interface Playing {
  readonly name: string;
  readonly script: readonly Event[];
  readonly rules: Rules;
}

/** Plays a script with bob's side in a store, in one transaction. @returns what the store held after each event. */
export function play(store: SessionStore, playing: Playing): Promise<(string | Held)[]> {
  return store.transaction((transaction) => playIn((work) => work(transaction), playing));
}

/** The same, with a transaction for each event. */
export function playApart(store: SessionStore, playing: Playing): Promise<(string | Held)[]> {
  return playIn((work) => store.transaction(work), playing);
}

type Perform = <Result>(work: (transaction: Transaction) => Promise<Result>) => Promise<Result>;

async function playIn(perform: Perform, { name, script, rules }: Playing): Promise<(string | Held)[]> {
  const { alice, bob } = meet(SMALL, rules);
  const random = repeatable(name);
  const sent: Encrypted[] = [];
  const session = await perform(async (transaction) => {
    const contact = await addContact(transaction, name);
    return transaction.addSession(opened(contact, name), bob.state);
  });
  const history: (string | Held)[] = [];
  for (const [minute, event] of script.entries()) {
    await perform(async (transaction) => {
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
    });
    history.push(await perform((transaction) => held(transaction, session)));
  }
  return history;
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
