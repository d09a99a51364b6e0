import { decodeEnvelope, type Envelope } from '../src/envelope/index.ts';
import type { Transcript } from '../src/handshake/index.ts';
import type { RatchetState } from '../src/ratchet/index.ts';
import { DAY } from '../src/session/index.ts';
import { Party } from '../test/session/party.ts';

/** What a peer has of a session at one moment. */
export interface PeerState {
  readonly state: RatchetState;
  readonly transcript: Transcript;
  /** Before the first answer. */
  readonly prefix: Uint8Array | undefined;
}

export interface World {
  readonly bob: Party;
  /** Every envelope that was made for bob: accepted, skipped, in flight; and some that were not for him. */
  readonly envelopes: readonly Uint8Array[];
  /** The texts in them. */
  readonly texts: ReadonlySet<string>;
  /** Alice's state at many moments, and those of others: what a hostile peer seals with. */
  readonly peers: readonly PeerState[];
  /** Those of `peers` whose next message bob has not heard of: what they seal can be accepted. */
  readonly live: readonly PeerState[];
  /** Invites of bob's that are open. */
  readonly invites: readonly Uint8Array[];
}

/** Bob in the middle of everything: old chains with gaps, a current one, openings that wait, a session of his own. */
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
  // Two more chains of hers that bob has not heard of: the next one is in flight.
  await alice.receive(await write(bob, 'alice', 1));
  const heard = peers.length;
  await write(alice, 'bob', 3);

  await carol.add('bob', await bob.invite('carol'));
  await write(carol, 'bob', 2);
  // The invite for dave is used by somebody else whose name bob's contact has, and by alice, whom bob knows.
  const forDave = await bob.invite('alice');
  await dave.add('bob', forDave);
  await write(dave, 'bob', 1);
  await alice.add('bob', await bob.invite('alice2'));
  await write(alice, 'bob', 1);
  // One that is long expired.
  const late = new Party('late');
  await late.add('bob', await bob.invite('late', 1_000));
  await write(late, 'bob', 1);
  // Bob's own opening, answered; and another that is not.
  await bob.add('erin', await erin.invite('bob'));
  await erin.receive(await write(bob, 'erin', 2));
  await write(erin, 'bob', 2);
  const live = [...peers.slice(heard), ...(await startExchanges(bob, write))];
  const invites = [await bob.invite('new'), await bob.invite('newer')];
  bob.time += 8 * DAY;
  // What that time makes him forget is no effect of the inputs to come.
  await bob.receive([]);
  return { bob, envelopes, texts, peers, live, invites };
}

/** Sends so many messages, of which the world keeps all. @returns them. */
type Write = (from: Party, to: string, count: number) => Promise<readonly Uint8Array[]>;

/**
 * People with whom bob is at each point of an exchange of KEM keys: grace owes him the answer to his, heidi is about to
 * offer him one, ivan has, in a chain of which bob has read a message. @returns what they have of their sessions.
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
  // The likelier, the more there is to break.
  return Promise.all([grace, grace, grace, heidi, ivan].map(peerState));
}

/** The session that is newest at `party`. */
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

/** The envelopes that are messages, as fields. */
export function messagesOf(envelopes: readonly Uint8Array[]): readonly Exclude<Envelope, { kind: 'invite' }>[] {
  return envelopes.map((bytes) => decodeEnvelope(bytes)).filter((envelope) => envelope.kind !== 'invite');
}
