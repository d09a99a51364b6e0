import type { Envelope } from '../envelope/index.ts';
import { type ErrorCode, PawlError } from '../errors.ts';
import { LIMITS, type Limits } from '../ratchet/index.ts';
import { acceptFirst, prefixDigest } from './accept-opening.ts';
import { dropDelivered } from './history.ts';
import { claim, keep, leftBehind } from './inbox.ts';
import { sweep } from './maintenance.ts';
import { SessionsAtWork } from './open-sessions.ts';
import type { AcceptedMessage, Delivery, Notice, Outcome } from './outcome.ts';
import type { Context, InboxId, Transaction } from './store.ts';

/** An envelope of the input; `source` says where it stood. */
export interface Arrival {
  readonly source: string;
  readonly envelope: Exclude<Envelope, { kind: 'invite' }>;
}

export interface ReceiveOptions {
  /** Accept from this contact only. */
  readonly from?: string;
  /** Keys derived for one gap, instead of 2,000. */
  readonly gap?: number;
  /** Deliver texts that were accepted before and never delivered, too, or count them. */
  readonly earlier?: 'deliver' | 'count';
  /** Texts that have been written meanwhile, and leave the inbox. */
  readonly delivered?: readonly InboxId[];
}

export interface Reception {
  /** Texts accepted by earlier commands and not known to be delivered, oldest first. */
  readonly earlier: readonly Delivery[];
  /** One for each envelope, in their order. Where they take too long, the last ones are left for another time. */
  readonly outcomes: readonly Outcome[];
  /** How many earlier texts still wait, where it was asked for. */
  readonly waiting: number;
  /** The contacts of whom messages were found to be missing: they may come yet, or be lost. */
  readonly gaps: ReadonlySet<string>;
}

interface Unit {
  readonly context: Context;
  readonly sessions: SessionsAtWork;
  readonly now: number;
  readonly limits: Limits;
  readonly only: string | undefined;
  readonly gaps: Set<string>;
}

/** After so many milliseconds a unit of work takes no more: other commands wait for five seconds. */
const LONGEST = 1_000;

/**
 * Receives envelopes, in any order: the new ratchet states and the texts are committed together, and nothing is handed
 * out before. One that is refused changes nothing and keeps none of the others back.
 */
export async function receive(
  context: Context,
  arrivals: readonly Arrival[],
  options: ReceiveOptions,
): Promise<Reception> {
  const now = context.now();
  const limits = { ...LIMITS, gap: options.gap ?? LIMITS.gap };
  return context.store.transaction(async (transaction) => {
    const sessions = new SessionsAtWork(transaction, now, limits);
    const unit: Unit = { context, sessions, now, limits, only: options.from, gaps: new Set() };
    const { keeping } = await sweep(transaction, now);
    await dropDelivered(transaction, options.delivered ?? [], keeping, now);
    const waiting = options.earlier === undefined ? [] : await leftBehind(context, transaction);
    const earlier: Delivery[] = [];
    for (const { id, process } of options.earlier === 'deliver' ? waiting : []) {
      earlier.push(await claim(context, transaction, id, process !== undefined));
    }
    const outcomes: Outcome[] = [];
    for (const arrival of arrivals) {
      outcomes.push(await receiveOne(transaction, arrival, unit));
      if (context.now() - now > LONGEST) break;
    }
    await sessions.save();
    return { earlier, outcomes, waiting: waiting.length - earlier.length, gaps: unit.gaps };
  });
}

/** What can be said against one message. These are thrown before anything of it is saved. */
const REFUSALS: ReadonlySet<ErrorCode> = new Set([
  'clock-ahead',
  'corrupt',
  'gap-too-large',
  'identity-changed',
  'invite-expired',
  'invite-spent',
  'invite-used-up',
  'kem-missing',
  'not-for-you',
  'other-sender',
  'self',
  'unknown-invite',
  'weak-key',
] satisfies ErrorCode[]);

async function receiveOne(
  transaction: Transaction,
  { envelope, source }: Arrival,
  { context, sessions, now, limits, only, gaps }: Unit,
): Promise<Outcome> {
  let from: string | undefined;
  const admit = (name: string): void => {
    from = name;
    if (only !== undefined && only !== name) throw new PawlError('other-sender', { from: name });
  };
  const take = (message: AcceptedMessage): Promise<Delivery> => {
    if (message.skipped > 0) gaps.add(message.contact.name);
    return keep(transaction, message, context, now);
  };
  try {
    const { kind, message } = envelope;
    const opened = kind === 'opening' ? await transaction.sessionOfPrefix(prefixDigest(envelope.prefix)) : undefined;
    if (kind === 'opening' && opened === undefined) {
      // A contact's sessions are about to change.
      await sessions.save();
      const first = await acceptFirst(transaction, envelope.prefix, message, { now, limits, admit });
      return first === undefined ? { type: 'forgotten', from: undefined, source } : await take(first);
    }
    const { session, located } = await sessions.locate(message, opened?.id);
    const { contact, ratchet } = session;
    admit(contact.name);
    const read = await ratchet.decrypt(located, message.body, now, limits);
    const { digest: id, header } = located.opened;
    switch (read.kind) {
      case 'duplicate':
      case 'too-late':
        return { type: read.kind, from: contact.name, id, n: header.n, source };
      case 'fork':
        return { type: 'refused', from, error: new PawlError('fork', { reason: read.reason }), source };
      case 'accepted': {
        if (!session.isSettled) await sessions.settle(session);
        const { plaintext, content, step } = read;
        const notices: Notice[] = step.fork === undefined ? [] : [{ kind: 'fork', reason: step.fork }];
        const { late, lost, gained } = step;
        return await take({
          contact,
          id,
          n: header.n,
          late,
          plaintext,
          content,
          lost,
          skipped: gained.length,
          notices,
        });
      }
    }
  } catch (error) {
    if (!(error instanceof PawlError && REFUSALS.has(error.code))) throw error;
    return { type: 'refused', from, error, source };
  }
}
