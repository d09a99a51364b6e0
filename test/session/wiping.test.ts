/**
 * Holds send and receive to wiping every secret of a ratchet session that they read from the store or derive, once the
 * transaction has ended. The store keeps copies of its own.
 */
import { beforeEach, expect, it, vi } from 'vitest';
import type { OwnIdentity, StoredInvite } from '../../src/handshake/index.ts';
import { type Context, DAY, identityReport, sessionReports } from '../../src/session/index.ts';
import { OPENING_GRACE } from '../../src/session/maintenance.ts';
import { record, secretsIn, takeUnwiped } from '../ratchet/derived-secrets.ts';
import { Party } from './party.ts';

vi.mock(import('../../src/primitives/index.ts'), async (importOriginal) => {
  const { recording } = await import('../ratchet/derived-secrets.ts');
  return recording(await importOriginal());
});

vi.mock(import('../../src/handshake/index.ts'), async (importOriginal) => {
  const derived = await import('../ratchet/derived-secrets.ts');
  const original = await importOriginal();
  const recordAgreement = <Agreed extends ReturnType<typeof original.acceptOpening | typeof original.openSession>>(
    agreed: Agreed,
  ): Agreed => {
    const { rootKey, initiatorHeader, responderHeader } = agreed.agreement;
    for (const secret of [rootKey, initiatorHeader, responderHeader]) derived.record(secret);
    return agreed;
  };
  return {
    ...original,
    openSession: (...input) => recordAgreement(original.openSession(...input)),
    acceptOpening: (...input) => recordAgreement(original.acceptOpening(...input)),
    createInvite: (...input) => {
      const made = original.createInvite(...input);
      derived.record(made.secrets.prekey.secretKey);
      derived.record(made.secrets.kemSeed);
      return made;
    },
  };
});

/** A party that records every secret that its store gives out. */
class Recorded extends Party {
  override get context(): Context {
    const context = super.context;
    const store = new Proxy(context.store, {
      get: (target, name) =>
        name === 'transaction'
          ? (work: (transaction: object) => Promise<unknown>) =>
              target.transaction((transaction) => work(recordingReads(transaction)))
          : name === 'snapshot'
            ? (work: (view: object) => Promise<unknown>) => target.snapshot((view) => work(recordingReads(view)))
            : bound(target, name),
    });
    return { ...context, store };
  }
}

/** The secrets in what a store reads, by the name of the method. */
const SECRETS: Readonly<Record<string, (read: unknown) => readonly Uint8Array[]>> = {
  ratchetState: secretsIn,
  keptPosition: secretsIn,
  ownIdentity: (self) => [(self as OwnIdentity).seed],
  invite: (read) => (read === undefined ? [] : secretsOfInvite(read as StoredInvite)),
  invites: (read) => (read as readonly StoredInvite[]).flatMap(secretsOfInvite),
};

function secretsOfInvite({ fate }: StoredInvite): readonly Uint8Array[] {
  return fate.kind === 'open' ? [fate.secrets.prekey.secretKey, fate.secrets.kemSeed] : [];
}

function recordingReads<Transaction extends object>(transaction: Transaction): Transaction {
  return new Proxy(transaction, {
    get: (target, name) => {
      const member = bound(target, name);
      const secretsOf = SECRETS[String(name)];
      if (secretsOf === undefined) return member;
      return async (...input: unknown[]) => {
        const read = await (member as (...args: unknown[]) => Promise<unknown>)(...input);
        for (const secret of secretsOf(read)) record(secret);
        return read;
      };
    },
  });
}

function bound(target: object, name: string | symbol): unknown {
  const member: unknown = Reflect.get(target, name, target);
  return typeof member === 'function' ? member.bind(target) : member;
}

/** alice and bob, who have invited and added each other. */
async function acquainted() {
  const alice = new Recorded('alice');
  const bob = new Recorded('bob');
  await alice.add('bob', await bob.invite('alice'));
  return { alice, bob };
}

async function expectClean<Result>(work: Promise<Result>): Promise<Result> {
  const result = await work;
  expect(takeUnwiped()).toEqual([]);
  return result;
}

beforeEach(() => void takeUnwiped());

it('leaves no secret of the sessions: openings, answers, gaps, late messages', async () => {
  const { alice, bob } = await acquainted();
  takeUnwiped();
  const opening = await expectClean(alice.send('bob', 'hello'));
  await expectClean(bob.receive([opening.envelope]));
  const answer = await expectClean(bob.send('alice', 'hello, alice'));
  await expectClean(alice.receive([answer.envelope]));
  const [first, second, third, fourth] = [
    await expectClean(alice.send('bob', '1')),
    await expectClean(alice.send('bob', '2')),
    await expectClean(alice.send('bob', '3')),
    await expectClean(alice.send('bob', '4')),
  ];
  await expectClean(bob.receive([third.envelope, fourth.envelope]));
  expect(await expectClean(bob.read(second.envelope))).toBe('2');
  expect(await expectClean(bob.read(second.envelope))).toBe('duplicate');
  await expectClean(alice.receive([(await expectClean(bob.send('alice', 'next'))).envelope]));
  await expectClean(bob.receive([(await expectClean(alice.send('bob', 'next'))).envelope, first.envelope]));
});

it('leaves no secret of an opening that is refused: altered, or of a clock far ahead', async () => {
  const { alice, bob } = await acquainted();
  const opening = await alice.send('bob', 'hello');
  const altered = Uint8Array.from(opening.envelope);
  altered[altered.length - 1] = (altered.at(-1) ?? 0) ^ 1;
  takeUnwiped();
  expect(await expectClean(bob.read(altered))).toBe('refused: corrupt');
  const carol = new Recorded('carol');
  const dave = new Recorded('dave');
  await carol.add('dave', await dave.invite('carol'));
  carol.time += 3 * DAY;
  const early = await carol.send('dave', 'hello');
  takeUnwiped();
  expect(await expectClean(dave.read(early.envelope))).toBe('refused: clock-ahead');
});

it('leaves no secret of invites and identities: made, listed, answered, refused, or in a report', async () => {
  const { alice, bob } = await acquainted();
  takeUnwiped();
  const forMany = await expectClean(bob.invite('friends', DAY, { reusable: true }));
  const carol = new Recorded('carol');
  await expectClean(carol.add('bob', forMany));
  const opening = await expectClean(carol.send('bob', 'hello'));
  // To somebody else; altered where it names the sender; and by her own invite.
  expect(await expectClean(alice.read(opening.envelope))).toBe('refused: not-for-you');
  const altered = Uint8Array.from(opening.envelope);
  altered[3 + 1_208] = (altered[3 + 1_208] ?? 0) ^ 1;
  expect(await expectClean(bob.read(altered))).toMatch(/^refused: /);
  expect(await expectClean(bob.read(opening.envelope))).toBe('hello');
  await expectClean(identityReport(bob.context));
  await expectClean(sessionReports(bob.context, 'friends-1'));
  const late = new Recorded('dave');
  await late.add('bob', forMany);
  const second = await late.send('bob', 'hello');
  // To the millisecond: what is older has no secrets any more.
  bob.time += DAY + OPENING_GRACE;
  takeUnwiped();
  expect(await expectClean(bob.read(second.envelope))).toBe('refused: invite-expired');
});
