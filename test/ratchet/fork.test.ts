import { describe, expect, it } from 'vitest';
import type { ForkReason } from '../../src/errors.ts';
import { concat } from '../../src/primitives/index.ts';
import { encodeHeader, LIMITS, nextMessageKey, sealBody, sealHeader } from '../../src/ratchet/index.ts';
import { converse, flipped, meet, NOW, type Party, repeatable, sendingChain, TRANSCRIPT } from './party.ts';

/** Holds a fork to its law: it is told, and changes nothing. */
function expectFork(party: Party, sent: Parameters<Party['receive']>[0], reason: ForkReason): void {
  const before = structuredClone(party.state);
  const keptKeys = party.keeper.skipped;
  expect(party.receive(sent)).toEqual({ kind: 'fork', reason });
  expect(party.state).toEqual(before);
  expect(party.keeper.skipped).toEqual(keptKeys);
}

describe('two texts at one position, of a copied identity file', () => {
  const reason = 'two-texts-at-one-position';

  it('are a fork in the current chain', () => {
    const { alice, bob } = converse();
    bob.read(alice.send('a new chain'));
    const copy = alice.copy('copy');
    bob.read(alice.send('one text'));
    expectFork(bob, copy.send('another text'), reason);
    expect(bob.read(alice.send('and on'))).toBe('and on');
  });

  it('are a fork even when it is the same text, as both are new messages', () => {
    const { alice, bob } = meet();
    const copy = alice.copy('copy');
    bob.read(alice.send('the same'));
    expectFork(bob, copy.send('the same'), reason);
  });

  it('are a fork where the first one was late', () => {
    const { alice, bob } = meet();
    const copy = alice.copy('copy');
    const [first, second] = alice.sendThree();
    bob.read(second);
    bob.read(first);
    expectFork(bob, copy.send('another text'), reason);
  });

  it('are a fork in a chain that has ended', () => {
    const { alice, bob } = converse();
    bob.read(alice.send('a new chain'));
    const copy = alice.copy('copy');
    bob.read(alice.send('one text'));
    alice.read(bob.send('an answer'));
    bob.read(alice.send('a chain after that'));
    expectFork(bob, copy.send('another text'), reason);
  });

  it('are too late where the digest of the first is no longer kept', () => {
    const { alice, bob } = meet({ ...LIMITS, keptDigests: 1 });
    const copy = alice.copy('copy');
    const [first, second] = alice.sendThree();
    bob.read(first);
    bob.read(second);
    expect(bob.receive(copy.send('another text'))).toEqual({ kind: 'too-late' });
  });
});

describe('two keys in one chain, of a copy that was due to begin one', () => {
  function twoChains() {
    const { alice, bob } = converse();
    const copy = alice.copy('copy');
    return { alice, bob, copy, first: alice.send('my chain'), other: copy.send('my chain too') };
  }

  it('are a fork while the first is the current chain', () => {
    const { bob, first, other } = twoChains();
    expect(first.header.dh).not.toEqual(other.header.dh);
    bob.read(first);
    expect(bob.find(other.message)?.place).toBe('current');
    // At a position that was taken, the other digest tells as much.
    expectFork(bob, other, 'two-texts-at-one-position');
  });

  it('are a fork at a position that is still free', () => {
    const { bob, copy, first } = twoChains();
    bob.read(first);
    expectFork(bob, copy.send('second of the copy'), 'two-keys-in-one-chain');
  });

  it('are a fork once the first has ended, at a position that was skipped', () => {
    const { alice, bob, copy, first } = twoChains();
    bob.read(first);
    alice.send('lost');
    alice.read(bob.send('an answer'));
    bob.read(alice.send('a chain after that'));
    expectFork(bob, copy.send('second of the copy'), 'two-keys-in-one-chain');
  });

  it('leave the key of the skipped position for the message that it belongs to', () => {
    const { alice, bob, copy, first } = twoChains();
    const second = alice.send('second');
    bob.read(alice.send('third'));
    expectFork(bob, copy.send('second of the copy'), 'two-keys-in-one-chain');
    expect([bob.read(first), bob.read(second)]).toEqual(['my chain', 'second']);
  });
});

describe('a message past the end of a chain', () => {
  /** Alice has ended a chain of one message; the copy does not know, and goes on in it. */
  function ended() {
    const { alice, bob } = converse();
    bob.read(alice.send('the only one'));
    const copy = alice.copy('copy');
    alice.read(bob.send('an answer'));
    bob.read(alice.send('a chain after that'));
    return { alice, bob, copy };
  }

  it('is a fork', () => {
    const { alice, bob, copy } = ended();
    expectFork(bob, copy.send('in the old chain'), 'past-the-end-of-a-chain');
    expect(bob.read(alice.send('and on'))).toBe('and on');
  });

  it('is a fork at any distance, and costs no keys', () => {
    const { bob, copy } = ended();
    copy.state = { ...copy.state, sending: { ...sendingChain(copy), n: 2 ** 32 - 2 } };
    expectFork(bob, copy.send('far out'), 'past-the-end-of-a-chain');
  });
});

