import { expect, it } from 'vitest';
import { LIMITS } from '../../../src/ratchet/index.ts';
import type { ContactOverview, Transaction } from '../../../src/session/store.ts';
import { EAGER } from '../../ratchet/party.ts';
import {
  addContact,
  bytesOf,
  Conversation,
  findEntries,
  HEAD,
  inviteFor,
  type MakeStore,
  NOW,
  opening,
} from '../fixtures.ts';

export function copies(make: MakeStore): void {
  /** All that the store of `filled` gives out. */
  const everything = async (view: Transaction) => {
    const contacts = await view.contacts();
    const [first] = contacts;
    if (first === undefined) throw new Error('there are contacts');
    const sessions = (await Promise.all(contacts.map((contact) => view.sessions(contact.id)))).flat();
    const [session] = sessions;
    if (session?.origin.role !== 'responder') throw new Error('there are sessions');
    const { id } = session;
    return {
      contacts,
      sessions,
      self: await view.ownIdentity(),
      contact: await view.contact(first.id),
      contactNamed: await view.contactNamed(first.name),
      contactOf: await view.contactOf(first.identity),
      session: await view.session(id),
      sessionOfPrefix: await view.sessionOfPrefix(session.origin.prefixDigest),
      state: await view.ratchetState(id),
      entries: await findEntries(view),
      finished: await view.finishedChain(id, 0),
      skipped: await view.keptPosition(id, 0, 0),
      accepted: await view.keptPosition(id, 0, 1),
      invites: await view.invites(),
      invite: await view.invite(inviteFor('carol').id),
      outbox: await view.outbox(),
      envelopes: await Promise.all((await view.outbox()).map((entry) => view.envelope(entry.id))),
      overviews: await overviewsOf(view),
      inbox: await view.inbox(),
      history: await view.history({ limit: 9 }),
    };
  };

  async function filled() {
    const { store } = make();
    // Bob has offered a KEM key, which alice owes the answer to.
    const conversation = await Conversation.begin(store, LIMITS, 'alice', EAGER);
    await conversation.turn({ sends: 2 });
    await conversation.turn({ sends: 1 });
    const given = await store.transaction(async (transaction) => {
      const contact = await addContact(transaction, 'carol');
      const values = {
        contact: {
          name: 'dave',
          identity: bytesOf('dave', 32) as never,
          addedAt: NOW,
          invite: { bytes: bytesOf('dave', 1321), addedAt: NOW },
        },
        session: opening(contact),
        state: structuredClone(conversation.alice.state),
        invite: inviteFor('carol'),
        outgoing: {
          contact,
          messageId: bytesOf('a', 16),
          envelope: bytesOf('b', 99),
          process: 'p',
          createdAt: NOW,
          box: bytesOf('box', 16),
        },
        incoming: {
          contact,
          messageId: bytesOf('c', 16),
          n: 1,
          late: false,
          head: HEAD,
          receivedAt: NOW,
          claimedAt: NOW,
          process: undefined,
        },
        kept: {
          contact,
          direction: 'received' as const,
          messageId: bytesOf('e', 16),
          n: 1,
          at: NOW,
          sentAt: NOW,
          content: { kind: 'text' as const, text: 'hi' },
        },
      };
      await transaction.addContact(values.contact);
      await transaction.addSession(values.session, values.state);
      await transaction.addInvite(values.invite);
      await transaction.addToOutbox(values.outgoing);
      await transaction.addToInbox(values.incoming, bytesOf('d', 99));
      await transaction.addToHistory(values.kept);
      return values;
    });
    return { store, given };
  }

  it('hands out plain bytes that are nobody else’s', async () => {
    const { store } = await filled();
    const first = await store.snapshot(everything);
    for (const bytes of bytesIn(first)) {
      expect(Object.getPrototypeOf(bytes)).toBe(Uint8Array.prototype);
      expect(bytes.buffer.byteLength).toBe(bytes.length);
    }
    const expected = structuredClone(first);
    for (const bytes of bytesIn(first)) bytes.fill(0);
    expect(await store.snapshot(everything)).toEqual(expected);
  });

  it('hands out a text of which the same is true', async () => {
    const { store, given } = await filled();
    const read = () =>
      store.snapshot(async (view) => {
        const [entry] = await view.inbox();
        return entry && { entry: await view.inboxEntry(entry.id), content: await view.inboxContent(entry.id) };
      });
    const first = await read();
    for (const bytes of bytesIn(first)) bytes.fill(0);
    expect(await read()).toMatchObject({ entry: given.incoming, content: bytesOf('d', 99) });
  });

  it('keeps nothing of what it was given but copies', async () => {
    const { store, given } = await filled();
    const expected = await store.snapshot(everything);
    for (const bytes of bytesIn(given)) bytes.fill(0);
    expect(await store.snapshot(everything)).toEqual(expected);
  });

  it('keeps copies of a step, whose keys are wiped once it is saved', async () => {
    const { store } = make();
    const { alice, bob, session } = await Conversation.begin(store);
    const [, , third] = alice.sendThree();
    const { step } = bob.accept(third);
    const expected = structuredClone(step);
    const digest = Uint8Array.from(third.id);
    await store.transaction((transaction) =>
      transaction.saveReceived(session, [{ step, digest }], NOW, bob.keeper.limits),
    );
    for (const bytes of bytesIn({ step, digest })) bytes.fill(0);
    await store.snapshot(async (view) => {
      expect(await view.ratchetState(session)).toEqual(expected.state);
      expect(await view.keptPosition(session, 0, 1)).toEqual({ messageKey: expected.gained[1]?.messageKey });
      expect(await view.keptPosition(session, 0, 2)).toEqual({ digest: third.id });
    });
  });
}

/** Every byte string in a value made of plain data. */
function bytesIn(value: unknown): Uint8Array[] {
  if (value instanceof Uint8Array) return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(bytesIn);
}

async function overviewsOf(view: Transaction): Promise<ContactOverview[]> {
  const overviews: ContactOverview[] = [];
  await view.eachContact((contact) => overviews.push(contact));
  return overviews;
}
