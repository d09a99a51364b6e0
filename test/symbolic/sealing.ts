import type { Defences } from './defences.ts';
import { digest, NONE, number, seal, type Term, tuple, unseal } from './terms.ts';

/** The header in clear form; `kem` is nothing, an encapsulation key or a ciphertext. */
export interface Header {
  readonly dh: Term;
  readonly n: number;
  readonly pn: number;
  readonly kem: Term;
}

/** `outside` is nothing, but where the KEM field is not sealed with the header. */
export interface Message {
  readonly header: Term;
  readonly outside: Term;
  readonly body: Term;
}

export function rootStep(rootKey: Term, shared: Term, ss: Term | undefined, defences: Defences) {
  const inputs = [rootKey];
  if (defences.has('DH in the root')) inputs.push(shared);
  if (ss !== undefined && defences.has('KEM secret in the root')) inputs.push(ss);
  return {
    rootKey: digest('root', ...inputs),
    chainKey: digest('chain', ...inputs),
    nextHeader: digest('header', ...inputs),
  };
}

export function chainStep(chainKey: Term, n: number, defences: Defences): { messageKey: Term; chainKey: Term } {
  if (!defences.has('chain moves on')) return { messageKey: digest('mk', chainKey, number(n)), chainKey };
  return { messageKey: digest('mk', chainKey), chainKey: digest('ck', chainKey) };
}

const inClear = ({ dh: key, n, pn, kem }: Header, withField: boolean): Term =>
  tuple(key, number(n), number(pn), withField ? kem : NONE);

export const bodyAad = (transcript: Term, header: Header, defences: Defences): Term =>
  tuple(transcript, inClear(header, defences.has('KEM field is bound to the body')));

export const sealBody = (key: Term, transcript: Term, header: Header, text: Term, defences: Defences): Term =>
  seal(key, bodyAad(transcript, header, defences), text);

export function sealHeader(key: Term, transcript: Term, header: Header, body: Term, defences: Defences): Term {
  const plaintext = inClear(header, defences.has('KEM field is sealed with the header'));
  return seal(key, transcript, tuple(plaintext, digest('id', body)));
}

export function unsealHeader(
  key: Term,
  transcript: Term,
  message: Message,
  defences: Defences,
): { header: Header; names: Term } | undefined {
  const [inside, names] = unseal(key, transcript, message.header)?.args ?? [];
  const [remote, n, pn, kem] = inside?.args ?? [];
  if (!remote || !n || !pn || !kem || !names) return undefined;
  const field = defences.has('KEM field is sealed with the header') ? kem : message.outside;
  return { header: { dh: remote, n: Number(n.label), pn: Number(pn.label), kem: field }, names };
}
