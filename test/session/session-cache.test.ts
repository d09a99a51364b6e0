/**
 * Unit tests of `SessionCache`: how a session is found, how often the store is asked, what `settle` changes and what
 * `save` writes. The parties and their store are real; the calls that the store gets are counted.
 */
import { describe, expect, it } from 'vitest';
import { LIMITS, type SealedMessage } from '../../src/ratchet/index.ts';
import type { Outcome } from '../../src/session/index.ts';
import { type CachedSession, SessionCache } from '../../src/session/session-cache.ts';
import type { ContactId, Transaction } from '../../src/session/store.ts';
import { findEntries } from '../storage/fixtures.ts';
import { mail } from './exchanges.ts';
import { meet, Party, START } from './party.ts';

type Call = keyof Transaction;

/** A transaction that lists the calls that it gets. */
function counting(transaction: Transaction): { counted: Transaction; calls: Call[] } {
  const calls: Call[] = [];
  const counted = new Proxy(transaction, {
    get(target, name: Call) {
      const method = target[name];
      return (...parameters: never[]) => {
        calls.push(name);
        return (method as (...given: never[]) => unknown).apply(target, parameters);
      };
    },
  });
  return { counted, calls };
}

interface AtHand {
  readonly sessions: SessionCache;
  /** Since the last time that this was read. */
  readonly calls: () => Call[];
  readonly transaction: Transaction;
}

/** One unit of work in the party's store. */
function inUnit<Result>(party: Party, work: (atHand: AtHand) => Promise<Result>): Promise<Result> {
  return party.store.transaction(async (transaction) => {
    const { counted, calls } = counting(transaction);
    const sessions = new SessionCache(counted, party.time, LIMITS);
    return work({ sessions, calls: () => calls.splice(0), transaction });
  });
}

async function messageOf(from: Party, to: string, text = 'text'): Promise<SealedMessage> {
  return mail((await from.send(to, text)).envelope).message;
}

/** Locates a message and decrypts it, as `receive` does; it must be accepted. */
async function accept(sessions: SessionCache, message: SealedMessage): Promise<CachedSession> {
  const { session, located } = await sessions.locate(message);
  const read = await session.ratchet.decrypt(located, message.body, { now: START, limits: LIMITS });
  expect(read.kind).toBe('accepted');
  return session;
}

/** A bob who has a session with alice and one with carol; each has heard the other. */
async function threeParties() {
  const { alice, bob } = await meet();
  const carol = new Party('carol');
  await carol.add('bob', await bob.invite('carol'));
  await bob.read((await carol.send('bob', 'hi bob')).envelope);
  await carol.read((await bob.send('carol', 'hi carol')).envelope);
  return { alice, bob, carol };
}

/** An alice and a bob who have two sessions: bob sends on the later one. */
async function twoSessions() {
  const { alice, bob } = await meet();
  const late = [
    await messageOf(alice, 'bob', 'over the first'),
    await messageOf(alice, 'bob', 'and one more'),
  ] as const;
  bob.time += 1_000;
  alice.time += 1_000;
  await alice.add('bob', await bob.invite('alice'));
  const { envelope } = await alice.send('bob', 'over the second session');
  await bob.read(envelope);
  await alice.read((await bob.send('alice', 'heard')).envelope);
  return { alice, bob, late };
}

const sessionsOf = (transaction: Transaction, contact: ContactId) => transaction.sessions(contact);

