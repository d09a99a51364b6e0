import { describe, expect, it } from 'vitest';
import { agreement, authenticity, forgeryShows, noDowngrade, reachesMixes, secrecy, tightness } from './claims.ts';
import { explore, type Scenario } from './explore.ts';
import { CLAIMS, conversation, THEFT_OF_A_FILE } from './scenarios.ts';

const THIEF: Partial<Scenario> = { thefts: THEFT_OF_A_FILE, active: 'never', claims: [...CLAIMS, tightness] };
const RECORDING_THIEF: Partial<Scenario> = { ...THIEF, quantum: 'later' };
const TWO_THEFTS: Partial<Scenario> = { ...THIEF, thefts: { ...THEFT_OF_A_FILE, most: 2 }, inChain: 1 };
/** Silent until the session has healed, classically; then she acts with what keys she has left. */
const LATE_THIEF: Partial<Scenario> = { thefts: THEFT_OF_A_FILE, active: 'healed', quantum: 'later' };
/** The alarm of the other side is no false one here. */
const LAX: Partial<Scenario> = { lax: 'bob', claims: [secrecy, authenticity, agreement, noDowngrade] };

describe('the ratchet holds, in every state within the bounds', () => {
  it('against an attacker who repeats, reorders, withholds and composes', () => {
    expect(explore(conversation({ messages: 6, steps: 6 }))).toEqual({ states: 1823, attack: undefined });
  });

  it('against one who has a quantum computer from then on', () => {
    expect(explore(conversation({ quantum: 'now' }))).toEqual({ states: 444, attack: undefined });
  });

  it.each(['never', 'later'] as const)(
    'against a thief of one state, quantum: %s: she reads what is said, no more and no less',
    (quantum) => {
      expect(explore(conversation({ ...THIEF, quantum }))).toEqual({ states: 4396, attack: undefined });
    },
  );

  it.each(['never', 'later'] as const)('against a thief of two states, quantum: %s', (quantum) => {
    expect(explore(conversation({ ...TWO_THEFTS, quantum }))).toEqual({ states: 1815, attack: undefined });
  });

  it('against a thief who acts once the session has healed, and has a quantum computer later', () => {
    expect(explore(conversation(LATE_THIEF))).toEqual({ states: 5098, attack: undefined });
  });

  it('against a peer whose program leaves out the answers', () => {
    expect(explore(conversation(LAX))).toEqual({ states: 422, attack: undefined });
  });

  it('and it gets somewhere: one exchange after the other is completed', () => {
    expect(explore(conversation({ claims: [reachesMixes(2)] })).attack).toEqual([
      "bob sends bob's 2.0, with a KEM key",
      "bob's 2.0 reaches alice",
      "alice sends alice's 3.0, with a ciphertext",
      "alice's 3.0 reaches bob",
      "bob sends bob's 4.0, with a KEM key",
      "bob's 4.0 reaches alice",
      "alice sends alice's 5.0, with a ciphertext",
      "alice's 5.0 reaches bob",
      'both have mixed 2 KEM secrets',
    ]);
  });
});

