import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inviteId } from '../../src/handshake/index.ts';
import {
  DAY,
  forget,
  goOnAfterRestore,
  invite,
  inviteName,
  LAST_USER,
  openInvites,
  rename,
  withdraw,
} from '../../src/session/index.ts';
import { meet, Party, wordFor } from './party.ts';

/** A host with a reusable invite for `friends`, and people who have added it. */
async function party(...names: readonly string[]) {
  const host = new Party('host');
  const bytes = await host.invite('friends', 30 * DAY, { reusable: true });
  const guests = names.map((name) => new Party(name));
  for (const guest of guests) await guest.add('host', bytes);
  return { host, bytes, guests: guests as [Party, Party, ...Party[]] };
}

const namesOf = async (person: Party) =>
  (await person.store.snapshot((view) => view.contacts())).map(({ name }) => name);

async function nameOf(host: Party, guest: Party, text = `hi from ${guest.name}`): Promise<string> {
  const [outcome] = await host.receive([(await guest.send('host', text)).envelope]);
  if (outcome?.type !== 'message') throw new Error(outcome && wordFor(outcome));
  return outcome.from;
}

describe('a reusable invite', () => {
  it('lets in whoever comes, each in a conversation and under a name of their own', async () => {
    const { host, guests } = await party('alice', 'bob', 'carol');
    for (const [i, guest] of guests.entries()) expect(await nameOf(host, guest)).toBe(`friends-${i + 1}`);
    for (const [i, guest] of guests.entries()) {
      expect(await guest.read((await host.send(`friends-${i + 1}`, `hi ${guest.name}`)).envelope)).toBe(
        `hi ${guest.name}`,
      );
      expect(await nameOf(host, guest, 'on')).toBe(`friends-${i + 1}`);
    }
  });

  it('passes over names that are taken, or promised by another invite', async () => {
    const { host, guests } = await party('alice', 'bob');
    await host.add('friends-1', await new Party('dave').invite('host'));
    await host.invite('friends-2');
    expect(await nameOf(host, guests[0])).toBe('friends-3');
    expect(await nameOf(host, guests[1])).toBe('friends-4');
  });

  it('never gives a name to a second person, whatever became of the first', async () => {
    const { host, guests } = await party('alice', 'bob', 'carol');
    expect(await nameOf(host, guests[0])).toBe('friends-1');
    expect(await nameOf(host, guests[1])).toBe('friends-2');
    await forget(host.context, 'friends-2');
    await rename(host.context, 'friends-1', 'alice');
    expect(await nameOf(host, guests[2] as Party)).toBe('friends-3');
  });

  it('never gives a number twice, whichever invite for the name lets them in', async () => {
    const { host, bytes, guests } = await party('alice', 'bob', 'carol', 'dave');
    const [alice, bob, carol, dave] = guests as unknown as [Party, Party, Party, Party];
    for (const guest of [bob, dave]) await guest.add('host', await host.invite('friends', DAY, { reusable: true }));
    expect(await nameOf(host, alice)).toBe('friends-1');
    await rename(host.context, 'friends-1', 'alice');
    expect(await nameOf(host, bob)).toBe('friends-2');
    await forget(host.context, 'friends-2');
    // Not even if nothing is left of the invites that gave them.
    await forget(host.context, 'friends');
    await carol.add('host', await host.invite('friends', DAY, { reusable: true }));
    expect(await nameOf(host, carol)).toBe('friends-3');
    await alice.add('host', bytes);
    expect(await host.read((await dave.send('host', 'hi')).envelope)).toBe('refused: unknown-invite');
  });

  it('gives no number that a contact had, however it came by it', async () => {
    const { host, guests } = await party('alice', 'bob', 'carol');
    const others = ['dave', 'erin', 'frank'].map((name) => new Party(name));
    for (const [n, other] of others.entries()) await host.add(`friends-${n + 2}`, await other.invite('host'));
    await rename(host.context, 'friends-2', 'dave');
    await forget(host.context, 'friends-4');
    expect(await nameOf(host, guests[0])).toBe('friends-5');
    await rename(host.context, 'friends-3', 'friends-9');
    await rename(host.context, 'friends-9', 'friends-09');
    await rename(host.context, 'friends-09', 'erin');
    expect(await nameOf(host, guests[1])).toBe('friends-10');
    await rename(host.context, 'erin', 'friends-9999999999999999999999');
    await rename(host.context, 'friends-9999999999999999999999', 'erin');
    expect(await nameOf(host, guests[2] as Party)).toBe('friends-11');
  });

  it('of a name that had a thousand gives the next thousand', async () => {
    const { host, guests } = await party('alice', 'bob');
    await host.store.transaction((transaction) => transaction.raiseNumber('friends', LAST_USER));
    expect(await host.read((await guests[0].send('host', 'hi')).envelope)).toBe('refused: invite-used-up');
    await guests[1].add('host', await host.invite('friends', DAY, { reusable: true }));
    expect(await nameOf(host, guests[1])).toBe(`friends-${LAST_USER + 1}`);
  });

  it('gives names that no script finds anybody else under, whatever is made, used, renamed and forgotten', async () => {
    const step = fc.record({
      do: fc.constantFrom('invite', 'come', 'come', 'come', 'rename', 'forget', 'withdraw', 'number'),
      pick: fc.nat(5),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 20 }), async (steps) => {
        const host = new Party('host');
        const invites = [await host.invite('friends', DAY, { reusable: true })];
        const holders = new Map<string, string>();
        for (const [n, { do: what, pick }] of steps.entries()) {
          const names = await namesOf(host);
          const name = names[pick % names.length];
          if (what === 'invite') invites.push(await host.invite('friends', DAY, { reusable: true }));
          if (what === 'forget' && name !== undefined) await forget(host.context, name);
          if (what === 'withdraw') await forget(host.context, 'friends').catch(() => undefined);
          if (what === 'rename' && name !== undefined) await rename(host.context, name, `other-${n}`);
          if (what === 'number' && name !== undefined) {
            const free = `friends-${pick + n}`;
            // The owner gives names as he likes.
            if (!names.includes(free)) await rename(host.context, name, free);
            holders.set(free, name);
          }
          if (what === 'come') {
            const guest = new Party(`guest-${n}`);
            await guest.add('host', invites[pick % invites.length] as Uint8Array);
            const [outcome] = await host.receive([(await guest.send('host', 'hi')).envelope]);
            if (outcome?.type !== 'message') continue;
            expect(holders.has(outcome.from), `${outcome.from} in ${[...holders.keys()]}`).toBe(false);
            holders.set(outcome.from, guest.name);
          }
        }
      }),
      { numRuns: 20 },
    );
  });

  it('leaves somebody who is known the name that they have', async () => {
    const { alice, bob } = await meet();
    const bytes = await bob.invite('friends', DAY, { reusable: true });
    await alice.add('bob', bytes);
    const [outcome] = await bob.receive([(await alice.send('bob', 'by the other invite')).envelope]);
    expect(outcome).toMatchObject({
      from: 'alice',
      notices: [{ kind: 'known-as', name: 'alice', invitedAs: 'friends' }, { kind: 'new-session' }],
    });
    expect(await namesOf(bob)).toEqual(['alice']);
  });

  it('may be used again by the same person, for a conversation that broke', async () => {
    const { host, bytes, guests } = await party('alice', 'bob');
    const [alice] = guests;
    await nameOf(host, alice);
    await alice.add('host', bytes);
    expect(await nameOf(host, alice)).toBe('friends-1');
    expect(await alice.read((await host.send('friends-1', 'on the new one')).envelope)).toBe('on the new one');
  });

  it('lets in a limited number, and says so', async () => {
    const { host, bytes, guests } = await party('alice', 'bob');
    await host.store.transaction(async (transaction) => {
      const [{ id } = { id: new Uint8Array() }] = await transaction.invites();
      await transaction.useInvite(id, LAST_USER - 1, new Uint8Array(16));
    });
    expect(await nameOf(host, guests[0])).toBe(`friends-${LAST_USER}`);
    const late = await guests[1].send('host', 'one too many');
    const before = await host.dump();
    expect(await host.read(late.envelope)).toBe('refused: invite-used-up');
    expect(await host.dump()).toEqual(before);
    // Those who are in stay, and may not begin anew by it.
    expect(await nameOf(host, guests[0])).toBe(`friends-${LAST_USER}`);
    await guests[0].add('host', bytes);
    expect(await host.read((await guests[0].send('host', 'anew')).envelope)).toBe('refused: invite-used-up');
  });

  it('has a name with room for its number', async () => {
    const { context } = new Party('host');
    await invite(context, 'n'.repeat(59), DAY, { reusable: true });
    const tooLong = invite(context, 'n'.repeat(60), DAY, { reusable: true });
    await expect(tooLong).rejects.toMatchObject({ code: 'bad-name' });
  });

  it('ends for all of them seven days after it expired', async () => {
    const { host, guests } = await party('alice', 'bob', 'carol');
    const sent = await Promise.all(guests.map((guest) => guest.send('host', `hi from ${guest.name}`)));
    const [one, two, three] = sent.map(({ envelope }) => envelope) as [Uint8Array, Uint8Array, Uint8Array];
    expect(await host.read(one)).toBe('hi from alice');
    host.time += 37 * DAY - 1;
    expect(await host.read(two)).toBe('hi from bob');
    host.time += 1_001;
    for (const envelope of [three, one]) {
      await forget(host.context, 'friends-1').catch(() => undefined);
      expect(await host.read(envelope)).toBe('refused: invite-expired');
    }
    // Its secrets are gone, and its part of the ledger with them.
    const [{ fate } = { fate: undefined }] = await host.store.snapshot((view) => view.invites());
    expect(fate).toEqual({ kind: 'expired' });
  });

  it('ends when it is forgotten', async () => {
    const { host, guests } = await party('alice', 'bob');
    await nameOf(host, guests[0]);
    expect(await forget(host.context, 'friends')).toEqual({
      contact: undefined,
      invites: 1,
      partialFiles: [],
      boxes: [],
    });
    expect(await host.read((await guests[1].send('host', 'too late')).envelope)).toBe('refused: unknown-invite');
    expect(await nameOf(host, guests[0])).toBe('friends-1');
  });
});

