import { expect, it } from 'vitest';
import { LIMITS } from '../../../src/ratchet/index.ts';
import { at } from '../../ratchet/party.ts';
import { Conversation, findEntries, type MakeStore, NOW } from '../fixtures.ts';

export function limits(make: MakeStore): void {
  const missing = (conversation: Conversation) =>
    conversation.read(async (view) =>
      (await view.missingMessages(conversation.session)).map(({ chain, n }) => `${chain}/${n}`),
    );
  const chains = (conversation: Conversation) =>
    conversation.read(async (view) => (await findEntries(view)).map(({ chain }) => chain));
  const lost = async (conversation: Conversation) =>
    (await conversation.read((view) => view.session(conversation.session))).lost;

  it('keeps the newest skipped keys, and counts the others as lost', async () => {
    const conversation = await Conversation.begin(make().store, { ...LIMITS, keptKeys: 4 });
    const { alice } = conversation;
    const sent = alice.sendMany(8);
    await conversation.receive(at(sent, 3));
    expect(await missing(conversation)).toEqual(['0/0', '0/1', '0/2']);
    expect(await lost(conversation)).toBe(0);
    await conversation.receive(at(sent, 6));
    expect(await missing(conversation)).toEqual(['0/1', '0/2', '0/4', '0/5']);
    expect(await lost(conversation)).toBe(1);
    alice.read(await conversation.send());
    await conversation.turn({ sends: 2 });
    expect(await missing(conversation)).toEqual(['0/4', '0/5', '0/7', '1/0']);
    expect(await lost(conversation)).toBe(3);
    await conversation.receive(at(sent, 5));
    expect(await missing(conversation)).toEqual(['0/4', '0/7', '1/0']);
    expect(await lost(conversation)).toBe(3);
  });

  it('keeps none where none may be kept', async () => {
    const conversation = await Conversation.begin(make().store, {
      ...LIMITS,
      keptKeys: 0,
      recentChains: 0,
      keptChains: 0,
      keptDigests: 0,
    });
    await conversation.turn({ sends: 3 });
    await conversation.turn({ sends: 3 });
    expect(await missing(conversation)).toEqual([]);
    expect(await chains(conversation)).toEqual([1, 'next']);
    expect(await lost(conversation)).toBe(4);
    expect(await conversation.read((view) => view.keptPosition(conversation.session, 1, 2))).toEqual({});
  });

  it('drops the skipped keys of all sessions that were kept before a time', async () => {
    const { store } = make();
    const one = await Conversation.begin(store, LIMITS, 'one');
    const two = await Conversation.begin(store, LIMITS, 'two');
    await one.turn({ sends: 2, at: NOW });
    await one.turn({ sends: 3, at: NOW + 1 });
    await two.turn({ sends: 2, at: NOW });
    expect(await store.transaction((transaction) => transaction.sweepSkippedKeys(NOW))).toBe(0);
    expect([await lost(one), await lost(two)]).toEqual([0, 0]);
    expect(await store.transaction((transaction) => transaction.sweepSkippedKeys(NOW + 1))).toBe(2);
    expect(await missing(one)).toEqual(['1/0', '1/1']);
    expect(await missing(two)).toEqual([]);
    expect([await lost(one), await lost(two)]).toEqual([1, 1]);
    expect(await one.read((view) => view.keptPosition(one.session, 0, 0))).toEqual({});
    await store.transaction((transaction) => transaction.sweepSkippedKeys(NOW + 2));
    expect([await lost(one), await lost(two)]).toEqual([3, 1]);
  });

  it('keeps the last finished chains, and older ones while messages of them are missing', async () => {
    const conversation = await Conversation.begin(make().store, { ...LIMITS, recentChains: 2 });
    const late = await conversation.turn({ sends: 2 });
    for (let turn = 1; turn < 5; turn++) await conversation.turn();
    expect(await chains(conversation)).toEqual([4, 'next', 3, 2, 0]);
    await conversation.receive(at(late, 0));
    expect(await chains(conversation)).toEqual([4, 'next', 3, 2]);
    expect(await conversation.read((view) => view.keptPosition(conversation.session, 0, 1))).toEqual({});
    await expect(conversation.read((view) => view.finishedChain(conversation.session, 0))).rejects.toThrow();
  });

  it('lets go of chains whose last keys were swept', async () => {
    const { store } = make();
    const conversation = await Conversation.begin(store, { ...LIMITS, recentChains: 1 });
    const { alice } = conversation;
    await conversation.turn({ sends: 2 });
    for (let turn = 1; turn < 3; turn++) await conversation.turn();
    await store.transaction((transaction) => transaction.sweepSkippedKeys(NOW + 1));
    await conversation.receive(alice.send('a new chain'));
    expect(await chains(conversation)).toEqual([3, 'next', 2]);
    await conversation.receive(alice.send('the same chain'));
    expect(await chains(conversation)).toEqual([3, 'next', 2]);
  });

  it('drops the oldest chain beyond a limit, with its keys', async () => {
    const conversation = await Conversation.begin(make().store, { ...LIMITS, recentChains: 1, keptChains: 3 });
    for (let turn = 0; turn < 6; turn++) await conversation.turn({ sends: 3 });
    expect(await chains(conversation)).toEqual([5, 'next', 4, 3, 2]);
    expect(await missing(conversation)).toEqual([2, 3, 4, 5].flatMap((chain) => [`${chain}/0`, `${chain}/1`]));
    expect(await lost(conversation)).toBe(4);
  });

  it('keeps the digests of the last messages, in the order of their coming', async () => {
    const conversation = await Conversation.begin(make().store, { ...LIMITS, keptDigests: 3 });
    const { session } = conversation;
    const sent = conversation.alice.sendMany(5);
    for (const n of [1, 2, 0, 4]) await conversation.receive(at(sent, n));
    const digests = await conversation.read((view) =>
      Promise.all(sent.map(async (_, n) => (await view.keptPosition(session, 0, n)).digest)),
    );
    expect(digests).toEqual([at(sent, 0).id, undefined, at(sent, 2).id, undefined, at(sent, 4).id]);
  });
}