describe('locate', () => {
  it('finds the session and the contact by the header key', async () => {
    const { alice, bob, carol } = await threeParties();
    const messages = [await messageOf(carol, 'bob'), await messageOf(alice, 'bob')];
    await inUnit(bob, async ({ sessions }) => {
      const found = [];
      for (const message of messages) found.push((await sessions.locate(message)).session.contact.name);
      expect(found).toEqual(['carol', 'alice']);
    });
  });

  it('finds none for a message to somebody else', async () => {
    const { alice, carol } = await threeParties();
    const message = await messageOf(alice, 'bob');
    await inUnit(carol, async ({ sessions, calls }) => {
      await expect(sessions.locate(message)).rejects.toMatchObject({ code: 'not-for-you' });
      expect(calls()).toEqual(['findEntry']);
    });
  });

  it('refuses a message whose header was altered, and finds the next one', async () => {
    const { alice, bob } = await meet();
    const message = await messageOf(alice, 'bob');
    const sealedHeader = Uint8Array.from(message.sealedHeader);
    sealedHeader[0] = (sealedHeader[0] ?? 0) ^ 1;
    await inUnit(bob, async ({ sessions, calls }) => {
      await expect(sessions.locate({ ...message, sealedHeader })).rejects.toMatchObject({ code: 'corrupt' });
      await accept(sessions, message);
      // The session that was read for the first is at hand for the second.
      expect(calls().filter((call) => call === 'ratchetState')).toHaveLength(1);
    });
  });

  it('asks the store for nothing while the messages go on in one chain', async () => {
    const { alice, bob } = await meet();
    const messages: SealedMessage[] = [];
    for (let i = 0; i < 3; i++) messages.push(await messageOf(alice, 'bob'));
    await inUnit(bob, async ({ sessions, calls }) => {
      const first = await accept(sessions, messages[0] as SealedMessage);
      expect(calls()).toContain('findEntry');
      expect(await accept(sessions, messages[1] as SealedMessage)).toBe(first);
      expect(await accept(sessions, messages[2] as SealedMessage)).toBe(first);
      expect(calls()).toEqual([]);
    });
  });

  it('reads each session once, however they alternate', async () => {
    const { alice, bob, carol } = await threeParties();
    const messages: SealedMessage[] = [];
    for (let i = 0; i < 3; i++) messages.push(await messageOf(alice, 'bob'), await messageOf(carol, 'bob'));
    await inUnit(bob, async ({ sessions, calls }) => {
      const found = new Set<CachedSession>();
      for (const message of messages) found.add(await accept(sessions, message));
      expect(found.size).toBe(2);
      const read = calls();
      for (const call of ['session', 'contact', 'ratchetState'] as const) {
        expect([call, read.filter((one) => one === call).length]).toEqual([call, 2]);
      }
    });
  });

  it('reads the find keys once, however many messages fit none of them', async () => {
    const { alice, bob, carol } = await threeParties();
    const strangers = await Promise.all(Array.from({ length: 20 }, () => messageOf(alice, 'bob')));
    const mine = await messageOf(bob, 'carol');
    await inUnit(carol, async ({ sessions, calls }) => {
      for (const message of strangers.slice(0, 10)) {
        await expect(sessions.locate(message)).rejects.toMatchObject({ code: 'not-for-you' });
      }
      expect(calls()).toEqual(['findEntry']);
      expect((await accept(sessions, mine)).contact.name).toBe('bob');
      // The session has another chain now. It is read again, alone, and what was saved before an opening as well.
      for (const message of strangers.slice(10)) {
        await expect(sessions.locate(message)).rejects.toMatchObject({ code: 'not-for-you' });
        if (message === strangers[15]) await sessions.save();
      }
      expect(calls().filter((call) => call === 'findEntry')).toHaveLength(2);
    });
  });

  it('does not read the find keys behind the first that fits, for a single message', async () => {
    const { bob, carol } = await threeParties();
    const message = await messageOf(carol, 'bob');
    await inUnit(bob, async ({ sessions, transaction }) => {
      let tried = 0;
      const { findEntry } = transaction;
      transaction.findEntry = (fits, only) =>
        findEntry.call(
          transaction,
          (entry) => {
            tried += 1;
            return fits(entry);
          },
          only,
        );
      const entries = await findEntries(transaction);
      tried = 0;
      await accept(sessions, message);
      expect(tried).toBeLessThan(entries.length);
    });
  });

  it('finds the chains that a message of the same unit has begun, and none that it has ended for good', async () => {
    const { alice, bob } = await meet();
    const late: SealedMessage[] = [];
    const first: SealedMessage[] = [];
    // Twelve chains, of which bob has none yet: the older ones are dropped as the newer ones come.
    for (let chain = 0; chain < 12; chain++) {
      first.push(await messageOf(alice, 'bob'));
      late.push(await messageOf(alice, 'bob'));
      await bob.read((await alice.send('bob', 'the end of a chain')).envelope);
      await alice.read((await bob.send('alice', 'turn')).envelope);
    }
    await inUnit(bob, async ({ sessions }) => {
      const kinds: string[] = [];
      for (const message of [...first, ...late, ...first]) {
        try {
          const { session, located } = await sessions.locate(message);
          kinds.push((await session.ratchet.decrypt(located, message.body, { now: START, limits: LIMITS })).kind);
        } catch (error) {
          kinds.push((error as { code: string }).code);
        }
      }
      // A chain of which all messages have come is kept while it is among the last five.
      expect(kinds).toEqual([
        ...Array(24).fill('accepted'),
        ...Array(6).fill('not-for-you'),
        ...Array(6).fill('duplicate'),
      ]);
    });
  });

  it('finds no chain that messages on the current one have pushed out since', async () => {
    const { alice, bob } = await meet();
    const skipped = await messageOf(alice, 'bob', 'the key of this one is pushed out');
    await bob.read((await alice.send('bob', 'the last of its chain')).envelope);
    await alice.read((await bob.send('alice', 'a new turn')).envelope);
    const [first, second, third] = [
      await messageOf(alice, 'bob'),
      await messageOf(alice, 'bob'),
      await messageOf(alice, 'bob'),
    ];
    const carol = new Party('carol');
    await carol.add('alice', await alice.invite('carol'));
    const junk = await messageOf(carol, 'alice', 'not for bob');
    const limits = { ...LIMITS, keptKeys: 1, recentChains: 0 };
    await bob.store.transaction(async (transaction) => {
      const sessions = new SessionCache(transaction, START, limits);
      const read = async (message: SealedMessage) => {
        const { session, located } = await sessions.locate(message);
        return (await session.ratchet.decrypt(located, message.body, { now: START, limits })).kind;
      };
      for (const message of [first, third]) {
        await expect(sessions.locate(junk)).rejects.toMatchObject({ code: 'not-for-you' });
        expect(await read(message)).toBe('accepted');
      }
      // On the current chain, and late: the keys of both are saved now.
      expect(await read(second)).toBe('accepted');
      await expect(sessions.locate(skipped)).rejects.toMatchObject({ code: 'not-for-you' });
    });
  });

  it('looks into one session only, where that is asked for', async () => {
    const { alice, bob, late } = await twoSessions();
    const current = [await messageOf(alice, 'bob'), await messageOf(alice, 'bob')] as const;
    await inUnit(bob, async ({ sessions, transaction }) => {
      const [contact] = await transaction.contacts();
      const [first, second] = (await sessionsOf(transaction, contact?.id as ContactId)).map(({ id }) => id);
      expect((await accept(sessions, current[0])).ratchet.session.id).toBe(second);
      expect((await sessions.locate(current[1], second)).session.ratchet.session.id).toBe(second);
      // The session that was found last is no exception: its current chain fits, but another one was asked for.
      await expect(sessions.locate(current[1], first)).rejects.toMatchObject({ code: 'not-for-you' });
      await expect(sessions.locate(late[0], second)).rejects.toMatchObject({ code: 'not-for-you' });
      expect((await sessions.locate(late[0], first)).session.ratchet.session.id).toBe(first);
    });
  });
});

