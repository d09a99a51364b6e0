/**
 * A session within one transaction: its ratchet state, and what has to be saved of it.
 * Does not find the session of a message (`session-cache.ts` does) and knows no contact.
 */
import { type Content, decodeContent } from '../envelope/index.ts';
import { type ForkReason, PawlError } from '../errors.ts';
import { type Random, wipe } from '../primitives/index.ts';
import {
  type Accepted,
  type Decrypted,
  decrypt,
  encrypt,
  type FindEntry,
  isSealedFor,
  type KeptPosition,
  type Limits,
  type OpenedHeader,
  openHeader,
  type Place,
  type RatchetState,
  type SealedMessage,
  wipeReplaced,
  wipeState,
} from '../ratchet/index.ts';
import type { Session, Transaction } from './store.ts';

/** A message whose header has been opened, and the chain that it belongs to. */
export interface Located {
  readonly place: Place;
  readonly opened: OpenedHeader;
}

/** The result of decrypting a message, with the decoded content if the ratchet accepted it. */
export type DecryptedMessage =
  | Exclude<Decrypted, { kind: 'accepted' }>
  | (AcceptedStep & { readonly content: Content });
type AcceptedStep = Extract<Decrypted, { kind: 'accepted' }>;

/**
 * Advances the state in memory, and writes it in `save`. Results must not leave the transaction before `save` has run
 * and the transaction has committed. A step that throws changes nothing.
 */
export class RatchetSession {
  readonly session: Session;
  readonly #transaction: Transaction;
  #state: RatchetState;
  #hasSent = false;
  /** The accepted messages that are not saved yet. */
  #accepted: Accepted[] = [];

  private constructor(transaction: Transaction, session: Session, state: RatchetState) {
    this.#transaction = transaction;
    this.session = session;
    this.#state = state;
  }

  /** Reads the state of a session. */
  static async read(transaction: Transaction, session: Session): Promise<RatchetSession> {
    return new RatchetSession(transaction, session, await transaction.ratchetState(session.id));
  }

  /**
   * Encrypts a padded plaintext as the next message of the session.
   * @param now unix milliseconds.
   * @throws what the ratchet's `encrypt` throws.
   */
  encrypt(plaintext: Uint8Array, random: Random, now: number): { message: SealedMessage; n: number; id: Uint8Array } {
    const before = this.#state;
    const { state, message, header, id } = encrypt(before, plaintext, {
      associatedData: this.session.transcript,
      random,
      now,
    });
    this.#state = state;
    this.#hasSent = true;
    wipeReplaced(before, state);
    return { message, n: header.n, id };
  }

  /** Tells whether a message belongs to the current receiving chain. */
  isOfCurrentChain(message: SealedMessage): boolean {
    const { receiving } = this.#state;
    return receiving.kind === 'chain' && isSealedFor(receiving.header.find, message);
  }

  /** Returns the place of a receiving chain: the next one, the current one, or a finished one that is read. */
  async placeOf(chain: FindEntry['chain']): Promise<Place> {
    const { receiving } = this.#state;
    if (chain === 'next') return chain;
    if (receiving.kind === 'chain' && receiving.chain === chain) return 'current';
    return this.#transaction.finishedChain(this.session.id, chain);
  }

  /**
   * Opens the header of a message.
   * @throws `corrupt` when the message was altered.
   */
  locate(message: SealedMessage, place: Place): Located {
    const opened = openHeader(headerKeys(this.#state, place), message, this.session.transcript);
    if (opened === undefined) throw new PawlError('corrupt', { what: 'message' });
    return { place, opened };
  }

  /**
   * Decrypts a located message and decodes its content.
   * @param options.now unix milliseconds.
   * @param options.admit is called with the content of a message, and throws to refuse it.
   * @throws what the ratchet's `decrypt` and `options.admit` throw.
   * @throws `corrupt` for a content that does not decode. The message is not accepted then.
   */
  async decrypt(
    { place, opened }: Located,
    body: Uint8Array,
    { now, limits, admit }: { now: number; limits: Limits; admit?: (content: Content) => Promise<void> },
  ): Promise<DecryptedMessage> {
    const { transcript } = this.session;
    const state = this.#state;
    // Messages in order on the current chain are saved together. Any other message reads stored positions first.
    const goesOn = place === 'current' && opened.header.n >= currentChain(state).n;
    if (!goesOn) await this.save(now, limits);
    const kept = goesOn ? {} : await this.#keptPosition(state, place, opened.header.n);
    const decrypted = decrypt(state, { place, opened, body }, { kept, associatedData: transcript, limits, now });
    if (kept.messageKey !== undefined) wipe(kept.messageKey);
    if (decrypted.kind === 'fork') await this.#saveFork(decrypted.reason, now);
    if (decrypted.kind !== 'accepted') return decrypted;

    const content = await admitted(decrypted, admit).catch((error) => {
      wipeReplaced(decrypted.step.state, state);
      wipe(...decrypted.step.gained.map(({ messageKey }) => messageKey));
      throw error;
    });
    this.#accepted.push({ step: decrypted.step, digest: opened.digest });
    this.#state = decrypted.step.state;
    if (!goesOn) await this.save(now, limits);
    wipeReplaced(state, this.#state);
    return { ...decrypted, content };
  }

  /**
   * Writes the changes since the last call.
   * @param now unix milliseconds.
   */
  async save(now: number, limits: Limits): Promise<void> {
    const accepted = this.#accepted;
    this.#accepted = [];
    if (accepted.length > 0) await this.#transaction.saveReceived(this.session.id, accepted, now, limits);
    for (const { step } of accepted) wipe(...step.gained.map(({ messageKey }) => messageKey));
    if (this.#hasSent) await this.#transaction.saveSent(this.session.id, this.#state);
    this.#hasSent = false;
  }

  /** Overwrites its secrets in memory, also those that were not saved. The session is not used afterwards. */
  wipe(): void {
    for (const { step } of this.#accepted) wipe(...step.gained.map(({ messageKey }) => messageKey));
    wipeState(this.#state);
  }

  /** Marks the fork. Where it shows that our file is behind what was sent from it, nothing more is sent from it. */
  async #saveFork(reason: ForkReason, now: number): Promise<void> {
    const { id, contact } = this.session;
    await this.#transaction.saveFork(id, reason, now);
    if (reason === 'answer-to-an-unknown-chain') await this.#transaction.holdSessions(contact);
  }

  async #keptPosition(state: RatchetState, place: Place, n: number): Promise<KeptPosition> {
    if (place === 'next') return {};
    const { chain } = place === 'current' ? currentChain(state) : place;
    return this.#transaction.keptPosition(this.session.id, chain, n);
  }
}

async function admitted(
  { plaintext }: AcceptedStep,
  admit: ((content: Content) => Promise<void>) | undefined,
): Promise<Content> {
  const content = decodeContent(plaintext);
  await admit?.(content);
  return content;
}

function headerKeys(state: RatchetState, place: Place) {
  if (place === 'next') return state.nextReceiving;
  return place === 'current' ? currentChain(state).header : place.header;
}

function currentChain({ receiving }: RatchetState) {
  if (receiving.kind === 'awaiting') throw new PawlError('corrupt', { what: 'message' });
  return receiving;
}
