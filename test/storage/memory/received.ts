import type { ForkReason } from '../../../src/errors.ts';
import type { Accepted, Limits, ReceivingStep } from '../../../src/ratchet/index.ts';
import type { ForkMark } from '../../../src/session/store.ts';
import type { StoredSession } from './data.ts';

/** The session after messages that it accepted: each difference applied, then the limits held. `at`: unix milliseconds. */
export function received(
  before: StoredSession,
  accepted: readonly Accepted[],
  at: number,
  limits: Limits,
): StoredSession {
  return withinLimits(
    accepted.reduce((session, one) => advanced(session, one, at), before),
    limits,
  );
}

/** The fork mark after another fork: the first that is not acknowledged stays. */
export function markedBy(before: ForkMark | undefined, reason: ForkReason, at: number): ForkMark {
  return before === undefined || before.acknowledgedAt !== undefined
    ? { reason, at, acknowledgedAt: undefined }
    : before;
}

function advanced(before: StoredSession, { step, digest }: Accepted, at: number): StoredSession {
  const { chain, n } = step;
  const here = (position: { chain: number; n: number }) => position.chain === chain && position.n === n;
  if (before.accepted.some(here)) throw new Error('a message was accepted at this position already');
  if (before.skipped.some(here) !== step.late) throw new Error('a late message uses up the key that was kept for it');

  const finished = step.finished === undefined ? before.finished : [...before.finished, step.finished];
  const gained = step.gained.map((key) => ({ ...key, keptSince: at }));
  const skipped = [...before.skipped.filter((key) => !here(key)), ...gained];
  const sequence = before.received + 1;
  const fork = step.fork === undefined ? before.fork : markedBy(before.fork, step.fork, at);
  return {
    ...before,
    state: step.state,
    finished,
    skipped,
    accepted: [...before.accepted, { chain, n, digest, sequence }],
    received: sequence,
    lost: before.lost + step.lost,
    held: before.held && !beginsChain(before, step),
    fork,
    lastDhStepAt: beginsChain(before, step) ? at : before.lastDhStepAt,
  };
}

function withinLimits(session: StoredSession, limits: Limits): StoredSession {
  const skippedLast = last(session.skipped, limits.keptKeys);

  const isMissingSome = (chain: number) => skippedLast.some((key) => key.chain === chain);
  const recent = last(session.finished, limits.recentChains);
  const wanted = session.finished.filter((chain) => recent.includes(chain) || isMissingSome(chain.chain));
  const finished = last(wanted, limits.keptChains);

  const gone = new Set(session.finished.filter((chain) => !finished.includes(chain)).map(({ chain }) => chain));
  const skipped = skippedLast.filter((key) => !gone.has(key.chain));
  const accepted = session.accepted.filter(
    ({ chain, sequence }) => sequence > session.received - limits.keptDigests && !gone.has(chain),
  );
  const lost = session.lost + session.skipped.length - skipped.length;
  return { ...session, finished, skipped, accepted, lost };
}

function beginsChain(before: StoredSession, { state }: ReceivingStep): boolean {
  const [old, current] = [before.state.receiving, state.receiving];
  return current.kind === 'chain' && (old.kind === 'awaiting' || old.chain !== current.chain);
}

function last<Element>(elements: readonly Element[], count: number): readonly Element[] {
  return elements.slice(Math.max(0, elements.length - count));
}
