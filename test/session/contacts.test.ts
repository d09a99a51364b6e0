import { describe, expect, it } from 'vitest';
import { decodeEnvelope } from '../../src/envelope/index.ts';
import {
  acknowledgeDelivered,
  DAY,
  forget,
  previewForget,
  prune,
  receive,
  rename,
  verification,
  verify,
} from '../../src/session/index.ts';
import { meet, Party } from './party.ts';

/** The code of the refusal. */
async function codeOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'none',
    (error) => error.code,
  );
}

const digitsOf = (number: string) => number.replaceAll(' ', '');

describe('verify', () => {
  it('marks the contact on whose side the same number stands', async () => {
    const { alice, bob } = await meet();
    const { safetyNumber } = await verification(bob.context, 'alice');
    expect(safetyNumber).toMatch(/^\d{5}( \d{5}){11}$/);
    expect((await verification(alice.context, 'bob')).safetyNumber).toBe(safetyNumber);
    expect((await verification(alice.context, 'bob')).verifiedAt).toBeUndefined();

    alice.time += 5;
    const verified = await verify(alice.context, 'bob', digitsOf(safetyNumber));
    expect(verified).toMatchObject({ name: 'bob', safetyNumber, verifiedAt: alice.time });
    expect(await verification(alice.context, 'bob')).toEqual(verified);
    // It is of one side only.
    expect((await verification(bob.context, 'alice')).verifiedAt).toBeUndefined();
    const [text] = await alice.receive([(await bob.send('alice', 'hi')).envelope]);
    expect(text).toMatchObject({ from: 'bob', verified: true });
  });

  it('refuses a number with one digit changed, in each of its groups, and takes the mark away', async () => {
    const { alice } = await meet();
    const right = digitsOf((await verification(alice.context, 'bob')).safetyNumber);
    for (let at = 0; at < right.length; at += 5) {
      await verify(alice.context, 'bob', right);
      const wrong = `${right.slice(0, at)}${(Number(right[at]) + 1) % 10}${right.slice(at + 1)}`;
      await expect(verify(alice.context, 'bob', wrong)).rejects.toMatchObject({
        code: 'wrong-safety-number',
        detail: { name: 'bob', wasVerified: true },
      });
      expect((await verification(alice.context, 'bob')).verifiedAt).toBeUndefined();
    }
    // Nothing is marked by a wrong number where nothing was.
    await expect(verify(alice.context, 'bob', '0'.repeat(60))).rejects.toMatchObject({
      detail: { wasVerified: false },
    });
    expect((await verification(alice.context, 'bob')).verifiedAt).toBeUndefined();
  });

  it('refuses the number that a man in the middle shows', async () => {
    const [alice, bob, mallory] = [new Party('alice'), new Party('bob'), new Party('mallory')];
    // Mallory swaps the invite on its way, and uses the true one herself.
    const forAlice = await bob.invite('alice');
    await mallory.add('bob', forAlice);
    await alice.add('bob', await mallory.invite('alice'));
    await bob.read((await mallory.send('bob', 'hi bob')).envelope);
    await mallory.read((await alice.send('bob', 'hi bob')).envelope);

    const shown = digitsOf((await verification(bob.context, 'alice')).safetyNumber);
    expect(await codeOf(verify(alice.context, 'bob', shown))).toBe('wrong-safety-number');
  });

  it('knows contacts only', async () => {
    const { alice } = await meet();
    expect(await codeOf(verification(alice.context, 'carol'))).toBe('unknown-contact');
    expect(await codeOf(verify(alice.context, 'carol', '0'.repeat(60)))).toBe('unknown-contact');
  });
});

describe('rename', () => {
  it('changes the name and nothing else: the conversation goes on', async () => {
    const { alice, bob } = await meet();
    await rename(alice.context, 'bob', 'robert');
    expect(await bob.read((await alice.send('robert', 'hi')).envelope)).toBe('hi');
    const [text] = await alice.receive([(await bob.send('alice', 'hi')).envelope]);
    expect(text).toMatchObject({ from: 'robert' });
    expect(await codeOf(alice.send('bob', 'hi'))).toBe('unknown-contact');
    await rename(alice.context, 'robert', 'robert');
  });

  it('refuses a name that is taken, and names that are none', async () => {
    const { alice } = await meet();
    await alice.add('carol', await new Party('carol').invite('alice'));
    const before = await alice.dump();
    expect(await codeOf(rename(alice.context, 'bob', 'carol'))).toBe('name-taken');
    expect(await codeOf(rename(alice.context, 'bob', '../bob'))).toBe('bad-name');
    expect(await codeOf(rename(alice.context, 'dave', 'david'))).toBe('unknown-contact');
    expect(await alice.dump()).toEqual(before);
  });

  it('makes room for somebody new under the old name', async () => {
    const { alice, bob } = await meet();
    const carol = new Party('carol');
    await carol.add('bob', await bob.invite('alice'));
    const { envelope } = await carol.send('bob', 'my new identity');
    expect(await bob.read(envelope)).toBe('refused: identity-changed');
    expect(await rename(bob.context, 'alice', 'old-alice', { keepInvites: true })).toBe(0);
    expect(await bob.read(envelope)).toBe('my new identity');
    expect(await bob.read((await alice.send('bob', 'still here')).envelope)).toBe('still here');
  });
});

