import { describe, expect, it } from 'vitest';
import { encodeContent } from '../../src/envelope/index.ts';
import {
  changeList,
  DAY,
  forget,
  namesOf,
  OutgoingContent,
  rename,
  sendToEach,
  unreachedOf,
} from '../../src/session/index.ts';
import { Party } from './party.ts';

/** An alice who has talked to bob and carol; she has only an invite out for dave. */
async function company() {
  const [alice, bob, carol] = [new Party('alice'), new Party('bob'), new Party('carol')];
  for (const one of [bob, carol]) {
    await alice.add(one.name, await one.invite('alice'));
    await one.receive([(await alice.send(one.name, 'hi')).envelope]);
    await alice.receive([(await one.send('alice', 'hi alice')).envelope]);
  }
  return { alice, bob, carol };
}

const BY_HAND = { byRoute: false, allOrNone: false };

function text(of: string): Uint8Array {
  return encodeContent({ type: 'text', sentAt: 0, bytes: Buffer.from(of) });
}

function envelopeOf(party: Party, id: Parameters<typeof readOf>[1]): Promise<Uint8Array> {
  return readOf(party, id);
}

async function readOf(
  { store }: Party,
  id: Awaited<ReturnType<typeof sendToEach>>['made'][number]['outboxId'],
): Promise<Uint8Array> {
  const envelope = await store.snapshot((view) => view.envelope(id));
  if (envelope === undefined) throw new Error('it is gone');
  return envelope;
}

/** How many envelopes and large contents wait at alice's. */
async function waiting({ store }: Party): Promise<readonly number[]> {
  return store.snapshot(async (view) => [(await view.outbox()).length, (await view.outgoing()).length]);
}

describe('a content for several', () => {
  it('is an envelope for each, which the others cannot read', async () => {
    const { alice, bob, carol } = await company();
    const { made, leftOut } = await sendToEach(alice.context, { names: ['carol', 'bob'], ...BY_HAND }, text('noon'));
    expect([made.map(({ to }) => to), leftOut]).toEqual([['carol', 'bob'], []]);
    const [forCarol, forBob] = await Promise.all(made.map(({ outboxId }) => envelopeOf(alice, outboxId)));
    if (forCarol === undefined || forBob === undefined) throw new Error('there are two');
    expect(forCarol.length).toBe(made[0]?.length);
    expect(await bob.receive([forCarol, forBob])).toMatchObject([
      { type: 'refused', error: { code: 'not-for-you' } },
      { type: 'message' },
    ]);
    expect(await carol.receive([forBob, forCarol])).toMatchObject([
      { type: 'refused', error: { code: 'not-for-you' } },
      { type: 'message' },
    ]);
  });

  it('leaves out whom nothing can be encrypted for, and uses no key of theirs', async () => {
    const { alice, bob } = await company();
    await alice.store.transaction(async (transaction) => {
      const carol = await transaction.contactNamed('carol');
      if (carol !== undefined) await transaction.holdSessions(carol.id);
    });
    const names = ['carol', 'nobody', 'bob'];
    const { made, leftOut } = await sendToEach(alice.context, { names, ...BY_HAND }, text('noon'));
    expect(leftOut).toMatchObject([
      { name: 'carol', error: { code: 'held' } },
      { name: 'nobody', error: { code: 'unknown-contact' } },
    ]);
    expect(made.map(({ to }) => to)).toEqual(['bob']);
    const [sent] = made;
    if (sent === undefined) throw new Error('there is one');
    expect(await bob.receive([await envelopeOf(alice, sent.outboxId)])).toMatchObject([{ type: 'message' }]);
    expect(await waiting(alice)).toEqual([1, 0]);
  });

  it('is for nobody, where all or none is asked for, and says because of whom', async () => {
    const { alice, bob } = await company();
    const recipients = { names: ['bob', 'nobody', 'none'], byRoute: false, allOrNone: true };
    const before = await alice.store.snapshot((view) => view.contacts());
    expect(await sendToEach(alice.context, recipients, text('noon'))).toMatchObject({
      made: [],
      leftOut: [{ name: 'nobody' }, { name: 'none' }],
    });
    const file = { name: 'film', size: 1, source: undefined };
    expect((await OutgoingContent.beginForEach(alice.context, recipients, file)).made).toEqual([]);
    expect(await waiting(alice)).toEqual([0, 0]);
    expect(await alice.store.snapshot((view) => view.contacts())).toEqual(before);
    // The position was not used: the next message takes it.
    const { n, envelope } = await alice.send('bob', 'later');
    expect([n, await bob.receive([envelope])]).toMatchObject([0, [{ type: 'message' }]]);
  });

  it('is for nobody, where anything else fails', async () => {
    const { alice } = await company();
    let left = 3;
    const random = (length: number) => {
      if (left-- === 0) throw new Error('no randomness');
      return alice.random(length);
    };
    const recipients = { names: ['bob', 'carol'], ...BY_HAND };
    await expect(sendToEach({ ...alice.context, random }, recipients, text('noon'))).rejects.toThrow('no randomness');
    expect(await waiting(alice)).toEqual([0, 0]);
    expect((await alice.send('bob', 'later')).n).toBe(0);
  });

  it('goes by route only to those who have one, on a session with boxes', async () => {
    const { alice } = await company();
    await alice.store.transaction(async (transaction) => {
      const bob = await transaction.contactNamed('bob');
      if (bob === undefined) throw new Error('he is gone');
      const route = { kind: 'exec', command: 'true' } as const;
      await transaction.setRoute({ owner: { contact: bob.id }, route, setAt: 0, isTrusted: true });
    });
    const recipients = { names: ['carol', 'bob'], byRoute: true, allOrNone: false };
    const file = { name: 'film', size: 1, source: undefined };
    for (const { made, leftOut } of [
      await sendToEach(alice.context, recipients, text('noon')),
      await OutgoingContent.beginForEach(alice.context, recipients, file),
    ]) {
      expect(made.map(({ to }) => to)).toEqual(['bob']);
      expect(leftOut).toMatchObject([{ name: 'carol', error: { code: 'no-route' } }]);
    }
  });

  it('tells before whom nothing can be encrypted for, and changes nothing', async () => {
    const { alice } = await company();
    const { context, store } = alice;
    const byHand = { names: ['carol', 'nobody', 'bob'], byRoute: false };
    expect(await unreachedOf(context, byHand)).toMatchObject([{ name: 'nobody', error: { code: 'unknown-contact' } }]);
    await store.transaction(async (transaction) => {
      const carol = await transaction.contactNamed('carol');
      if (carol !== undefined) await transaction.holdSessions(carol.id);
    });
    await alice.add('dave', await new Party('dave').invite('alice'));
    const before = await store.snapshot((view) => view.contacts());
    const names = ['bob', 'carol', 'dave'];
    expect(await unreachedOf(context, { names, byRoute: false })).toMatchObject([
      { name: 'carol', error: { code: 'held' } },
    ]);
    expect(await unreachedOf(context, { names, byRoute: true })).toMatchObject(
      names.map((name) => ({ name, error: { code: 'no-route' } })),
    );
    alice.time += 100 * DAY;
    expect(await unreachedOf(context, { names, byRoute: false })).toMatchObject([
      { name: 'carol', error: { code: 'held' } },
      { name: 'dave', error: { code: 'invite-expired' } },
    ]);
    expect(await store.snapshot((view) => view.contacts())).toEqual(before);
  });

  it('in parts has another key for each', async () => {
    const { alice } = await company();
    const file = { name: 'film', size: 1, source: undefined };
    await OutgoingContent.beginForEach(alice.context, { names: ['bob', 'carol'], ...BY_HAND }, file);
    const keys = await alice.store.snapshot(async (view) => (await view.outgoing()).map((row) => row.descriptor.key));
    expect(keys).toHaveLength(2);
    expect(Buffer.from(keys[0] ?? []).equals(keys[1] ?? new Uint8Array(0))).toBe(false);
  });

  it('is kept for each, where there is a history', async () => {
    const { alice } = await company();
    await alice.store.transaction((transaction) => transaction.setHistorySetting({ since: 0, maxAge: undefined }));
    await sendToEach(alice.context, { names: ['bob', 'carol'], ...BY_HAND }, text('noon'));
    const history = await alice.store.snapshot((view) => view.history({ limit: 9 }));
    expect(history.map(({ content }) => content)).toEqual([
      { kind: 'text', text: 'noon' },
      { kind: 'text', text: 'noon' },
    ]);
  });
});

