import { describe, expect, it } from 'vitest';
import { DAY, sessionReports } from '../../src/session/index.ts';
import { openStore } from '../storage/folder.ts';
import { fileOfVersion1, LATE } from '../storage/version-1.ts';
import { expectHealthy, ratchets, tell } from './exchanges.ts';
import { Party, START, seededRandom } from './party.ts';

/** Somebody with a file that is there already. */
class Owner extends Party {
  override readonly random = seededRandom(`${this.name}, later`);

  async rekeying() {
    const [{ dhSteps, kem }] = await sessionReports(this.context, this.name === 'alice' ? 'bob' : 'alice');
    return { dhSteps, ...kem };
  }
}

/** Alice and bob, whose files are of the schema before post-quantum rekeying, after seven root steps, some hours later. */
function people(passed: number): { alice: Owner; bob: Owner } {
  const owner = (name: 'alice' | 'bob') => {
    const party = new Owner(name, { store: openStore(fileOfVersion1(name)) });
    party.time = START + passed;
    return party;
  };
  return { alice: owner('alice'), bob: owner('bob') };
}

async function readAllLate(owners: { alice: Owner; bob: Owner }): Promise<void> {
  for (const { to, text, envelope } of LATE) expect(await owners[to as 'alice' | 'bob'].read(envelope)).toBe(text);
}

describe('a conversation that began under version 1 of the schema', () => {
  it('knows the handshake as its last mix', async () => {
    const { alice, bob } = people(DAY);
    const expected = { dhSteps: 7, mixedAtStep: 0, mixedAt: START, exchange: 'idle' };
    expect([await alice.rekeying(), await bob.rekeying()]).toEqual([expected, expected]);
  });

  it('goes on, and mixes a KEM secret as soon as eight root steps have passed', async () => {
    const { alice, bob } = people(DAY / 2);
    await readAllLate({ alice, bob });
    expect([await tell(bob, alice), await tell(alice, bob), await tell(bob, alice)]).toEqual([
      'none',
      'offer',
      'answer',
    ]);
    const [[ours], [theirs]] = [await ratchets(alice), await ratchets(bob)];
    expect([ours?.rekeying.mixed.step, theirs?.rekeying.mixed.step]).toEqual([10, 10]);
    expect(ours?.rootKey).toEqual(theirs?.rootKey);
    await expectHealthy(alice, bob);
  });

  it('offers with the next new chain where it is older than a day', async () => {
    const { alice, bob } = people(DAY);
    // Alice is in the middle of a chain, and goes on in it.
    expect(await tell(alice, bob)).toBe('none');
    expect([await tell(bob, alice), await tell(alice, bob)]).toEqual(['offer', 'answer']);
    expect(await bob.rekeying()).toMatchObject({ mixedAtStep: 9, exchange: 'idle' });
    await readAllLate({ alice, bob });
    await expectHealthy(alice, bob);
  });

  it('is read where its messages come after the mix', async () => {
    const { alice, bob } = people(3 * DAY);
    for (let turn = 0; turn < 2; turn++) {
      await tell(bob, alice);
      await tell(alice, bob);
    }
    await readAllLate({ alice, bob });
    for (const { to, envelope } of LATE) expect(await (to === 'bob' ? bob : alice).read(envelope)).toBe('duplicate');
  });

  it('keeps its unanswered opening, which carries no KEM field for that', async () => {
    const { alice } = people(2 * DAY);
    const { opening, envelope } = await alice.send('carol', 'once more');
    expect(opening).toBe(true);
    expect(envelope).toHaveLength(10 + 1_208 + 24 + 2 + 72 + 28 + 256);
  });
});
