import { describe, expect, it } from 'vitest';
import {
  concat,
  digest,
  type EncapsulationKey,
  generateKemKey,
  type KemCiphertext,
  xseal,
} from '../../src/primitives/index.ts';
import {
  encodeHeader,
  type Header,
  type KemExchange,
  LIMITS,
  nextMessageKey,
  RULES,
  sealBody,
  sealHeader,
} from '../../src/ratchet/index.ts';
import { withCoefficient } from '../primitives/weak-key.ts';
import {
  converse,
  EAGER,
  expectAgreement,
  flipped,
  meet,
  NOW,
  Party,
  refusal,
  repeatable,
  TRANSCRIPT,
} from './party.ts';

// What a peer could do who has all the keys of the session, and a thief of them: nothing here is possible to anybody else,
// because the field is sealed in the header. What they must not do is talk the ratchet out of a mix that is due.

const anyKey = (seed: string) => generateKemKey(repeatable(seed)).encapsulationKey;

/** The same peer with other ideas about the exchange: it makes, and mixes, what follows from them. */
function believing(peer: Party, exchange: KemExchange, rules = RULES): Party {
  const { state } = peer.copy('believing');
  const { mixed } = state.rekeying;
  return new Party({ ...state, rekeying: { mixed, exchange } }, repeatable('believer'), undefined, rules);
}

function keyOwedBy({ state }: Party): EncapsulationKey {
  const { exchange } = state.rekeying;
  if (exchange.kind !== 'owed') throw new Error(`the exchange is ${exchange.kind}`);
  return exchange.key;
}

const without = ({ dh, n, pn }: Header): Header => ({ dh, n, pn });
const offering =
  (key: Uint8Array) =>
  (header: Header): Header => ({ ...without(header), kem: { kind: 'offer', key } });
const answering =
  (ciphertext: Uint8Array) =>
  (header: Header): Header => ({
    ...without(header),
    kem: { kind: 'answer', ciphertext: ciphertext as KemCiphertext },
  });

/** Holds a refusal to its law: what is refused changes nothing, and the honest message comes through. */
function expectHarmless(receiver: Party, peer: Party, refused: () => void): void {
  const before = structuredClone(receiver.state);
  const kept = structuredClone([receiver.keeper.skipped, receiver.keeper.finished]);
  refused();
  expect(receiver.state).toEqual(before);
  expect([receiver.keeper.skipped, receiver.keeper.finished]).toEqual(kept);
  expect(receiver.read(peer.send('the honest one'))).toBe('the honest one');
  expectAgreement(receiver, peer);
}

describe('the answer that is due', () => {
  /** Bob has offered a key, after an exchange that is over; alice is about to answer. */
  function due() {
    const { alice, bob } = converse(LIMITS, EAGER);
    const old = keyOwedBy(alice);
    const oldAnswer = alice.send('an answer');
    bob.read(oldAnswer);
    alice.read(bob.send('a new offer'));
    if (oldAnswer.header.kem?.kind !== 'answer') throw new Error('an answer');
    return { alice, bob, old, oldCiphertext: oldAnswer.header.kem.ciphertext };
  }

  it.each([0, 1, 7])('cannot be left out, nor be an offer, in message %i of its chain', (skipped) => {
    const { alice, bob } = due();
    expectHarmless(bob, alice, () => {
      // Of a peer who never heard of the offer, or does as if; and who makes one instead.
      const idle = believing(alice, { kind: 'idle' });
      const eager = believing(alice, { kind: 'idle' }, EAGER);
      for (const peer of [idle, eager]) peer.sendMany(skipped);
      for (const sent of [
        idle.sendAltered('the offer itself, sent back', offering(keyOwedBy(alice))),
        idle.sendAltered('no key at all', offering(new Uint8Array(1_184).fill(0xff))),
        idle.send('none'),
        eager.send('an offer'),
      ]) {
        expect(refusal(() => bob.receive(sent)).code).toBe('kem-missing');
      }
    });
  });

  it.each([0, 1, 7])('cannot be hidden from us, nor swapped for an offer, in message %i of its chain', (skipped) => {
    const { alice, bob } = due();
    expectHarmless(bob, alice, () => {
      const owing = alice.copy('skipping');
      owing.sendMany(skipped);
      for (const sent of [
        owing.sendAltered('stripped, though mixed', without),
        owing.sendAltered('swapped, though mixed', offering(anyKey('other'))),
      ]) {
        expect(bob.receive(sent)).toEqual({ kind: 'fork', reason: 'body-does-not-authenticate' });
      }
    });
  });

  it('cannot be altered in any byte', () => {
    const { alice, bob } = due();
    const { kem } = alice.copy('honest').send('honest').header;
    if (kem?.kind !== 'answer') throw new Error('an answer');
    expectHarmless(bob, alice, () => {
      for (let bit = 0; bit < 8 * 1_088; bit += 8 * 64 + 1) {
        const sent = alice.sendAltered('altered', answering(flipped(kem.ciphertext, bit)));
        expect(bob.receive(sent)).toEqual({ kind: 'fork', reason: 'body-does-not-authenticate' });
      }
    });
  });

  it('cannot be all zeros, an older ciphertext, or one for another key, whatever is mixed', () => {
    const { alice, bob, old, oldCiphertext } = due();
    expectHarmless(bob, alice, () => {
      for (const sent of [
        alice.sendAltered('zeros', answering(new Uint8Array(1_088))),
        alice.sendAltered('the old one again', answering(oldCiphertext)),
        believing(alice, { kind: 'idle' }).sendAltered('the old one, nothing mixed', answering(oldCiphertext)),
        believing(alice, { kind: 'owed', key: old }).send('for the old key'),
        believing(alice, { kind: 'owed', key: anyKey('other') }).send('for another key'),
      ]) {
        expect(bob.receive(sent)).toEqual({ kind: 'fork', reason: 'body-does-not-authenticate' });
      }
    });
  });

  it.each([1, 1_087, 1_089, 1_183, 1_185, 1_088 + 1_184])('cannot be %i bytes long', (length) => {
    const { alice, bob } = due();
    expectHarmless(bob, alice, () => {
      const { state, header, messageKey } = nextMessageKey(alice.state, repeatable('length'), NOW);
      const bytes = concat(encodeHeader(without(header)), new Uint8Array(length));
      const body = sealBody(messageKey, new Uint8Array(12), new Uint8Array(16), concat(TRANSCRIPT, bytes));
      const keys = state.sending.header;
      const { message } = sealHeader(keys, header, body, {
        associatedData: TRANSCRIPT,
        salt: repeatable('length')(16),
      });
      const sealedHeader = xseal(keys.header, message.headerNonce, concat(bytes, digest(16, body)), TRANSCRIPT);
      const error = refusal(() => bob.receive({ message: { ...message, sealedHeader } }));
      expect(error).toMatchObject({ code: 'corrupt', detail: { what: 'message header' } });
    });
  });

  it('is not taken from a message that does not authenticate, though the secret was computed', () => {
    const { alice, bob } = due();
    expectHarmless(bob, alice, () => {
      const { state, header } = nextMessageKey(alice.state, repeatable('forge'), NOW, EAGER);
      const body = new Uint8Array(40);
      const forged = sealHeader(state.sending.header, header, body, {
        associatedData: TRANSCRIPT,
        salt: repeatable('forge')(16),
      });
      expect(bob.receive(forged)).toEqual({ kind: 'fork', reason: 'body-does-not-authenticate' });
    });
  });
});

