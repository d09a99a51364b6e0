import { describe, expect, it } from 'vitest';
import { type Ladder, sessionReports } from '../../src/session/index.ts';
import { meet, type Party } from './party.ts';

async function ladderOf(party: Party, contact: string): Promise<Ladder> {
  const [{ ladder }] = await sessionReports(party, contact);
  return ladder;
}

/** Both sides have read everything; so many steps were taken, the first two of them to meet. */
async function talk(steps: number) {
  const { alice, bob } = await meet();
  for (let turn = 2; turn < steps; turn++) {
    const [from, to, name] = turn % 2 === 0 ? ([alice, bob, 'bob'] as const) : ([bob, alice, 'alice'] as const);
    for (let n = 0; n <= turn % 3; n++) await to.read((await from.send(name, `${turn} ${n}`)).envelope);
  }
  return { alice, bob };
}

describe('the ladder of a session', () => {
  it.each([2, 3, 8, 12, 13, 25])('is the same seen from both sides, after %i steps', async (steps) => {
    const { alice, bob } = await talk(steps);
    const [ours, theirs] = [await ladderOf(alice, 'bob'), await ladderOf(bob, 'alice')];
    expect(ours.steps).toBe(steps);
    expect(theirs.steps).toBe(steps);
    expect(ours.kem).toEqual(theirs.kem);
    expect(ours.next).not.toBe(theirs.next);
    for (const { step, by, length, fingerprint } of ours.chains) {
      expect(length).toBe(step <= 2 ? 1 : ((step - 1) % 3) + 1);
      expect(by).toBe(step % 2 === 1 ? 'us' : 'them');
      const mirrored = theirs.chains.find((chain) => chain.step === step);
      if (mirrored === undefined) continue;
      expect(mirrored).toMatchObject({ by: by === 'us' ? 'them' : 'us', length, missing: [] });
      if (fingerprint !== undefined && mirrored.fingerprint !== undefined)
        expect(mirrored.fingerprint).toBe(fingerprint);
    }
    // The last of each side, and of the peer the finished ones that are kept.
    expect(ours.chains.at(-1)?.step).toBe(steps);
  });

  it('shows the step that mixed a KEM secret, and the one that offers a key', async () => {
    expect((await ladderOf((await talk(8)).alice, 'bob')).kem).toEqual({ mixed: undefined, offered: undefined });
    expect((await ladderOf((await talk(9)).alice, 'bob')).kem).toEqual({ mixed: undefined, offered: 9 });
    expect((await ladderOf((await talk(10)).alice, 'bob')).kem).toEqual({ mixed: 10, offered: undefined });
  });

  it('shows which messages are missing', async () => {
    const { alice, bob } = await talk(2);
    const sent = [];
    for (let n = 0; n < 5; n++) sent.push(await alice.send('bob', `${n}`));
    for (const n of [0, 4]) await bob.read(sent[n]?.envelope ?? new Uint8Array());
    const { chains } = await ladderOf(bob, 'alice');
    expect(chains.at(-1)).toMatchObject({ step: 3, by: 'them', length: 5, isOpen: true });
    expect(chains.at(-1)?.missing.map(({ n }) => n)).toEqual([1, 2, 3]);
  });
});
