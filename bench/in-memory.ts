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
  responderState,
} from '../src/ratchet/index.ts';
import { type Figure, microseconds } from './measure.ts';

const TRANSCRIPT = systemRandom(32);
const TEXT = { type: 'text', sentAt: Date.now(), bytes: systemRandom(100) } as const;

/** The ratchet as a function, with everything that a message goes through but the store. */
export function inMemory(): readonly Figure[] {
  const sameChain = microseconds(5_000, 5, conversation(Number.POSITIVE_INFINITY));
  const sealing = microseconds(5_000, 5, sealingOnly());
  return [
    { name: 'same chain, send', value: sealing },
    { name: 'same chain, receive', value: sameChain - sealing },
    { name: 'same chain, send and receive', value: sameChain },
    { name: 'ping-pong, send and receive', value: microseconds(500, 5, conversation(1)) },
  ];
}

/** The one who opened, and the one who was opened to. */
export function pair(): [RatchetState, RatchetState] {
  const prekey = generateKeyPair(systemRandom);
  const agreed = {
    rootKey: systemRandom(32),
    initiatorHeader: systemRandom(32),
    responderHeader: systemRandom(32),
  } as Parameters<typeof responderState>[0];
  return [
    initiatorState(agreed, prekey.publicKey, systemRandom, Date.now()),
    responderState(agreed, prekey, Date.now()),
  ];
}

function sealingOnly(): () => void {
  let [alice] = pair();
  return () => {
    alice = seal(alice).state;
  };
}

/** Each call carries one message; the direction turns after `turn` of them. */
function conversation(turn: number): () => void {
  let [sender, receiver] = pair();
  let sent = 0;
  return () => {
    const { state, bytes } = seal(sender);
    sender = state;
    receiver = unseal(receiver, bytes);
    sent += 1;
    if (sent % turn === 0) [sender, receiver] = [receiver, sender];
  };
}

function seal(state: RatchetState): { state: RatchetState; bytes: Uint8Array } {
  const { state: next, message } = encrypt(state, encodeContent(TEXT), TRANSCRIPT, systemRandom, Date.now());
  return { state: next, bytes: encodeEnvelope({ kind: 'message', message }) };
}

function unseal(state: RatchetState, bytes: Uint8Array): RatchetState {
  const envelope = decodeEnvelope(bytes);
  if (envelope.kind === 'invite') throw new Error('no message');
  const { message } = envelope;
  const current = state.receiving.kind === 'chain' && isSealedFor(state.receiving.header.find, message);
  const keys = current && state.receiving.kind === 'chain' ? state.receiving.header : state.nextReceiving;
  const opened = openHeader(keys, message, TRANSCRIPT);
  if (opened === undefined) throw new Error('the header does not open');
  const decrypted = decrypt(
    state,
    current ? 'current' : 'next',
    opened,
    message.body,
    {},
    TRANSCRIPT,
    LIMITS,
    Date.now(),
  );
  if (decrypted.kind !== 'accepted') throw new Error('the message is refused');
  decodeContent(decrypted.plaintext);
  return decrypted.step.state;
}