describe('an invite that is withdrawn', () => {
  it('lets nobody in any more, and those who are in stay', async () => {
    const { host, guests } = await party('alice', 'bob');
    const [alice, bob] = guests;
    const before = await alice.send('host', 'hi');
    expect(await host.read(before.envelope)).toBe('hi');
    const late = await bob.send('host', 'hi');
    const [other] = [await host.invite('friends', DAY), await host.invite('others', DAY)];
    expect(other).toHaveLength(1321);
    expect(await withdraw(host.context, 'friends')).toHaveLength(2);
    const state = await host.dump();
    expect(await host.read(late.envelope)).toBe('refused: invite-withdrawn');
    expect(await host.dump()).toEqual(state);
    const invites = await host.store.snapshot((view) => view.invites());
    expect(invites.map(({ fate }) => fate.kind)).toEqual(['withdrawn', 'withdrawn', 'open']);
    expect(await host.read(before.envelope)).toBe('duplicate');
    expect(await nameOf(host, alice, 'on')).toBe('friends-1');
    expect(await alice.read((await host.send('friends-1', 'yes')).envelope)).toBe('yes');
    await expect(withdraw(host.context, 'friends')).rejects.toMatchObject({ code: 'no-open-invite' });
  });

  it('is one of them, by its ID, also while it has expired and openings are on the way', async () => {
    const [alice, bob] = [new Party('alice'), new Party('bob')];
    const [first] = [await bob.invite('alice', DAY), await bob.invite('alice', DAY), await bob.invite('carol', DAY)];
    await alice.add('bob', first);
    const { envelope } = await alice.send('bob', 'hi');
    const [one, two, carols] = await openInvites(bob.context);
    if (one === undefined || two === undefined || carols === undefined) throw new Error('three are open');
    expect(one).toEqual({ id: inviteName(inviteId(first)), name: 'alice' });
    for (const id of [carols.id, one.id.slice(1), `${one.id}0`, one.id.toUpperCase().replace(/\d/g, 'A'), '']) {
      await expect(withdraw(bob.context, 'alice', id)).rejects.toMatchObject({ detail: { name: 'alice', id } });
    }
    bob.time += 2 * DAY;
    expect(await withdraw(bob.context, 'alice', one.id)).toEqual([one.id]);
    expect(await bob.read(envelope)).toBe('refused: invite-withdrawn');
    expect(await openInvites(bob.context)).toEqual([two, carols]);
    bob.time += 90 * DAY + 1_000;
    expect(await bob.read(envelope)).toBe('refused: unknown-invite');
  });
});

