import type { Knowledge } from './knowledge.ts';
import { FORGED, nameOf } from './mallory.ts';
import type { Ratchet } from './ratchet.ts';
import {
  counterpart,
  type Event,
  IDENTITIES,
  isHonest,
  other,
  PEOPLE,
  type Sent,
  type Session,
  stepOf,
  takerOf,
  type Who,
  type World,
} from './world.ts';

/** What must hold. Each says what is wrong, where it does not. */
export interface Claim {
  /** Of every state that is reached; `reads` is what the attacker comes to know, whenever. */
  readonly ofState?: (world: World, reads: Knowledge) => string | undefined;
  /** Of every message that is delivered; `world` is the state after it, `knows` what the attacker can act with. */
  readonly ofEvent?: (event: Event, world: World, knows: Knowledge) => string | undefined;
}

/** No text can be read, but those that a theft gives up (see `isGivenUp`). */
export const secrecy: Claim = {
  ofState(world, reads) {
    const read = claimed(world).find((one) => reads.known.has(one.text) && !isReadable(world, one, reads));
    return read && `${read.text.label} is read`;
  },
};

/** The other way round: what is given up can be read, so nothing is given up for nothing. */
export const tightness: Claim = {
  ofState(world, reads) {
    const unread = claimed(world).find((one) => !reads.known.has(one.text) && isReadable(world, one, reads));
    return unread && `${unread.text.label} is given up, and cannot be read`;
  },
};

/**
 * A text is accepted once, as that of the one who wrote it, by the one whom it was written to, where it was written. Others
 * can write where they could read, and nowhere else.
 */
export const authenticity: Claim = {
  ofEvent(event, world, { quantum }) {
    if (event.kind !== 'accepted') return undefined;
    const { by, text, session, step, n, again } = event;
    if (text === FORGED) {
      const isClaim = session.vouched && isHonest(session.peer) && !isGivenUp(world, session, step, n, quantum);
      return isClaim ? `${by} accepts ${text.label}` : undefined;
    }
    if (again) return `${text.label} is accepted twice`;
    const own = world.sent.find((one) => one.text === text);
    if (own === undefined || !isClaimed(own)) return undefined;
    const isTrue =
      session.peer === IDENTITIES[own.from] &&
      own.to === IDENTITIES[by] &&
      session.ratchet.transcript === own.session.ratchet.transcript &&
      session.invite === own.session.invite &&
      step === own.step &&
      n === own.n;
    if (isTrue) return undefined;
    return `${by} takes ${text.label} for a text ${session.peer === IDENTITIES[own.from] ? 'of another place' : `of ${nameOf(session.peer)}`}`;
  },
};

/** Both sides have the same root key at each step that both have taken, and mixed a KEM secret at the same ones. */
export const agreement: Claim = {
  ofState(world) {
    for (const session of world.parties.alice.sessions) {
      const theirs = counterpart(world, 'alice', session);
      for (const own of session.ratchet.taken) {
        const their = theirs?.ratchet.taken.find(({ step }) => step === own.step);
        if (their === undefined) continue;
        if (their.rootKey !== own.rootKey) return `step ${own.step} differs`;
        if ((their.kem === 'mixed') !== (own.kem === 'mixed'))
          return `the sides disagree about the KEM at step ${own.step}`;
      }
    }
    return undefined;
  },
};

/** A KEM key that was offered is answered by the very next chain, or that chain is not accepted. */
export const noDowngrade: Claim = {
  ofState({ parties }) {
    for (const { ratchet } of PEOPLE.flatMap((who) => parties[who].sessions)) {
      const unanswered = ratchet.taken.find(
        ({ step, kem }) =>
          kem === 'offered' && ratchet.taken.some((next) => next.step === step + 1 && next.kem !== 'mixed'),
      );
      if (unanswered) return `the offer of step ${unanswered.step} is passed over`;
    }
    return undefined;
  },
};

/** Between honest people nobody is told of a fork or a missing answer while every file is its owner's alone. */
export const noFalseAlarm: Claim = {
  ofEvent: (event, { thefts }) =>
    event.kind === 'alarm' && isHonest(event.session.peer) && thefts.length === 0
      ? `${event.at} is told: ${event.why}`
      : undefined,
};