describe('a name that is free again', () => {
  const namesOf = async (person: Party) =>
    (await person.store.snapshot((view) => view.contacts())).map(({ name }) => name);

  it('is given to nobody by an invite of before: it is for the person, who has another name', async () => {
    const { alice, bob } = await meet();
    const invite = await bob.invite('alice');
    const mallory = new Party('mallory');
    await mallory.add('bob', invite);
    await alice.add('bob', invite);
    const forged = await mallory.send('bob', 'it is me, alice');
    expect(await rename(bob.context, 'alice', 'alicia')).toBe(1);
    expect(await bob.read(forged.envelope)).toBe('refused: identity-changed');
    expect(await namesOf(bob)).toEqual(['alicia']);
    // She may use it, without a word about her name.
    const [outcome] = await bob.receive([(await alice.send('bob', 'anew')).envelope]);
    expect(outcome).toMatchObject({ from: 'alicia', notices: [{ kind: 'new-session' }] });
    await expect(bob.send('alice', 'hi')).rejects.toThrow('unknown-contact');
  });

  it('is not given by an invite of before for somebody who is forgotten', async () => {
    const { bob } = await meet();
    const mallory = new Party('mallory');
    await mallory.add('bob', await bob.invite('alice'));
    await forget(bob.context, 'alice');
    expect(await bob.read((await mallory.send('bob', 'it is me')).envelope)).toBe('refused: unknown-invite');
    expect(await namesOf(bob)).toEqual([]);
  });

  it('takes along the open invites that are used once, and no others', async () => {
    const { bob } = await meet();
    await bob.invite('alice');
    await bob.invite('alice', DAY, { reusable: true });
    await bob.invite('dave');
    expect(await rename(bob.context, 'alice', 'alice')).toBe(0);
    expect(await rename(bob.context, 'alice', 'zoe')).toBe(1);
    const invites = await bob.store.snapshot((view) => view.invites());
    expect(invites.map(({ contactName, fate }) => `${contactName} ${fate.kind}`)).toEqual([
      'alice spent',
      'zoe open',
      'alice open',
      'dave open',
    ]);
  });

  it('may be given by its owner', async () => {
    const { bob } = await meet();
    await rename(bob.context, 'alice', 'alicia');
    const carol = new Party('carol');
    await carol.add('bob', await bob.invite('alice'));
    expect(await bob.read((await carol.send('bob', 'hi')).envelope)).toBe('hi');
    expect(await namesOf(bob)).toEqual(['alice', 'alicia']);
  });
});