it('is given up by a file that was restored: its ledger is older, too', async () => {
  const { host, guests } = await party('alice', 'bob');
  await nameOf(host, guests[0]);
  await goOnAfterRestore(host.context);
  expect(await host.read((await guests[1].send('host', 'hi')).envelope)).toBe('refused: invite-expired');
});

describe('a restored file', () => {
  it('gives up an invite of theirs that waits: it may have been answered since', async () => {
    const [alice, bob] = [new Party('alice'), new Party('bob')];
    await alice.add('bob', await bob.invite('alice'));
    await goOnAfterRestore(alice.context);
    const [contact] = await alice.store.snapshot((view) => view.contacts());
    expect(contact).toMatchObject({ name: 'bob', invite: undefined });
    await expect(alice.send('bob', 'hi')).rejects.toThrow('no-session');
  });

  it('gives up the waiting invites of all contacts, beside sessions, and takes new ones', async () => {
    const { alice, bob } = await meet();
    const carol = new Party('carol');
    await alice.add('carol', await carol.invite('alice'));
    await alice.add('bob', await bob.invite('alice'));
    await goOnAfterRestore(alice.context);
    const contacts = await alice.store.snapshot((view) => view.contacts());
    expect(contacts.map(({ name, invite: waiting }) => [name, waiting])).toEqual([
      ['bob', undefined],
      ['carol', undefined],
    ]);
    await expect(alice.send('bob', 'hi')).rejects.toThrow('held');
    await alice.add('carol', await carol.invite('alice'));
    expect(await carol.read((await alice.send('carol', 'hi')).envelope)).toBe('hi');
  });

  it('gives up the invites of ours that are open again', async () => {
    const [alice, bob] = [new Party('alice'), new Party('bob')];
    await alice.add('bob', await bob.invite('alice'));
    await goOnAfterRestore(bob.context);
    const [made] = await bob.store.snapshot((view) => view.invites());
    expect(made?.fate).toEqual({ kind: 'expired' });
    expect(await bob.read((await alice.send('bob', 'hi')).envelope)).toBe('refused: invite-expired');
  });
});

