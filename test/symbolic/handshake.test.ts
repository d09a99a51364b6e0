import { describe, expect, it } from 'vitest';
import { impostors, tightness } from './claims.ts';
import { explore } from './explore.ts';
import { CLAIMS, opening, THEFT_OF_A_FILE } from './scenarios.ts';

const BOTH_SEEDS = { what: 'seed', from: ['alice', 'bob'], most: 2 } as const;
const ONE_OPENING = { alice: 1, bob: 0 };

describe('the handshake holds, in every state within the bounds', () => {
  it('against an attacker who composes whatever she can', () => {
    expect(explore(opening())).toEqual({ states: 688, attack: undefined });
  });

  it('when both make invites and both open', () => {
    const bothWays = opening({ invites: { alice: 1, bob: 1 }, openings: { alice: 1, bob: 1 }, messages: 2 });
    expect(explore(bothWays)).toEqual({ states: 4926, attack: undefined });
  });

  it('against a recorder who has a quantum computer later', () => {
    expect(explore(opening({ active: 'never', quantum: 'later' }))).toEqual({ states: 23, attack: undefined });
  });

  it('when seeds are stolen: sessions that are there stay secret, and a seed does not let others pose to its owner', () => {
    const scenario = opening({ openings: ONE_OPENING, thefts: BOTH_SEEDS, quantum: 'later' });
    expect(explore(scenario)).toEqual({ states: 540, attack: undefined });
  });

  it('when a file is stolen: what it gives up is what is said, no more and no less', () => {
    const passive = opening({
      openings: ONE_OPENING,
      thefts: THEFT_OF_A_FILE,
      active: 'never',
      claims: [...CLAIMS, tightness],
    });
    expect(explore(passive)).toEqual({ states: 42, attack: undefined });
    expect(explore({ ...passive, quantum: 'later' })).toEqual({ states: 42, attack: undefined });
  });

  it('when a file is stolen and the thief acts once the session has healed', () => {
    const scenario = opening({ openings: ONE_OPENING, thefts: THEFT_OF_A_FILE, active: 'healed', quantum: 'later' });
    expect(explore(scenario)).toEqual({ states: 975, attack: undefined });
  });
});

describe('each defence of the handshake stops an attack', () => {
  it("invite is signed: else Mallory's keys stand in Bob's name, and his seed opens what they sealed", () => {
    const seeds = opening({ openings: ONE_OPENING, thefts: BOTH_SEEDS }, 'invite is signed');
    expect(explore(seeds).attack).toEqual([
      'alice opens a session with an invite that mallory made in the name of bob',
      "alice sends alice's 1.0",
      "bob's seed is stolen",
      "alice's 1.0 is read",
    ]);
  });

  it("opener's identity key in the handshake: else anybody is Alice", () => {
    expect(explore(opening({}, "opener's identity key in the handshake")).attack).toEqual([
      'bob makes an invite',
      'mallory forges a message, with a prefix that names alice, for bob',
      'bob accepts a forged text',
    ]);
  });

  it('transcript binds the identities, sender is sealed: without both, who speaks can be exchanged for a twin key', () => {
    const unbound = opening({}, 'transcript binds the identities', 'sender is sealed');
    expect(explore(unbound).attack).toEqual([
      'bob makes an invite',
      "alice opens a session with bob's invite",
      "alice sends alice's 1.0",
      "mallory takes alice's 1.0, with a prefix that names the negative of alice, for bob",
      "bob takes alice's 1.0 for a text of the negative of alice",
    ]);
  });

  it.each(['transcript binds the identities', 'sender is sealed'] as const)('%s: either is enough', (defence) => {
    expect(explore(opening({}, defence)).attack).toBeUndefined();
  });

  it('KEM in the handshake: else a recorder computes the rest later', () => {
    const recorded = opening({ active: 'never', quantum: 'later' }, 'KEM in the handshake');
    expect(explore(recorded).attack).toEqual([
      'bob makes an invite',
      "alice opens a session with bob's invite",
      "alice sends alice's 1.0",
      "alice's 1.0 is read",
    ]);
  });

  it('invite is spent: else its secrets are there for a later thief', () => {
    const thefts = opening({ openings: ONE_OPENING, thefts: THEFT_OF_A_FILE, active: 'never' }, 'invite is spent');
    expect(explore(thefts).attack).toEqual([
      'bob makes an invite',
      "alice opens a session with bob's invite",
      "alice sends alice's 1.0",
      "alice's 1.0 reaches bob",
      "bob's file is stolen",
      "alice's 1.0 is read",
    ]);
  });

  it('invite is spent, known prefix leads to its session: without both, an opening can be repeated', () => {
    const repeated = opening({}, 'invite is spent', 'known prefix leads to its session');
    expect(explore(repeated).attack).toEqual([
      'bob makes an invite',
      "alice opens a session with bob's invite",
      "alice sends alice's 1.0",
      "alice's 1.0 reaches bob",
      "alice's 1.0 reaches bob",
      "alice's 1.0 is accepted twice",
    ]);
  });

  it.each(['invite is spent', 'known prefix leads to its session'] as const)(
    '%s: either is enough against repetition',
    (defence) => {
      expect(explore(opening({}, defence)).attack).toBeUndefined();
    },
  );
});

describe('what the handshake does not give, and the documents say so', () => {
  it('authentication against a quantum computer that is there during the handshake', () => {
    expect(explore(opening({ quantum: 'now' })).attack).toEqual([
      'alice opens a session with an invite that mallory made in the name of bob',
      "alice sends alice's 1.0",
      "alice's 1.0 is read",
    ]);
  });

  it("anything at Bob's, once his file with an open invite is stolen: its thief is whoever she likes", () => {
    expect(explore(opening({ thefts: { ...THEFT_OF_A_FILE, from: ['bob'] }, claims: [impostors] })).attack).toEqual([
      'bob makes an invite',
      "bob's file is stolen",
      'mallory forges a message, with a prefix that names alice, for bob',
      'bob takes a forged text for a text of alice',
    ]);
  });

  it('anything at those who meet the owner of a stolen seed later: its thief makes invites in that name', () => {
    expect(explore(opening({ thefts: { ...BOTH_SEEDS, from: ['bob'] }, claims: [impostors] })).attack).toEqual([
      "bob's seed is stolen",
      'alice opens a session with an invite that mallory made in the name of bob',
      "alice sends alice's 1.0",
      'mallory forges a message, for alice',
      'alice takes a forged text for a text of bob',
    ]);
  });
});
