/**
 * Holds encrypt and decrypt to wiping every secret they derive, except those that the new state or the step contains.
 * The secrets of the state before are the caller's to wipe: see test/session/wiping.test.ts.
 */
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { LIMITS, type ReceivingStep, type SealedMessage, wipeStep } from '../../src/ratchet/index.ts';
import { secretsIn, takeUnwiped } from './derived-secrets.ts';
import { at, converse, EAGER, meet, Party, refusal } from './party.ts';

vi.mock(import('../../src/primitives/index.ts'), async (importOriginal) => {
  const { recording } = await import('./derived-secrets.ts');
  return recording(await importOriginal());
});

beforeEach(() => void takeUnwiped());

/** Sends, and expects that nothing secret is left but in the new state. */
function expectCleanSend(party: Party): { message: SealedMessage } {
  takeUnwiped();
  const sent = party.send('text');
  expectOnly(takeUnwiped(), sent.state);
  return sent;
}

/** Receives, and expects that nothing secret is left but in the step. */
function expectCleanReceipt(party: Party, sent: { message: SealedMessage }): ReceivingStep {
  takeUnwiped();
  const { step } = party.accept(sent);
  expectOnly(takeUnwiped(), [step.state, step.gained]);
  return step;
}

function expectOnly(unwiped: readonly Uint8Array[], allowed: unknown): void {
  const left = secretsIn(allowed);
  expect(unwiped.filter((secret) => !left.includes(secret))).toEqual([]);
}

describe('of the secrets that it derives, encrypt leaves only those of the new state', () => {
  it('in a chain', () => {
    expectCleanSend(meet().alice);
  });

  it('in a chain that begins, with an offer and with an answer to it', () => {
    const { alice, bob } = meet(LIMITS, EAGER);
    bob.read(alice.send('hello'));
    alice.read(expectCleanSend(bob));
    bob.read(expectCleanSend(alice));
  });
});

describe('of the secrets that it derives, decrypt leaves only those of the step', () => {
  it('in a chain', () => {
    const { alice, bob } = converse();
    bob.read(alice.send('a new chain'));
    expectCleanReceipt(bob, alice.send('text'));
  });

  it('in a chain that begins, with an offer and with an answer to it', () => {
    const { alice, bob } = meet(LIMITS, EAGER);
    bob.read(alice.send('hello'));
    expectCleanReceipt(alice, bob.send('an offer'));
    expectCleanReceipt(bob, alice.send('an answer'));
  });

  it('at gaps in its chain and in the one before, with more keys skipped than are kept', () => {
    const { alice, bob } = converse({ ...LIMITS, keptKeys: 2 });
    bob.read(alice.send('a new chain'));
    expect(expectCleanReceipt(bob, at(alice.sendMany(5), 4)).lost).toBe(2);
    alice.sendMany(5);
    alice.read(bob.send('an answer'));
    expect(expectCleanReceipt(bob, at(alice.sendMany(5), 4)).lost).toBe(5);
  });

  it('at a body that does not authenticate: none', () => {
    const { alice, bob } = converse();
    bob.read(alice.send('a new chain'));
    const copy = bob.copy('copy');
    alice.read(copy.send('of the copy'));
    bob.send('never delivered');
    alice.sendThree();
    takeUnwiped();
    const sent = alice.send('an answer to the copy');
    takeUnwiped();
    expect(bob.receive(sent)).toMatchObject({ kind: 'fork', reason: 'body-does-not-authenticate' });
    expect(takeUnwiped()).toEqual([]);
  });

  it('at an answer that is left out: none', () => {
    const { alice, bob } = meet(LIMITS, EAGER);
    bob.read(alice.send('hello'));
    alice.read(bob.send('an offer'));
    alice.state = { ...alice.state, rekeying: { ...alice.state.rekeying, exchange: { kind: 'idle' } } };
    const sent = new Party(alice.state, alice.random).send('no answer');
    takeUnwiped();
    expect(refusal(() => bob.receive(sent)).code).toBe('kem-missing');
    expect(takeUnwiped()).toEqual([]);
  });
});

describe('wipeStep', () => {
  it('wipes the state and the skipped keys of a step', () => {
    const { alice, bob } = converse();
    const { step } = bob.accept(alice.sendThree()[2]);
    expect(step.gained).toHaveLength(2);
    wipeStep(step);
    expect(secretsIn([step.state, step.gained]).filter((secret) => secret.some((byte) => byte !== 0))).toEqual([]);
  });
});