describe('an opening', () => {
  it('that drops an older session leaves none of its find keys behind', async () => {
    const { alice, bob } = await threeParties();
    const over = (await alice.send('bob', 'over the first session')).envelope;
    const openings: Uint8Array[] = [];
    for (let session = 0; session < 4; session++) {
      bob.time += 1_000;
      alice.time += 1_000;
      await alice.add('bob', await bob.invite('alice'));
      openings.push((await alice.send('bob', 'another session')).envelope);
    }
    const wordsFor = (all: readonly Outcome[]) =>
      all.map((outcome) => (outcome.type === 'refused' ? outcome.error.code : outcome.type));
    const junk = [(await bob.send('carol', 'not for bob')).envelope, (await bob.send('carol', 'nor this')).envelope];
    await bob.receive(openings.slice(0, 3));
    // The fifth session is one too many: the one that was used least goes.
    const outcomes = await bob.receive([...junk, ...openings.slice(3), over]);
    expect(wordsFor(outcomes)).toEqual(['not-for-you', 'not-for-you', 'message', 'not-for-you']);
  });
});

describe('settle', () => {
  it('settles the only session of a contact for good', async () => {
    const { alice, bob } = await meet();
    const message = await messageOf(alice, 'bob');
    await inUnit(bob, async ({ sessions, calls }) => {
      const session = await accept(sessions, message);
      expect(session.isSettled).toBe(false);
      calls();
      await sessions.settle(session);
      expect(session.isSettled).toBe(true);
      expect(calls()).toEqual(['useSession', 'sessions']);
    });
  });

  it('ends an opening of ours that has its first answer, and no other', async () => {
    const alice = new Party('alice');
    const bob = new Party('bob');
    await alice.add('bob', await bob.invite('alice'));
    await bob.read((await alice.send('bob', 'hi bob')).envelope);
    const isAnswered = async () => {
      const message = await messageOf(bob, 'alice', 'hi alice');
      return inUnit(alice, async ({ sessions, calls }) => {
        await sessions.settle(await accept(sessions, message));
        await sessions.save();
        return calls().includes('answerSession');
      });
    };
    expect([await isAnswered(), await isAnswered()]).toEqual([true, false]);
  });

  it('lets the other sessions of the contact age, and stays unsettled while there are any', async () => {
    const { bob, late } = await twoSessions();
    await inUnit(bob, async ({ sessions, transaction }) => {
      const session = await accept(sessions, late[0]);
      const idle = async () => (await sessionsOf(transaction, session.contact.id)).map((one) => one.idle);
      const [, before = Number.NaN] = await idle();
      await sessions.settle(session);
      expect(session.isSettled).toBe(false);
      expect(await idle()).toEqual([0, before + 1]);
    });
  });

  it('does not save a session that it drops', async () => {
    const { alice, bob, late } = await twoSessions();
    const messages: SealedMessage[] = [];
    // The first session goes after 64 messages over the second, on which bob sends.
    for (let i = 0; i < 64; i++) messages.push(await messageOf(alice, 'bob'));
    await inUnit(bob, async ({ sessions, calls, transaction }) => {
      await accept(sessions, late[0]);
      const first = await accept(sessions, late[1]);
      for (const message of messages) await sessions.settle(await accept(sessions, message));
      expect(calls().filter((call) => call === 'dropSession')).toHaveLength(1);
      // The dropped session had accepted a message that was not saved.
      await sessions.save();
      expect(calls()).toEqual(['saveReceived']);
      const left = await sessionsOf(transaction, first.contact.id);
      expect(left.map(({ id }) => id)).not.toContain(first.ratchet.session.id);
      expect(left).toHaveLength(1);
    });
  });
});

