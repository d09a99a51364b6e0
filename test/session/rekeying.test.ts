import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { DAY } from '../../src/session/index.ts';
import { acquainted, exchange, expectHealthy, fieldIn, inMemory, ratchets, tell } from './exchanges.ts';
import { type Action, Model, type Side } from './model.ts';
import { FileParty, type Party } from './party.ts';
import { RestorableParty } from './snapshots.ts';

describe('an exchange between two identities', () => {
  it('goes through with two chains, one of each side, and is kept over its whole length', async () => {
    const { alice, bob } = await inMemory();
    expect(await tell(alice, bob)).toBe('offer');
    expect([await exchange(alice), await exchange(bob)]).toEqual(['offered, mixed by step 0', 'owed, mixed by step 0']);
    expect(await tell(alice, bob)).toBe('offer');
    expect(await tell(bob, alice)).toBe('answer');
    expect([await exchange(alice), await exchange(bob)]).toEqual(['idle, mixed by step 4', 'idle, mixed by step 4']);
    expect(await tell(bob, alice)).toBe('answer');
    expect(await tell(alice, bob)).toBe('none');
    await expectHealthy(alice, bob);
  });

  it('comes by itself in a lively conversation: twice in twenty chains, in 2.3 KB', async () => {
    const { alice, bob } = await inMemory();
    for (const party of [alice, bob]) party.time -= DAY - 1_000;
    const carried: string[] = [];
    for (let turn = 0; turn < 9; turn++) carried.push(await tell(alice, bob), await tell(bob, alice));
    expect(carried.filter((field) => field !== 'none')).toEqual(['offer', 'answer', 'offer', 'answer']);
    expect(await exchange(alice)).toBe('idle, mixed by step 20');
  });

  it('waits for months, and for an answer that comes after all that time', async () => {
    const { alice, bob } = await inMemory();
    const first = await alice.send('bob', 'the first of the chain');
    for (let month = 0; month < 8; month++) {
      alice.time += 31 * DAY;
      expect(fieldIn((await alice.send('bob', 'anybody?')).envelope)).toBe('offer');
    }
    expect(await exchange(alice)).toBe('offered, mixed by step 0');
    bob.time = alice.time;
    expect(await bob.read(first.envelope)).toBe('the first of the chain');
    alice.time += 200 * DAY;
    expect(await tell(bob, alice)).toBe('answer');
    await expectHealthy(alice, bob);
    expect([...(await alice.forks()), ...(await bob.forks())]).toEqual([]);
  });
});

const side = fc.constantFrom<Side>('alice', 'bob');
const pick = fc.nat({ max: 1_000 });
/** A conversation that comes along, with a channel that now and then loses, delays and repeats. */
const lively: fc.Arbitrary<Action> = fc.oneof(
  { weight: 12, arbitrary: fc.record({ do: fc.constant('say' as const), from: side }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('send' as const), from: side }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('deliver' as const), pick }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('tamper' as const), pick, at: fc.nat() }) },
  { weight: 3, arbitrary: fc.constant({ do: 'wait' as const }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('restart' as const), who: side }) },
);
const talk = (length: number) => fc.array(lively, { minLength: length, maxLength: 2 * length, size: 'max' });

// The model foretells the outcome of every delivery, to the letter: a fork, or `kem-missing`, is in none of them.
describe('two parties, over many exchanges', () => {
  it('read every message once and never doubt one another', async () => {
    let mixes = 0;
    await fc.assert(
      fc.asyncProperty(side, talk(20), async (inviter, actions) => {
        const model = new Model();
        await model.introduce(inviter);
        for (const action of actions) await model.play(action);
        await model.deliver(model.messages.map((_, i) => i));
        mixes += model.mixes.size;
      }),
      { numRuns: 60 },
    );
    expect(mixes).toBeGreaterThan(30);
  });

  it('do so on identity files, with restarts in between, over conversations of some length', async () => {
    const folder = temporaryFolder();
    let mixes = 0;
    let run = 0;
    await fc.assert(
      fc.asyncProperty(side, talk(80), async (inviter, actions) => {
        run += 1;
        const model = new Model(fileParties(folder, `${run}`));
        await model.introduce(inviter);
        for (const action of actions) await model.play(action);
        await model.deliver(model.messages.map((_, i) => i));
        mixes += model.mixes.size;
        for (const party of Object.values(model.parties)) (party as FileParty).close();
      }),
      { numRuns: 2 },
    );
    // Two conversations mix a dozen times on average, and seldom less than four times.
    expect(mixes).toBeGreaterThan(0);
  });
});

