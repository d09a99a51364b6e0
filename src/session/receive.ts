/**
 * Receives envelopes: decrypts them and puts their texts into the inbox, in one transaction (docs/PROTOCOL.md §8).
 * Does not decode envelopes and does not know how texts are delivered.
 */
import type { Content, ContentHead, MessageEnvelope } from '../envelope/index.ts';
import { type ErrorCode, PawlError } from '../errors.ts';
import { LIMITS, type Limits } from '../ratchet/index.ts';
import { acceptFirst, prefixDigest } from './accept-opening.ts';
import { dropDelivered } from './history.ts';
import { defer, Inbox, QUOTA, type Settled, TIME_LIMIT } from './inbox.ts';
import { announce, refuseExcessIncoming } from './incoming.ts';
import { sweep } from './maintenance.ts';
import type { AcceptedMessage, Notice, Outcome } from './outcome.ts';
import { SessionCache } from './session-cache.ts';
import type { Amount, Contact, Context, Transaction } from './store.ts';

/** An envelope of the input. `source` is its position there. */
export interface Arrival {
  readonly source: string;
  readonly envelope: MessageEnvelope;
}

/** The options of `receive`. */
export interface ReceiveOptions {
  /** The name of the only contact to accept from. */
  readonly from?: string;
  /** The most message keys to derive for one gap; 2,000 by default. */
  readonly gap?: number;
  /** Whether this command can deliver a content. Others are put into the inbox for a later one. */
  readonly delivers?: (head: ContentHead) => boolean;
  /** The most that may wait of one contact. */
  readonly quota?: Amount;
  /** What has become of texts since the last call. */
  readonly settled?: Settled;
}

/** The result of `receive`. */
export interface Reception {
  /** One for each envelope, in their order. May be fewer than envelopes: the caller passes the rest again. */
  readonly outcomes: Outcome[];
  /** The names of contacts of whom messages were found to be missing. */
  readonly gaps: ReadonlySet<string>;
}

/** What all messages of one transaction share. */
interface ReceiveRun {
  readonly inbox: Inbox;
  readonly sessions: SessionCache;
  readonly now: number;
  readonly limits: Limits;
  /** The name of the only contact to accept from. */
  readonly only: string | undefined;
  readonly gaps: Set<string>;
}

/**
 * Receives envelopes in any order. The new ratchet states and the texts are committed together, before anything is
 * returned. A refused envelope changes nothing and does not prevent the others from being received.
 * @throws `busy`, `replaced`, `write-failed`, `damaged`.
 */
export async function receive(
  context: Context,
  arrivals: readonly Arrival[],
  options: ReceiveOptions,
): Promise<Reception> {
  const now = context.now();
  const limits = { ...LIMITS, gap: options.gap ?? LIMITS.gap };
  const { delivers = () => true, quota = QUOTA, settled } = options;
  return context.store.transaction(async (transaction) => {
    const sessions = new SessionCache(transaction, now, limits);
    const inbox = new Inbox(transaction, context, { delivers, quota, now });
    const run: ReceiveRun = { inbox, sessions, now, limits, only: options.from, gaps: new Set() };
    const { historySetting } = await sweep(transaction, now);
    if (settled !== undefined) {
      await dropDelivered(transaction, settled.delivered, historySetting, now);
      await defer(context, transaction, settled);
    }
    const outcomes: Outcome[] = [];
    for (const arrival of arrivals) {
      outcomes.push(await receiveOne(transaction, arrival, run));
      if (context.now() - now > TIME_LIMIT) break;
    }
    await sessions.save();
    sessions.forgetFindKeys();
    return { outcomes, gaps: run.gaps };
  });
}

/** The errors that refuse one message. They are thrown before anything of it is saved; all other errors end the run. */
const REFUSALS: ReadonlySet<ErrorCode> = new Set([
  'clock-ahead',
  'corrupt',
  'gap-too-large',
  'identity-changed',
  'inbox-full',
  'invite-expired',
  'invite-spent',
  'invite-used-up',
  'invite-withdrawn',
  'kem-missing',
  'not-for-you',
  'other-sender',
  'self',
  'too-many-incoming',
  'unknown-invite',
  'weak-key',
] satisfies ErrorCode[]);

async function receiveOne(
  transaction: Transaction,
  { envelope, source }: Arrival,
  { inbox, sessions, now, limits, only, gaps }: ReceiveRun,
): Promise<Outcome> {
  let from: string | undefined;
  const refuseOther = (name: string): void => {
    from = name;
    if (only !== undefined && only !== name) throw new PawlError('other-sender', { from: name });
  };
  /** `contact`: `undefined` for a new one, of whom nothing waits. */
  const refuseExcess = async (contact: Contact | undefined, content: Content): Promise<void> => {
    if (content.type === 'descriptor') await refuseExcessIncoming(transaction, contact, content);
    else if (contact !== undefined) await inbox.refuseExcess(contact, content);
  };
  const admit = async (content: Content, name: string, known?: Contact): Promise<void> => {
    refuseOther(name);
    await refuseExcess(known, content);
  };
  const take = async (message: AcceptedMessage): Promise<Outcome> => {
    if (message.skipped > 0) gaps.add(message.contact.name);
    const { content } = message;
    if (content.type === 'descriptor') return announce(transaction, { ...message, content }, now);
    return inbox.put({ ...message, content });
  };
  try {
    const { kind, message } = envelope;
    const opened = kind === 'opening' ? await transaction.sessionOfPrefix(prefixDigest(envelope.prefix)) : undefined;
    if (kind === 'opening' && opened === undefined) {
      // Accepting an opening may drop sessions of the contact, so they must not be in the cache.
      await sessions.save();
      const first = await acceptFirst(transaction, envelope.prefix, message, { now, limits, admit });
      if (first !== undefined) sessions.forgetFindKeys();
      return first === undefined ? { type: 'forgotten', from: undefined, source } : await take(first);
    }
    const { session, located } = await sessions.locate(message, opened?.id);
    const { contact, ratchet } = session;
    refuseOther(contact.name);
    const decrypted = await ratchet.decrypt(located, message.body, {
      now,
      limits,
      admit: (content) => refuseExcess(contact, content),
    });
    const { digest: id, header } = located.opened;
    switch (decrypted.kind) {
      case 'duplicate':
      case 'too-late':
        return { type: decrypted.kind, from: contact.name, id, n: header.n, source };
      case 'fork':
        return { type: 'refused', from, error: new PawlError('fork', { reason: decrypted.reason, at: now }), source };
      case 'accepted': {
        if (!session.isSettled) await sessions.settle(session);
        const { plaintext, content, step } = decrypted;
        const notices: Notice[] = step.fork === undefined ? [] : [{ kind: 'fork', reason: step.fork, at: now }];
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
