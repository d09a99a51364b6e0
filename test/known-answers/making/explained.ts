import { type OwnIdentity, readInvite } from '../../../src/handshake/index.ts';
import {
  concat,
  digest,
  encapsulate,
  generateKemKey,
  hkdfSha256,
  type KemSecret,
  keyPairOf,
  type Random,
  sharedSecret,
  toHex,
  toX25519PublicKey,
  toX25519SecretKey,
  uint64,
  utf8,
  type X25519PublicKey,
  type X25519SecretKey,
} from '../../../src/primitives/index.ts';
import {
  type ChainKey,
  chainStep,
  type HeaderKey,
  headerKeysOf,
  type KemExchange,
  type RootKey,
  RULES,
  rootStep,
} from '../../../src/ratchet/index.ts';
import { hex } from '../../primitives/hex.ts';
import type { StoredSession } from '../../storage/memory/data.ts';
import type { Named } from '../bytes.ts';
import type { Chain, Draws, Opening, SendStep } from '../format.ts';

/** What the sender of a message knows. */
export interface Sent {
  readonly self: OwnIdentity;
  /** The session before; none where the message opened it. */
  readonly before: StoredSession | undefined;
  readonly after: StoredSession;
  readonly drawn: readonly Uint8Array[];
  /** The invite that was answered, where the message opened the session. */
  readonly invite: Named | undefined;
  readonly id: Uint8Array;
}

export type Explanation = Pick<SendStep, 'draws' | 'opening' | 'chain' | 'message'>;

/** The values on the way to an envelope, spelled out as docs/PROTOCOL.md §4, §5.2 and §6 have them. */
export function explained(sent: Sent): Explanation {
  const { invite, before, after, drawn, id } = sent;
  const { sending } = after.state;
  if (sending.kind !== 'chain') throw new Error('who has sent has a chain');
  const message = { n: sending.n - 1, pn: sending.previousN, id: toHex(id) };
  if (invite !== undefined) {
    const [ephemeral, m, ratchetKey, ...rest] = drawn as [Uint8Array, Uint8Array, Uint8Array, ...Uint8Array[]];
    const opening = openingOf(sent.self, invite, after.opened, ephemeral, m);
    const chain = chainOf({
      step: 1,
      rootKey: hex(opening.SK),
      headerKey: hex(opening.HK),
      remote: readInvite(invite.bytes).prekey,
      ratchetKey,
    });
    const draws = named([ephemeral, 'ephemeral key'], [m, 'm'], [ratchetKey, 'ratchet key'], ...forMessage(rest));
    return { draws, opening, chain, message: { ...message, messageKey: messageKeyOf(hex(chain.chainKey)) } };
  }
  if (before?.state.sending.kind === 'chain') {
    const { chainKey } = before.state.sending;
    return { draws: named(...forMessage(drawn)), message: { ...message, messageKey: messageKeyOf(chainKey) } };
  }
  if (before?.state.sending.kind !== 'due') throw new Error('who could send had a chain, or was due to begin one');
  const { state } = before;
  const [ratchetKey, ...rest] = drawn as [Uint8Array, ...Uint8Array[]];
  const kem = rest.length > 1 ? rest[0] : undefined;
  const chain = chainOf({
    step: state.rootSteps + 1,
    rootKey: state.rootKey,
    headerKey: state.nextSending.header,
    remote: before.state.sending.remote,
    ratchetKey,
    ...(kem !== undefined && { kem: { drawn: kem, exchange: state.rekeying.exchange } }),
  });
  const kemDraws: [Uint8Array, string][] = kem ? [[kem, chain.offer === undefined ? 'm' : 'KEM seed']] : [];
  const draws = named([ratchetKey, 'ratchet key'], ...kemDraws, ...forMessage(rest.slice(kemDraws.length)));
  return { draws, chain, message: { ...message, messageKey: messageKeyOf(hex(chain.chainKey)) } };
}

