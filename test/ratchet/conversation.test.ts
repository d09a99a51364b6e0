import { describe, expect, it } from 'vitest';
import { equal } from '../../src/primitives/index.ts';
import { chainFingerprint, LIMITS } from '../../src/ratchet/index.ts';
import { at, converse, meet, NOT_FOUND, receivingChain, refusal, sendingChain } from './party.ts';

describe('a conversation', () => {
  it('begins with a message of the one who opened, and goes on with an answer', () => {
    const { alice, bob } = meet();
    expect(bob.read(alice.send('hello'))).toBe('hello');
    expect(alice.read(bob.send('hello, alice'))).toBe('hello, alice');
  });

  it('cannot begin with the one who was opened to', () => {
    const { bob } = meet();
    expect(refusal(() => bob.send('me first')).code).toBe('not-begun');
  });

  it('goes on over many turns, with root keys and root steps alike on both sides', () => {
    const { alice, bob } = meet();
    for (let turn = 1; turn <= 8; turn++) {
      const [from, to] = turn % 2 === 1 ? [alice, bob] : [bob, alice];
      for (const text of ['', 'a', 'b'.repeat(1_000)]) expect(to.read(from.send(text))).toBe(text);
      expect([from.state.rootSteps, to.state.rootSteps]).toEqual([turn, turn]);
      expect(equal(from.state.rootKey, to.state.rootKey)).toBe(true);
    }
    expect(receivingChain(bob)).toMatchObject({ chain: 3, n: 3 });
  });

  it('counts positions in each chain, and names the length of the one before', () => {
    const { alice, bob } = meet();
    const [first, second, third] = alice.sendThree();
    expect([first, second, third].map(({ header: { n, pn } }) => [n, pn])).toEqual([0, 1, 2].map((n) => [n, 0]));
    bob.read(third);
    alice.read(bob.send('an answer'));
    const { header } = alice.send('a new chain');
    expect([header.n, header.pn]).toEqual([0, 3]);
    expect(header.dh).not.toEqual(first.header.dh);
  });

  it('gives a message one id on both sides, 16 bytes, and no other message the same', () => {
    const { alice, bob } = converse();
    const [one, two] = [alice.send('twice'), alice.send('twice')];
    expect(bob.find(one.message)?.opened.digest).toEqual(one.id);
    expect(one.id).toHaveLength(16);
    expect(one.id).not.toEqual(two.id);
  });

  it('names a chain alike on both sides, by 16 hex digits', () => {
    const { alice, bob } = converse();
    bob.read(alice.send('a new chain'));
    const name = chainFingerprint(sendingChain(alice).self.publicKey);
    expect(name).toMatch(/^[0-9a-f]{16}$/);
    expect(chainFingerprint(receivingChain(bob).remote)).toBe(name);
    expect(chainFingerprint(receivingChain(alice).remote)).not.toBe(name);
  });
});

describe('delivery out of order', () => {
  it('reads a chain in any order, each late message with the key that was kept for it', () => {
    const { alice, bob } = meet();
    const sent = alice.sendMany(6);
    const late = [0, 5, 2, 4, 1, 3].map((n) => {
      const { plaintext, step } = bob.accept(at(sent, n));
      expect(Buffer.from(plaintext).toString()).toBe(`text ${n}`);
      expect(step).toMatchObject({ chain: 0, n, lost: 0 });
      return step.late;
    });
    expect(late).toEqual([false, false, true, true, true, true]);
    expect(bob.keeper.skipped).toEqual([]);
  });

  it('moves nothing in the state when a late message is read', () => {
    const { alice, bob } = meet();
    const [first, , third] = alice.sendThree();
    bob.read(third);
    const before = structuredClone(bob.state);
    bob.read(first);
    expect(bob.state).toEqual(before);
  });

  it('reads messages of a chain that has ended, and those that a new chain begins with', () => {
    const { alice, bob } = converse();
    const [old0, old1, old2] = alice.sendThree();
    bob.read(old1);
    alice.read(bob.send('an answer'));
    const [new0, new1, new2] = alice.sendThree();

    const { step } = bob.accept(new2);
    expect(step).toMatchObject({ chain: 2, n: 2, late: false, lost: 0 });
    expect(step.finished).toMatchObject({ chain: 1, remote: old0.header.dh, length: 3 });
    expect(step.gained.map(({ chain, n }) => [chain, n])).toEqual([
      [1, 2],
      [2, 0],
      [2, 1],
    ]);
    expect([old2, new1, old0, new0].map((sent) => bob.read(sent))).toEqual(['text 2', 'text 1', 'text 0', 'text 0']);
    expect(bob.keeper.skipped).toEqual([]);
  });

  it('reads a message that is many chains old', () => {
    const { alice, bob } = converse();
    const old = alice.send('old');
    for (let turn = 0; turn < 20; turn++) {
      bob.read(alice.send('on'));
      alice.read(bob.send('and on'));
    }
    expect(bob.read(old)).toBe('old');
  });

  it('forgets the header key of a chain that is neither recent nor missing anything', () => {
    const { alice, bob } = converse({ ...LIMITS, recentChains: 1 });
    const sent = alice.send('read at once');
    bob.read(sent);
    for (let turn = 0; turn < 2; turn++) {
      expect(bob.receive(sent)).toEqual({ kind: 'duplicate' });
      alice.read(bob.send('on'));
      bob.read(alice.send('and on'));
    }
    expect(bob.receive(sent)).toEqual(NOT_FOUND);
  });
});

describe('the same message again', () => {
  it('is a duplicate in the current chain, late or not', () => {
    const { alice, bob } = meet();
    const [first, second, third] = alice.sendThree();
    for (const sent of [first, third, second]) {
      bob.read(sent);
      expect(bob.receive(sent)).toEqual({ kind: 'duplicate' });
    }
    for (const sent of [first, second, third]) expect(bob.receive(sent)).toEqual({ kind: 'duplicate' });
  });

  it('is a duplicate in a chain that has ended, late or not', () => {
    const { alice, bob } = converse();
    const [first, second, third] = alice.sendThree();
    for (const sent of [third, first]) bob.read(sent);
    alice.read(bob.send('an answer'));
    bob.read(alice.send('a new chain'));
    bob.read(second);
    for (const sent of [first, second, third]) expect(bob.receive(sent)).toEqual({ kind: 'duplicate' });
  });

  it('is a duplicate for the one who opened, too', () => {
    const { alice, bob } = meet();
    bob.read(alice.send('hello'));
    const answer = bob.send('an answer');
    alice.read(answer);
    expect(alice.receive(answer)).toEqual({ kind: 'duplicate' });
  });

  it('is too late where nothing is kept of its position: current chain, late message, ended chain', () => {
    const { alice, bob } = converse({ ...LIMITS, keptDigests: 0 });
    const [first, second, third] = alice.sendThree();
    for (const sent of [first, third, second]) bob.read(sent);
    for (const sent of [first, second, third]) expect(bob.receive(sent)).toEqual({ kind: 'too-late' });
    alice.read(bob.send('an answer'));
    bob.read(alice.send('a new chain'));
    for (const sent of [first, second, third]) expect(bob.receive(sent)).toEqual({ kind: 'too-late' });
  });
});