describe('a chain that names fewer messages than were received', () => {
  /** Bob has read three of a chain; a copy of alice's that sent one of them gets the answer and ends the chain there. */
  function shorter() {
    const { alice, bob } = converse();
    bob.read(alice.send('text 0'));
    const copy = alice.copy('copy');
    const [, lost, third] = alice.sendThree();
    bob.read(third);
    copy.read(bob.send('an answer'));
    return { alice, bob, copy, lost };
  }

  it('is a fork, and its text is read', () => {
    const { bob, copy } = shorter();
    const sent = copy.send('of a restored file');
    expect(sent.header.pn).toBe(1);
    const { plaintext, step } = bob.accept(sent);
    expect(Buffer.from(plaintext).toString()).toBe('of a restored file');
    expect(step).toMatchObject({ fork: 'chain-shorter-than-received', lost: 0, gained: [] });
    expect(step.finished?.length).toBe(4);
  });

  it('is a fork where it names one fewer', () => {
    const { alice, bob } = converse();
    bob.read(alice.send('text 0'));
    const copy = alice.copy('copy');
    bob.read(alice.send('text 1'));
    copy.read(bob.send('an answer'));
    expect(bob.accept(copy.send('of a restored file')).step.fork).toBe('chain-shorter-than-received');
  });

  it('is told once, with the message that begins the chain', () => {
    const { bob, copy } = shorter();
    bob.accept(copy.send('of a restored file'));
    expect(bob.read(copy.send('and on'))).toBe('and on');
  });

  it('leaves what was skipped in the old chain readable', () => {
    const { bob, copy, lost } = shorter();
    bob.accept(copy.send('of a restored file'));
    expect(bob.read(lost)).toBe('text 1');
  });

  it('is none where it names just those that were received, or one more', () => {
    for (const lost of [0, 1]) {
      const { alice, bob } = converse();
      bob.read(alice.send('received'));
      alice.sendMany(lost);
      alice.read(bob.send('an answer'));
      expect(bob.accept(alice.send('a new chain')).step).not.toHaveProperty('fork');
    }
  });
});

describe('a body that does not authenticate under an authentic digest', () => {
  const reason = 'body-does-not-authenticate';

  it('is a fork: our own file is the older copy, and the answer was to the other', () => {
    const { alice, bob } = converse();
    bob.read(alice.send('over to you'));
    const copy = bob.copy('copy');
    alice.read(copy.send('of the copy'));
    bob.send('never delivered');
    expectFork(bob, alice.send('an answer to the copy'), reason);
  });

  it.each(['current chain', 'late', 'ended chain'] as const)(
    'is a fork and costs the real message nothing: %s',
    (where) => {
      const { alice, bob } = converse();
      bob.read(alice.send('a new chain'));
      const { state, header, messageKey } = nextMessageKey(alice.state, repeatable('forge'), NOW);
      const body = sealBody(
        messageKey,
        new Uint8Array(12),
        new Uint8Array(16),
        concat(TRANSCRIPT, encodeHeader(header)),
      );
      const keys = state.sending.header;
      const forged = sealHeader(keys, header, flipped(body, 8 * 20), {
        associatedData: TRANSCRIPT,
        salt: repeatable('forge')(16),
      });
      const real = alice.send('the real one');
      if (where !== 'current chain') bob.read(alice.send('later'));
      if (where === 'ended chain') {
        alice.read(bob.send('an answer'));
        bob.read(alice.send('a chain after that'));
      }
      expectFork(bob, forged, reason);
      expect(bob.read(real)).toBe('the real one');
    },
  );

  it('is a fork where the body is bound to another transcript, or too short to be one', () => {
    const { alice, bob } = converse();
    bob.read(alice.send('a new chain'));
    const { state, header, messageKey } = nextMessageKey(alice.state, repeatable('forge'), NOW);
    const keys = state.sending.header;
    const foreign = concat(TRANSCRIPT.toReversed(), encodeHeader(header));
    const bodies = [
      sealBody(messageKey, new Uint8Array(12), new Uint8Array(16), foreign),
      ...[0, 12, 27].map((length) => new Uint8Array(length)),
    ];
    for (const body of bodies) {
      expectFork(
        bob,
        sealHeader(keys, header, body, { associatedData: TRANSCRIPT, salt: repeatable('forge')(16) }),
        reason,
      );
    }
  });
});

describe('an answer to a chain that our file does not know, because it was rolled back', () => {
  it('is a fork', () => {
    const { alice, bob } = meet();
    bob.read(alice.send('hello'));
    const restored = bob.copy('restored');
    alice.read(bob.send('an answer'));
    expectFork(restored, alice.send('an answer to that'), 'answer-to-an-unknown-chain');
  });
});
