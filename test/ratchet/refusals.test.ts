import { describe, expect, it } from 'vitest';
import { concat, digest, generateKeyPair, type X25519PublicKey, xseal } from '../../src/primitives/index.ts';
import { decrypt, encodeHeader, LAST_POSITION, messageKeyAt, openHeader, sealHeader } from '../../src/ratchet/index.ts';
import { hex } from '../primitives/hex.ts';
import { converse, meet, NOW, purely, receivingChain, refusal, repeatable, sendingChain, TRANSCRIPT } from './party.ts';

const random = repeatable('refusals');
const freshKey = (): X25519PublicKey => generateKeyPair(random).publicKey;

describe('a header that no honest peer makes, though it authenticates', () => {
  it.each([1, 10, 11, 2_000, 2_001, 2 ** 32 - 1])('names a chain before the first of the opener: pn = %i', (pn) => {
    const { alice, bob } = meet();
    const error = refusal(() => bob.receive(alice.sendAltered('hello', (header) => ({ ...header, pn }))));
    expect(error).toMatchObject({ code: 'corrupt', detail: { what: 'message header' } });
    expect(bob.read(alice.send('hello'))).toBe('hello');
  });

  it('names a chain before the first of the one who was opened to', () => {
    const { alice, bob } = meet();
    bob.read(alice.send('hello'));
    const error = refusal(() => alice.receive(bob.sendAltered('answer', (header) => ({ ...header, pn: 1 }))));
    expect(error).toMatchObject({ code: 'corrupt', detail: { what: 'message header' } });
    expect(alice.read(bob.send('answer'))).toBe('answer');
  });

  it('is of a chain that is not there yet', () => {
    const { alice, bob } = meet();
    const { message } = alice.send('hello');
    const opened = openHeader(bob.state.nextReceiving, message, TRANSCRIPT);
    if (opened === undefined) throw new Error('the header does not open');
    const wrongPlace = () =>
      purely(bob.state, () =>
        decrypt(
          bob.state,
          { place: 'current', opened, body: message.body },
          { kept: {}, associatedData: TRANSCRIPT, limits: bob.keeper.limits, now: NOW },
        ),
      );
    expect(refusal(wrongPlace).code).toBe('corrupt');
  });

  it.each([39, 41, 40 + 1087, 40 + 1089, 40 + 1183, 40 + 1185, 40 + 1088 + 1184, 0])('is %i bytes long', (length) => {
    const { alice, bob } = converse();
    const honest = encodeHeader({ dh: freshKey(), n: 0, pn: 1 });
    const header = concat(honest, new Uint8Array(3_000)).subarray(0, length);
    const body = new Uint8Array(40);
    const keys = bob.state.nextReceiving;
    const { message } = sealHeader(keys, { dh: freshKey(), n: 0, pn: 0 }, body, {
      associatedData: TRANSCRIPT,
      salt: random(16),
    });
    const sealedHeader = xseal(keys.header, message.headerNonce, concat(header, digest(16, body)), TRANSCRIPT);
    const error = refusal(() => bob.receive({ message: { ...message, sealedHeader } }));
    expect(error).toMatchObject({ code: 'corrupt', detail: { what: 'message header' } });
    expect(bob.read(alice.send('still there'))).toBe('still there');
  });
});

describe('a ratchet key in an authentic header', () => {
  const weak = [
    ['0, of low order', '0000000000000000000000000000000000000000000000000000000000000000'],
    ['1, of low order', '0100000000000000000000000000000000000000000000000000000000000000'],
    ['p - 1, of low order', 'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f'],
    ['of order 8', 'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800'],
    ['of order 8 too', '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157'],
    ['p, not canonical', 'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f'],
    ['p + 9, not canonical', 'f6ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f'],
    ['9 with bit 255 set, not canonical', '0900000000000000000000000000000000000000000000000000000000000080'],
  ] as const;

  it.each(weak)('is refused: %s', (_what, key) => {
    const { alice, bob } = converse();
    const forged = alice.sendAltered('weak', (header) => ({ ...header, dh: hex(key) as X25519PublicKey }));
    expect(refusal(() => bob.receive(forged))).toMatchObject({ code: 'weak-key', detail: { what: 'ratchet key' } });
    expect(bob.read(alice.send('still there'))).toBe('still there');
  });

  it.each(weak.slice(0, 5))('is refused by the state machine itself, whoever decoded the header: %s', (_what, key) => {
    const { bob } = converse();
    const header = { dh: hex(key) as X25519PublicKey, n: 0, pn: 1 };
    const step = () =>
      purely(bob.state, () => messageKeyAt(bob.state, 'next', header, { limits: bob.keeper.limits, now: NOW }));
    expect(refusal(step).code).toBe('weak-key');
  });
});

describe('the end of a chain', () => {
  function nearTheEnd(n: number) {
    const parties = converse();
    parties.bob.read(parties.alice.send('hello'));
    const { alice, bob } = parties;
    alice.state = { ...alice.state, sending: { ...sendingChain(alice), n } };
    bob.state = { ...bob.state, receiving: { ...receivingChain(bob), n } };
    return parties;
  }

  it('is a typed error after the last position, which can be used', () => {
    const { alice, bob } = nearTheEnd(LAST_POSITION);
    const last = alice.send('the last');
    expect(last.header.n).toBe(2 ** 32 - 2);
    expect(bob.read(last)).toBe('the last');
    const before = structuredClone(alice.state);
    expect(refusal(() => alice.send('one too many')).code).toBe('exhausted');
    expect(alice.state).toEqual(before);
  });

  it('is passed by an answer: the next chain names the length of 2^32 - 1', () => {
    const { alice, bob } = nearTheEnd(LAST_POSITION);
    bob.read(alice.send('the last'));
    alice.read(bob.send('an answer'));
    const first = alice.send('the first again');
    expect([first.header.n, first.header.pn]).toEqual([0, 2 ** 32 - 1]);
    expect(bob.read(first)).toBe('the first again');
  });
});