describe('a list', () => {
  const ops = { kind: 'list', name: 'ops' } as const;
  const contact = (name: string) => ({ kind: 'contact', name }) as const;

  it('is made, added to, taken from, and gone when nobody is in it', async () => {
    const { context } = (await company()).alice;
    const change = (given: 'set' | 'add' | 'remove', ...names: readonly string[]) =>
      changeList(context, 'ops', { change: given, names });
    expect(await change('set', 'carol', 'bob', 'carol')).toEqual({ name: 'ops', contacts: ['bob', 'carol'] });
    expect(await change('set', 'carol')).toEqual({ name: 'ops', contacts: ['carol'] });
    expect(await change('add', 'carol', 'bob')).toEqual({ name: 'ops', contacts: ['bob', 'carol'] });
    expect(await change('remove', 'bob', 'bob')).toEqual({ name: 'ops', contacts: ['carol'] });
    await expect(change('add', 'zoe')).rejects.toMatchObject({ code: 'unknown-contact' });
    expect(await change('remove', 'carol')).toEqual({ name: 'ops', contacts: [] });
    await expect(change('remove', 'carol')).rejects.toMatchObject({ code: 'unknown-list' });
    expect(await change('add', 'bob')).toEqual({ name: 'ops', contacts: ['bob'] });
    await expect(changeList(context, 'Ops', { change: 'set', names: ['bob'] })).rejects.toMatchObject({
      code: 'bad-name',
    });
  });

  it('means each contact once, in the order in which they are named', async () => {
    const { context } = (await company()).alice;
    await changeList(context, 'ops', { change: 'set', names: ['carol', 'bob'] });
    expect(await namesOf(context, [contact('carol'), ops, contact('bob')])).toEqual(['carol', 'bob']);
    expect(await namesOf(context, [ops, contact('carol')])).toEqual(['bob', 'carol']);
    await expect(namesOf(context, [contact('ops')])).rejects.toMatchObject({ detail: { isList: true } });
    await expect(namesOf(context, [ops, { kind: 'list', name: 'bob' }])).rejects.toMatchObject({
      detail: { isContact: true, known: ['ops'] },
    });
  });

  it('follows a contact through another name, and does not get who takes a name that was freed', async () => {
    const { alice, bob } = await company();
    const { context } = alice;
    await changeList(context, 'ops', { change: 'set', names: ['carol', 'bob'] });
    await rename(context, 'carol', 'caroline');
    expect((await forget(context, 'bob')).contact?.lists).toEqual(['ops']);
    await alice.add('bob', await bob.invite('alice'));
    await alice.add('carol', await new Party('mallory').invite('alice'));
    expect(await namesOf(context, [ops])).toEqual(['caroline']);
    expect((await forget(context, 'caroline')).contact?.lists).toEqual(['ops']);
    await expect(namesOf(context, [ops])).rejects.toMatchObject({ code: 'unknown-list' });
  });
});