describe('forget', () => {
  it('takes all that is theirs, and leaves everybody else', async () => {
    const { alice, bob } = await meet();
    const carol = new Party('carol');
    await carol.add('bob', await bob.invite('carol'));
    await bob.read((await carol.send('bob', 'hi')).envelope);
    const lost = await alice.send('bob', 'lost');
    await bob.read((await alice.send('bob', 'read')).envelope);
    await bob.add('alice', await alice.invite('bob'));
    await bob.invite('alice');
    await bob.invite('dave');

    expect(await previewForget(bob.context, 'alice')).toMatchObject({
      contact: { sessions: 1, texts: 0, envelopes: 0 },
      invites: 1,
    });
    expect(await forget(bob.context, 'alice')).toMatchObject({ contact: { sessions: 1 }, invites: 1 });
    expect(await bob.dump()).toMatchObject({
      contacts: [{ name: 'carol' }],
      sessions: [{}],
      missing: [[]],
      invites: [
        { contactName: 'alice', fate: { kind: 'spent' } },
        { contactName: 'carol', fate: { kind: 'spent' } },
        { contactName: 'dave', fate: { kind: 'open' } },
      ],
    });
    expect(await bob.read(lost.envelope)).toBe('refused: not-for-you');
    expect(await bob.read((await carol.send('bob', 'still here')).envelope)).toBe('still here');
    expect(await codeOf(forget(bob.context, 'alice'))).toBe('unknown-contact');
  });

  it('withdraws invites also where there is no contact yet', async () => {
    const [alice, bob] = [new Party('alice'), new Party('bob')];
    await alice.add('bob', await bob.invite('alice'));
    expect(await forget(bob.context, 'alice')).toEqual({
      contact: undefined,
      invites: 1,
      partialFiles: [],
      boxes: [],
    });
    expect(await bob.read((await alice.send('bob', 'hi')).envelope)).toBe('refused: unknown-invite');
  });

  it('leaves nobody a way back by an invite that was used: the opening that came before, or a later message', async () => {
    const [alice, bob] = [new Party('alice'), new Party('bob')];
    await alice.add('bob', await bob.invite('alice'));
    const openings = [await alice.send('bob', 'one'), await alice.send('bob', 'two')];
    await bob.read(openings[0]?.envelope ?? new Uint8Array());
    await forget(bob.context, 'alice');
    for (const { envelope } of openings) expect(await bob.read(envelope)).toBe('refused: invite-spent');
    expect(await bob.dump()).toMatchObject({ contacts: [], sessions: [] });
    // A new invite does.
    await alice.add('bob', await bob.invite('alice'));
    expect(await bob.read((await alice.send('bob', 'again')).envelope)).toBe('again');
  });

  it('may come between a text and its delivery', async () => {
    const { alice, bob } = await meet();
    const envelope = decodeEnvelope((await alice.send('bob', 'hi')).envelope);
    if (!('message' in envelope)) throw new Error('it is a message');
    const { outcomes } = await receive(bob.context, [{ source: 'here', envelope }], {});
    await forget(bob.context, 'alice');
    const ids = outcomes.flatMap((outcome) => (outcome.type === 'message' ? [outcome.inboxId] : []));
    expect(ids).toHaveLength(1);
    await acknowledgeDelivered(bob.context, { delivered: [], deferred: ids });
    await acknowledgeDelivered(bob.context, { delivered: ids, deferred: [] });
    expect(await bob.dump()).toMatchObject({ contacts: [], inbox: [] });
  });

  it('forgets the mark of a verified contact', async () => {
    const { alice, bob } = await meet();
    await verify(bob.context, 'alice', digitsOf((await verification(bob.context, 'alice')).safetyNumber));
    await forget(bob.context, 'alice');
    await alice.add('bob', await bob.invite('alice'));
    const [text] = await bob.receive([(await alice.send('bob', 'again')).envelope]);
    expect(text).toMatchObject({ from: 'alice', verified: false });
  });
});

describe('prune', () => {
  /** Bob misses a message that alice sent, since so many days; and an invite of his expired so many days ago. */
  async function withOldSecrets(age: number) {
    const { alice, bob } = await meet();
    const missing = await alice.send('bob', 'missing');
    await bob.read((await alice.send('bob', 'read')).envelope);
    const dave = new Party('dave');
    await dave.add('bob', await bob.invite('dave', DAY));
    const late = await dave.send('bob', 'late');
    bob.time += (age + 1) * DAY;
    return { bob, missing, late };
  }

  it('deletes what every command deletes, and says how much', async () => {
    const { bob } = await withOldSecrets(30);
    expect(await prune(bob.context, 30 * DAY)).toEqual({ skippedKeys: 1, invites: 1, outgoing: 0 });
    expect(await prune(bob.context, 30 * DAY)).toEqual({ skippedKeys: 0, invites: 0, outgoing: 0 });
  });

  it('deletes nothing that is younger', async () => {
    const { bob, missing, late } = await withOldSecrets(2);
    expect(await prune(bob.context, 3 * DAY)).toEqual({ skippedKeys: 0, invites: 0, outgoing: 0 });
    expect(await bob.read(missing.envelope)).toBe('missing');
    expect(await bob.read(late.envelope)).toBe('late');
  });

  it('deletes what is older than it is told, before its time', async () => {
    const { bob, missing, late } = await withOldSecrets(2);
    expect(await prune(bob.context, DAY)).toEqual({ skippedKeys: 1, invites: 1, outgoing: 0 });
    expect(await bob.read(missing.envelope)).toBe('too-late');
    expect(await bob.read(late.envelope)).toBe('refused: invite-expired');
  });

  it('leaves an invite that can still be used', async () => {
    const { bob } = await withOldSecrets(-1);
    const before = await bob.dump();
    expect(await prune(bob.context, 60_000)).toEqual({ skippedKeys: 0, invites: 0, outgoing: 0 });
    expect(await bob.dump()).toEqual(before);
  });
});
