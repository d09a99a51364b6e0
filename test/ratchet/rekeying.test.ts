import { hkdfSync } from 'node:crypto';
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js';
import { describe, expect, it } from 'vitest';
import { concat, generateKemKey, type KemCiphertext, type KemSeed, sharedSecret } from '../../src/primitives/index.ts';
import { type Encrypted, type KemField, LIMITS, RULES } from '../../src/ratchet/index.ts';
import {
  at,
  converse,
  EAGER,
  expectAgreement,
  IN_TURNS,
  meet,
  NOW,
  Party,
  receivingChain,
  refusal,
  repeatable,
  sendingChain,
} from './party.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

const kindOf = ({ header }: Encrypted) => header.kem?.kind;

/** One message after the other, each in a chain of its own. @returns what the chains carried, by the root step that began them. */
function takeTurns(from: Party, to: Party, turns: number): Record<number, string> {
  const fields: Record<number, string> = {};
  for (let turn = 0; turn < turns; turn++) {
    const sent = from.send('on');
    const kind = kindOf(sent);
    if (kind !== undefined) fields[from.state.rootSteps] = kind;
    to.read(sent);
    expectAgreement(from, to);
    [from, to] = [to, from];
  }
  return fields;
}

/** Bob has offered a key with the chain of his greeting, and alice owes the answer. */
const owing = (limits = LIMITS) => converse(limits, EAGER);

/** Alice has answered, in three messages that are on their way. */
function answered(limits = LIMITS) {
  const { alice, bob } = owing(limits);
  return { alice, bob, answers: alice.sendThree() };
}

function seedOf({ state }: Party): KemSeed {
  const { exchange } = state.rekeying;
  if (exchange.kind !== 'offered') throw new Error(`the exchange is ${exchange.kind}`);
  return exchange.seed;
}

function ciphertextOf({ header }: Encrypted): KemCiphertext {
  if (header.kem?.kind !== 'answer') throw new Error(`the field is ${header.kem?.kind}`);
  return header.kem.ciphertext;
}

