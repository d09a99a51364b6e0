/**
 * The inbox: texts that are accepted and not yet known to be delivered (docs/PROTOCOL.md §8).
 * Does not know where texts are delivered to.
 */
import { type ContentHead, decodeWhole, headOf, type WholeContent } from '../envelope/index.ts';
import { PawlError } from '../errors.ts';
import { claimsOf, claimTime, LEASE } from './claims.ts';
import { dropDelivered } from './history.ts';
import { correctTimes, sweep } from './maintenance.ts';
import { type AcceptedMessage, type Delivery, noticesOf, type Waiting } from './outcome.ts';
import type { Amount, Contact, ContactId, Context, InboxId, ListedInboxEntry, Transaction } from './store.ts';

/** Nothing further is begun in a transaction after this many milliseconds: other commands wait for five seconds. */
export const TIME_LIMIT = 1_000;

/**
 * The most that waits of one contact. Two dozen files of the largest size may wait; what a peer can fill the disk with is
 * bounded.
 */
export const QUOTA: Amount = { texts: 10_000, bytes: 512 * 2 ** 20 };

/** The most bytes that are read in one snapshot, if they are of more than one text. */
const READ_TOGETHER = 2 ** 20;

/** What became of texts that this process had to deliver. */
export interface Settled {
  /** They have been written out, and leave the inbox. */
  readonly delivered: readonly InboxId[];
  /** They could not be written out, and wait for a later command. */
  readonly deferred: readonly InboxId[];
  /** The same, because the command that they were given to has failed. */
  readonly failed?: readonly InboxId[];
}

/** How often a command is given a text on which it fails, before that waits for its owner. */
export const TRIES = 10;

/** The pauses after the first failures, in milliseconds; the last one holds for all further ones. */
const PAUSES = [1_000, 10_000, 60_000, 600_000, 3_600_000];

/** A text that no running process delivers: its process has ended, or it waits for a command that can deliver it. */
export interface WaitingText extends Pick<ListedInboxEntry, 'tries' | 'triedAt'> {
  readonly inboxId: InboxId;
  readonly from: string;
  readonly head: ContentHead;
  /** The process that has ended. */
  readonly process: string | undefined;
}

/** A text that this process delivers. `again`: another process may have delivered it already. */
export interface Claim {
  readonly inboxId: InboxId;
  readonly again: boolean;
  /** By the clock of claims. */
  readonly claimedAt: number;
}

/** What one transaction puts into the inbox. */
export class Inbox {
  readonly #transaction: Transaction;
  readonly #context: Context;
  readonly #options: InboxOptions;
  readonly #waiting = new Map<ContactId, Amount>();

  constructor(transaction: Transaction, context: Context, options: InboxOptions) {
    this.#transaction = transaction;
    this.#context = context;
    this.#options = options;
  }

  /**
   * Refuses a text of a contact of whom too much waits: either more than the quota does already, or this one would wait,
   * too. A text that is delivered at once needs no room.
   * @throws `inbox-full`.
   */
  async refuseExcess({ id, name }: Pick<Contact, 'id' | 'name'>, content: WholeContent): Promise<void> {
    const { delivers, quota } = this.#options;
    const head = headOf(content);
    const { texts, bytes } = await this.#waitingOf(id);
    const [more, length] = delivers(head) ? [0, 0] : [1, head.length];
    if (texts + more > quota.texts || bytes + length > quota.bytes) {
      throw new PawlError('inbox-full', { name, texts, bytes });
    }
  }

  /** Puts an accepted message into the inbox: for this process to deliver if it can, else for a later one. */
  async put(message: AcceptedMessage<WholeContent>): Promise<Delivery | Waiting> {
    const { contact, id, n, late, plaintext, content } = message;
    const { delivers, now } = this.#options;
    const head = headOf(content);
    const isOurs = delivers(head);
    const claimedAt = claimTime(this.#context);
    const inboxId = await this.#transaction.addToInbox(
      {
        contact: contact.id,
        messageId: id,
        n,
        late,
        head,
        receivedAt: now,
        process: isOurs ? this.#context.process : undefined,
        claimedAt,
      },
      plaintext,
    );
    const notices = noticesOf(message);
    const from = contact.name;
    if (isOurs) {
      const verified = contact.verifiedAt !== undefined;
      return { type: 'message', inboxId, claimedAt, from, verified, id, n, late, again: false, content, notices };
    }
    const { texts, bytes } = await this.#waitingOf(contact.id);
    this.#waiting.set(contact.id, { texts: texts + 1, bytes: bytes + head.length });
    return { type: 'waiting', from, head, notices };
  }

