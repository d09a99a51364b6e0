/**
 * A session as a page with its ladder, and as JSON.
 * Reads nothing from the store: it is given a report.
 */
import type { ChainReport, SessionReport } from '../../session/index.ts';
import { FORKS, HOLDS } from '../terminal/error-messages.ts';
import { count, facts, instant, iso, spanInWords } from '../terminal/format.ts';
import type { Document } from '../terminal/reporter.ts';
import { forkFields } from './contact.ts';
import { type Canvas, drawLadder } from './ladder.ts';

/** @param now unix milliseconds. */
export function sessionPage(report: SessionReport, now: number, canvas: Canvas): string {
  const { contact, verified, role, established, skipped, lost, fork, heldUntil } = report;
  const opener = role === 'initiator' ? 'you' : contact;
  const page = facts([
    ['contact', `${contact} (${verified ? 'verified' : 'unverified'})`],
    ['fingerprint', report.fingerprint],
    ['safety number', report.safetyNumber.slice(0, 35), report.safetyNumber.slice(36)],
    ['session', `${report.id}${report.sends ? '' : ' (not the one that you send on)'}`],
    ['opened', `by ${opener}, ${instant(report.openedAt)}${established ? '' : '; not answered yet'}`],
    ['DH steps', `${report.dhSteps}${lastStepWords(report, now)}`],
    ['post-quantum', ...postQuantum(report, now)],
    [
      'sending',
      chainWords(report.sending, 'begins with your next message'),
      ...(heldUntil === undefined ? [] : [`held: nothing is sent before ${HOLDS[heldUntil]}`]),
    ],
    ['receiving', chainWords(report.receiving, 'nothing yet')],
    ['previous chain', count(report.previousN, 'message')],
    ['skipped keys', ...(skipped.length === 0 ? ['none'] : skippedKeyLines(report, now))],
    ['lost', lost === 0 ? 'none' : `${count(lost, 'message')} whose keys are gone`],
    ['fork', ...forkLines(fork)],
  ]);
  return `${page}\n\n${drawLadder(report.ladder, contact, canvas)}`;
}

export function sessionDocument(report: SessionReport): Document {
  const { kem } = report;
  return {
    type: 'session',
    contact: report.contact,
    verified: report.verified,
    id: report.id,
    role: report.role,
    established: report.established,
    opened_at: iso(report.openedAt),
    dh_steps: report.dhSteps,
    sending: report.sending ?? null,
    receiving: report.receiving ?? null,
    previous_n: report.previousN,
    skipped: report.skipped.map(({ chain, n, keptSince }) => ({ chain, n, kept_since: iso(keptSince) })),
    lost: report.lost,
    last_dh_step_at: report.lastDhStepAt === undefined ? null : iso(report.lastDhStepAt),
    kem: {
      last_mixed_at: kem.mixedAtStep === 0 ? null : iso(kem.mixedAt),
      pending: kem.exchange !== 'idle',
    },
    fork: report.fork !== undefined && report.fork.acknowledgedAt === undefined,
    fork_mark: report.fork === undefined ? null : forkFields(report.fork),
    held_until: report.heldUntil ?? null,
    fingerprint: report.fingerprint,
    safety_number: report.safetyNumber,
    sends: report.sends,
  };
}

function forkLines(fork: SessionReport['fork']): readonly string[] {
  if (fork === undefined) return ['none'];
  const { reason, at, acknowledgedAt } = fork;
  const found = `${FORKS[reason]}, ${instant(at)}`;
  return acknowledgedAt === undefined ? [found] : [found, `acknowledged ${instant(acknowledgedAt)}`];
}

function lastStepWords({ lastDhStepAt }: SessionReport, now: number): string {
  return lastDhStepAt === undefined ? '' : `; ${spanInWords(now - lastDhStepAt)} since their last new chain`;
}

/** When a KEM secret was last mixed into the root key, and the state of the next KEM exchange. */
function postQuantum({ kem }: SessionReport, now: number): readonly string[] {
  const by = kem.mixedAtStep === 0 ? 'the handshake' : `step ${kem.mixedAtStep}`;
  return [`KEM secret mixed by ${by}, ${spanInWords(now - kem.mixedAt)} ago`, ...EXCHANGES[kem.exchange]];
}

const EXCHANGES: Readonly<Record<SessionReport['kem']['exchange'], readonly string[]>> = {
  idle: [],
  offered: ['a new key is offered; their next chain answers it'],
  owed: ['a key of theirs waits; your next message answers it'],
};

function chainWords(report: ChainReport | undefined, none: string): string {
  return report === undefined ? none : `chain ${report.fingerprint}, next message ${report.n}`;
}

function skippedKeyLines({ skipped }: SessionReport, now: number): readonly string[] {
  const shown = skipped
    .slice(0, 10)
    .map(({ chain, n, keptSince }) => `chain ${chain}, message ${n}, kept ${spanInWords(now - keptSince)}`);
  const more = skipped.length - shown.length;
  return more > 0 ? [...shown, `and ${more} more`] : shown;
}