/** §4, by the opener. */
function openingOf(
  self: OwnIdentity,
  { name, bytes }: Named,
  opened: number,
  ephemeralKey: Uint8Array,
  m: Uint8Array,
): Opening {
  const invite = readInvite(bytes);
  const ephemeral = keyPairOf(ephemeralKey as X25519SecretKey);
  const { ciphertext, secret: ss } = encapsulate(invite.encapsulationKey, giving(m));
  const dh1 = sharedSecret(toX25519SecretKey(self.seed), invite.prekey);
  const dh2 = sharedSecret(ephemeral.secretKey, toX25519PublicKey(invite.identity));
  const dh3 = sharedSecret(ephemeral.secretKey, invite.prekey);
  const ff = new Uint8Array(32).fill(0xff);
  const bound = concat(bytes, self.key, ephemeral.publicKey, ciphertext, uint64(opened));
  const transcript = digest(32, utf8('pawl/1 transcript'), bound);
  const keys = hkdfSha256(concat(ff, dh1, dh2, dh3, ss), concat(utf8('pawl/1 handshake'), transcript), 128);
  const senderInfo = concat(utf8('pawl/1 sender'), digest(32, bytes));
  return {
    invite: name,
    opened,
    dh1: toHex(dh1),
    dh2: toHex(dh2),
    dh3: toHex(dh3),
    ss: toHex(ss),
    hintKey: toHex(hkdfSha256(concat(ff, dh2), utf8('pawl/1 hint'), 32)),
    senderKey: toHex(hkdfSha256(concat(ff, dh2, dh3, ss), senderInfo, 32)),
    T: toHex(transcript),
    SK: toHex(keys.subarray(0, 32)),
    HK: toHex(keys.subarray(32, 64)),
    NHK: toHex(keys.subarray(64, 96)),
    boxA: toHex(keys.subarray(96, 112)),
    boxB: toHex(keys.subarray(112)),
    inviteBox: toHex(digest(16, utf8('pawl/1 mailbox'), bytes)),
  };
}

interface RootStepParts {
  /** Which root step it is, from 1. */
  readonly step: number;
  readonly rootKey: Uint8Array;
  /** Of the chain that begins. */
  readonly headerKey: Uint8Array;
  readonly remote: X25519PublicKey;
  readonly ratchetKey: Uint8Array;
  /** The KEM seed of an offer, or m of an answer; and the exchange before. */
  readonly kem?: { readonly drawn: Uint8Array; readonly exchange: KemExchange };
}

/** §5.2, step 1; §6. */
function chainOf({ step, rootKey, headerKey, remote, ratchetKey, kem }: RootStepParts): Chain {
  const self = keyPairOf(ratchetKey as X25519SecretKey);
  const dh = sharedSecret(self.secretKey, remote);
  const answer = kem?.exchange.kind === 'owed' ? encapsulate(kem.exchange.key, giving(kem.drawn)) : undefined;
  const offer = kem?.exchange.kind === 'idle' ? generateKemKey(giving(kem.drawn)) : undefined;
  const secret = answer && (Uint8Array.from(answer.secret) as KemSecret);
  const root = rootStep(rootKey as RootKey, dh, RULES.domain, secret);
  return {
    step,
    publicKey: toHex(self.publicKey),
    dh: toHex(dh),
    ...(offer && { offer: toHex(offer.encapsulationKey) }),
    ...(answer && { answer: toHex(answer.ciphertext), ss: toHex(answer.secret) }),
    rootKey: toHex(root.rootKey),
    chainKey: toHex(root.chainKey),
    headerKey: toHex(headerKey),
    findKey: toHex(headerKeysOf(headerKey as HeaderKey).find),
    nextHeaderKey: toHex(root.nextHeaderKey),
  };
}

function messageKeyOf(chainKey: Uint8Array): string {
  return toHex(chainStep(chainKey as ChainKey).messageKey);
}

/** The draw of every message. */
function forMessage(drawn: readonly Uint8Array[]): [Uint8Array, string][] {
  const [r, ...more] = drawn;
  if (r === undefined || more.length > 0) throw new Error(`${drawn.length} draws of a message`);
  return [[r, 'r']];
}

function named(...draws: readonly (readonly [bytes: Uint8Array, what: string])[]): Draws {
  return draws.map(([bytes, what]) => [what, toHex(bytes)] as const);
}

function giving(bytes: Uint8Array): Random {
  return (length) => {
    if (length !== bytes.length) throw new Error(`${length} bytes were asked for, ${bytes.length} are there`);
    return Uint8Array.from(bytes);
  };
}
