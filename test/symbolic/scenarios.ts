import { agreement, authenticity, noDowngrade, noFalseAlarm, secrecy } from './claims.ts';
import { type Defence, without } from './defences.ts';
import type { Scenario } from './explore.ts';
import { BEGINNING, begin, deliver, invite, type World, write } from './world.ts';

/** Everything that is claimed of any state and any event. */
export const CLAIMS = [secrecy, authenticity, agreement, noDowngrade, noFalseAlarm];

const NO_THEFT: Scenario['thefts'] = { what: 'file', from: [], most: 0 };
export const THEFT_OF_A_FILE: Scenario['thefts'] = { what: 'file', from: ['alice', 'bob'], most: 1 };

/** Mallory does all but steal and compute with qubits. */
const USUAL = { thefts: NO_THEFT, active: 'always', quantum: 'never', claims: CLAIMS } as const;

/** Bob makes an invite, Alice opens up to two sessions, with it or with what Mallory shows her; each side writes. */
export function opening(change: Partial<Scenario> = {}, ...removed: Defence[]): Scenario {
  return {
    start: BEGINNING,
    defences: without(...removed),
    invites: { alice: 0, bob: 1 },
    openings: { alice: 2, bob: 0 },
    messages: 3,
    inChain: 1,
    steps: 2,
    kem: false,
    ...USUAL,
    ...change,
  };
}

/** A session that has begun: Bob has read Alice's first message. A KEM key is offered at any step where one may be. */
export function conversation(change: Partial<Scenario> = {}, ...removed: Defence[]): Scenario {
  const defences = without(...removed);
  return {
    start: met(defences),
    defences,
    invites: { alice: 0, bob: 0 },
    openings: { alice: 0, bob: 0 },
    messages: 5,
    inChain: 2,
    steps: 5,
    kem: true,
    ...USUAL,
    ...change,
  };
}

function met(defences: Scenario['defences']): World {
  const invited = invite(BEGINNING, 'bob');
  const opened = invited.invites.reduce((world, one) => begin(world, 'alice', one, defences), invited);
  const written = write(opened, 'alice', 0, { offers: false, answers: true }, defences);
  const first = written?.sent[0];
  const read = written && first && deliver(written, 'bob', first.envelope, defences).world;
  if (read === undefined) throw new Error('they could not meet');
  return read;
}
