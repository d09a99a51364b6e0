import type { ChainReport, SessionReport } from '../../session/index.ts';
import { FORKS, HOLDS } from '../explain.ts';
import type { Document } from '../tell.ts';
import { count, facts } from './page.ts';
import { instant, iso, span } from './time.ts';

/** A stored session as a page. `now`: unix milliseconds. */
export function sessionPage(report: SessionReport, now: number): string {
  const { contact, verified, role, established, skipped, lost, fork, heldUntil } = report;
  const opener = role === 'initiator' ? 'you' : contact;
  return facts([
    ['contact', `${contact} (${verified ? 'verified' : 'unverified'})`],
    ['fingerprint', report.fingerprint],
    ['safety number', report.safetyNumber.slice(0, 35), report.safetyNumber.slice(36)],
    ['session', `${report.id}${report.sends ? '' : ' (not the one that you send on)'}`],
    ['opened', `by ${opener}, ${instant(report.openedAt)}${established ? '' : '; not answered yet'}`],
    ['DH steps', `${report.dhSteps}${lastStep(report, now)}`],
    [
      'sending',
      chain(report.sending, 'begins with your next message'),
      ...(heldUntil === undefined ? [] : [`held: nothing is sent from a restored file before ${HOLDS[heldUntil]}`]),
    ],
    ['receiving', chain(report.receiving, 'nothing yet')],
    ['previous chain', count(report.previousN, 'message')],
    ['skipped keys', ...(skipped.length === 0 ? ['none'] : skippedKeys(report, now))],
    ['lost', lost === 0 ? 'none' : `${count(lost, 'message')} whose keys are gone`],
    ['fork', fork === undefined ? 'none' : `${FORKS[fork.reason]}, ${instant(fork.at)}`],
  ]);
}

/** A stored session as the JSON contract has it. */
export function sessionDocument(report: SessionReport): Document {
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
    kem: { last_mixed_at: null, pending: false },
    fork: report.fork !== undefined,
    held_until: report.heldUntil ?? null,
    fingerprint: report.fingerprint,
    safety_number: report.safetyNumber,
    sends: report.sends,
  };
}

function lastStep({ lastDhStepAt }: SessionReport, now: number): string {
  return lastDhStepAt === undefined ? '' : `; ${span(now - lastDhStepAt)} since their last new chain`;
}

function chain(report: ChainReport | undefined, none: string): string {
  return report === undefined ? none : `chain ${report.fingerprint}, next message ${report.n}`;
}

function skippedKeys({ skipped }: SessionReport, now: number): readonly string[] {
  const shown = skipped
    .slice(0, 10)
    .map(({ chain, n, keptSince }) => `chain ${chain}, message ${n}, kept ${span(now - keptSince)}`);
  const more = skipped.length - shown.length;
  return more > 0 ? [...shown, `and ${more} more`] : shown;
}
