import { expect, it } from 'vitest';
import { LIMITS, type RatchetState } from '../../../src/ratchet/index.ts';
import type { SessionStore, Transaction } from '../../../src/session/store.ts';
import { at, converse, EAGER, IN_TURNS, meet } from '../../ratchet/party.ts';
import { addContact, Conversation, findEntries, freshState, type MakeStore, NOW, opened } from '../fixtures.ts';

export function ratchet(make: MakeStore): void {
  it('gives every state back as it was saved', async () => {
    const { store } = make();
    const { alice, bob } = meet();
    const states = [bob.state, alice.state];
    bob.read(alice.send('hello'));
    states.push(bob.state);
    bob.send('hello, alice');
    states.push(bob.state);
    // Offered and carried, owed, answered and carried, mixed.
    const exchanging = converse(LIMITS, EAGER);
    states.push(exchanging.bob.state, exchanging.alice.state);
    exchanging.bob.read(exchanging.alice.send('an answer'));
    states.push(exchanging.alice.state, exchanging.bob.state);
    expect(new Set(states.map(({ rekeying }) => rekeying.exchange.kind)).size).toBe(3);
    for (const state of states) {
      const id = await addSession(store, state);
      expect(await store.snapshot((view) => view.ratchetState(id))).toEqual(state);
    }
  });

  it('keeps what sending changes', async () => {
    const { store } = make();
    const conversation = await Conversation.begin(store);
    await conversation.receive(conversation.alice.send('hello'));
    for (let i = 0; i < 2; i++) {
      const { state } = await conversation.send();
      expect(await conversation.read((view) => view.ratchetState(conversation.session))).toEqual(state);
    }
  });

  it('keeps what receiving changes, over many turns', async () => {
    const { store } = make();
    const conversation = await Conversation.begin(store);
    const { bob, session } = conversation;
    for (let turn = 0; turn < 4; turn++) {
      await conversation.turn({ sends: 3, received: turn % 3 });
      await conversation.read(async (view) => {
        expect(await view.ratchetState(session)).toEqual(bob.state);
        for (const chain of bob.keeper.finished) expect(await view.finishedChain(session, chain.chain)).toEqual(chain);
        const skipped = bob.keeper.skipped.map(({ chain, n }) => ({ chain, n, keptSince: NOW }));
        expect(await view.missingMessages(session)).toEqual(skipped);
        await expect(view.finishedChain(session, turn)).rejects.toThrow('finished chain');
      });
    }
  });

  it('keeps what an exchange of KEM keys changes, offer by offer and answer by answer', async () => {
    const { store } = make();
    const conversation = await Conversation.begin(store, LIMITS, 'alice', IN_TURNS);
    const { alice, bob, session } = conversation;
    const kept = async () => {
      const state = await conversation.read((view) => view.ratchetState(session));
      expect(state).toEqual(bob.state);
      const field = state.sending.kind === 'chain' ? state.sending.kem?.kind : undefined;
      return `${state.rekeying.exchange.kind} ${field ?? '-'} ${state.rekeying.mixed.step}`;
    };
    const steps: string[] = [];
    for (let turn = 0; turn < 5; turn++) {
      await conversation.receive(alice.send('on'));
      steps.push(await kept());
      alice.read(await conversation.send());
      steps.push(await kept());
    }
    expect(steps).toEqual([
      'idle - 0',
      'offered offer 0',
      'idle - 3',
      'idle - 3',
      'owed - 3',
      'idle answer 6',
      'idle - 6',
      'offered offer 6',
      'idle - 9',
      'idle - 9',
    ]);
  });

  it('keeps the keys of missing messages until they come', async () => {
    const { store } = make();
    const conversation = await Conversation.begin(store);
    const { alice, bob, session } = conversation;
    const [first, second, third] = alice.sendThree();
    await conversation.receive(third);
    const kept = (n: number) => conversation.read((view) => view.keptPosition(session, 0, n));
    expect(await kept(0)).toEqual({ messageKey: at(bob.keeper.skipped, 0).messageKey });
    expect(await kept(1)).toEqual({ messageKey: at(bob.keeper.skipped, 1).messageKey });
    expect(await kept(2)).toEqual({ digest: third.id });
    expect(await kept(3)).toEqual({});

    await conversation.receive(first, NOW + 1);
    expect(await kept(0)).toEqual({ digest: first.id });
    expect(await conversation.read((view) => view.missingMessages(session))).toEqual([
      { chain: 0, n: 1, keptSince: NOW },
    ]);
    await conversation.receive(second);
    expect(await conversation.read((view) => view.missingMessages(session))).toEqual([]);
  });

  it('lists missing messages by chain and position', async () => {
    const conversation = await Conversation.begin(make().store);
    const [, , , , tenth] = await conversation.turn({ sends: 12, received: 2 });
    await conversation.turn({ sends: 2, at: NOW + 1 });
    if (tenth !== undefined) await conversation.receive(tenth);
    const missing = await conversation.read((view) => view.missingMessages(conversation.session));
    expect(missing.map(({ chain, n }) => `${chain}/${n}`)).toEqual([
      ...[0, 1, 3, 5, 6, 7, 8, 9, 10, 11].map((n) => `0/${n}`),
      '1/0',
    ]);
    expect(missing.map(({ keptSince }) => keptSince - NOW)).toEqual([0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1]);
  });

  it('accepts one message at a position, and one for a kept key', async () => {
    const { store } = make();
    const conversation = await Conversation.begin(store);
    const { alice, bob, session } = conversation;
    const [first, , third] = alice.sendThree();
    await conversation.receive(third);
    const { step } = bob.accept(first);
    const save = (again = step) =>
      store.transaction((transaction) =>
        transaction.saveReceived(session, [{ step: again, digest: first.id }], NOW, LIMITS),
      );
    await save();
    await expect(save()).rejects.toThrow();
    await expect(save({ ...step, n: 7 })).rejects.toThrow();
    expect(await conversation.read((view) => view.ratchetState(session))).toEqual(bob.state);
  });

  it('remembers when the last new chain of the peer came', async () => {
    const conversation = await Conversation.begin(make().store);
    const { alice, session } = conversation;
    const lastStep = async () => (await conversation.read((view) => view.session(session))).lastDhStepAt;
    expect(await lastStep()).toBeUndefined();
    const [first, second, third] = alice.sendThree();
    await conversation.receive(second, NOW + 1);
    await conversation.receive(third, NOW + 2);
    await conversation.receive(first, NOW + 3);
    expect(await lastStep()).toBe(NOW + 1);
    alice.read(await conversation.send());
    const [missing, next] = alice.sendThree();
    await conversation.receive(next, NOW + 4);
    await conversation.receive(missing, NOW + 5);
    expect(await lastStep()).toBe(NOW + 4);
  });

  it('keeps the first fork seen', async () => {
    const { store } = make();
    const { session } = await Conversation.begin(store);
    await store.transaction(async (transaction) => {
      await transaction.saveFork(session, 'two-keys-in-one-chain', NOW);
      await transaction.saveFork(session, 'past-the-end-of-a-chain', NOW + 1);
      expect((await transaction.session(session)).fork).toEqual({
        reason: 'two-keys-in-one-chain',
        at: NOW,
        acknowledgedAt: undefined,
      });
    });
  });

  it('keeps a fork that a step brings, and counts what is lost', async () => {
    const { store } = make();
    const { alice, bob, session } = await Conversation.begin(store);
    const sent = alice.send('hello');
    const { step } = bob.accept(sent);
    const contradicting = { ...step, fork: 'chain-shorter-than-received', lost: 3 } as const;
    await store.transaction(async (transaction) => {
      await transaction.saveReceived(session, [{ step: contradicting, digest: sent.id }], NOW, LIMITS);
      expect(await transaction.session(session)).toMatchObject({
        fork: { reason: 'chain-shorter-than-received', at: NOW, acknowledgedAt: undefined },
        lost: 3,
      });
    });
  });

  it('keeps an acknowledged fork until the next, whichever way that comes', async () => {
    const { store } = make();
    const conversation = await Conversation.begin(store);
    const { alice, bob, session } = conversation;
    const other = await Conversation.begin(store, LIMITS, 'carol');
    const forks = (work: Transaction) =>
      Promise.all([session, other.session].map(async (id) => (await work.session(id)).fork));
    await store.transaction(async (transaction) => {
      const { contact } = await transaction.session(session);
      expect(await transaction.acknowledgeForks(contact, NOW)).toBe(0);
      await transaction.addSession(opened(contact, 'without a fork'), freshState());
      for (const id of [session, other.session]) await transaction.saveFork(id, 'two-keys-in-one-chain', NOW);
      const first = { reason: 'two-keys-in-one-chain', at: NOW } as const;
      expect(await transaction.acknowledgeForks(contact, NOW + 1)).toBe(1);
      expect(await transaction.acknowledgeForks(contact, NOW + 2)).toBe(0);
      const ofCarol = { ...first, acknowledgedAt: undefined };
      expect(await forks(transaction)).toEqual([{ ...first, acknowledgedAt: NOW + 1 }, ofCarol]);

      await transaction.saveFork(session, 'past-the-end-of-a-chain', NOW + 3);
      const second = { reason: 'past-the-end-of-a-chain', at: NOW + 3 } as const;
      expect(await forks(transaction)).toEqual([{ ...second, acknowledgedAt: undefined }, ofCarol]);
      await transaction.acknowledgeForks(contact, NOW + 4);

      const sent = alice.send('hello');
      const { step } = bob.accept(sent);
      await transaction.saveReceived(session, [{ step, digest: sent.id }], NOW + 5, LIMITS);
      expect(await forks(transaction)).toEqual([{ ...second, acknowledgedAt: NOW + 4 }, ofCarol]);
      const next = alice.send('hello again');
      const contradicting = { ...bob.accept(next).step, fork: 'chain-shorter-than-received' } as const;
      await transaction.saveReceived(session, [{ step: contradicting, digest: next.id }], NOW + 6, LIMITS);
      const third = { reason: 'chain-shorter-than-received', at: NOW + 6, acknowledgedAt: undefined };
      expect(await forks(transaction)).toEqual([third, ofCarol]);
    });
  });

  it('finds header keys: current chain, next, then finished ones, newest first', async () => {
    const conversation = await Conversation.begin(make().store);
    const { bob, session } = conversation;
    const entries = () => conversation.read((view) => findEntries(view));
    expect(await entries()).toEqual([{ session, chain: 'next', find: bob.state.nextReceiving.find }]);
    for (let turn = 0; turn < 3; turn++) await conversation.turn();
    const { receiving, nextReceiving } = bob.state;
    const [chain0, chain1] = bob.keeper.finished;
    expect(await entries()).toEqual([
      { session, chain: 2, find: receiving.kind === 'chain' && receiving.header.find },
      { session, chain: 'next', find: nextReceiving.find },
      { session, chain: 1, find: chain1?.header.find },
      { session, chain: 0, find: chain0?.header.find },
    ]);
  });

  it('finds header keys of the session that received last first, then of the newest', async () => {
    const { store } = make();
    const [a, b, c, d] = await Promise.all(['a', 'b', 'c', 'd'].map((name) => Conversation.begin(store, LIMITS, name)));
    if (!(a && b && c && d)) throw new Error('four conversations');
    const order = async () => {
      const entries = await store.snapshot((view) => findEntries(view));
      return [...new Set(entries.map(({ session }) => session))];
    };
    expect(await order()).toEqual([d, c, b, a].map(({ session }) => session));
    await a.turn();
    await b.turn();
    expect(await order()).toEqual([b, a, d, c].map(({ session }) => session));
    await a.turn();
    expect(await order()).toEqual([a, b, d, c].map(({ session }) => session));
    const entries = await store.snapshot((view) => findEntries(view, b.session));
    expect(entries.map(({ session, chain }) => [session, chain])).toEqual([
      [b.session, 0],
      [b.session, 'next'],
    ]);
  });

  it('takes positions up to the last of four bytes', async () => {
    const { store } = make();
    const { alice, bob, session } = await Conversation.begin(store);
    const sent = alice.send('hello');
    const { step } = bob.accept(sent);
    const { receiving } = step.state;
    if (receiving.kind !== 'chain') throw new Error('a chain has begun');
    const last = { ...step, n: 2 ** 32 - 2, state: { ...step.state, receiving: { ...receiving, n: 2 ** 32 - 1 } } };
    await store.transaction(async (transaction) => {
      await transaction.saveReceived(session, [{ step: last, digest: sent.id }], NOW, LIMITS);
      expect(await transaction.ratchetState(session)).toEqual(last.state);
      expect(await transaction.keptPosition(session, 0, 2 ** 32 - 2)).toEqual({ digest: sent.id });
    });
  });
}

let sessionsAdded = 0;

async function addSession(store: SessionStore, state: RatchetState) {
  const name = `alice-${sessionsAdded++}`;
  return store.transaction(async (transaction) =>
    transaction.addSession(opened(await addContact(transaction, name), name), state),
  );
}
