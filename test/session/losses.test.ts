import { describe, expect, it } from 'vitest';
import type { PawlError } from '../../src/errors.ts';
import { LIMITS, nextMessageKey, type RatchetState } from '../../src/ratchet/index.ts';
import { sendingSession } from '../../src/session/select-session.ts';
import { type Party, wordFor } from './party.ts';
import { RestorableParty } from './snapshots.ts';

type People = { readonly alice: RestorableParty; readonly bob: RestorableParty };

/** Bob has an invite of alice's waiting, and nothing was sent yet; or they have heard each other. */
async function people(heard: boolean): Promise<People> {
  const [alice, bob] = [new RestorableParty('alice'), new RestorableParty('bob')];
  await alice.add('bob', await bob.invite('alice'));
  if (heard) {
    await bob.read((await alice.send('bob', 'hi bob')).envelope);
    await alice.read((await bob.send('alice', 'hi alice')).envelope);
    await bob.read((await alice.send('bob', 'how are you')).envelope);
  }
  return { alice, bob };
}

/**
 * Sends `count` messages of which nobody keeps a copy. The first is sent as ever; for the others the chain is walked
 * without sealing anything, which is all that sending them leaves behind.
 */
async function lose(party: Party, to: string, count: number): Promise<void> {
  await party.send(to, 'lost');
  await party.store.transaction(async (transaction) => {
    const contact = await transaction.contactNamed(to);
    const session = contact && sendingSession(await transaction.sessions(contact.id));
    if (session === undefined) throw new Error('something was sent');
    let state = await transaction.ratchetState(session.id);
    for (let i = 1; i < count; i++)
      ({ state } = nextMessageKey(state, party.random, party.time) as { state: RatchetState });
    await transaction.saveSent(session.id, state);
  });
}

const exchange = async ({ alice, bob }: People) => {
  expect(await bob.read((await alice.send('bob', 'there')).envelope)).toBe('there');
  expect(await alice.read((await bob.send('alice', 'and back')).envelope)).toBe('and back');
  expect(await bob.read((await alice.send('bob', 'and there')).envelope)).toBe('and there');
  expect([...(await alice.forks()), ...(await bob.forks())]).toEqual([]);
};

describe.each([1, 10, 11, 12, 1_999, 2_000, 2_001, 4_500])('%i messages lost', (count) => {
  const bridged = count <= LIMITS.gap;
  const gap = { gap: count };

  it('in the middle of a chain', async () => {
    const { alice, bob } = await people(true);
    await lose(alice, 'bob', count);
    const { envelope } = await alice.send('bob', 'next');
    const word = await bob.read(envelope);
    expect(word).toBe(bridged ? 'next' : 'refused: gap-too-large');
    if (!bridged) {
      // Either of what the hint says.
      const before = bob.copy();
      expect(await bob.read(envelope, gap)).toBe('next');
      bob.restore(before);
      expect(await alice.read((await bob.send('alice', 'anything')).envelope)).toBe('anything');
    }
    await exchange({ alice, bob });
  });

  it('at the end of a chain', async () => {
    const { alice, bob } = await people(true);
    await lose(alice, 'bob', count);
    expect(await alice.read((await bob.send('alice', 'hello?')).envelope)).toBe('hello?');
    await exchange({ alice, bob });
    const [session] = bob.copy().sessions;
    expect([session?.skipped.length, session?.lost]).toEqual(bridged ? [count, 0] : [0, count]);
  });

  it('at the start of a chain', async () => {
    const { alice, bob } = await people(true);
    expect(await alice.read((await bob.send('alice', 'hello?')).envelope)).toBe('hello?');
    await lose(alice, 'bob', count);
    const { envelope } = await alice.send('bob', 'next');
    expect(await bob.read(envelope)).toBe(bridged ? 'next' : 'refused: gap-too-large');
    if (!bridged) {
      const [outcome] = await bob.receive([envelope]);
      if (outcome?.type !== 'refused') throw new Error('refused');
      expect((outcome.error as PawlError<'gap-too-large'>).detail).toMatchObject({ missing: count, inNewChain: true });
      expect(await bob.read(envelope, gap)).toBe('next');
    }
    await exchange({ alice, bob });
  });

  it('at the start of a conversation', async () => {
    const { alice, bob } = await people(false);
    await lose(alice, 'bob', count);
    const { envelope } = await alice.send('bob', 'next');
    expect(await bob.read(envelope)).toBe(bridged ? 'next' : 'refused: gap-too-large');
    if (!bridged) expect(await bob.read(envelope, gap)).toBe('next');
    await exchange({ alice, bob });
  });
});

