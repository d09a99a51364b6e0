import type { Defences } from './defences.ts';
import type { Agreement } from './handshake.ts';
import { chainStep, type Message, rootStep, sealBody, sealHeader } from './sealing.ts';
import { ciphertext, dh, encapsulationKey, kemSecret, NONE, point, type Term } from './terms.ts';

/** docs/PROTOCOL.md §5 and §6. Root steps are counted from the handshake, which is 0: odd ones are the opener's. */
export interface Ratchet {
  readonly transcript: Term;
  readonly rootKey: Term;
  readonly step: number;
  readonly sending: Sending;
  readonly receiving: ReceivingChain | undefined;
  readonly nextSending: Term;
  readonly nextReceiving: Term;
  readonly finished: readonly FinishedChain[];
  readonly skipped: readonly { readonly step: number; readonly n: number; readonly key: Term }[];
  /** Which body was accepted where. */
  readonly accepted: readonly { readonly step: number; readonly n: number; readonly body: Term }[];
  readonly exchange: Exchange;
  /** Every root step taken: for the claims, no part of what a thief finds. */
  readonly taken: readonly RootStep[];
  /** What ought to have been deleted: nothing, but where the defence is removed. */
  readonly undeleted: readonly Term[];
}

export type Sending =
  | { readonly kind: 'awaiting'; readonly self: Term }
  | { readonly kind: 'due'; readonly remote: Term; readonly previousN: number }
  | (Chain & { readonly kind: 'chain'; readonly self: Term; readonly previousN: number; readonly kem: Term });

export interface Chain {
  readonly step: number;
  readonly chainKey: Term;
  readonly header: Term;
  readonly n: number;
}
export type ReceivingChain = Chain & { readonly remote: Term };
export interface FinishedChain {
  readonly step: number;
  readonly header: Term;
  readonly remote: Term;
  readonly length: number;
}

type Exchange =
  | { readonly kind: 'idle' }
  | { readonly kind: 'offered'; readonly seed: Term }
  | { readonly kind: 'owed'; readonly key: Term };

export interface RootStep {
  readonly step: number;
  readonly rootKey: Term;
  /** Whether a KEM key was offered with this step, or a KEM secret mixed into it. */
  readonly kem: 'none' | 'offered' | 'mixed';
}

export const IDLE: Exchange = { kind: 'idle' };

export function opener(agreement: Agreement, prekey: Term, self: Term, defences: Defences): Ratchet {
  const root = rootStep(agreement.rootKey, dh(self, prekey), undefined, defences);
  return {
    ...EMPTY,
    transcript: agreement.transcript,
    rootKey: root.rootKey,
    step: 1,
    sending: {
      kind: 'chain',
      self,
      step: 1,
      chainKey: root.chainKey,
      header: agreement.openerHeader,
      n: 0,
      previousN: 0,
      kem: NONE,
    },
    nextSending: root.nextHeader,
    nextReceiving: agreement.makerHeader,
    taken: [{ step: 1, rootKey: root.rootKey, kem: 'none' }],
  };
}

export function maker(agreement: Agreement, prekey: Term): Ratchet {
  return {
    ...EMPTY,
    transcript: agreement.transcript,
    rootKey: agreement.rootKey,
    step: 0,
    sending: { kind: 'awaiting', self: prekey },
    nextSending: agreement.makerHeader,
    nextReceiving: agreement.openerHeader,
  };
}

const EMPTY = {
  receiving: undefined,
  finished: [],
  skipped: [],
  accepted: [],
  exchange: IDLE,
  taken: [],
  undeleted: [],
};

/** What a side draws and decides when it begins a chain. */
export interface Draws {
  readonly self: Term;
  /** The seed of the KEM key that it offers, where it does. */
  readonly offer: Term | undefined;
  readonly randomness: Term;
  /** A program that does not keep to the protocol does not answer. */
  readonly answers: boolean;
}

/** @returns nothing while there is nobody's key to send to. */
export function send(
  ratchet: Ratchet,
  text: Term,
  draws: Draws,
  defences: Defences,
): { ratchet: Ratchet; message: Message; step: number; n: number } | undefined {
  const begun = ratchet.sending.kind === 'due' ? beginChain(ratchet, ratchet.sending, draws, defences) : ratchet;
  const { sending } = begun;
  if (sending.kind !== 'chain') return undefined;
  const { messageKey, chainKey } = chainStep(sending.chainKey, sending.n, defences);
  const header = { dh: point(sending.self), n: sending.n, pn: sending.previousN, kem: sending.kem };
  const after: Ratchet = {
    ...begun,
    sending: { ...sending, chainKey, n: sending.n + 1 },
    undeleted: keep(begun, defences.has('used keys are deleted') ? undefined : messageKey),
  };
  const body = sealBody(messageKey, begun.transcript, header, text, defences);
  const message = { header: sealHeader(sending.header, begun.transcript, header, body, defences), body };
  const outside = defences.has('KEM field is sealed with the header') ? NONE : header.kem;
  return { ratchet: after, message: { ...message, outside }, step: sending.step, n: sending.n };
}

function beginChain(
  ratchet: Ratchet,
  due: Extract<Sending, { kind: 'due' }>,
  draws: Draws,
  defences: Defences,
): Ratchet {
  const step = ratchet.step + 1;
  const owed = ratchet.exchange.kind === 'owed' && draws.answers ? ratchet.exchange.key : undefined;
  const offer = ratchet.exchange.kind === 'idle' ? draws.offer : undefined;
  const ss = owed && kemSecret(owed, draws.randomness);
  const kem = owed ? ciphertext(owed, draws.randomness) : offer ? encapsulationKey(offer) : NONE;
  const root = rootStep(ratchet.rootKey, dh(draws.self, due.remote), ss, defences);
  return {
    ...ratchet,
    rootKey: root.rootKey,
    step,
    sending: {
      kind: 'chain',
      self: draws.self,
      step,
      chainKey: root.chainKey,
      header: ratchet.nextSending,
      n: 0,
      previousN: due.previousN,
      kem,
    },
    nextSending: root.nextHeader,
    exchange: offer ? { kind: 'offered', seed: offer } : IDLE,
    taken: [...ratchet.taken, { step, rootKey: root.rootKey, kem: owed ? 'mixed' : offer ? 'offered' : 'none' }],
  };
}

/** Notes what ought to have been deleted. */
export const keep = ({ undeleted }: Ratchet, more: Term | undefined): readonly Term[] =>
  more === undefined || undeleted.includes(more) ? undeleted : [...undeleted, more];

/** All that is in a stolen state. */
export function secretsOf(ratchet: Ratchet): Term[] {
  const { sending, receiving, exchange } = ratchet;
  return [
    ratchet.transcript,
    ratchet.rootKey,
    ratchet.nextSending,
    ratchet.nextReceiving,
    ...(sending.kind === 'due' ? [sending.remote] : [sending.self]),
    ...(sending.kind === 'chain' ? [sending.chainKey, sending.header] : []),
    ...(receiving ? [receiving.chainKey, receiving.header, receiving.remote] : []),
    ...ratchet.finished.flatMap(({ header, remote }) => [header, remote]),
    ...ratchet.skipped.map(({ key }) => key),
    ...(exchange.kind === 'offered' ? [exchange.seed] : exchange.kind === 'owed' ? [exchange.key] : []),
    ...ratchet.undeleted,
  ];
}