/** After a forged text, no true one is accepted as if nothing had happened. */
export const forgeryShows: Claim = {
  ofEvent: (event, { parties }) =>
    event.kind === 'accepted' && event.text !== FORGED && parties[event.by].texts.includes(FORGED)
      ? `${event.by} reads on, and no fork shows`
      : undefined,
};

/** Whatever was stolen, nobody passes for an honest person. (Not claimed: a stolen seed or invite is enough.) */
export const impostors: Claim = {
  ofEvent: (event) =>
    event.kind === 'accepted' && event.text === FORGED && isHonest(event.session.peer)
      ? `${event.by} takes ${FORGED.label} for a text of ${nameOf(event.session.peer)}`
      : undefined,
};

/** Not a claim, but its opposite: finds the way to so many KEM secrets mixed. */
export const reachesMixes = (count: number): Claim => ({
  ofState: ({ parties }) =>
    PEOPLE.every((who) =>
      parties[who].sessions.some(({ ratchet }) => ratchet.taken.filter(({ kem }) => kem === 'mixed').length === count),
    )
      ? `both have mixed ${count} KEM secrets`
      : undefined,
});

/** Texts between honest people, in sessions that a stolen seed or invite did not make possible. */
const claimed = ({ sent }: World): Sent[] => sent.filter(isClaimed);
const isClaimed = ({ to, session }: Sent): boolean => isHonest(to) && session.vouched;

const isReadable = (world: World, { session, step, n }: Sent, { quantum }: Knowledge): boolean =>
  isGivenUp(world, session, step, n, quantum);

/**
 * Which positions the thefts give up. A thief goes on from where the stolen state stands, and through every later root step
 * that is not clean; the first clean one shuts him out. Without any theft he stands before the handshake, which is step 0.
 */
function isGivenUp(world: World, session: Session, step: number, n: number, quantum: boolean): boolean {
  const stolen = statesStolen(world, session);
  const mixed = mixes(world, session);
  const isStolen = (role: Role, at: number): boolean => stolen.some((one) => one.role === role && one.step === at);

  // What a side contributes to a step lies in its state from its own last step to the next: it is made at the one, and
  // deleted at the other. Who takes a step makes a new key with it; the other one's is as old as the step before.
  const isClean = (at: number): boolean => {
    if (at === 0) return !isStolen('maker', 0);
    if (isStolen(takerOf(at - 1), at - 1)) return false;
    return mixed.includes(at) || (!quantum && !isStolen(takerOf(at), at));
  };
  const goesOn = (from: number): boolean => !range(from + 1, step).some(isClean);
  return (
    goesOn(-1) ||
    stolen.some((one) => (step > one.step ? goesOn(one.step) : one.ratchet && holds(one.ratchet, step, n)))
  );
}

type Role = ReturnType<typeof takerOf>;

function peopleOf({ peer, isOpener }: Session): Readonly<Record<Role, Who>> {
  const they = peer === IDENTITIES.alice ? 'alice' : 'bob';
  return isOpener ? { opener: other(they), maker: they } : { opener: they, maker: other(they) };
}

/** Whether a state still has the key of a position in a chain that it knows. */
function holds({ sending, receiving, skipped }: Ratchet, step: number, n: number): boolean {
  const chains = [sending.kind === 'chain' ? sending : undefined, receiving];
  return (
    chains.some((chain) => chain !== undefined && chain.step === step && n >= chain.n) ||
    skipped.some((key) => key.step === step && key.n === n)
  );
}

function statesStolen(
  { thefts }: World,
  session: Session,
): { role: Role; step: number; ratchet: Ratchet | undefined }[] {
  return thefts.flatMap(({ from, file }) => {
    const step = file && stepOf(file, session);
    if (step === undefined) return [];
    const role = peopleOf(session).opener === from ? 'opener' : 'maker';
    return [{ role, step, ratchet: file?.sessions.find((one) => isSame(one, session))?.ratchet }];
  });
}

/** The steps at which a KEM secret was mixed, as the honest sides took them. */
function mixes({ parties }: World, session: Session): number[] {
  return PEOPLE.flatMap((who) => parties[who].sessions)
    .filter((one) => isSame(one, session))
    .flatMap(({ ratchet }) => ratchet.taken.filter(({ kem }) => kem === 'mixed').map(({ step }) => step));
}

const isSame = (a: Session, b: Session): boolean => a.ratchet.transcript === b.ratchet.transcript;

const range = (from: number, to: number): number[] =>
  Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => from + index);
