import { expect, it } from 'vitest';
import { LIMITS } from '../../../src/ratchet/index.ts';
import type { Transaction } from '../../../src/session/store.ts';
import {
  addContact,
  bytesOf,
  Conversation,
  freshState,
  HEAD,
  identityOf,
  incomingOf,
  inviteFor,
  type MakeStore,
  NOW,
  opened,
  outgoingTo,
} from '../fixtures.ts';

const DAY = 86_400_000;
const FAR = NOW + 100 * 365 * DAY + 1_234;

export function times(make: MakeStore): void {
  /** Every time of our own clock that a store gives out. */
  const timesIn = async (view: Transaction) => {
    const contacts = await view.contacts();
    const sessions = (await Promise.all(contacts.map(({ id }) => view.sessions(id)))).flat();
    const states = await Promise.all(sessions.map(({ id }) => view.ratchetState(id)));
    const missing = (await Promise.all(sessions.map(({ id }) => view.missingMessages(id)))).flat();
    return {
      added: contacts.map(({ addedAt }) => addedAt),
      verified: contacts.map(({ verifiedAt }) => verifiedAt),
      invited: contacts.map(({ invite }) => invite?.addedAt),
      began: sessions.map(({ createdAt }) => createdAt),
      lastStep: sessions.map(({ lastDhStepAt }) => lastDhStepAt),
      forked: sessions.map(({ fork }) => fork?.at),
      acknowledged: sessions.map(({ fork }) => fork?.acknowledgedAt),
      mixed: states.map(({ rekeying }) => rekeying.mixed.at),
      missing: missing.map(({ keptSince }) => keptSince),
      made: (await view.invites()).map(({ createdAt }) => createdAt),
      spent: (await view.invites()).map(({ fate }) => (fate.kind === 'spent' ? fate.at : undefined)),
      withdrawn: (await view.invites()).map(({ fate }) => (fate.kind === 'withdrawn' ? fate.at : undefined)),
      sent: (await view.outbox()).map(({ createdAt }) => createdAt),
      received: (await view.inbox()).map(({ receivedAt }) => receivedAt),
      tried: (await view.inbox()).map(({ triedAt }) => triedAt),
      kept: (await view.history({ limit: 9 })).map((entry) => entry.at),
      since: [(await view.historySetting())?.since],
    };
  };

  /** A store with each of them, all at one time. */
  async function at(time: number) {
    const { store } = make();
    const conversation = await Conversation.begin(store);
    const sent = conversation.alice.sendMany(2);
    const [, last] = sent;
    if (last === undefined) throw new Error('two were sent');
    await conversation.receive(last, time);
    await store.transaction(async (transaction) => {
      const base = { identity: identityOf('carol'), addedAt: time };
      const invite = { bytes: bytesOf('invite', 1321), addedAt: time };
      const contact = await transaction.addContact({ ...base, name: 'carol', invite });
      await transaction.setVerified(contact, time);
      const session = await transaction.addSession(opened(contact, 'carol', time), {
        ...freshState(),
        rekeying: { mixed: { step: 0, at: time }, exchange: { kind: 'idle' } },
      });
      await transaction.saveFork(session, 'two-keys-in-one-chain', time);
      await transaction.acknowledgeForks(contact, time);
      await transaction.addInvite({ ...inviteFor('open', time - (time % 1_000) + 7_000), createdAt: time });
      await transaction.addInvite({ ...inviteFor('spent'), createdAt: time });
      await transaction.spendInvite(inviteFor('spent').id, identityOf('carol'), time);
      await transaction.addInvite({ ...inviteFor('withdrawn'), createdAt: time });
      await transaction.withdrawInvite(inviteFor('withdrawn').id, time);
      const box = { contact, messageId: bytesOf('id', 16), process: 'here' };
      await transaction.addToOutbox({ box: undefined, ...box, envelope: bytesOf('envelope', 9), createdAt: time });
      const text = { ...box, n: 0, late: false, head: HEAD, receivedAt: time, claimedAt: time };
      await transaction.noteTry(await transaction.addToInbox(text, bytesOf('text', 9)), time);
      await transaction.setHistorySetting({ since: time, maxAge: 5 });
      await transaction.addToHistory({
        ...{ contact, direction: 'sent', messageId: bytesOf('id', 16), n: 0, sentAt: time, at: time },
        content: { kind: 'text', text: 'hi' },
      });
    });
    return store;
  }

  it('become now where they are too far ahead, each of them', async () => {
    const store = await at(FAR);
    const before = await store.snapshot(timesIn);
    for (const [what, found] of Object.entries(before)) expect([what, found.includes(FAR)]).toEqual([what, true]);
    await store.transaction((transaction) => transaction.correctTimes(NOW, DAY));
    const after = await store.snapshot(timesIn);
    const right = Object.entries(before).map(([what, found]) => [
      what,
      found.map((time) => (time !== undefined && time > NOW + DAY ? NOW : time)),
    ]);
    expect(after).toEqual(Object.fromEntries(right));
  });

  it('stay where they are not: to the millisecond', async () => {
    const store = await at(FAR);
    const before = await store.snapshot(timesIn);
    await store.transaction((transaction) => transaction.correctTimes(FAR - DAY, DAY));
    expect(await store.snapshot(timesIn)).toEqual(before);
    await store.transaction((transaction) => transaction.correctTimes(FAR - DAY - 1, DAY));
    const after = Object.values(await store.snapshot(timesIn)).flat();
    expect(after).toContain(FAR - DAY - 1);
    expect(after).not.toContain(FAR);
  });

  it('let an invite live on as long as it was to live, and the opening of a session be what it was', async () => {
    const store = await at(FAR);
    await store.transaction((transaction) => transaction.correctTimes(NOW + 999, DAY));
    await store.snapshot(async (view) => {
      expect(await view.invites()).toMatchObject([
        { expiresAt: NOW + 7_000 },
        { fate: { kind: 'spent', at: NOW + 999 } },
        { fate: { kind: 'withdrawn', at: NOW + 999 } },
      ]);
      const carol = await view.contactNamed('carol');
      const sessions = carol && (await view.sessions(carol.id));
      expect(sessions).toMatchObject([{ opened: FAR, createdAt: NOW + 999 }]);
      expect((await view.history({ limit: 9 })).map(({ sentAt }) => sentAt)).toEqual([FAR]);
    });
  });

  it('are corrected each time anew, whatever the clock did before', async () => {
    const { store } = make();
    const conversation = await Conversation.begin(store, LIMITS, 'alice');
    const clocks = [NOW, FAR, NOW + DAY, NOW + 2 * DAY, FAR - DAY, NOW + 3 * DAY, NOW + 3 * DAY - 1, FAR + DAY, NOW];
    for (const [n, now] of clocks.entries()) {
      await store.transaction(async (transaction) => {
        await transaction.correctTimes(now, DAY);
        await transaction.addToHistory({
          ...{ contact: (await transaction.session(conversation.session)).contact, direction: 'sent', n },
          ...{ messageId: bytesOf(`${n}`, 16), at: now, sentAt: now },
          content: { kind: 'bytes', length: n },
        });
        for (const { at: time } of await transaction.history({ limit: 99 })) {
          expect(time).toBeLessThanOrEqual(now + DAY);
        }
      });
    }
  });

  it('of claims stay: other machines compare them', async () => {
    const { store } = make();
    await store.transaction(async (transaction) => {
      const contact = await addContact(transaction, 'alice');
      const text = { contact, messageId: bytesOf('id', 16), n: 0, late: false, head: HEAD, process: 'there' };
      await transaction.addToInbox({ ...text, receivedAt: FAR, claimedAt: FAR }, bytesOf('text', 9));
      const incoming = await transaction.addIncoming({ ...incomingOf(contact), receivedAt: FAR });
      await transaction.handOverIncoming(incoming, undefined, 'there', FAR);
      await transaction.addOutgoing({ ...outgoingTo(contact), createdAt: FAR, advancedAt: FAR });
      await transaction.correctTimes(NOW, DAY);
      expect(await transaction.inbox()).toMatchObject([{ receivedAt: NOW, claimedAt: FAR }]);
      expect(await transaction.incoming()).toMatchObject([{ receivedAt: NOW, claim: { at: FAR } }]);
      expect(await transaction.outgoing()).toMatchObject([{ createdAt: NOW, advancedAt: FAR }]);
    });
  });

  it('of nobody need no correction', async () => {
    const { store } = make();
    await store.transaction((transaction) => transaction.correctTimes(NOW, DAY));
    await store.transaction((transaction) => addContact(transaction, 'alice'));
    expect((await store.snapshot(timesIn)).added).toEqual([NOW]);
  });
}