describe('several sessions with one contact', () => {
  /** Both opened at once, and heard each other; a day has passed since. */
  async function crossed() {
    const [alice, bob] = [new RestorableParty('alice'), new RestorableParty('bob')];
    await alice.add('bob', await bob.invite('alice'));
    await bob.add('alice', await alice.invite('bob'));
    const [one, other] = [await alice.send('bob', 'mine'), await bob.send('alice', 'mine')];
    await bob.read(one.envelope);
    await alice.read(other.envelope);
    for (let turn = 0; turn < 2; turn++) {
      await tell(alice, bob);
      await tell(bob, alice);
    }
    for (const party of [alice, bob]) party.time += DAY;
    return { alice, bob };
  }

  const exchanges = async (party: Party) => (await ratchets(party)).map(({ rekeying }) => rekeying.exchange.kind);

  it('have an exchange each: what is under way in one is nothing to the other', async () => {
    const { alice, bob } = await crossed();
    await tell(alice, bob);
    expect((await exchanges(alice)).toSorted()).toEqual(['idle', 'offered']);
    expect((await exchanges(bob)).toSorted()).toEqual(['idle', 'owed']);
    await tell(bob, alice);
    expect([await exchanges(alice), await exchanges(bob)]).toEqual([
      ['idle', 'idle'],
      ['idle', 'idle'],
    ]);
    const steps = (await ratchets(alice)).map(({ rekeying }) => rekeying.mixed.step);
    expect(steps.filter((step) => step > 0)).toHaveLength(1);
    await expectHealthy(alice, bob);
  });

  it.each(['alice', 'bob'] as const)(
    'a new invite of %s in the middle: the new session begins with its own secret',
    async (by) => {
      const { alice, bob } = await inMemory();
      await tell(alice, bob, 'an offer');
      const answer = await bob.send('alice', 'an answer, on its way');
      const [host, guest] = by === 'alice' ? [alice, bob] : [bob, alice];
      await guest.add(host.name, await host.invite(guest.name));
      expect(await tell(guest, host, 'in a new session')).toBe('none');
      expect((await exchanges(alice)).toSorted()).toEqual(['idle', 'offered']);
      await tell(host, guest, 'in it, too');

      // The old one is where it was, for months; its answer still comes through, and the new one does not mind.
      for (const party of [alice, bob]) party.time += 90 * DAY;
      const [, fresh] = structuredClone(await ratchets(alice));
      expect(await alice.read(answer.envelope)).toBe('an answer, on its way');
      const [old, after] = await ratchets(alice);
      expect(old?.rekeying).toEqual({ mixed: { step: 4, at: alice.time }, exchange: { kind: 'idle' } });
      expect(after).toEqual(fresh);
      await expectHealthy(guest, host);
      expect([...(await alice.forks()), ...(await bob.forks())]).toEqual([]);
    },
  );
});

describe('an identity that is killed', () => {
  const [ALICE, BOB] = ['alice-1.db', 'bob-1.db'];

  it('between any two steps of an exchange goes on from its file', async () => {
    const { alice, bob } = await acquainted(...people(temporaryFolder()));
    for (const field of ['offer', 'answer']) {
      const [from, to] = field === 'offer' ? [alice, bob] : [bob, alice];
      const { envelope } = await from.send(to.name, 'text');
      expect(fieldIn(envelope)).toBe(field);
      from.restart();
      to.restart();
      expect(await to.read(envelope)).toBe('text');
      to.restart();
      expect(await to.read(envelope)).toBe('duplicate');
    }
    expect([await exchange(alice), await exchange(bob)]).toEqual(['idle, mixed by step 4', 'idle, mixed by step 4']);
    await expectHealthy(alice, bob);
  });

  it.each(['offer', 'answer'] as const)(
    'before it has committed that it read the %s, reads it again',
    async (field) => {
      const folder = temporaryFolder();
      const { alice, bob } = await acquainted(...people(folder));
      if (field === 'answer') await tell(alice, bob);
      const [from, to, file] = field === 'offer' ? ([alice, bob, BOB] as const) : ([bob, alice, ALICE] as const);
      const { envelope } = await from.send(to.name, 'text');
      expect(fieldIn(envelope)).toBe(field);

      const undo = keepFile(to, join(folder, file));
      expect(await to.read(envelope)).toBe('text');
      const read = await exchange(to);
      undo();
      expect(await exchange(to)).not.toBe(read);
      expect(await to.read(envelope)).toBe('text');
      expect(await exchange(to)).toBe(read);
      if (field === 'offer') await tell(bob, alice);
      await expectHealthy(alice, bob);
    },
  );

  it.each(['offer', 'answer'] as const)(
    'before it has committed the %s, makes another, as nobody has seen the first',
    async (field) => {
      const folder = temporaryFolder();
      const { alice, bob } = await acquainted(...people(folder));
      if (field === 'answer') await tell(alice, bob);
      const [from, to, file] = field === 'offer' ? ([alice, bob, ALICE] as const) : ([bob, alice, BOB] as const);
      const undo = keepFile(from, join(folder, file));
      const unseen = await from.send(to.name, 'never written');
      undo();
      const { envelope } = await from.send(to.name, 'text');
      expect(fieldIn(envelope)).toBe(field);
      expect(envelope).not.toEqual(unseen.envelope);
      expect(await to.read(envelope)).toBe('text');
      if (field === 'offer') await tell(bob, alice);
      expect([await exchange(alice), await exchange(bob)]).toEqual(['idle, mixed by step 4', 'idle, mixed by step 4']);
      await expectHealthy(alice, bob);
    },
  );
});

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'pawl-rekeying-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function fileParties(folder: string, run = '1'): Record<Side, FileParty> {
  const party = (name: Side) => new FileParty(name, join(folder, `${name}-${run}.db`));
  return { alice: party('alice'), bob: party('bob') };
}

function people(folder: string): [FileParty, FileParty] {
  const { alice, bob } = fileParties(folder);
  onTestFinished(() => {
    alice.close();
    bob.close();
  });
  return [alice, bob];
}

/** @returns what puts the file back as it is now, and opens it again: what a kill leaves before the commit. */
function keepFile(party: FileParty, path: string): () => void {
  copyFileSync(path, `${path}.kept`);
  return () => {
    party.close();
    copyFileSync(`${path}.kept`, path);
    party.restart();
  };
}
