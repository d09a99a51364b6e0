import { expect, it } from 'vitest';
import { LIMITS, type SessionId } from '../../../src/ratchet/index.ts';
import type { ContactId } from '../../../src/session/store.ts';
import { at, meet } from '../../ratchet/party.ts';
import {
  addContact,
  bytesOf,
  Conversation,
  findEntries,
  freshState,
  type MakeStore,
  NOW,
  opened,
  opening,
} from '../fixtures.ts';

const NEW = { lastDhStepAt: undefined, idle: 0, lost: 0, held: false, fork: undefined };
const NONE = 99 as SessionId;

export function sessions(make: MakeStore): void {
  it('keeps sessions of both origins, oldest first and apart by contact', async () => {
    const { store } = make();
    await store.transaction(async (transaction) => {
      const alice = await addContact(transaction, 'alice');
      const carol = await addContact(transaction, 'carol');
      const theirs = await transaction.addSession(opened(alice), freshState());
      const ours = await transaction.addSession(opening(alice), freshState());
      await transaction.addSession(opened(carol, 'of carol'), freshState());
      expect(ours).toBeGreaterThan(theirs);
      expect(await transaction.session(theirs)).toEqual({ id: theirs, ...opened(alice), ...NEW });
      expect(await transaction.session(ours)).toEqual({ id: ours, ...opening(alice), ...NEW });
      expect((await transaction.sessions(alice)).map(({ id }) => id)).toEqual([theirs, ours]);
      expect(await transaction.sessions(carol)).toHaveLength(1);
      expect(await transaction.sessions(99 as ContactId)).toEqual([]);
    });
  });

  it('tells of the sessions along routes at once what it tells of each', async () => {
    const { store } = make();
    await store.transaction(async (transaction) => {
      const route = { kind: 'dir', path: '/us', mark: 'ab'.repeat(16) } as const;
      const carol = await addContact(transaction, 'carol');
      const alice = await addContact(transaction, 'alice');
      const [nobody, dave] = [await addContact(transaction, 'bob'), await addContact(transaction, 'dave')];
      for (const contact of [alice, carol, dave])
        await transaction.setRoute({ owner: { contact }, route, setAt: NOW, isTrusted: false });
      await transaction.setRoute({ owner: { inviteName: 'bob' }, route, setAt: NOW, isTrusted: true });
      const first = await transaction.addSession(opened(alice, 'first', NOW + 9), freshState());
      const ours = await transaction.addSession(opening(carol, 'ours'), freshState());
      await transaction.addSession(opened(nobody, 'nobody'), freshState());
      const answered = await transaction.addSession(opening(alice, 'answered'), freshState());
      await transaction.answerSession(answered);
      await transaction.addSession({ ...opened(alice, 'old'), boxes: undefined }, freshState());
      await transaction.setReadWith(first, answered);

      const each = [];
      for (const { id: contact, name } of await transaction.contacts()) {
        if (contact === nobody) continue;
        for (const { id, origin, createdAt, readWith, boxes } of await transaction.sessions(contact)) {
          const isTheirs = origin.role === 'responder';
          const read = boxes && { incoming: boxes.incoming, invite: boxes.invite };
          each.push({ id, contact, name, isTheirs, createdAt, readWith, boxes: read });
        }
      }
      expect(await transaction.routedSessions()).toEqual(each);
      expect(each.map(({ id }) => id)).toEqual([first, answered, expect.anything(), ours]);
      for (const field of ['isTheirs', 'createdAt', 'readWith'] as const)
        expect(new Set(each.map((one) => one[field])).size, field).toBe(2);
    });
  });

  it('knows the session that a prefix opened', async () => {
    const { store } = make();
    await store.transaction(async (transaction) => {
      const alice = await addContact(transaction, 'alice');
      await transaction.addSession(opening(alice), freshState());
      const id = await transaction.addSession(opened(alice, 'a prefix'), freshState());
      expect((await transaction.sessionOfPrefix(bytesOf('a prefix', 16)))?.id).toBe(id);
      expect(await transaction.sessionOfPrefix(bytesOf('another', 16))).toBeUndefined();
      await expect(transaction.addSession(opened(alice, 'a prefix'), freshState())).rejects.toThrow();
    });
  });

  it('adds no session without a contact', async () => {
    const { store } = make();
    const work = store.transaction((transaction) => transaction.addSession(opened(99 as ContactId), freshState()));
    await expect(work).rejects.toThrow();
  });

  it('drops the prefix of an opening when it is answered, and nothing else', async () => {
    const { store } = make();
    await store.transaction(async (transaction) => {
      const alice = await addContact(transaction, 'alice');
      const id = await transaction.addSession(opening(alice), freshState());
      const { origin } = await transaction.session(id);
      await transaction.answerSession(id);
      expect(await transaction.session(id)).toEqual({
        id,
        ...opening(alice),
        ...NEW,
        origin: { ...origin, prefix: undefined },
        boxes: { ...opening(alice).boxes, invite: undefined },
      });
      const theirs = await transaction.addSession(opened(alice), freshState());
      await expect(transaction.answerSession(theirs)).rejects.toThrow();
    });
  });

  it('counts how long each session of a contact was out of use', async () => {
    const { store } = make();
    await store.transaction(async (transaction) => {
      const alice = await addContact(transaction, 'alice');
      const carol = await addContact(transaction, 'carol');
      const [one, two] = [
        await transaction.addSession(opened(alice, 'one'), freshState()),
        await transaction.addSession(opened(alice, 'two'), freshState()),
      ];
      await transaction.addSession(opened(carol, 'three'), freshState());
      await transaction.useSession(one);
      await transaction.useSession(one);
      expect((await transaction.sessions(alice)).map(({ idle }) => idle)).toEqual([0, 2]);
      await transaction.useSession(two);
      expect((await transaction.sessions(alice)).map(({ idle }) => idle)).toEqual([1, 0]);
      expect((await transaction.sessions(carol)).map(({ idle }) => idle)).toEqual([0]);
    });
  });

  it('holds every session there is, until the peer begins a new chain in it', async () => {
    const { store } = make();
    const one = await Conversation.begin(store, LIMITS, 'one');
    const two = await Conversation.begin(store, LIMITS, 'two');
    await one.turn({ sends: 2, received: 0 });
    await two.turn();
    await store.transaction((transaction) => transaction.holdSessions());
    const held = async () => [
      (await one.read((view) => view.session(one.session))).held,
      (await two.read((view) => view.session(two.session))).held,
    ];
    expect(await held()).toEqual([true, true]);

    // Neither sending, nor the chain that is known, nor a new session lets one go.
    const more = one.alice.sendMany(2);
    await one.send();
    const later = await Conversation.begin(store, LIMITS, 'later');
    expect(await held()).toEqual([true, true]);
    expect((await later.read((view) => view.session(later.session))).held).toBe(false);

    await one.receive(at(more, 1));
    expect(await held()).toEqual([false, true]);
    // The rest of that chain, late or not, changes nothing.
    await one.receive(at(more, 0));
    await one.receive(one.alice.send('on'));
    expect(await held()).toEqual([false, true]);

    const chain = await two.turn({ sends: 2, received: 0 });
    expect(await held()).toEqual([false, false]);
    await store.transaction((transaction) => transaction.holdSessions());
    await two.receive(at(chain, 1));
    expect(await held()).toEqual([true, true]);
  });

  it('holds the sessions of one contact, and no others', async () => {
    const { store } = make();
    const one = await Conversation.begin(store, LIMITS, 'one');
    const two = await Conversation.begin(store, LIMITS, 'two');
    const { contact } = await two.read((view) => view.session(two.session));
    await store.transaction((transaction) => transaction.holdSessions(contact));
    expect((await one.read((view) => view.session(one.session))).held).toBe(false);
    expect((await two.read((view) => view.session(two.session))).held).toBe(true);
  });

  it('forgets nothing else of a session that is held', async () => {
    const { store } = make();
    const { session, read } = await Conversation.begin(store).then(async (conversation) => {
      await conversation.turn({ sends: 3 });
      return { session: conversation.session, read: conversation.read.bind(conversation) };
    });
    const all = () =>
      read(async (view) => ({
        session: await view.session(session),
        state: await view.ratchetState(session),
        missing: await view.missingMessages(session),
        entries: await findEntries(view, session),
      }));
    const before = await all();
    await store.transaction((transaction) => transaction.holdSessions());
    expect(await all()).toEqual({ ...before, session: { ...before.session, held: true } });
  });

  it('drops a session with all its keys, and never gives its id again', async () => {
    const { store } = make();
    const conversation = await Conversation.begin(store);
    await conversation.turn({ sends: 3 });
    await conversation.turn({ sends: 2 });
    const { session } = conversation;
    await store.transaction(async (transaction) => {
      const { contact } = await transaction.session(session);
      await transaction.dropSession(session);
      expect(await transaction.sessions(contact)).toEqual([]);
      expect(await findEntries(transaction)).toEqual([]);
      expect(await transaction.missingMessages(session)).toEqual([]);
      expect(await transaction.keptPosition(session, 0, 0)).toEqual({});
      await expect(transaction.ratchetState(session)).rejects.toThrow();
      expect(await transaction.addSession(opened(contact, 'alice'), freshState())).toBeGreaterThan(session);
    });
  });

  it('knows of no other session', async () => {
    const { store } = make();
    await store.transaction(async (transaction) => {
      await expect(transaction.session(NONE)).rejects.toThrow();
      await expect(transaction.answerSession(NONE)).rejects.toThrow();
      await expect(transaction.useSession(NONE)).rejects.toThrow();
      await expect(transaction.ratchetState(NONE)).rejects.toThrow();
      await expect(transaction.finishedChain(NONE, 0)).rejects.toThrow();
      await expect(transaction.saveSent(NONE, freshState())).rejects.toThrow();
      await expect(transaction.saveFork(NONE, 'two-keys-in-one-chain', NOW)).rejects.toThrow();
      expect(await findEntries(transaction, NONE)).toEqual([]);
      expect(await transaction.keptPosition(NONE, 0, 0)).toEqual({});
      expect(await transaction.missingMessages(NONE)).toEqual([]);
      await transaction.dropSession(NONE);
    });
    const { alice, bob } = meet();
    const sent = alice.send('hello');
    const { step } = bob.accept(sent);
    const save = store.transaction((transaction) =>
      transaction.saveReceived(NONE, [{ step, digest: sent.id }], NOW, LIMITS),
    );
    await expect(save).rejects.toThrow();
  });
}
