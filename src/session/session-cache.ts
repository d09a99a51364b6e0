/**
 * The sessions that one transaction receives over. Each is read once, and written once at the end.
 * Does not decrypt bodies: `ratchet-session.ts` does.
 */
import { PawlError } from '../errors.ts';
import type { Limits, SealedMessage, SessionId } from '../ratchet/index.ts';
import { FindKeys } from './find-keys.ts';
import { type Located, RatchetSession } from './ratchet-session.ts';
import { dropIdleSessions } from './select-session.ts';
import type { Contact, Transaction } from './store.ts';

/** A session in the cache, and its contact. */
export interface CachedSession {
  readonly contact: Contact;
  readonly ratchet: RatchetSession;
  /** Whether another message changes the ratchet only: `settle` has nothing more to do. */
  isSettled: boolean;
}

export class SessionCache {
  readonly #transaction: Transaction;
  readonly #now: number;
  readonly #limits: Limits;
  /** In the order in which they were located, the last one last. */
  readonly #sessions = new Map<SessionId, CachedSession>();
  #last: CachedSession | undefined;
  readonly #findKeys: FindKeys;

  /** @param now unix milliseconds. */
  constructor(transaction: Transaction, now: number, limits: Limits) {
    this.#transaction = transaction;
    this.#now = now;
    this.#limits = limits;
    this.#findKeys = new FindKeys(transaction);
  }

  /**
   * Finds the session of a message by its header key.
   * @param only the only session to search; without it, all are searched.
   * @throws `not-for-you` when no header key fits.
   * @throws `corrupt` when a header key fits and the message was altered.
   */
  async locate(message: SealedMessage, only?: SessionId): Promise<{ session: CachedSession; located: Located }> {
    const last = this.#last;
    if (last?.ratchet.isOfCurrentChain(message) && (only === undefined || only === last.ratchet.session.id)) {
      // It may gain keys, and push out those of a finished chain.
      this.#findKeys.markStale(last.ratchet.session.id);
      return { session: last, located: last.ratchet.locate(message, 'current') };
    }
    const entry = await this.#findKeys.find(message, only);
    if (entry === undefined) throw new PawlError('not-for-you', {});
    this.#findKeys.markStale(entry.session);
    const session = await this.#open(entry.session);
    const located = session.ratchet.locate(message, await session.ratchet.placeOf(entry.chain));
    this.#sessions.delete(entry.session);
    this.#sessions.set(entry.session, session);
    this.#last = session;
    return { session, located };
  }

  /**
   * Applies what an accepted message changes beside the ratchet: an answer removes the prefix of our opening, and the
   * other sessions of the contact grow older.
   */
  async settle(session: CachedSession): Promise<void> {
    const { id, contact, origin } = session.ratchet.session;
    if (origin.role === 'initiator' && origin.prefix !== undefined) await this.#transaction.answerSession(id);
    await this.#transaction.useSession(id);
    const sessions = await this.#transaction.sessions(contact);
    session.isSettled = sessions.length === 1;
    if (sessions.length === 1) return;
    for (const dropped of await dropIdleSessions(this.#transaction, sessions)) {
      this.#sessions.get(dropped)?.ratchet.wipe();
      this.#sessions.delete(dropped);
      this.#findKeys.markStale(dropped);
    }
  }

  /** Writes all changes, and overwrites the sessions' keys in memory. Find keys that cannot have changed stay. */
  async save(): Promise<void> {
    for (const [id, { ratchet }] of this.#sessions) {
      await ratchet.save(this.#now, this.#limits);
      ratchet.wipe();
      // A message that was saved now may have made room for its keys.
      this.#findKeys.markStale(id);
    }
    this.#sessions.clear();
    this.#last = undefined;
  }

  /** Overwrites the find keys in memory: other sessions are stored than before, or nothing more is searched. */
  forgetFindKeys(): void {
    this.#findKeys.forget();
  }

  async #open(id: SessionId): Promise<CachedSession> {
    const known = this.#sessions.get(id);
    if (known !== undefined) return known;
    const session = await this.#transaction.session(id);
    const contact = await this.#transaction.contact(session.contact);
    const ratchet = await RatchetSession.read(this.#transaction, session);
    const opened = { contact, ratchet, isSettled: false };
    this.#sessions.set(id, opened);
    return opened;
  }
}
