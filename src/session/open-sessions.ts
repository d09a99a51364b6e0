import { PawlError } from '../errors.ts';
import { isSealedFor, type Limits, type SealedMessage, type SessionId } from '../ratchet/index.ts';
import { type Located, RatchetSession } from './ratchet-session.ts';
import { dropIdleSessions } from './select-session.ts';
import type { Contact, Transaction } from './store.ts';

/** A session that a message was found for, and whose it is. */
export interface AtWork {
  readonly contact: Contact;
  readonly ratchet: RatchetSession;
  /** Whether one more message changes nothing beside the ratchet. */
  isSettled: boolean;
}

/** The sessions that one unit of work receives over: each is read once, and written at the end. */
export class SessionsAtWork {
  readonly #transaction: Transaction;
  readonly #now: number;
  readonly #limits: Limits;
  /** The one that was found last comes last. */
  readonly #sessions = new Map<SessionId, AtWork>();
  #last: AtWork | undefined;

  /** @param now unix milliseconds. */
  constructor(transaction: Transaction, now: number, limits: Limits) {
    this.#transaction = transaction;
    this.#now = now;
    this.#limits = limits;
  }

  /**
   * Finds the session of a message by its header key, among all sessions or in `only` one.
   * @throws `not-for-you` when no header key fits, `corrupt` when one does and the message was altered.
   */
  async locate(message: SealedMessage, only?: SessionId): Promise<{ session: AtWork; located: Located }> {
    const last = this.#last;
    if (last?.ratchet.isOfCurrentChain(message) && (only === undefined || only === last.ratchet.session.id)) {
      return { session: last, located: last.ratchet.locate(message, 'current') };
    }
    const entry = await this.#transaction.findEntry(({ find }) => isSealedFor(find, message), only);
    if (entry === undefined) throw new PawlError('not-for-you', {});
    const session = await this.#open(entry.session);
    const located = session.ratchet.locate(message, await session.ratchet.placeOf(entry.chain));
    this.#sessions.delete(entry.session);
    this.#sessions.set(entry.session, session);
    this.#last = session;
    return { session, located };
  }

  /**
   * What an accepted message changes beside the ratchet: an answer ends our opening; and what is received over one session
   * lets the contact's others age.
   */
  async settle(session: AtWork): Promise<void> {
    const { id, contact, origin } = session.ratchet.session;
    if (origin.role === 'initiator' && origin.prefix !== undefined) await this.#transaction.answerSession(id);
    await this.#transaction.useSession(id);
    const sessions = await this.#transaction.sessions(contact);
    session.isSettled = sessions.length === 1;
    if (sessions.length === 1) return;
    for (const dropped of await dropIdleSessions(this.#transaction, sessions)) this.#sessions.delete(dropped);
  }

  /** Writes what has changed, and lets the sessions go: the store is asked for them again. */
  async save(): Promise<void> {
    for (const { ratchet } of this.#sessions.values()) {
      await ratchet.save(this.#now, this.#limits);
      ratchet.wipe();
    }
    this.#sessions.clear();
    this.#last = undefined;
  }

  async #open(id: SessionId): Promise<AtWork> {
    const known = this.#sessions.get(id);
    if (known !== undefined) return known;
    const session = await this.#transaction.session(id);
    const contact = await this.#transaction.contact(session.contact);
    const opened = { contact, ratchet: await RatchetSession.read(this.#transaction, session), isSettled: false };
    this.#sessions.set(id, opened);
    return opened;
  }
}