describe('save', () => {
  it('writes what every session has accepted, once, and the one that was found last comes last', async () => {
    const { alice, bob, carol } = await threeParties();
    // The first of a chain is saved at once; the others wait for `save`.
    const from = [alice, carol, carol, alice];
    const messages: SealedMessage[] = [];
    for (const party of from) messages.push(await messageOf(party, 'bob'));
    await inUnit(bob, async ({ sessions, calls }) => {
      const saved: unknown[] = [];
      const found: CachedSession[] = [];
      for (const message of messages) found.push(await accept(sessions, message));
      for (const { contact, ratchet } of new Set(found)) {
        const save = ratchet.save.bind(ratchet);
        ratchet.save = async (now, limits) => {
          saved.push([contact.name, now, limits]);
          await save(now, limits);
        };
      }
      calls();
      await sessions.save();
      expect(saved).toEqual([
        ['carol', START, LIMITS],
        ['alice', START, LIMITS],
      ]);
      expect(calls()).toEqual(['saveReceived', 'saveReceived']);
      await sessions.save();
      expect(calls()).toEqual([]);
    });
    // The store knows them all: none is accepted again.
    for (const message of messages) {
      await inUnit(bob, async ({ sessions }) => {
        const { session, located } = await sessions.locate(message);
        expect((await session.ratchet.decrypt(located, message.body, { now: START, limits: LIMITS })).kind).toBe(
          'duplicate',
        );
      });
    }
  });

  it('overwrites the secrets, and asks the store anew after that', async () => {
    const { alice, bob } = await meet();
    const messages = [await messageOf(alice, 'bob'), await messageOf(alice, 'bob')];
    await inUnit(bob, async ({ sessions, calls }) => {
      const first = await accept(sessions, messages[0] as SealedMessage);
      let wiped = 0;
      const wipe = first.ratchet.wipe.bind(first.ratchet);
      first.ratchet.wipe = () => {
        wiped += 1;
        wipe();
      };
      await sessions.save();
      expect(wiped).toBe(1);
      calls();
      const second = await accept(sessions, messages[1] as SealedMessage);
      expect(second).not.toBe(first);
      expect(calls().slice(0, 4)).toEqual(['findEntry', 'session', 'contact', 'ratchetState']);
    });
  });
});