describe('whole chains lost', () => {
  it('cannot be many in a row: the next waits for an answer, and goes on', async () => {
    const { alice, bob } = await people(true);
    // Everything of alice's is lost for ten turns of hers, and all of bob's arrives.
    for (let turn = 0; turn < 10; turn++) {
      await lose(alice, 'bob', 7);
      expect(await alice.read((await bob.send('alice', `turn ${turn}`)).envelope)).toBe(`turn ${turn}`);
    }
    await exchange({ alice, bob });
  });

  it('in both directions at once, and in turns', async () => {
    const { alice, bob } = await people(true);
    for (let turn = 0; turn < 6; turn++) {
      await lose(alice, 'bob', 20);
      await lose(bob, 'alice', 30);
      await exchange({ alice, bob });
    }
  });

  it('with an invite for every other one', async () => {
    const { alice, bob } = await people(true);
    for (let turn = 0; turn < 6; turn++) {
      await lose(alice, 'bob', 5);
      await bob.add('alice', await alice.invite('bob'));
      await lose(bob, 'alice', 5);
      await exchange({ alice, bob });
    }
  });
});

describe('a hundred thousand messages lost', () => {
  it('in a chain, or at its start, are bridged by --max-gap', async () => {
    for (const startOfChain of process.env.PAWL_RUNS === undefined ? [true] : [false, true]) {
      const { alice, bob } = await people(true);
      if (startOfChain) expect(await alice.read((await bob.send('alice', 'hello?')).envelope)).toBe('hello?');
      await lose(alice, 'bob', 100_000);
      const { envelope } = await alice.send('bob', 'next');
      expect(await bob.read(envelope)).toBe('refused: gap-too-large');
      expect(await bob.read(envelope, { gap: 99_999 })).toBe('refused: gap-too-large');
      expect(await bob.read(envelope, { gap: 100_000 })).toBe('next');
      const [session] = bob.copy().sessions;
      expect([session?.skipped.length, session?.lost]).toEqual([2_000, 98_000]);
      await exchange({ alice, bob });
    }
  });
});

describe('a flood', () => {
  it('of gaps leaves 2,000 keys, 64 chains and 4,096 digests at most, and the conversation goes on', async () => {
    const { alice, bob } = await people(true);
    const kept: Uint8Array[] = [];
    let most = { skipped: 0, chains: 0, digests: 0 };
    for (let turn = 0; turn < 80; turn++) {
      const [first] = [await alice.send('bob', `first of ${turn}`)];
      kept.push(first.envelope);
      await lose(alice, 'bob', turn < 3 ? 900 : 15);
      expect(await bob.read((await alice.send('bob', `turn ${turn}`)).envelope)).toBe(`turn ${turn}`);
      expect(await alice.read((await bob.send('alice', 'yes')).envelope)).toBe('yes');
      const [session] = bob.copy().sessions;
      if (session === undefined) throw new Error('there is one');
      most = {
        skipped: Math.max(most.skipped, session.skipped.length),
        chains: Math.max(most.chains, session.finished.length),
        digests: Math.max(most.digests, session.accepted.length),
      };
    }
    expect(most.skipped).toBe(2_000);
    expect(most.chains).toBe(64);
    // The newest ones missed can still be read, the oldest are gone, and nothing is held against anybody.
    const words = [];
    for (const envelope of kept) words.push(await bob.read(envelope));
    expect(words.at(-1)).toBe('first of 79');
    expect(words.at(-60)).toBe('first of 20');
    expect(new Set(words.filter((word) => !word.startsWith('first of')))).toEqual(new Set(['refused: not-for-you']));
    await exchange({ alice, bob });
  });

  it('of messages leaves 4,096 digests, and an older duplicate is too late, not a fork', async () => {
    const { alice, bob } = await people(true);
    const first = await alice.send('bob', 'first');
    const envelopes = [first.envelope];
    for (let i = 0; i < 4_200; i++) envelopes.push((await alice.send('bob', 'text')).envelope);
    // In one unit of work, as mail comes.
    for (let at = 0; at < envelopes.length; at += 600) {
      const outcomes = await bob.receive(envelopes.slice(at, at + 600));
      expect(new Set(outcomes.map(wordFor))).toEqual(new Set(at === 0 ? ['first', 'text'] : ['text']));
    }
    expect(bob.copy().sessions[0]?.accepted).toHaveLength(4_096);
    expect(await bob.read(first.envelope)).toBe('too-late');
    expect(await bob.read(envelopes.at(-1) as Uint8Array)).toBe('duplicate');
    await exchange({ alice, bob });
  });
});
