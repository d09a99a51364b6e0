import type { Knowledge } from './knowledge.ts';
import { argument, ciphertext, encapsulationKey, identity, NONE, point, secret, type Term } from './terms.ts';
import { IDENTITIES, PEOPLE } from './world.ts';

/** Mallory has keys of her own of every kind, one of each, and a text. */
export const OWN = {
  identity: secret('ik(mallory)'),
  key: secret("mallory's key"),
  seed: secret("mallory's kem seed"),
};
const RANDOMNESS = secret("mallory's kem randomness");
export const FORGED = secret('a forged text');
export const MALLORY = identity(OWN.identity);

/** Every identity that she may claim; of each honest key also the negative, which has the same X25519 form. */
export const CLAIMABLE = [
  MALLORY,
  ...PEOPLE.flatMap((who) => [IDENTITIES[who], identity(argument(IDENTITIES[who], 0), true)]),
];

/** What she knows before anything has happened. */
export const AT_FIRST: readonly Term[] = [...Object.values(OWN), RANDOMNESS, FORGED, ...CLAIMABLE];

export const points = ({ known }: Knowledge): Term[] => [
  point(OWN.key),
  ...[...known].filter(({ op, args }) => op === 'point' && args.length === 1),
];
export const encapsulationKeys = ({ known }: Knowledge): Term[] => [
  encapsulationKey(OWN.seed),
  ...[...known].filter(({ op }) => op === 'encapsulation key'),
];
export const ciphertexts = (knows: Knowledge): Term[] => [
  ...encapsulationKeys(knows).map((key) => ciphertext(key, RANDOMNESS)),
  ...[...knows.known].filter(({ op }) => op === 'ciphertext'),
];

export function nameOf(term: Term): string {
  if (term === NONE) return 'none';
  if (term.op === 'identity')
    return `${term.label === '' ? '' : 'the negative of '}${argument(term, 0).label.slice(3, -1)}`;
  const isOwn = term === encapsulationKey(OWN.seed) || term.args[1] === RANDOMNESS;
  return `${term.op === 'ciphertext' ? 'a ciphertext' : 'a KEM key'}${isOwn ? ' of her own' : ' seen before'}`;
}