describe('an opening that a reusable invite let in', () => {
  it('does not bring back a contact who was forgotten, nor does any later message of its chain', async () => {
    const { host, guests } = await party('alice', 'bob');
    const [alice] = guests;
    const [first, second] = [await alice.send('host', 'one'), await alice.send('host', 'two')];
    expect(await host.read(first.envelope)).toBe('one');
    expect(await host.read(first.envelope)).toBe('duplicate');
    await forget(host.context, 'friends-1');
    const before = await host.dump();
    for (const { envelope } of [first, second]) expect(await host.read(envelope)).toBe('forgotten');
    expect(await host.dump()).toEqual(before);
    expect(await namesOf(host)).toEqual([]);
  });

  it('does not come again when its session was dropped for newer ones', async () => {
    const { host, bytes, guests } = await party('alice', 'bob');
    const [alice] = guests;
    const first = await alice.send('host', 'the first');
    expect(await host.read(first.envelope)).toBe('the first');
    for (let i = 0; i < 5; i++) {
      alice.time += 1_000;
      await alice.add('host', bytes);
      await nameOf(host, alice, `session ${i}`);
    }
    expect(await host.read(first.envelope)).toBe('forgotten');
  });

  it('is no hindrance to a new one of the same person', async () => {
    const { host, bytes, guests } = await party('alice', 'bob');
    const [alice] = guests;
    expect(await nameOf(host, alice)).toBe('friends-1');
    await forget(host.context, 'friends-1');
    await alice.add('host', bytes);
    expect(await nameOf(host, alice)).toBe('friends-2');
  });

  it('that was refused is not in the ledger: it changes nothing, and may come whole', async () => {
    const { host, guests } = await party('alice', 'bob');
    const { envelope } = await guests[0].send('host', 'hi');
    const before = await host.dump();
    const altered = Uint8Array.from(envelope);
    altered[altered.length - 1] = (altered.at(-1) ?? 0) ^ 1;
    expect(await host.read(altered)).toBe('refused: corrupt');
    expect(await host.dump()).toEqual(before);
    expect(await host.read(envelope)).toBe('hi');
  });
});

