/** What ML-KEM costs in the ratchet: time of a root step, and bytes on the wire. */
import { encodeContent, encodeEnvelope } from '../src/envelope/index.ts';
import { systemRandom } from '../src/primitives/index.ts';
import {
  decrypt,
  type Encrypted,
  encrypt,
  isSealedFor,
  LIMITS,
  openHeader,
  type RatchetState,
  RULES,
} from '../src/ratchet/index.ts';
import { pair } from './conversation.ts';
import { type Figure, microseconds } from './measure.ts';

const TRANSCRIPT = systemRandom(32);
const TEXT = encodeContent({ type: 'text', sentAt: Date.now(), bytes: systemRandom(100) });
const NEVER = { ...RULES, offerAfterSteps: Number.POSITIVE_INFINITY };
const ALWAYS = { ...RULES, offerAfterSteps: 0 };

/** µs of the message that begins a chain, by its KEM field. The ratchet is pure, so the same step can be repeated. */
export function rootSteps(): readonly Figure[] {
  const { alice, bob } = acquainted();
  const plain = seal(bob, NEVER);
  const offer = seal(bob, ALWAYS);
  const owing = unseal(alice, offer);
  const answer = seal(owing);
  const median = (step: () => unknown) => microseconds(100, 5, step);
  const [sent, received] = [median(() => seal(bob, NEVER)), median(() => unseal(alice, plain))];
  return [
    { name: 'root step, send', value: sent },
    {
      name: '  with an offer',
      ...relative(
        median(() => seal(bob, ALWAYS)),
        sent,
      ),
    },
    {
      name: '  with an answer',
      ...relative(
        median(() => seal(owing)),
        sent,
      ),
    },
    { name: 'root step, receive', value: received },
    {
      name: '  with an offer',
      ...relative(
        median(() => unseal(alice, offer)),
        received,
      ),
    },
    {
      name: '  with an answer',
      ...relative(
        median(() => unseal(offer.state, answer)),
        received,
      ),
    },
  ];
}

/** Bytes of whole envelopes, and their average in a conversation in which the next writer is random. */
export function onTheWire(): readonly Figure[] {
  const { alice, bob } = acquainted();
  const plain = lengthOf(seal(bob, NEVER));
  const offer = seal(bob, ALWAYS);
  const answer = seal(unseal(alice, offer));
  const average = averageOf(10_000);
  return [
    { name: 'plain', value: plain },
    { name: 'with an offer', ...relative(lengthOf(offer), plain) },
    { name: 'with an answer', ...relative(lengthOf(answer), plain) },
    { name: 'average, random turns', ...relative(average, plain) },
  ];
}

function averageOf(messages: number): number {
  const { alice, bob } = acquainted();
  let [sender, receiver]: [RatchetState, RatchetState] = [bob, alice];
  let bytes = 0;
  for (let sent = 0; sent < messages; sent++) {
    if (sent > 0 && (systemRandom(1)[0] ?? 0) < 128) [sender, receiver] = [receiver, sender];
    const message = seal(sender);
    bytes += lengthOf(message);
    [sender, receiver] = [message.state, unseal(receiver, message)];
  }
  return bytes / messages;
}

/** Alice is the initiator, and bob has received a message; his next message begins a chain. */
function acquainted(): { alice: RatchetState; bob: RatchetState } {
  const [opener, openedTo] = pair();
  const hello = seal(opener);
  return { alice: hello.state, bob: unseal(openedTo, hello) };
}

function seal(state: RatchetState, rules = RULES): Encrypted {
  return encrypt(state, TEXT, { associatedData: TRANSCRIPT, random: systemRandom, now: Date.now(), rules });
}

function unseal(state: RatchetState, { message }: Encrypted): RatchetState {
  const { receiving, nextReceiving } = state;
  const isCurrent = receiving.kind === 'chain' && isSealedFor(receiving.header.find, message);
  const opened = openHeader(isCurrent ? receiving.header : nextReceiving, message, TRANSCRIPT);
  if (opened === undefined) throw new Error('the header does not open');
  const place = isCurrent ? 'current' : 'next';
  const decrypted = decrypt(
    state,
    { place, opened, body: message.body },
    { kept: {}, associatedData: TRANSCRIPT, limits: LIMITS, now: Date.now() },
  );
  if (decrypted.kind !== 'accepted') throw new Error('the message is refused');
  return decrypted.step.state;
}

function lengthOf({ message }: Encrypted): number {
  return encodeEnvelope({ kind: 'message', message }).length;
}

function relative(value: number, base: number): Omit<Figure, 'name'> {
  return { value, ratio: value / base };
}
