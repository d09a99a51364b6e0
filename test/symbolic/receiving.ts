import type { Defences } from './defences.ts';
import { type Chain, type FinishedChain, IDLE, keep, type Ratchet, type ReceivingChain } from './ratchet.ts';
import { bodyAad, chainStep, type Header, type Message, rootStep, unsealHeader } from './sealing.ts';
import { decapsulate, dh, digest, NONE, type Term, unseal } from './terms.ts';

export type Received =
  | {
      readonly kind: 'accepted';
      readonly ratchet: Ratchet;
      readonly text: Term;
      readonly step: number;
      readonly n: number;
    }
  /** Without effect: not ours, repeated, altered. */
  | { readonly kind: 'ignored' }
  /** Shown to its owner: `fork` or `kem-missing`. */
  | { readonly kind: 'alarm'; readonly why: string };

const IGNORED: Received = { kind: 'ignored' };
const alarm = (why: string): Received => ({ kind: 'alarm', why });

/** The table of docs/PROTOCOL.md §5.4. */
export function receive(ratchet: Ratchet, message: Message, defences: Defences): Received {
  for (const place of placesOf(ratchet)) {
    const opened = unsealHeader(place.header, ratchet.transcript, message, defences);
    if (opened === undefined) continue;
    const { header, names } = opened;
    if (defences.has('header names its body') && names !== digest('id', message.body)) return IGNORED;
    const found = keyAt(ratchet, place, header, message.body, defences);
    if (found.kind !== 'key') return found;
    const aad = bodyAad(ratchet.transcript, header, defences);
    const text = unseal(found.messageKey, aad, message.body);
    if (text === undefined) return alarm('fork: body does not authenticate');
    const { step, n } = found;
    const accepted = [...found.ratchet.accepted, { step, n, body: message.body }];
    const undeleted = keep(found.ratchet, defences.has('used keys are deleted') ? undefined : found.messageKey);
    return { kind: 'accepted', ratchet: { ...found.ratchet, accepted, undeleted }, text, step, n };
  }
  return IGNORED;
}

type Place =
  | (FinishedChain & { readonly kind: 'finished' })
  | (ReceivingChain & { readonly kind: 'current' })
  | { readonly kind: 'next'; readonly header: Term };

function placesOf({ receiving, nextReceiving, finished }: Ratchet): Place[] {
  return [
    ...(receiving ? [{ ...receiving, kind: 'current' as const }] : []),
    { kind: 'next', header: nextReceiving },
    ...finished.map((chain) => ({ ...chain, kind: 'finished' as const })),
  ];
}

type Found =
  | {
      readonly kind: 'key';
      readonly ratchet: Ratchet;
      readonly messageKey: Term;
      readonly step: number;
      readonly n: number;
    }
  | Exclude<Received, { kind: 'accepted' }>;

function keyAt(ratchet: Ratchet, place: Place, header: Header, body: Term, defences: Defences): Found {
  if (place.kind === 'next') return inNewChain(ratchet, header, defences);
  const { step } = place;
  const { n } = header;
  const before = ratchet.accepted.find((one) => one.step === step && one.n === n);
  if (before?.body === body) return { kind: 'ignored' };
  if (before !== undefined) return { kind: 'alarm', why: 'fork: two texts at one position' };
  if (place.remote !== header.dh) return { kind: 'alarm', why: 'fork: two keys in one chain' };
  if (place.kind === 'finished' && n >= place.length) return { kind: 'alarm', why: 'fork: past the end of a chain' };
  const kept = ratchet.skipped.find((one) => one.step === step && one.n === n);
  if (kept !== undefined) {
    const skipped = ratchet.skipped.filter((one) => one !== kept);
    return { kind: 'key', ratchet: { ...ratchet, skipped }, messageKey: kept.key, step, n };
  }
  if (place.kind === 'finished' || n < place.n) return { kind: 'ignored' };
  return inChain(ratchet, place, n, defences);
}

function inChain(ratchet: Ratchet, chain: ReceivingChain, n: number, defences: Defences): Found {
  const { skipped, chainKey: reached } = skipTo(chain, n, defences);
  const { messageKey, chainKey } = chainStep(reached, n, defences);
  const { step, header, remote } = chain;
  const receiving = { step, header, remote, chainKey, n: n + 1 };
  const after = { ...ratchet, receiving, skipped: [...ratchet.skipped, ...skipped] };
  return { kind: 'key', ratchet: after, messageKey, step, n };
}

function inNewChain(ratchet: Ratchet, { dh: remote, n, pn, kem }: Header, defences: Defences): Found {
  const { sending, receiving, exchange } = ratchet;
  if (sending.kind === 'due') return { kind: 'alarm', why: 'fork: answer to an unknown chain' };
  if (receiving === undefined ? pn !== 0 : pn < receiving.n) return { kind: 'ignored' };

  const isAnswer = kem.op === 'ciphertext';
  if (exchange.kind === 'offered' && !isAnswer && defences.has('KEM answer is required')) {
    return { kind: 'alarm', why: 'kem-missing' };
  }
  if (exchange.kind !== 'offered' && isAnswer) return { kind: 'alarm', why: 'fork: answer without an offer' };
  const ss = exchange.kind === 'offered' && isAnswer ? decapsulate(exchange.seed, kem) : undefined;
  const seed = exchange.kind === 'offered' && !defences.has('KEM key is deleted') ? exchange.seed : undefined;

  const root = rootStep(ratchet.rootKey, dh(sending.self, remote), ss, defences);
  const step = ratchet.step + 1;
  const begun: Ratchet = {
    ...ratchet,
    rootKey: root.rootKey,
    step,
    exchange: kem.op === 'encapsulation key' ? { kind: 'owed', key: kem } : IDLE,
    taken: [...ratchet.taken, { step, rootKey: root.rootKey, kem: ss ? 'mixed' : 'none' }],
    undeleted: keep(ratchet, seed),
    sending: { kind: 'due', remote, previousN: sending.kind === 'chain' ? sending.n : 0 },
    nextReceiving: root.nextHeader,
    ...(receiving && {
      finished: [
        ...ratchet.finished,
        { step: receiving.step, header: receiving.header, remote: receiving.remote, length: pn },
      ],
      skipped: [...ratchet.skipped, ...skipTo(receiving, pn, defences).skipped],
    }),
  };
  return inChain(begun, { step, header: ratchet.nextReceiving, remote, chainKey: root.chainKey, n: 0 }, n, defences);
}

/** The key under which the receiver would open a body with this header: what a forger has to have. */
export function expectedKey(
  ratchet: Ratchet,
  place: 'current' | 'next',
  header: Header,
  defences: Defences,
): Term | undefined {
  const at = placesOf(ratchet).find(({ kind }) => kind === place);
  const found = at && keyAt(ratchet, at, header, NONE, defences);
  return found?.kind === 'key' ? found.messageKey : undefined;
}

function skipTo(chain: Chain, to: number, defences: Defences) {
  const skipped: Ratchet['skipped'][number][] = [];
  let { chainKey } = chain;
  for (let { n } = chain; n < to; n++) {
    const next = chainStep(chainKey, n, defences);
    skipped.push({ step: chain.step, n, key: next.messageKey });
    chainKey = next.chainKey;
  }
  return { skipped, chainKey };
}