  async #waitingOf(contact: ContactId): Promise<Amount> {
    const known = this.#waiting.get(contact) ?? (await this.#transaction.waitingOf(contact, this.#context.process));
    this.#waiting.set(contact, known);
    return known;
  }
}

export interface InboxOptions {
  /** Whether this process can deliver a content. */
  readonly delivers: (head: ContentHead) => boolean;
  readonly quota: Amount;
  /** Unix milliseconds. */
  readonly now: number;
}

/** Lists the texts that no running process delivers, oldest first. Reads none of them. */
export async function listWaiting(context: Context): Promise<readonly WaitingText[]> {
  const { isHeld } = claimsOf(context);
  return context.store.snapshot(async (view) => {
    const inbox = await view.inbox();
    const names = new Map<ContactId, string>();
    for (const { contact } of inbox) if (!names.has(contact)) names.set(contact, (await view.contact(contact)).name);
    return inbox
      .filter(({ process, claimedAt }) => !isHeld(process, claimedAt))
      .map(({ id, contact, head, process, tries, triedAt }) => ({
        inboxId: id,
        from: names.get(contact) ?? '',
        head,
        process,
        tries,
        triedAt,
      }));
  });
}

/** Whether a command has failed on a text so often that it is not given it again unasked. */
export function isGivenUp({ tries }: Pick<WaitingText, 'tries'>): boolean {
  return tries >= TRIES;
}

/**
 * How long a text is not given to a command again on which it has failed.
 * @param now unix milliseconds, by the clock of claims: another machine may have given it.
 * @returns milliseconds from now on; 0 where it may be given to it.
 */
export function pauseOf({ tries, triedAt }: Pick<WaitingText, 'tries' | 'triedAt'>, now: number): number {
  if (triedAt === undefined) return 0;
  const pause = PAUSES[Math.min(tries, PAUSES.length) - 1] ?? 0;
  // A clock that was turned back must not make it rest for ever.
  return Math.max(0, pause - Math.abs(now - triedAt));
}

/**
 * Counts the texts that a process of another machine or container has, if it still runs. `until`: when all of them are
 * given to others, by our own clock, in unix milliseconds.
 */
export async function listLent(
  context: Context,
): Promise<{ readonly texts: number; readonly until: number; readonly processes: readonly string[] }> {
  const lent = await lentTexts(context);
  const latest = lent.reduce((sofar, { claimedAt }) => Math.max(sofar, claimedAt), 0);
  const processes = [...new Set(lent.flatMap(({ process }) => process ?? []))];
  return { texts: lent.length, until: latest + LEASE - (context.store.clockAhead ?? 0), processes };
}

/** In how many milliseconds a text that another machine or container has is given to others; `undefined`: there is none. */
export async function untilLeaseEnds(context: Context): Promise<number | undefined> {
  const lent = await lentTexts(context);
  if (lent.length === 0) return undefined;
  return Math.max(0, Math.min(...lent.map(({ claimedAt }) => claimedAt)) + LEASE - claimTime(context));
}

async function lentTexts(context: Context) {
  const { isLent } = claimsOf(context);
  const inbox = await context.store.snapshot((view) => view.inbox());
  return inbox.filter(({ process, claimedAt }) => isLent(process, claimedAt));
}

/**
 * Takes over the delivery of texts.
 * @param texts of `listWaiting`; those are passed over that another process has taken since, or whose claim was renewed.
 */