describe('an exchange', () => {
  it('begins when eight root steps have passed since the last: once in ten chains there is an offer, then an answer', () => {
    const { alice, bob } = meet();
    expect(takeTurns(alice, bob, 40)).toEqual({
      ...{ 9: 'offer', 10: 'answer', 19: 'offer', 20: 'answer' },
      ...{ 29: 'offer', 30: 'answer', 39: 'offer', 40: 'answer' },
    });
    expect(alice.state.rekeying).toEqual({ mixed: { step: 40, at: NOW }, exchange: { kind: 'idle' } });
  });

  it('can be begun by either side', () => {
    const { alice, bob } = meet(LIMITS, IN_TURNS);
    const steps = Object.entries(takeTurns(alice, bob, 12));
    expect(steps.map(([step, kind]) => [Number(step) % 2 === 1 ? 'alice' : 'bob', kind])).toEqual([
      ['bob', 'offer'],
      ['alice', 'answer'],
      ['alice', 'offer'],
      ['bob', 'answer'],
      ['bob', 'offer'],
      ['alice', 'answer'],
      ['alice', 'offer'],
      ['bob', 'answer'],
    ]);
  });

  it.each([
    [DAY - 1, undefined],
    [DAY, 'offer'],
    [300 * DAY, 'offer'],
  ])('begins when a day has passed since the last, too: after %i ms', (passed, kind) => {
    const { alice, bob } = converse();
    alice.now += passed;
    expect(kindOf(alice.send('at last'))).toBe(kind);
    expect(bob.state.rekeying.exchange.kind).toBe('idle');
  });

  it('is timed by the last mix on one’s own clock', () => {
    const { alice, bob } = converse();
    bob.now += DAY;
    bob.read(alice.send('no, says her clock'));
    const offer = bob.send('yes, says his');
    expect(kindOf(offer)).toBe('offer');
    alice.now += HOUR;
    alice.read(offer);
    bob.read(alice.send('an answer'));
    expect(alice.state.rekeying.mixed).toEqual({ step: 5, at: NOW + HOUR });
    expect(bob.state.rekeying.mixed).toEqual({ step: 5, at: NOW + DAY });
    bob.now += DAY - 1;
    alice.read(bob.send('no'));
    alice.now += DAY;
    expect(kindOf(alice.send('yes'))).toBe('offer');
  });

  it('is put off by no more than eight root steps where a clock was wrong when the last was mixed', () => {
    const { alice, bob } = converse(LIMITS);
    for (const { state } of [alice, bob]) expect(state.rekeying.mixed.at).toBe(NOW);
    for (const party of [alice, bob]) party.now = NOW - 3_000 * DAY;
    expect(takeTurns(alice, bob, 8)).toEqual({ 9: 'offer', 10: 'answer' });
  });

  it('does not begin in the middle of a chain, however long it lasts', () => {
    const { alice, bob } = converse();
    const chain = [alice.send('a new chain')];
    alice.now += 100 * DAY;
    chain.push(...alice.sendMany(3));
    expect(chain.map(kindOf)).toEqual([undefined, undefined, undefined, undefined]);
    for (const sent of chain) bob.read(sent);
    alice.read(bob.send('an answer'));
    expect(kindOf(alice.send('the next chain'))).toBe('offer');
  });

  it('is one at a time: while an offer waits for its answer, for months, it stays what it is', () => {
    const { alice, bob } = converse();
    alice.now += DAY;
    const first = alice.send('an offer');
    const offered = structuredClone(alice.state.rekeying);
    for (let month = 1; month <= 7; month++) {
      alice.now += 30 * DAY;
      expect(alice.send('still the same').header.kem).toEqual(first.header.kem);
      expect(alice.state.rekeying).toEqual(offered);
    }
    bob.now += 211 * DAY;
    bob.read(alice.send('the only one that arrives'));
    const answer = bob.send('an answer, and no other offer');
    expect(kindOf(answer)).toBe('answer');
    alice.read(answer);
    expectAgreement(alice, bob);
    expect(alice.state.rekeying).toEqual({ mixed: { step: 4, at: alice.now }, exchange: { kind: 'idle' } });
  });

  it('is not begun by the side that owes an answer, however long it has owed it', () => {
    const { alice, bob } = owing();
    alice.now += 400 * DAY;
    const answer = alice.send('an answer');
    expect(kindOf(answer)).toBe('answer');
    expect(alice.state.rekeying).toEqual({ mixed: { step: 3, at: alice.now }, exchange: { kind: 'idle' } });
    expect(bob.read(answer)).toBe('an answer');
  });
});

describe('a KEM field', () => {
  it('makes the sealed header 1,184 bytes longer with an offer, 1,088 with an answer, and the body no longer', () => {
    const { alice, bob } = converse();
    const plain = alice.send('text');
    bob.read(plain);
    bob.now += DAY;
    const offer = bob.send('text');
    alice.read(offer);
    const answer = alice.send('text');
    expect([plain, offer, answer].map(kindOf)).toEqual([undefined, 'offer', 'answer']);
    expect([plain, offer, answer].map(({ message }) => message.sealedHeader.length)).toEqual([72, 1_256, 1_160]);
    expect(new Set([plain, offer, answer].map(({ message }) => message.body.length)).size).toBe(1);
  });

  it('is in every message of its chain, and in none of the chain after', () => {
    const { alice, bob } = converse(LIMITS, IN_TURNS);
    const offers = bob.sendMany(4);
    expect(offers.map(({ header }) => header.kem)).toEqual(offers.map(() => at(offers, 0).header.kem));
    alice.read(at(offers, 3));
    const answers = alice.sendMany(4);
    expect(answers.map(({ header }) => header.kem)).toEqual(answers.map(() => at(answers, 0).header.kem));
    expect([at(offers, 0), at(answers, 0)].map(kindOf)).toEqual(['offer', 'answer']);
    bob.read(at(answers, 2));
    expect(bob.sendMany(2).map(kindOf)).toEqual([undefined, undefined]);
  });

  it.each(['offer', 'answer'] as const)('acts in the message that makes the root step, and in no other: %s', (kind) => {
    const { alice, bob } = owing();
    bob.read(alice.send('an answer'));
    if (kind === 'offer') alice.read(bob.send('an offer'));
    const [sender, receiver] = kind === 'answer' ? [alice, bob] : [bob, alice];
    const late = sender.send('skipped');
    const others: (KemField | undefined)[] = [
      undefined,
      { kind: 'offer', key: generateKemKey(repeatable('another')).encapsulationKey },
      { kind: 'answer', ciphertext: new Uint8Array(1_088) as never },
    ];
    const before = structuredClone(receiver.state.rekeying);
    const root = receiver.state.rootKey.slice();
    for (const kem of others) {
      const twin = receiver.copy('twin');
      // Authentic, though no pawl makes it: what it says comes too late to matter.
      const forged = sender.sendAltered('read', ({ dh, n, pn }) => ({ dh, n, pn, ...(kem && { kem }) }));
      expect(twin.read(forged)).toBe('read');
      expect(twin.read(late)).toBe('skipped');
      expect([twin.state.rekeying, twin.state.rootKey]).toEqual([before, root]);
    }
  });
});

