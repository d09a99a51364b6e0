/**
 * Two parties who talk through the ratchet, in memory. Owns what a message goes through without a store: content,
 * envelope, header, body. Knows nothing of time measurement.
 */
import { decodeContent, decodeEnvelope, encodeContent, encodeEnvelope } from '../src/envelope/index.ts';
import { generateKeyPair, systemRandom } from '../src/primitives/index.ts';
import {
  decrypt,
  encrypt,
  initiatorState,
  isSealedFor,
  LIMITS,
  openHeader,
  type RatchetState,
  RULES,
  type Rules,
  responderState,
} from '../src/ratchet/index.ts';

/** One side of a conversation, by pawl or by a peer library. */
export interface Party<Text, Message> {
  send(text: Text): Message | Promise<Message>;
  receive(message: Message): unknown;
}

const TRANSCRIPT = systemRandom(32);

/** A party on pawl's ratchet. */
export class PawlParty implements Party<Uint8Array, Uint8Array> {
  #state: RatchetState;
  readonly #rules: Rules;

  constructor(state: RatchetState, rules: Rules) {
    this.#state = state;
    this.#rules = rules;
  }

  send(bytes: Uint8Array): Uint8Array {
    const plaintext = encodeContent({ type: 'text', sentAt: Date.now(), bytes });
    const { state, message } = encrypt(this.#state, plaintext, {
      associatedData: TRANSCRIPT,
      random: systemRandom,
      now: Date.now(),
      rules: this.#rules,
    });
    this.#state = state;
    return encodeEnvelope({ kind: 'message', message });
  }

  receive(bytes: Uint8Array): void {
    const envelope = decodeEnvelope(bytes);
    if (!('message' in envelope)) throw new Error('no message');
    const { message } = envelope;
    const { receiving, nextReceiving } = this.#state;
    const current = receiving.kind === 'chain' && isSealedFor(receiving.header.find, message);
    const place = current ? 'current' : 'next';
    if (!current && !isSealedFor(nextReceiving.find, message)) throw new Error('the message is not found');
    const opened = openHeader(current ? receiving.header : nextReceiving, message, TRANSCRIPT);
    if (opened === undefined) throw new Error('the header does not open');
    const decrypted = decrypt(
      this.#state,
      { place, opened, body: message.body },
      { kept: {}, associatedData: TRANSCRIPT, limits: LIMITS, now: Date.now() },
    );
    if (decrypted.kind !== 'accepted') throw new Error('the message is refused');
    decodeContent(decrypted.plaintext);
    this.#state = decrypted.step.state;
  }
}

/** The first states of a session: those of the initiator and of the responder. */
export function pair(): [RatchetState, RatchetState] {
  const prekey = generateKeyPair(systemRandom);
  const agreed = {
    rootKey: systemRandom(32),
    initiatorHeader: systemRandom(32),
    responderHeader: systemRandom(32),
  } as Parameters<typeof responderState>[0];
  return [
    initiatorState(agreed, prekey.publicKey, { random: systemRandom, now: Date.now() }),
    responderState(agreed, prekey, Date.now()),
  ];
}

/** Two parties who have each received a message of the other. */
export function meet(text: Uint8Array, rules: Rules = RULES): [PawlParty, PawlParty] {
  const [opener, openedTo] = pair();
  const [alice, bob] = [new PawlParty(opener, rules), new PawlParty(openedTo, rules)];
  bob.receive(alice.send(text));
  alice.receive(bob.send(text));
  return [alice, bob];
}
