/**
 * Makes messages and openings of a peer who has the keys and breaks the rules: correctly sealed, with senseless fields.
 */
import { createIdentity, type OwnIdentity, type Transcript } from '../src/handshake/index.ts';
import {
  concat,
  digest,
  generateKemKey,
  generateKeyPair,
  hmacSha256,
  type KemCiphertext,
  xseal,
} from '../src/primitives/index.ts';
import {
  chainStep,
  encodeHeader,
  type Header,
  type HeaderKeys,
  type MessageKey,
  nextMessageKey,
  type RatchetState,
  type SealedMessage,
  sealBody,
  sealHeader,
} from '../src/ratchet/index.ts';
import type { Dice } from './dice.ts';
import { anyContent } from './grammar.ts';

const EDGES = [0, 1, 2, 3, 7, 63, 64, 300, 1_999, 2_000, 2_001, 2_002, 65_536, 2 ** 31, 2 ** 32 - 2, 2 ** 32 - 1];
/** The most chain steps that are computed to seal a body correctly at a later position. */
const WALK = 80;

/** X25519 keys that must be refused: four of low order, p itself, and all ones. */
const WEAK_KEYS = [
  '00'.repeat(32),
  `01${'00'.repeat(31)}`,
  `ec${'ff'.repeat(30)}7f`,
  'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
  `ed${'ff'.repeat(30)}7f`,
  'ff'.repeat(32),
].map((hex) => new Uint8Array(Buffer.from(hex, 'hex')));

/** An opener whose claimed identity key is its own, that of the receiver, or invalid. */
export function anyOpener(dice: Dice, receiver: OwnIdentity): OwnIdentity {
  const own = createIdentity(dice.bytes);
  const key = dice.pick([own.key, own.key, receiver.key, dice.bytes(32), ...WEAK_KEYS.slice(0, 2)]);
  return { ...own, key: key as OwnIdentity['key'] };
}

/**
 * The next message of a peer who has the session's keys. Any of these may be wrong: position, length of the previous
 * chain, ratchet key, KEM field, content, key of the body, length of the header.
 * @param now unix milliseconds.
 */
export function craft(dice: Dice, state: RatchetState, transcript: Transcript, now: number): SealedMessage {
  const isStubborn = dice.oneIn(state.rekeying.exchange.kind === 'owed' ? 2 : 4);
  const begun = nextMessageKey(isStubborn ? ofAnotherMind(dice, state, now) : state, dice.bytes, now);
  const { header: ownKeys } = begun.state.sending;
  const n = dice.oneIn(3) ? dice.pick(EDGES) : begun.header.n + dice.pick([0, 0, 0, 1, 2, 5]);
  const pn = dice.oneIn(3) ? dice.pick(EDGES) : begun.header.pn;
  const kem = dice.oneIn(6) ? anyKemField(dice) : begun.header.kem;
  const header = { dh: anyKey(dice, begun.header), n, pn, ...(kem && { kem }) };
  const aad = concat(transcript, encodeHeader(header));
  const body = dice.oneIn(12)
    ? dice.bytes(28 + 256)
    : sealBody(keyAt(begun, n), dice.bytes(12), anyContent(dice), dice.oneIn(16) ? transcript : aad);
  const keys = dice.oneIn(8) ? begun.state.nextSending : ownKeys;
  return dice.oneIn(6)
    ? sealBytes(dice, keys, oddHeader(dice, encodeHeader(header), body), body, transcript)
    : sealHeader(keys, header, body, { associatedData: transcript, salt: dice.bytes(16) }).message;
}

/** The state with another idea of the KEM exchange: an answer is owed to some key, none is due, or one is overdue. */
function ofAnotherMind(dice: Dice, state: RatchetState, now: number): RatchetState {
  const { mixed } = state.rekeying;
  const exchange = dice.oneIn(3)
    ? ({ kind: 'owed', key: generateKemKey(dice.bytes).encapsulationKey } as const)
    : ({ kind: 'idle' } as const);
  const at = dice.oneIn(2) ? now : 0;
  return { ...state, rekeying: { mixed: { step: at === 0 ? mixed.step : state.rootSteps, at }, exchange } };
}

function anyKey(dice: Dice, { dh }: Header): Header['dh'] {
  if (!dice.oneIn(6)) return dh;
  return dice.oneIn(2) ? generateKeyPair(dice.bytes).publicKey : (dice.pick(WEAK_KEYS) as Header['dh']);
}

/** A KEM field of the right length; sometimes with a valid key. */
function anyKemField(dice: Dice): Header['kem'] {
  if (dice.oneIn(2)) return { kind: 'answer', ciphertext: dice.bytes(1_088) as KemCiphertext };
  const key = dice.oneIn(2) ? generateKemKey(dice.bytes).encapsulationKey : dice.bytes(1_184);
  return dice.oneIn(3) ? undefined : { kind: 'offer', key };
}

function keyAt({ state, header, messageKey }: ReturnType<typeof nextMessageKey>, n: number): MessageKey {
  const steps = n - header.n;
  if (steps <= 0 || steps > WALK) return messageKey;
  let step = chainStep(state.sending.chainKey);
  for (let walked = 1; walked < steps; walked++) step = chainStep(step.chainKey);
  return step.messageKey;
}

/** A header of a length that an envelope accepts: other lengths are refused before the ratchet sees them. */
function oddHeader(dice: Dice, header: Uint8Array, body: Uint8Array): Uint8Array {
  const kem = dice.bytes(dice.pick([0, 1_184, 1_088]));
  return concat(header.subarray(0, 40), kem, dice.oneIn(2) ? digest(16, body) : dice.bytes(16));
}

/** Seals a header as `sealHeader` does, but any bytes. */
function sealBytes(
  dice: Dice,
  keys: HeaderKeys,
  plaintext: Uint8Array,
  body: Uint8Array,
  transcript: Transcript,
): SealedMessage {
  const salt = dice.bytes(16);
  const headerNonce = concat(salt, hmacSha256(keys.find, salt).subarray(0, 8));
  return { headerNonce, sealedHeader: xseal(keys.header, headerNonce, plaintext, transcript), body };
}
