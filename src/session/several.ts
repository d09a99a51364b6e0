/**
 * Sends to several contacts: for each an envelope of its own, all in one transaction. This is no group: nobody is told who
 * else gets it. Whom nothing can be encrypted for is left out, and keeps nothing back from the others.
 * Does not know of lists, and does not write the envelopes out.
 */
import { type ErrorCode, PawlError } from '../errors.ts';
import { requireContact } from './contacts.ts';
import { sweep } from './maintenance.ts';
import { placeOf, routeOf } from './routes.ts';
import { checkCanSendIn, type SentMessage, sealIntoOutbox } from './send.ts';
import type { Contact, Context, HistorySetting, Transaction } from './store.ts';

/** Several contacts, and how they are sent to. */
export interface Recipients {
  readonly names: readonly string[];
  /** Whether it goes along the route to each: who has none, or a session without boxes, is left out. */
  readonly byRoute: boolean;
  /** Nothing is encrypted for anybody, unless it can be for all. */
  readonly allOrNone: boolean;
}

/** A contact whom nothing was encrypted for. */
export interface LeftOut {
  readonly name: string;
  readonly error: PawlError;
}

/** What was made for each, in their order, and who was left out. */
export interface ForEach<One> {
  readonly made: readonly One[];
  readonly leftOut: readonly LeftOut[];
}

/**
 * Encrypts a content for each of several contacts.
 * @param plaintext the result of `encodeContent`.
 * @returns the messages without their envelopes, all of which may be too much for the memory.
 */
export function sendToEach(
  context: Context,
  recipients: Recipients,
  plaintext: Uint8Array,
): Promise<ForEach<SentMessage>> {
  return forEachRecipient(context, recipients, async (transaction, { name, now, place, historySetting }) => {
    const sealing = { name, plaintexts: [plaintext], now, historySetting, needsBox: place !== undefined };
    const [sent] = await sealIntoOutbox(context, transaction, sealing);
    if (sent === undefined) throw new Error('one plaintext gives one envelope');
    const { envelope: _, ...message } = sent;
    return message;
  });
}

/** Finds out for whom of several contacts nothing could be encrypted now, and why. Changes nothing. */
export async function unreachedOf(
  { store, now }: Pick<Context, 'store' | 'now'>,
  { names, byRoute }: Pick<Recipients, 'names' | 'byRoute'>,
): Promise<readonly LeftOut[]> {
  return store.snapshot(async (view) => {
    const check = (contact: Contact) => checkCanSendIn(view, contact, { needsBox: byRoute, now: now() });
    return (await forEachIn(view, { names, byRoute }, check)).leftOut;
  });
}

/**
 * Does `work` for each contact within a transaction. An error of a contact leaves it out.
 * @param work gets where the contact's route leads, see `placeOf`; `undefined` where that is not to be used.
 */
async function forEachIn<One>(
  view: Transaction,
  { names, byRoute }: Pick<Recipients, 'names' | 'byRoute'>,
  work: (contact: Contact, place: string | undefined) => Promise<One>,
): Promise<ForEach<One>> {
  const routes = byRoute ? await view.routes() : [];
  const made: One[] = [];
  const leftOut: LeftOut[] = [];
  for (const name of names) {
    try {
      const contact = await requireContact(view, name);
      const route = routeOf(routes, contact.id)?.route;
      if (byRoute && route === undefined) throw new PawlError('no-route', { name });
      made.push(await work(contact, route && placeOf(route)));
    } catch (error) {
      if (!isOfContact(error)) throw error;
      leftOut.push({ name, error });
    }
  }
  return { made, leftOut };
}

/** What is known of a contact for whom something is made. */
interface Recipient {
  readonly name: string;
  readonly now: number;
  /** Where its route leads, see `placeOf`; `undefined` where that is not to be used. */
  readonly place: string | undefined;
  readonly historySetting: HistorySetting | undefined;
}

/**
 * Does `work` for each contact in one transaction. An error of a contact leaves it out, so it must come before anything is
 * stored for it.
 */
export async function forEachRecipient<One>(
  context: Context,
  { names, byRoute, allOrNone }: Recipients,
  work: (transaction: Transaction, recipient: Recipient) => Promise<One>,
): Promise<ForEach<One>> {
  const now = context.now();
  try {
    return await context.store.transaction(async (transaction) => {
      const { historySetting } = await sweep(transaction, now);
      const done = await forEachIn(transaction, { names, byRoute }, ({ name }, place) =>
        work(transaction, { name, now, place, historySetting }),
      );
      if (allOrNone && done.leftOut.length > 0) throw new NotForAll(done.leftOut);
      return done;
    });
  } catch (error) {
    if (error instanceof NotForAll) return { made: [], leftOut: error.leftOut };
    throw error;
  }
}

/** Undoes the transaction. */
class NotForAll extends Error {
  readonly leftOut: readonly LeftOut[];

  constructor(leftOut: readonly LeftOut[]) {
    super();
    this.leftOut = leftOut;
  }
}

/** What keeps a message from one contact, and from no other. */
const OF_A_CONTACT: ReadonlySet<ErrorCode> = new Set([
  'unknown-contact',
  'no-session',
  'held',
  'invite-expired',
  'not-begun',
  'exhausted',
  'weak-key',
  'no-route',
  'no-boxes',
]);

function isOfContact(error: unknown): error is PawlError {
  return error instanceof PawlError && OF_A_CONTACT.has(error.code);
}
