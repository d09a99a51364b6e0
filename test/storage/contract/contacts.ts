import { expect, it } from 'vitest';
import { LIMITS } from '../../../src/ratchet/index.ts';
import type { ContactId, ContactOverview } from '../../../src/session/store.ts';
import {
  addContact,
  bytesOf,
  Conversation,
  findEntries,
  freshState,
  HEAD,
  identityOf,
  type MakeStore,
  NOW,
  opened,
  opening,
} from '../fixtures.ts';

export function contacts(make: MakeStore): void {
  it('knows the identity that it was made with', async () => {
    const { store, identity } = make();
    expect(await store.snapshot((view) => view.ownIdentity())).toEqual(identity);
  });

  it('finds a contact by id, name and identity', async () => {
    const { store } = make();
    const invite = { bytes: bytesOf('invite', 1321), addedAt: NOW };
    const given = { name: 'alice', identity: identityOf('alice'), addedAt: NOW, invite };
    await store.transaction(async (transaction) => {
      const id = await transaction.addContact(given);
      const alice = { id, ...given, verifiedAt: undefined };
      expect(await transaction.contact(id)).toEqual(alice);
      expect(await transaction.contactNamed('alice')).toEqual(alice);
      expect(await transaction.contactOf(identityOf('alice'))).toEqual(alice);
    });
  });

  it('knows nobody else', async () => {
    const { store } = make();
    await store.transaction(async (transaction) => {
      await addContact(transaction, 'alice');
      expect(await transaction.contactNamed('carol')).toBeUndefined();
      expect(await transaction.contactOf(identityOf('carol'))).toBeUndefined();
      await expect(transaction.contact(99 as ContactId)).rejects.toThrow('contact');
      await expect(transaction.setContactInvite(99 as ContactId, undefined)).rejects.toThrow('contact');
      await expect(transaction.setVerified(99 as ContactId, NOW)).rejects.toThrow('contact');
      await expect(transaction.renameContact(99 as ContactId, 'dave')).rejects.toThrow('contact');
      await expect(transaction.dropContact(99 as ContactId)).rejects.toThrow('contact');
    });
  });

  it('lists contacts by name', async () => {
    const { store } = make();
    await store.transaction(async (transaction) => {
      for (const name of ['dave', 'alice', 'alice-2', 'alice.1', 'al']) await addContact(transaction, name);
      const names = (await transaction.contacts()).map(({ name }) => name);
      expect(names).toEqual(['al', 'alice', 'alice-2', 'alice.1', 'dave']);
    });
  });

  it('has one contact of a name, and one of an identity', async () => {
    const { store } = make();
    await store.transaction((transaction) => addContact(transaction, 'alice'));
    for (const [name, of] of [
      ['alice', 'carol'],
      ['carol', 'alice'],
    ] as const) {
      const contact = { name, identity: identityOf(of), addedAt: NOW, invite: undefined };
      await expect(store.transaction((transaction) => transaction.addContact(contact))).rejects.toThrow();
    }
  });

  it('keeps an invite of theirs until it is taken away', async () => {
    const { store } = make();
    await store.transaction(async (transaction) => {
      const id = await addContact(transaction, 'alice');
      const carol = await addContact(transaction, 'carol');
      const invite = { bytes: bytesOf('another', 1321), addedAt: NOW + 1 };
      await transaction.setContactInvite(id, invite);
      expect((await transaction.contact(id)).invite).toEqual(invite);
      expect((await transaction.contact(carol)).invite).toBeUndefined();
      await transaction.setContactInvite(id, undefined);
      expect((await transaction.contact(id)).invite).toBeUndefined();
    });
  });

  it('keeps when one was verified, until the mark is taken away', async () => {
    const { store } = make();
    await store.transaction(async (transaction) => {
      const id = await addContact(transaction, 'alice');
      const carol = await addContact(transaction, 'carol');
      for (const at of [NOW, NOW + 1, undefined]) {
        await transaction.setVerified(id, at);
        expect((await transaction.contact(id)).verifiedAt).toBe(at);
        expect((await transaction.contact(carol)).verifiedAt).toBeUndefined();
      }
    });
  });

  it('gives a contact another name, and changes nothing else', async () => {
    const { store } = make();
    await store.transaction(async (transaction) => {
      const id = await addContact(transaction, 'alice');
      await addContact(transaction, 'carol');
      await transaction.setVerified(id, NOW);
      const before = await transaction.contact(id);
      await transaction.renameContact(id, 'alice');
      await transaction.renameContact(id, 'zoe');
      expect(await transaction.contact(id)).toEqual({ ...before, name: 'zoe' });
      expect(await transaction.contactNamed('alice')).toBeUndefined();
      expect((await transaction.contacts()).map(({ name }) => name)).toEqual(['carol', 'zoe']);
      await expect(transaction.renameContact(id, 'carol')).rejects.toThrow();
    });
  });

  it('tells of all of them and of their sessions at once what it tells of each', async () => {
    const { store } = make();
    const one = await Conversation.begin(store, LIMITS, 'one');
    const two = await Conversation.begin(store, LIMITS, 'two');
    await one.turn({ sends: 4, at: NOW + 2 });
    await one.turn({ sends: 2, at: NOW + 1 });
    await two.turn();
    await two.receive(two.alice.send('on'), NOW + 3);
    await store.transaction(async (transaction) => {
      await transaction.saveFork(two.session, 'two-keys-in-one-chain', NOW);
      await transaction.holdSessions();
      const alice = await addContact(transaction, 'alice');
      await transaction.setVerified(alice, NOW);
      await transaction.setContactInvite(alice, { bytes: bytesOf('invite', 1321), addedAt: NOW });
      const many = await addContact(transaction, 'many');
      await transaction.addSession(opened(many, 'first', NOW), freshState());
      await transaction.addSession({ ...opening(many, 'last'), opened: NOW + 9 }, one.alice.state);
      const answered = await transaction.addSession({ ...opening(many, 'answered'), opened: NOW }, one.bob.state);
      await transaction.answerSession(answered);
      await transaction.addSession(opened(many, 'same time', NOW), freshState());
    });
    await store.snapshot(async (view) => {
      const each = await Promise.all(
        (await view.contacts()).map(async ({ invite, ...contact }) => {
          const sessions = (await view.sessions(contact.id)).toSorted(
            (a, b) => b.opened - a.opened || Buffer.compare(b.transcript, a.transcript),
          );
          const overviews = sessions.map(async ({ id, origin, createdAt, lastDhStepAt, held, fork }) => {
            const { sending } = await view.ratchetState(id);
            const times = (await view.missingMessages(id)).map(({ keptSince }) => keptSince);
            return {
              id,
              isTheirs: origin.role === 'responder',
              isUnanswered: origin.role === 'initiator' && origin.prefix !== undefined,
              createdAt,
              lastDhStepAt,
              held,
              fork,
              isDue: sending.kind === 'due',
              sent: sending.kind === 'chain' ? sending.n : 0,
              missing: times.length === 0 ? undefined : { count: times.length, since: Math.min(...times) },
            };
          });
          return { ...contact, inviteWaits: invite !== undefined, sessions: await Promise.all(overviews) };
        }),
      );
      const overviews: ContactOverview[] = [];
      await view.eachContact((contact) => overviews.push(contact));
      expect(overviews).toEqual(each);
      const sessions = overviews.flatMap((contact) => contact.sessions);
      expect(sessions).toHaveLength(6);
      // Every field has more than one value in this.
      for (const field of ['isTheirs', 'isUnanswered', 'lastDhStepAt', 'held', 'fork', 'isDue', 'sent'] as const) {
        expect(new Set(sessions.map((session) => session[field])).size, field).toBeGreaterThan(1);
      }
      expect(sessions.map(({ missing }) => missing?.count)).toContain(4);
    });
  });

  it('drops one with all that is theirs, and nothing of the others', async () => {
    const { store } = make();
    const box = (contact: ContactId) => ({ contact, messageId: bytesOf('id', 16), process: 'here' });
    await store.transaction(async (transaction) => {
      for (const name of ['alice', 'carol']) {
        const contact = await addContact(transaction, name);
        await transaction.setContactInvite(contact, { bytes: bytesOf('invite', 1321), addedAt: NOW });
        await transaction.addSession(opened(contact, name), freshState());
        await transaction.addSession(opening(contact, name), freshState());
        await transaction.addToOutbox({
          box: undefined,
          ...box(contact),
          envelope: bytesOf(name, 400),
          createdAt: NOW,
        });
        await transaction.addToInbox(
          {
            ...box(contact),
            n: 0,
            late: false,
            head: HEAD,
            receivedAt: NOW,
            claimedAt: NOW,
          },
          bytesOf(name, 256),
        );
        await transaction.addToHistory({
          contact,
          direction: 'sent',
          messageId: bytesOf('id', 16),
          n: 0,
          at: NOW,
          sentAt: NOW,
          content: { kind: 'text', text: name },
        });
      }
      const [alice, carol] = await transaction.contacts();
      if (alice === undefined || carol === undefined) throw new Error('both are there');
      await transaction.dropContact(alice.id);
      expect(await transaction.contacts()).toEqual([carol]);
      expect(await transaction.contactOf(alice.identity)).toBeUndefined();
      expect(await transaction.sessions(alice.id)).toEqual([]);
      expect(await transaction.sessionOfPrefix(bytesOf('alice', 16))).toBeUndefined();
      const ofCarol = (await transaction.sessions(carol.id)).map(({ id }) => id);
      expect(ofCarol).toHaveLength(2);
      expect(new Set((await findEntries(transaction)).map(({ session }) => session))).toEqual(new Set(ofCarol));
      expect((await transaction.outbox()).map(({ contact }) => contact)).toEqual([carol.id]);
      expect((await transaction.inbox()).map(({ contact }) => contact)).toEqual([carol.id]);
      expect((await transaction.history({ limit: 9 })).map(({ contact }) => contact)).toEqual([carol.id]);
      expect(await addContact(transaction, 'alice')).toBeGreaterThan(carol.id);
    });
  });
}