describe('each defence of the ratchet stops an attack', () => {
  it('chain moves on, used keys are deleted: else a thief reads backwards', () => {
    const backwards = ["alice's file is stolen", "alice's 1.0 is read"];
    expect(explore(conversation(THIEF, 'chain moves on')).attack).toEqual(backwards);
    expect(explore(conversation(THIEF, 'used keys are deleted')).attack).toEqual(backwards);
  });

  it('DH in the root: else a thief reads on for ever', () => {
    expect(explore(conversation(THIEF, 'DH in the root')).attack).toEqual([
      "bob's file is stolen",
      "bob sends bob's 2.0",
      "bob's 2.0 is read",
    ]);
  });

  it('header names its body: else an outsider sets a fork mark', () => {
    expect(explore(conversation({}, 'header names its body')).attack).toEqual([
      "alice sends alice's 1.1",
      "mallory takes alice's 1.0, exchanges its body for that of alice's 1.1, for bob",
      'bob is told: fork: two texts at one position',
    ]);
  });

  it('KEM field is sealed with the header: else an outsider exchanges it, which the body notices, as a fork', () => {
    expect(explore(conversation({}, 'KEM field is sealed with the header')).attack).toEqual([
      "alice sends alice's 1.1",
      "mallory takes alice's 1.1, exchanges its KEM field for a KEM key of her own, for bob",
      'bob is told: fork: body does not authenticate',
    ]);
  });

  it('KEM field is bound to the body: else a thief who has only header keys left makes Bob answer to her key', () => {
    const late = conversation(LATE_THIEF, 'KEM field is bound to the body');
    expect(explore(late).attack).toEqual([
      "bob's file is stolen",
      "bob sends bob's 2.0",
      "bob's 2.0 reaches alice",
      "alice sends alice's 3.0",
      "mallory puts a header of her own before alice's 3.0, with a KEM key of her own, for bob",
      "bob sends bob's 4.0, with a ciphertext",
      "bob's 4.0 is read",
    ]);
  });

  it('KEM answer is required: else a peer passes the exchange over', () => {
    expect(explore(conversation(LAX, 'KEM answer is required')).attack).toEqual([
      "bob sends bob's 2.0",
      "bob's 2.0 reaches alice",
      "alice sends alice's 3.0, with a KEM key",
      "alice's 3.0 reaches bob",
      "bob sends bob's 4.0",
      "bob's 4.0 reaches alice",
      'the offer of step 3 is passed over',
    ]);
  });

  it('against outsiders it takes two: a field that nothing binds, and an answer that is not required', () => {
    const loose = ['KEM field is sealed with the header', 'KEM field is bound to the body'] as const;
    const quietly = { messages: 4, claims: [noDowngrade, agreement] };
    expect(explore(conversation(quietly, 'KEM answer is required')).attack).toBeUndefined();
    expect(explore(conversation(quietly, ...loose)).attack).toBeUndefined();
    expect(explore(conversation(quietly, ...loose, 'KEM answer is required')).attack).toEqual([
      "bob sends bob's 2.0, with a KEM key",
      "mallory takes bob's 2.0, exchanges its KEM field for none, for alice",
      "alice sends alice's 3.0",
      "alice's 3.0 reaches bob",
      'the offer of step 2 is passed over',
    ]);
  });

  it('KEM secret in the root: else the exchange shuts nobody out', () => {
    expect(explore(conversation(RECORDING_THIEF, 'KEM secret in the root')).attack).toEqual([
      "alice's file is stolen",
      "bob sends bob's 2.0, with a KEM key",
      "bob's 2.0 reaches alice",
      "alice sends alice's 3.0, with a ciphertext",
      "alice's 3.0 is read",
    ]);
  });

  it('KEM key is fresh: else a key that was stolen while it was offered opens the next exchange too', () => {
    expect(explore(conversation({ ...RECORDING_THIEF, inChain: 1 }, 'KEM key is fresh')).attack).toEqual([
      "bob sends bob's 2.0, with a KEM key",
      "bob's 2.0 reaches alice",
      "alice sends alice's 3.0, with a ciphertext",
      "bob's file is stolen",
      "alice's 3.0 reaches bob",
      "bob sends bob's 4.0, with a KEM key",
      "bob's 4.0 reaches alice",
      "alice sends alice's 5.0, with a ciphertext",
      "alice's 5.0 is read",
    ]);
  });

  it('KEM key is deleted: else a second theft opens what had healed after the first', () => {
    expect(explore(conversation({ ...TWO_THEFTS, quantum: 'later' }, 'KEM key is deleted')).attack).toEqual([
      "alice's file is stolen",
      "bob sends bob's 2.0, with a KEM key",
      "bob's 2.0 reaches alice",
      "alice sends alice's 3.0, with a ciphertext",
      "alice's 3.0 reaches bob",
      "bob's file is stolen",
      "alice's 3.0 is read",
    ]);
  });
});

describe('what the ratchet does not give, and the documents say so', () => {
  const ACTIVE_THIEF: Partial<Scenario> = { thefts: { ...THEFT_OF_A_FILE, from: ['alice'] }, active: 'always' };

  it('healing from a thief who acts at once: she puts herself between the two', () => {
    expect(explore(conversation(ACTIVE_THIEF)).attack).toEqual([
      "alice's file is stolen",
      'mallory forges a message, for alice',
      "alice sends alice's 3.0",
      "alice's 3.0 is read",
    ]);
  });

  it('a fork for every forgery: a thief who holds the channel too takes a text out and puts hers in its place', () => {
    expect(explore(conversation({ ...ACTIVE_THIEF, kem: false, messages: 3, claims: [forgeryShows] })).attack).toEqual([
      "alice's file is stolen",
      "bob sends bob's 2.0",
      'mallory forges a message, for alice',
      "bob sends bob's 2.1",
      "bob's 2.1 reaches alice",
      'alice reads on, and no fork shows',
    ]);
  });
});
