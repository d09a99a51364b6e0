import { describe, expect, it } from 'vitest';
import { LARGEST_GAP, LAST_POSITION, LIMITS } from '../../src/ratchet/index.ts';
import { at, converse, meet, refusal } from './party.ts';

const GAP = 10;
const NARROW = { ...LIMITS, gap: GAP };

it('the limits are those of the protocol', () => {
  expect(LIMITS).toEqual({
    gap: 2_000,
    keptKeys: 2_000,
    keptFor: 30 * 24 * 60 * 60 * 1_000,
    recentChains: 5,
    keptChains: 64,
    keptDigests: 4_096,
  });
  expect(LARGEST_GAP).toBe(1_000_000);
  expect(LAST_POSITION).toBe(2 ** 32 - 2);
});

describe('a gap before a message', () => {
  it.each([
    ['of the first chain', 0],
    ['of the current chain', 1],
  ])('is passed at the limit and refused one beyond it, in a message %s', (_which, read) => {
    const { alice, bob } = meet(NARROW);
    for (let n = 0; n < read; n++) bob.read(alice.send('before'));
    const sent = alice.sendMany(GAP + 2);
    const before = structuredClone(bob.state);
    const error = refusal(() => bob.receive(at(sent, GAP + 1)));
    expect(error).toMatchObject({ code: 'gap-too-large', detail: { missing: GAP + 1, limit: GAP } });
    expect(bob.state).toEqual(before);

    const { step } = bob.accept(at(sent, GAP));
    expect(step.gained).toHaveLength(GAP);
    expect(step.lost).toBe(0);
    // It is measured from the position that comes next, so what was refused can be read now.
    expect(bob.read(at(sent, GAP + 1))).toBe(`text ${GAP + 1}`);
  });

  it('is refused one beyond the limit in a new chain, which other messages of it can still begin', () => {
    const { alice, bob } = converse(NARROW);
    alice.read(bob.send('on'));
    const sent = alice.sendMany(GAP + 2);
    const before = structuredClone(bob.state);
    const error = refusal(() => bob.receive(at(sent, GAP + 1)));
    expect(error).toMatchObject({ code: 'gap-too-large', detail: { missing: GAP + 1, limit: GAP } });
    expect(bob.state).toEqual(before);
    expect(bob.read(at(sent, GAP))).toBe(`text ${GAP}`);
    expect(bob.read(at(sent, GAP + 1))).toBe(`text ${GAP + 1}`);
  });

  it('of the largest size there is is refused at once', () => {
    const { alice, bob } = meet();
    const far = alice.sendAltered('far', (header) => ({ ...header, n: 2 ** 32 - 1 }));
    const error = refusal(() => bob.receive(far));
    expect(error).toMatchObject({ code: 'gap-too-large', detail: { missing: 2 ** 32 - 1, limit: 2_000 } });
  });

  it('that is too large is cured by any message to the peer: his next chain is readable', () => {
    const { alice, bob } = converse(NARROW);
    bob.read(alice.send('hello'));
    const beyond = at(alice.sendMany(GAP + 2), GAP + 1);
    expect(refusal(() => bob.receive(beyond)).code).toBe('gap-too-large');
    alice.read(bob.send('say it again'));
    expect(bob.accept(alice.send('again')).step).toMatchObject({ lost: GAP + 2, gained: [] });
    expect(bob.receive(beyond)).toEqual({ kind: 'too-late' });
  });
});

describe('a gap at the end of a chain', () => {
  /** Bob reads one message of a chain, `missing` are lost, and the next chain begins. */
  function ending(missing: number) {
    const { alice, bob } = converse(NARROW);
    bob.read(alice.send('received'));
    const lost = alice.sendMany(missing);
    alice.read(bob.send('an answer'));
    return { alice, bob, lost, first: alice.send('a new chain') };
  }

  it('is kept at the limit', () => {
    const { bob, lost, first } = ending(GAP);
    const { step } = bob.accept(first);
    expect(step).toMatchObject({ lost: 0, finished: { length: GAP + 1 } });
    expect(step.gained.map(({ chain, n }) => [chain, n])).toEqual(lost.map((_, index) => [1, index + 1]));
    expect(lost.map((sent) => bob.read(sent))).toEqual(lost.map((_, index) => `text ${index}`));
  });

  it('is given up one beyond it, and the conversation goes on', () => {
    const { alice, bob, lost, first } = ending(GAP + 1);
    const { step } = bob.accept(first);
    expect(step).toMatchObject({ lost: GAP + 1, gained: [], finished: { length: GAP + 2 } });
    for (const sent of lost) expect(bob.receive(sent)).toEqual({ kind: 'too-late' });
    expect(bob.read(alice.send('on'))).toBe('on');
    expect(alice.read(bob.send('and on'))).toBe('and on');
  });

  it('and one before a message count apart: each may reach the limit', () => {
    const { alice, bob } = converse(NARROW);
    bob.read(alice.send('received'));
    alice.sendMany(GAP);
    alice.read(bob.send('an answer'));
    const { step } = bob.accept(at(alice.sendMany(GAP + 1), GAP));
    expect(step.gained).toHaveLength(2 * GAP);
    expect(step.lost).toBe(0);
  });
});

describe('a gap that is larger than the keys kept of it, as the limit can be raised', () => {
  const RAISED = { ...LIMITS, gap: 50, keptKeys: 10 };

  it('leaves the newest keys, before a message', () => {
    const { alice, bob } = meet(RAISED);
    const sent = alice.sendMany(51);
    const { step } = bob.accept(at(sent, 50));
    expect(step.gained.map(({ n }) => n)).toEqual(Array.from({ length: 10 }, (_, index) => 40 + index));
    expect(step.lost).toBe(40);
    expect(bob.receive(at(sent, 39))).toEqual({ kind: 'too-late' });
    expect(bob.read(at(sent, 40))).toBe('text 40');
  });

  it('leaves the newest keys, at the end of a chain', () => {
    const { alice, bob } = converse(RAISED);
    bob.read(alice.send('received'));
    const sent = alice.sendMany(50);
    alice.read(bob.send('an answer'));
    const { step } = bob.accept(alice.send('a new chain'));
    expect(step.gained.map(({ n }) => n)).toEqual(Array.from({ length: 10 }, (_, index) => 41 + index));
    expect(step.lost).toBe(40);
    expect(bob.receive(at(sent, 39))).toEqual({ kind: 'too-late' });
    expect(bob.read(at(sent, 40))).toBe('text 40');
  });
});