describe('a mix', () => {
  it('takes root key, DH output and KEM secret; without the last nothing of the new keys is known', () => {
    const { alice, bob } = owing();
    const rootKey = alice.state.rootKey.slice();
    const seed = seedOf(bob);
    const header = bob.state.nextReceiving;
    const answer = alice.send('an answer');
    bob.read(answer);

    const dh = sharedSecret(sendingChain(alice).self.secretKey, receivingChain(alice).remote);
    const secret = ml_kem768.decapsulate(ciphertextOf(answer), ml_kem768.keygen(seed).secretKey);
    const keys = (input: Uint8Array) => Buffer.from(hkdfSync('blake2b512', input, rootKey, 'pawl/1 root', 96));
    const [mixed, without] = [keys(concat(dh, secret)), keys(dh)];
    const next = alice.state.nextSending.header;
    expect(concat(alice.state.rootKey, next)).toEqual(concat(mixed.subarray(0, 32), mixed.subarray(64)));
    expect(concat(bob.state.rootKey, bob.state.nextReceiving.header)).toEqual(concat(alice.state.rootKey, next));
    for (let from = 0; from < 96; from += 32) {
      expect(without.subarray(from, from + 32)).not.toEqual(mixed.subarray(from, from + 32));
    }
    // The chain of the answer is sealed as every chain is: by the header key of the step before.
    expect(sendingChain(alice).header).toEqual(header);
  });

  it('is another for each exchange: fresh keys, fresh ciphertexts', () => {
    const { alice, bob } = meet(LIMITS, IN_TURNS);
    const [seen, sent] = [new Set<string>(), [] as Encrypted[]];
    for (let turn = 0; turn < 8; turn++) {
      for (const [from, to] of [
        [alice, bob],
        [bob, alice],
      ] as const) {
        const one = from.send('on');
        to.read(one);
        if (one.header.kem !== undefined) sent.push(one);
      }
    }
    for (const { header } of sent)
      seen.add(Buffer.from(Object.values(header.kem ?? {})[1] as Uint8Array).toString('hex'));
    expect(sent.length).toBeGreaterThan(9);
    expect(seen.size).toBe(sent.length);
  });
});

