import { type Content, decodeContent } from '../envelope/index.ts';
import { type Random, wipe } from '../primitives/index.ts';
import {
  type Decrypted,
  decrypt,
  encrypt,
  type KeptPosition,
  type Limits,
  type SealedMessage,
  wipeState,
  wipeStep,
} from '../ratchet/index.ts';
import type { Located } from './locate.ts';
import type { Session, Transaction } from './store.ts';

/** A message that was read: what the ratchet says of it, and the content of one that it accepted. */
export type Read = Exclude<Decrypted, { kind: 'accepted' }> | (Accepted & { readonly content: Content });
type Accepted = Extract<Decrypted, { kind: 'accepted' }>;

/** A session at work: state and persistence. A step is saved before its result is handed out, and a failed one never. */
export class RatchetSession {
  readonly #transaction: Transaction;
  readonly #session: Session;

  constructor(transaction: Transaction, session: Session) {
    this.#transaction = transaction;
    this.#session = session;
  }

  /** Seals a padded plaintext as the session's next message. @throws what the ratchet's `encrypt` throws. */
  async encrypt(
    plaintext: Uint8Array,
    random: Random,
    now: number,
  ): Promise<{ message: SealedMessage; n: number; id: Uint8Array }> {
    const before = await this.#transaction.ratchetState(this.#session.id);
    const { state, message, header, id } = encrypt(before, plaintext, this.#session.transcript, random, now);
    await this.#transaction.saveSent(this.#session.id, state);
    wipeState(before);
    wipeState(state);
    return { message, n: header.n, id };
  }

  /**
   * Opens a message that was located in this session. Its content is checked before anything is saved.
   * @throws what the ratchet's `decrypt` throws, and `corrupt` for a content that no pawl makes.
   */
  async decrypt({ state, place, opened }: Located, body: Uint8Array, now: number, limits: Limits): Promise<Read> {
    const { id, transcript } = this.#session;
    const chain = place === 'next' ? undefined : place === 'current' ? currentChain(state) : place.chain;
    const kept: KeptPosition =
      chain === undefined ? {} : await this.#transaction.keptPosition(id, chain, opened.header.n);
    const decrypted = decrypt(state, place, opened, body, kept, transcript, limits, now);
    if (kept.messageKey !== undefined) wipe(kept.messageKey);
    if (decrypted.kind === 'fork') await this.#transaction.saveFork(id, decrypted.reason, now);
    if (decrypted.kind !== 'accepted') return decrypted;

    const content = decodeContent(decrypted.plaintext);
    await this.#transaction.saveReceived(id, decrypted.step, opened.digest, now, limits);
    wipeStep(decrypted.step);
    wipeState(state);
    return { ...decrypted, content };
  }
}

function currentChain(state: Located['state']): number | undefined {
  return state.receiving.kind === 'chain' ? state.receiving.chain : undefined;
}
