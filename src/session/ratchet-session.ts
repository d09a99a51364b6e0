import { type Content, decodeContent } from '../envelope/index.ts';
import { PawlError } from '../errors.ts';
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

/** A message whose header has authenticated, and the place of its chain. */
export interface Located {
  readonly place: Place;
  readonly opened: OpenedHeader;
}

/** A message that was read: what the ratchet says of it, and the content of one that it accepted. */
export type Read = Exclude<Decrypted, { kind: 'accepted' }> | (AcceptedStep & { readonly content: Content });
type AcceptedStep = Extract<Decrypted, { kind: 'accepted' }>;

/**
 * A session at work in one unit of work: state and persistence. Its state is read once, and what the steps changed is
 * written once, by `save`; nothing that it gives may leave the unit of work before. A step that fails changes nothing.
 */
export class RatchetSession {
  readonly session: Session;
  readonly #transaction: Transaction;
  #state: RatchetState;
  #hasSent = false;
  /** Messages of the current chain that were accepted one after the other. */
  #accepted: Accepted[] = [];

  private constructor(transaction: Transaction, session: Session, state: RatchetState) {
    this.#transaction = transaction;
    this.session = session;
    this.#state = state;
  }

  static async read(transaction: Transaction, session: Session): Promise<RatchetSession> {
    return new RatchetSession(transaction, session, await transaction.ratchetState(session.id));
  }

  /** Seals a padded plaintext as the session's next message. @throws what the ratchet's `encrypt` throws. */
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

  /** Whether a message belongs to the chain that is being received. */
  isOfCurrentChain(message: SealedMessage): boolean {
    const { receiving } = this.#state;
    return receiving.kind === 'chain' && isSealedFor(receiving.header.find, message);
  }

  /** Where a chain of the peer's stands. */
  async placeOf(chain: FindEntry['chain']): Promise<Place> {
    const { receiving } = this.#state;
    if (chain === 'next') return chain;
    if (receiving.kind === 'chain' && receiving.chain === chain) return 'current';
    return this.#transaction.finishedChain(this.session.id, chain);
  }

  /** Opens the header of a message of one of the peer's chains. @throws `corrupt` when the message was altered. */
  locate(message: SealedMessage, place: Place): Located {
    const opened = openHeader(headerKeys(this.#state, place), message, this.session.transcript);
    if (opened === undefined) throw new PawlError('corrupt', { what: 'message' });
    return { place, opened };
  }

  /**
   * Opens a message that was located in this session. Its content is checked before it counts as accepted.
   * @throws what the ratchet's `decrypt` throws, and `corrupt` for a content that no pawl makes.
   */
  async decrypt({ place, opened }: Located, body: Uint8Array, now: number, limits: Limits): Promise<Read> {
    const { id, transcript } = this.session;
    const state = this.#state;
    // Messages that go on in the current chain are gathered. For all others it counts what is kept beside the state.
    const goesOn = place === 'current' && opened.header.n >= currentChain(state).n;
    if (!goesOn) await this.save(now, limits);
    const kept = goesOn ? {} : await this.#keptPosition(state, place, opened.header.n);
    const decrypted = decrypt(state, { place, opened, body }, { kept, associatedData: transcript, limits, now });
    if (kept.messageKey !== undefined) wipe(kept.messageKey);
    if (decrypted.kind === 'fork') await this.#transaction.saveFork(id, decrypted.reason, now);
    if (decrypted.kind !== 'accepted') return decrypted;

    const content = decodeContent(decrypted.plaintext);
    this.#accepted.push({ step: decrypted.step, digest: opened.digest });
    this.#state = decrypted.step.state;
    if (!goesOn) await this.save(now, limits);
    wipeReplaced(state, this.#state);
    return { ...decrypted, content };
  }

  /** Writes what has changed since the last time. `now`: unix milliseconds. */
  async save(now: number, limits: Limits): Promise<void> {
    const accepted = this.#accepted;
    this.#accepted = [];
    if (accepted.length > 0) await this.#transaction.saveReceived(this.session.id, accepted, now, limits);
    for (const { step } of accepted) wipe(...step.gained.map(({ messageKey }) => messageKey));
    if (this.#hasSent) await this.#transaction.saveSent(this.session.id, this.#state);
    this.#hasSent = false;
  }

  /** Overwrites the secrets of the state, which has been saved: the session is not used any more. */
  wipe(): void {
    wipeState(this.#state);
  }

  async #keptPosition(state: RatchetState, place: Place, n: number): Promise<KeptPosition> {
    if (place === 'next') return {};
    const { chain } = place === 'current' ? currentChain(state) : place;
    return this.#transaction.keptPosition(this.session.id, chain, n);
  }
}

function headerKeys(state: RatchetState, place: Place) {
  if (place === 'next') return state.nextReceiving;
  return place === 'current' ? currentChain(state).header : place.header;
}

function currentChain({ receiving }: RatchetState) {
  if (receiving.kind === 'awaiting') throw new PawlError('corrupt', { what: 'message' });
  return receiving;
}
