import { describe, expect, it } from 'vitest';
import { Dice } from '../../fuzz/dice.ts';
import { fuzz, shareOf, TARGETS } from '../../fuzz/fuzz.ts';

const INPUTS = 8_000;

describe('what strangers may send', () => {
  it.each(TARGETS.map((target) => [target.name, target] as const))('%s holds its properties', async (_name, target) => {
    const inputs = Math.max(100, shareOf(target, INPUTS));
    const { violations, accepted } = await fuzz(target, inputs, 'kept');
    expect(violations).toEqual([]);
    // A fuzzer that is refused at the door finds nothing.
    expect(accepted).toBeGreaterThan(0);
  });

  it('meets every point of an exchange of KEM keys', async () => {
    const peer = TARGETS.find(({ name }) => name === 'receive, peer');
    if (peer === undefined) throw new Error('the target has gone');
    const { refused } = await fuzz(peer, 400, 'exchanges');
    expect([...refused.keys()]).toEqual(
      expect.arrayContaining(['kem-missing', 'answer-without-an-offer', 'body-does-not-authenticate', 'weak-key']),
    );
  });

  it('meets every outcome of a descriptor, and of a part of a content that is awaited or not', async () => {
    const verdicts = async (name: string, inputs: number) => {
      const target = TARGETS.find((one) => one.name === name);
      if (target === undefined) throw new Error('the target has gone');
      const { refused, violations } = await fuzz(target, inputs, 'parts');
      expect(violations).toEqual([]);
      return [...refused.keys()];
    };
    expect(await verdicts('receive, peer', 400)).toEqual(expect.arrayContaining(['announced']));
    expect(await verdicts('openPart, outsider', 200)).toEqual(expect.arrayContaining(['corrupt', 'unknown-part']));
    expect(await verdicts('part log', 200)).toEqual(expect.arrayContaining(['parts-contradict']));
  });

  it('is the same for the same seed', () => {
    const throws = (seed: string) => Array.from({ length: 5 }, () => new Dice(seed).bytes(8));
    expect(throws('a')).toEqual(throws('a'));
    expect(throws('a')).not.toEqual(throws('b'));
  });
});