export async function claim(context: Context, texts: readonly WaitingText[], settled: Settled): Promise<Claim[]> {
  const now = context.now();
  const { isHeld } = claimsOf(context);
  return context.store.transaction(async (transaction) => {
    const { historySetting } = await sweep(transaction, now);
    await dropDelivered(transaction, settled.delivered, historySetting, now);
    await defer(context, transaction, settled);
    const claims: Claim[] = [];
    const claimedAt = claimTime(context);
    for (const { inboxId, process } of texts) {
      const entry = await transaction.inboxEntry(inboxId);
      if (entry === undefined || isHeld(entry.process, entry.claimedAt)) continue;
      const isTaken = await transaction.handOver(inboxId, process, context.process, claimedAt);
      if (isTaken) claims.push({ inboxId, again: process !== undefined, claimedAt });
    }
    return claims;
  });
}

/**
 * Claims a text anew that this process has: another machine may take it over when a claim is old. Notes what has become of
 * others.
 * @returns how often a command has failed on it; `undefined` where this process does not have it any more.
 */
export async function claimAgain(context: Context, id: InboxId, settled: Settled): Promise<number | undefined> {
  const { process } = context;
  const now = context.now();
  return context.store.transaction(async (transaction) => {
    const { historySetting } = await sweep(transaction, now);
    await dropDelivered(transaction, settled.delivered, historySetting, now);
    await defer(context, transaction, settled);
    const isOurs = await transaction.handOver(id, process, process, claimTime(context));
    return isOurs ? (await transaction.inboxEntry(id))?.tries : undefined;
  });
}

/**
 * Reads texts that this process delivers, one large or a few small ones, and takes their claims out of the array. Those
 * that are gone from the inbox, or that another process has taken over, are left out.
 */
export async function readClaimed({ store, process }: Context, claims: Claim[]): Promise<Delivery[]> {
  const { deliveries, read } = await store.snapshot(async (view) => {
    const found: Delivery[] = [];
    let bytes = 0;
    for (const [index, { inboxId, again }] of claims.entries()) {
      const entry = await view.inboxEntry(inboxId);
      if (entry?.process !== process) continue;
      bytes += entry.head.length;
      if (found.length > 0 && bytes > READ_TOGETHER) return { deliveries: found, read: index };
      found.push(await deliveryOf(view, entry, again));
    }
    return { deliveries: found, read: claims.length };
  });
  claims.splice(0, read);
  return deliveries;
}

/**
 * Removes delivered texts from the inbox, and lets the deferred ones wait for the next command. Takes several
 * transactions where one would take long.
 */
export async function acknowledgeDelivered(context: Context, settled: Settled): Promise<void> {
  const { delivered, deferred, failed = [] } = settled;
  if (delivered.length + deferred.length + failed.length === 0) return;
  for (let at = 0; ; ) {
    const first = at;
    at = await context.store.transaction(async (transaction) => {
      const begin = context.now();
      const historySetting = delivered.length > 0 ? await transaction.historySetting() : undefined;
      if (historySetting !== undefined || failed.length > 0) await correctTimes(transaction, begin);
      if (first === 0) await defer(context, transaction, settled);
      // At least one, however slow.
      let done = first;
      do {
        await dropDelivered(transaction, delivered.slice(done, done + 1), historySetting, begin);
        done += 1;
      } while (done < delivered.length && context.now() - begin <= TIME_LIMIT);
      return done;
    });
    if (at >= delivered.length) return;
  }
}

/** Those of a contact that was forgotten in the meantime are gone. */
export async function defer(
  context: Context,
  transaction: Transaction,
  { deferred, failed = [] }: Settled,
): Promise<void> {
  const at = claimTime(context);
  for (const id of [...deferred, ...failed]) await transaction.handOver(id, context.process, undefined, at);
  for (const id of failed) await transaction.noteTry(id, at);
}

async function deliveryOf(view: Transaction, entry: ListedInboxEntry, again: boolean): Promise<Delivery> {
  const { id: inboxId, contact, messageId: id, n, late, claimedAt } = entry;
  const { name: from, verifiedAt } = await view.contact(contact);
  const content = decodeWhole((await view.inboxContent(inboxId)) ?? new Uint8Array(0));
  return {
    type: 'message',
    inboxId,
    claimedAt,
    from,
    verified: verifiedAt !== undefined,
    id,
    n,
    late,
    again,
    content,
    notices: [],
  };
}
