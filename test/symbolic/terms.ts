/**
 * Messages as terms: what a primitive gives out is named by what went in, and no bit of it can be guessed (the symbolic
 * model of Dolev and Yao). Equal terms are one object.
 */
export interface Term {
  readonly op: Op;
  readonly label: string;
  readonly args: readonly Term[];
  /** Its number; stands for the term where states are compared. */
  readonly id: number;
  toJSON(): number;
}

type Op =
  /** Public and the same for all: a label, a number. */
  | 'word'
  /** A fresh secret. */
  | 'secret'
  | 'tuple'
  /** A hash or a KDF: nothing of what went in comes out. */
  | 'digest'
  /** The base point of the curve, multiplied by the secrets that are its arguments, in whatever order. */
  | 'point'
  | 'identity'
  | 'encapsulation key'
  | 'ciphertext'
  | 'kem secret'
  | 'sealed'
  | 'signed';

/** A way from argument to argument, with the term that they make at its end. */
interface Path {
  readonly next: Map<string | Term, Path>;
  term?: Term;
}

const START: Path = { next: new Map() };
let count = 0;

function term(op: Op, label: string, args: readonly Term[]): Term {
  let path = onwards(onwards(START, op), label);
  for (const arg of args) path = onwards(path, arg);
  if (path.term === undefined) {
    const id = count++;
    path.term = { op, label, args, id, toJSON: () => id };
  }
  return path.term;
}

function onwards({ next }: Path, by: string | Term): Path {
  const known = next.get(by);
  if (known !== undefined) return known;
  const path: Path = { next: new Map() };
  next.set(by, path);
  return path;
}

export const word = (label: string): Term => term('word', label, []);
export const number = (n: number): Term => word(String(n));
export const NONE = word('nothing');
export const secret = (label: string): Term => term('secret', label, []);
export const tuple = (...args: Term[]): Term => term('tuple', '', args);
export const digest = (label: string, ...args: Term[]): Term => term('digest', label, args);

/** A public key. */
export const point = (of: Term): Term => term('point', '', [of]);

/** DH commutes: the same point, whichever secret multiplied first. */
export function dh(own: Term, their: Term): Term {
  return term(
    'point',
    '',
    [...their.args, own].sort((a, b) => a.id - b.id),
  );
}

/**
 * An Ed25519 identity. A key and its negative are two identities that have one X25519 form (docs/PROTOCOL.md §2), and
 * nobody has the signing key of the other one.
 */
export const identity = (of: Term, negative = false): Term => term('identity', negative ? 'negative' : '', [of]);
export const montgomery = (of: Term): Term => point(argument(of, 0));

export const encapsulationKey = (seed: Term): Term => term('encapsulation key', '', [seed]);
export const ciphertext = (key: Term, randomness: Term): Term => term('ciphertext', '', [key, randomness]);
export const kemSecret = (key: Term, randomness: Term): Term => term('kem secret', '', [key, randomness]);

/** A ciphertext for another key gives another secret, and no error (implicit rejection). */
export function decapsulate(seed: Term, sent: Term): Term {
  const [key, randomness] = sent.args;
  return sent.op === 'ciphertext' && key === encapsulationKey(seed) && randomness !== undefined
    ? kemSecret(key, randomness)
    : digest('rejected', seed, sent);
}

export const seal = (key: Term, aad: Term, plaintext: Term): Term => term('sealed', '', [key, aad, plaintext]);

/** @returns the plaintext, or `undefined` where it does not authenticate. */
export function unseal(key: Term, aad: Term, sealed: Term): Term | undefined {
  const isFor = sealed.op === 'sealed' && sealed.args[0] === key && sealed.args[1] === aad;
  return isFor ? sealed.args[2] : undefined;
}

export const sign = (key: Term, message: Term): Term => term('signed', '', [key, message]);
export const verifies = (signer: Term, message: Term, signature: Term): boolean =>
  signer.label === '' && signature === sign(argument(signer, 0), message);

export function argument({ args, op }: Term, index: number): Term {
  const found = args[index];
  if (found === undefined) throw new Error(`${op} has no argument ${index}`);
  return found;
}