describe('an exchange, whatever is lost of it', () => {
  const ORDERS = [
    [0, 1, 2],
    [0, 2, 1],
    [1, 0, 2],
    [1, 2, 0],
    [2, 0, 1],
    [2, 1, 0],
  ] as const;

  it.each(ORDERS)('is made by whichever message of its chains comes first: %i, %i, %i', (...order) => {
    const { alice, bob } = converse(LIMITS, IN_TURNS);
    const offers = bob.sendThree();
    expect(order.map((n) => alice.read(offers[n]))).toEqual(order.map((n) => `text ${n}`));
    const answers = alice.sendThree();
    expect(order.map((n) => bob.read(answers[n]))).toEqual(order.map((n) => `text ${n}`));
    expectAgreement(alice, bob);
    expect(bob.state.rekeying.mixed.step).toBe(3);
    alice.read(bob.send('and on'));
    expectAgreement(alice, bob);
  });

  it.each(ORDERS)('is made by one message of each chain, the others come when it is over: %i, %i, %i', (...order) => {
    const { alice, bob } = converse(LIMITS, IN_TURNS);
    const [first, ...later] = order;
    const offers = bob.sendThree();
    alice.read(offers[first]);
    const answers = alice.sendThree();
    bob.read(answers[first]);
    takeTurns(bob, alice, 6);
    const before = structuredClone([alice.state, bob.state]);
    for (const n of later) expect([alice.read(offers[n]), bob.read(answers[n])]).toEqual([`text ${n}`, `text ${n}`]);
    expect([alice.state, bob.state]).toEqual(before);
    for (const sent of offers) expect(alice.receive(sent)).toEqual({ kind: 'duplicate' });
    for (const sent of answers) expect(bob.receive(sent)).toEqual({ kind: 'duplicate' });
    expect([alice.state, bob.state]).toEqual(before);
  });

  it('waits while the whole chain of the offer is lost, and goes on with the next message of it', () => {
    const { alice, bob } = converse();
    bob.read(alice.send('a new chain'));
    bob.now += DAY;
    expect(new Set(bob.sendMany(50).map(kindOf))).toEqual(new Set(['offer']));
    // What alice says meanwhile goes on in the chain that bob knows, and owes nothing.
    expect(alice.sendMany(3).map(kindOf)).toEqual([undefined, undefined, undefined]);
    alice.read(bob.send('the first to arrive'));
    expect(kindOf(alice.send('an answer'))).toBe('answer');
  });

  it('waits while the whole chain of the answer is lost, and goes on with the next message of it', () => {
    const { alice, bob } = answered();
    const offered = structuredClone(bob.state.rekeying);
    // What bob says meanwhile goes on in the chain of his offer.
    for (const text of ['hello?', 'anybody?']) {
      const sent = bob.send(text);
      expect(kindOf(sent)).toBe('offer');
      expect(alice.read(sent)).toBe(text);
    }
    expect(bob.state.rekeying).toEqual(offered);
    bob.read(alice.send('at last'));
    expectAgreement(alice, bob);
    expect(bob.state.rekeying.mixed.step).toBe(3);
  });

  it('goes on where everything was lost that two chains carried, over and over', () => {
    const { alice, bob } = meet(LIMITS, IN_TURNS);
    let mixes = 0;
    for (let turn = 0; turn < 12; turn++) {
      alice.sendMany(4);
      bob.read(alice.send('one of five'));
      bob.sendMany(4);
      alice.read(bob.send('one of five'));
      expectAgreement(alice, bob);
      if (alice.state.rekeying.mixed.step >= alice.state.rootSteps - 1) mixes += 1;
    }
    expect(mixes).toBeGreaterThan(6);
  });

  it('leaves the keys of what is missing in the chains before', () => {
    const { alice, bob } = owing();
    const [lost, read] = bob.sendThree();
    alice.read(read);
    const answer = alice.send('an answer');
    bob.read(answer);
    alice.read(bob.send('a new chain'));
    expect(alice.read(lost)).toBe('text 0');
  });
});

describe('the limits in the chain of an exchange', () => {
  const limits = { ...LIMITS, gap: 3 };

  it('refuse a gap at its start, and leave offer and seed what they were', () => {
    const { alice, bob } = owing(limits);
    alice.sendMany(4);
    const tooFar = alice.send('too far');
    const before = structuredClone(bob.state);
    expect(refusal(() => bob.receive(tooFar))).toMatchObject({
      code: 'gap-too-large',
      detail: { missing: 4, limit: 3 },
    });
    expect(bob.state).toEqual(before);
    const patient = new Party(bob.state, repeatable('bob'));
    expect(patient.read(tooFar)).toBe('too far');
    expectAgreement(alice, patient);
  });

  it('let the largest gap through', () => {
    const { alice, bob } = owing(limits);
    alice.sendMany(3);
    expect(bob.read(alice.send('the fourth'))).toBe('the fourth');
    expectAgreement(alice, bob);
  });

  it('give up the end of the chain before, and mix all the same', () => {
    const { alice, bob } = owing(limits);
    bob.read(alice.send('an answer'));
    alice.sendMany(9);
    alice.read(bob.send('a new offer'));
    const { step } = bob.accept(alice.send('a new answer'));
    expect([step.lost, step.gained.length]).toEqual([9, 0]);
    expectAgreement(alice, bob);
    expect(bob.state.rekeying.mixed.step).toBe(5);
  });
});

it('the rules of pawl are these', () => {
  expect(RULES).toEqual({ domain: 'pawl/1 root', offerAfterSteps: 8, offerAfter: DAY });
});
