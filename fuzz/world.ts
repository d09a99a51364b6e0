/**
 * Bob's state in memory, with as many kinds of sessions, chains and invites as possible, and the envelopes and peer
 * states that targets use against it.
 */
import { decodeEnvelope, type Envelope, encodeEnvelope, PART_SIZES } from '../src/envelope/index.ts';
import type { Transcript } from '../src/handshake/index.ts';
import { deriveKeys, FIRST_LINK, nextLink } from '../src/parts/index.ts';
import type { RatchetState } from '../src/ratchet/index.ts';
import { DAY, send } from '../src/session/index.ts';
import { Party } from '../test/session/party.ts';
import { KNOWN_KEY } from './grammar.ts';
import { sealPart } from './one-part.ts';

/** A peer's side of a session at one moment. */
export interface PeerState {
  readonly state: RatchetState;
  readonly transcript: Transcript;
  /** Only before the first answer. */
  readonly prefix: Uint8Array | undefined;
}

export interface World {
  readonly bob: Party;
  /** All envelopes for bob: accepted, skipped, not yet received; and some that are for others. */
  readonly envelopes: readonly Uint8Array[];
  /** The texts in them. */
  readonly texts: ReadonlySet<string>;
  /** States of alice at many moments, and of others: a hostile peer seals with them. */
  readonly peers: readonly PeerState[];
  /** Those of `peers` whose next message bob has not received, so that it can be accepted. */
  readonly live: readonly PeerState[];
  /** Parts of a content that bob awaits, of judy; he awaits as many of hers as he may. They are in `envelopes`, too. */
  readonly parts: readonly Uint8Array[];
  /** Bob's open invites. */
  readonly invites: readonly Uint8Array[];
}

/** Bob has old chains with gaps, a current chain, openings not yet received, and sessions that he opened. */
export async function createWorld(): Promise<World> {
  const [alice, bob, carol, dave, erin] = ['alice', 'bob', 'carol', 'dave', 'erin'].map((name) => new Party(name)) as [
    Party,
    Party,
    Party,
    Party,
    Party,
  ];
  const envelopes: Uint8Array[] = [];
  const texts = new Set<string>();
  const peers: PeerState[] = [];
  const write = async (from: Party, to: string, count: number) => {
    const written: Uint8Array[] = [];
    for (let i = 0; i < count; i++) {
      const text = `${from.name} ${texts.size}`;
      texts.add(text);
      written.push((await from.send(to, text)).envelope);
      if (to === 'bob') peers.push(await peerState(from));
    }
    envelopes.push(...written);
    return written;
  };

  await alice.add('bob', await bob.invite('alice'));
  const opening = await write(alice, 'bob', 3);
  await bob.receive(opening.slice(1, 2));
  for (const taken of [[1, 3], [0], [2, 3]]) {
    await alice.receive(await write(bob, 'alice', 2));
    const chain = await write(alice, 'bob', 5);
    await bob.receive(chain.filter((_, i) => taken.includes(i)));
  }
  // Alice begins another chain, of which bob has received nothing.
  await alice.receive(await write(bob, 'alice', 1));
  const heard = peers.length;
  await write(alice, 'bob', 3);

  await carol.add('bob', await bob.invite('carol'));
  await write(carol, 'bob', 2);
  // Dave uses an invite for `alice`, a name that is taken; alice, who is known already, uses one for `alice2`.
  const forDave = await bob.invite('alice');
  await dave.add('bob', forDave);
  await write(dave, 'bob', 1);
  await alice.add('bob', await bob.invite('alice2'));
  await write(alice, 'bob', 1);
  // An expired invite.
  const late = new Party('late');
  await late.add('bob', await bob.invite('late', 1_000));
  await write(late, 'bob', 1);
  // A session that bob opened; erin's answers are not yet received.
  await bob.add('erin', await erin.invite('bob'));
  await erin.receive(await write(bob, 'erin', 2));
  await write(erin, 'bob', 2);
  const live = [...peers.slice(heard), ...(await startExchanges(bob, write))];
  const { judy, parts } = await announceContents(bob, write);
  envelopes.push(...parts);
  live.push(judy);
  const invites = [await bob.invite('new'), await bob.invite('newer')];
  bob.time += 8 * DAY;
  // Deletes what has expired by now, so that no input appears to have done it.
  await bob.receive([]);
  return { bob, envelopes, texts, peers, live, parts, invites };
}

/** Sends `count` messages and records them. */
type Write = (from: Party, to: string, count: number) => Promise<readonly Uint8Array[]>;

/**
 * Sessions at each point of a KEM exchange: grace owes bob an answer, heidi is about to send an offer, ivan has sent
 * one, in a chain of which bob has received a message.
 * @returns their states.
 */
async function startExchanges(bob: Party, write: Write): Promise<readonly PeerState[]> {
  const people = ['grace', 'heidi', 'ivan'].map((name) => new Party(name)) as [Party, Party, Party];
  for (const party of people) {
    await party.add('bob', await bob.invite(party.name));
    await bob.receive(await write(party, 'bob', 1));
    await party.receive(await write(bob, party.name, 1));
  }
  const [grace, heidi, ivan] = people;
  await bob.receive(await write(grace, 'bob', 1));
  for (const party of [bob, ...people]) party.time += DAY;
  await grace.receive(await write(bob, 'grace', 2));
  await bob.receive((await write(ivan, 'bob', 2)).slice(1));
  // Grace's state is repeated to be picked more often: it has the most to break.
  return Promise.all([grace, grace, grace, heidi, ivan].map(peerState));
}

/** Judy has told bob of four contents in parts, and nothing of them has come. @returns her state, and parts of the first. */
async function announceContents(bob: Party, write: Write): Promise<{ judy: PeerState; parts: readonly Uint8Array[] }> {
  const judy = new Party('judy');
  judy.time = bob.time;
  await judy.add('bob', await bob.invite('judy'));
  await bob.receive(await write(judy, 'bob', 1));
  const partSize = PART_SIZES.least;
  const size = 2 * partSize;
  for (const key of [KNOWN_KEY, judy.random(32), judy.random(32), judy.random(32)]) {
    const descriptor = { type: 'descriptor', name: undefined, sentAt: judy.time, size, partSize, key } as const;
    await bob.receive([(await send(judy.context, 'bob', descriptor)).envelope]);
  }
  const keys = deriveKeys(KNOWN_KEY);
  let link = FIRST_LINK;
  const parts = [0, 1].map((index) => {
    const part = { index, isLast: index === 1, link, data: judy.random(partSize) };
    const { sealed, digest } = sealPart(keys, part, { partSize, random: judy.random });
    link = nextLink(link, digest);
    return encodeEnvelope({ kind: 'part', part: sealed });
  });
  return { judy: await peerState(judy), parts };
}

/** The newest session of `party`. */
async function peerState(party: Party): Promise<PeerState> {
  return party.store.snapshot(async (view) => {
    const [contact] = await view.contacts();
    if (contact === undefined) throw new Error('no contact');
    const session = (await view.sessions(contact.id)).at(-1);
    if (session === undefined) throw new Error('no session');
    const { id, transcript, origin } = session;
    const prefix = origin.role === 'initiator' ? origin.prefix : undefined;
    return { state: await view.ratchetState(id), transcript, prefix };
  });
}

/** The decoded envelopes without the invites. */
export function messagesOf(envelopes: readonly Uint8Array[]): readonly Extract<Envelope, { message: unknown }>[] {
  return envelopes.map((bytes) => decodeEnvelope(bytes)).filter((envelope) => 'message' in envelope);
}