describe('where no answer is due', () => {
  it('an answer is a fork: one’s own file was rolled back to before the offer', () => {
    const { alice, bob } = converse();
    bob.read(alice.send('a chain without an offer'));
    const peer = believing(bob, { kind: 'owed', key: anyKey('never offered') });
    expectHarmless(alice, bob, () => {
      expect(alice.receive(peer.send('an answer'))).toEqual({ kind: 'fork', reason: 'answer-without-an-offer' });
    });
  });

  it('an answer is a fork in the first chain of all', () => {
    const { alice, bob } = meet();
    bob.read(alice.send('hello'));
    const peer = believing(bob, { kind: 'owed', key: anyKey('never offered') });
    expectHarmless(alice, bob, () => {
      expect(alice.receive(peer.send('an answer'))).toEqual({ kind: 'fork', reason: 'answer-without-an-offer' });
    });
  });

  it('a second answer to one offer is a fork, too', () => {
    const { alice, bob } = converse(LIMITS, EAGER);
    const key = keyOwedBy(alice);
    bob.read(alice.send('an answer'));
    // Bob’s next chain carries no offer; alice believes that she still owes.
    const calm = believing(bob, { kind: 'idle' });
    alice.read(calm.send('no offer'));
    const peer = believing(alice, { kind: 'owed', key });
    expect(calm.receive(peer.send('another answer'))).toEqual({ kind: 'fork', reason: 'answer-without-an-offer' });
    expect(calm.read(alice.send('and on'))).toBe('and on');
  });

  it.each([
    ['the first coefficient is q', 0, 3_329],
    ['the last coefficient is q', 767, 3_329],
    ['one in the middle is 4,095', 400, 4_095],
  ])('an offer is refused whose modulus overflows: %s', (_what, index, value) => {
    const { alice, bob } = converse();
    const key = withCoefficient(anyKey('weak'), index, value);
    expectHarmless(bob, alice, () => {
      const error = refusal(() => bob.receive(alice.sendAltered('weak', offering(key))));
      expect(error).toMatchObject({ code: 'weak-key', detail: { what: 'KEM encapsulation key' } });
    });
  });

  it('an offer is taken that comes sooner than it would have to, and answered', () => {
    const { alice, bob } = converse();
    const eager = believing(alice, { kind: 'idle' }, EAGER);
    bob.read(eager.send('an early offer'));
    const answer = bob.send('an answer');
    expect(answer.header.kem?.kind).toBe('answer');
    eager.read(answer);
    expectAgreement(bob, eager);
  });
});

describe('an older copy of one’s own file', () => {
  const DAY = 24 * 3_600_000;

  it.each([
    [0, 0, 'body-does-not-authenticate'],
    [0, DAY, 'body-does-not-authenticate'],
    [DAY, 0, 'answer-without-an-offer'],
    [DAY, DAY, 'body-does-not-authenticate'],
  ])('tells that it is one, and blames nobody else: chains begun after %i and %i ms', (first, second, reason) => {
    const { alice, bob } = converse();
    const copy = alice.copy('copy');
    alice.now += first;
    bob.read(alice.send('of the file'));
    const answer = bob.send('to the file');
    copy.now += second;
    // Which of the two chains makes an offer is a matter of the hour.
    copy.send('of the copy');
    const before = structuredClone(copy.state);
    expect(copy.receive(answer)).toEqual({ kind: 'fork', reason });
    expect(copy.state).toEqual(before);
  });
});