/** What guests, host and channel do. `guest` and `pick` are taken modulo how many there are. */
const events = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ do: fc.constant('send' as const), guest: fc.nat(2) }) },
    { weight: 6, arbitrary: fc.record({ do: fc.constant('deliver' as const), pick: fc.nat(100) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('answer' as const), pick: fc.nat(9) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('forget' as const), pick: fc.nat(9) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('rename' as const), pick: fc.nat(9) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('add again' as const), guest: fc.nat(2) }) },
  ),
  { minLength: 10, maxLength: 30 },
);

it('whatever is forgotten, renamed, repeated or lost: no text comes twice, and no name goes to a second person', async () => {
  await fc.assert(
    fc.asyncProperty(events, async (script) => {
      const { host, bytes, guests } = await party('alice', 'bob', 'carol');
      const sent: { readonly text: string; readonly envelope: Uint8Array }[] = [];
      const read = new Set<string>();
      const owners = new Map<string, string>();
      const contactAt = async (pick: number) => {
        const names = await namesOf(host);
        return names[pick % names.length];
      };
      for (const [step, event] of script.entries()) {
        const guest = 'guest' in event ? (guests[event.guest] as Party) : guests[0];
        const contact = 'pick' in event ? await contactAt(event.pick) : undefined;
        if (event.do === 'send') {
          const text = `${guest.name} ${step}`;
          sent.push({ text, envelope: (await guest.send('host', text)).envelope });
        } else if (event.do === 'add again') await guest.add('host', bytes);
        else if (event.do === 'deliver' && sent.length > 0) {
          const { text, envelope } = sent[event.pick % sent.length] as (typeof sent)[number];
          const [outcome] = await host.receive([envelope]);
          const word = outcome && wordFor(outcome);
          if (outcome?.type !== 'message') {
            expect(['duplicate', 'too-late', 'forgotten', 'refused: not-for-you']).toContain(word);
            continue;
          }
          expect(word).toBe(text);
          expect(read).not.toContain(text);
          read.add(text);
          const [owner = ''] = text.split(' ');
          expect(owners.get(outcome.from) ?? owner).toBe(owner);
          owners.set(outcome.from, owner);
        } else if (contact !== undefined && event.do === 'answer') {
          const { envelope } = await host.send(contact, 'answer');
          await guests.find(({ name }) => name === owners.get(contact))?.read(envelope);
        } else if (contact !== undefined && event.do === 'forget') await forget(host.context, contact);
        else if (contact !== undefined && event.do === 'rename') {
          await rename(host.context, contact, `${contact}-${step}`);
          owners.set(`${contact}-${step}`, owners.get(contact) ?? '');
        }
      }
    }),
    { numRuns: Number(process.env.PAWL_RUNS ?? 25) },
  );
});
