/**
 * Records the secrets that the primitives give out, by reference, so that a test can ask which of them were wiped.
 * Knows nothing of the ratchet's states: a test says which secrets are allowed to be left.
 */
import type * as primitives from '../../src/primitives/index.ts';

type Primitives = typeof primitives;

const secrets: Uint8Array[] = [];

export function record<Secret extends Uint8Array>(secret: Secret): Secret {
  secrets.push(secret);
  return secret;
}

/** The primitives, with every secret recorded: those derived, those drawn by `encapsulate`, and what is joined of them. */
export function recording(original: Primitives): Primitives {
  return {
    ...original,
    keyedBlake2b: (...input) => record(original.keyedBlake2b(...input)),
    hkdfBlake2b: (...input) => {
      const okm = record(original.hkdfBlake2b(...input));
      // The root step cuts its keys out of the output.
      const slice = okm.slice.bind(okm);
      return Object.assign(okm, { slice: (start?: number, end?: number) => record(slice(start, end)) });
    },
    hkdfSha256: (...input) => {
      // What it is derived of is joined for it.
      record(input[0]);
      return record(original.hkdfSha256(...input));
    },
    toX25519SecretKey: (...input) => record(original.toX25519SecretKey(...input)),
    sharedSecret: (...input) => record(original.sharedSecret(...input)),
    decapsulate: (...input) => record(original.decapsulate(...input)),
    agreeAfresh: (...input) => {
      const agreed = original.agreeAfresh(...input);
      record(agreed.secret);
      return agreed;
    },
    encapsulate: (...input) => {
      const encapsulated = original.encapsulate(...input);
      record(encapsulated.secret);
      return encapsulated;
    },
    concat: (...parts) => {
      const joined = original.concat(...parts);
      // The root step joins a DH output and a KEM secret. What the handshake joins begins with a constant.
      return secrets.some((secret) => secret === parts[0]) ? record(joined) : joined;
    },
  };
}

/** Ends the recording. @returns what was recorded and is not all zero. */
export function takeUnwiped(): readonly Uint8Array[] {
  return secrets.splice(0).filter((secret) => secret.some((byte) => byte !== 0));
}

const PUBLIC = new Set(['remote', 'publicKey', 'kem', 'key', 'digest']);

/** Every secret byte string in a state or step, by reference. */
export function secretsIn(value: unknown): readonly Uint8Array[] {
  if (value instanceof Uint8Array) return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, part]) => (PUBLIC.has(name) ? [] : secretsIn(part)));
}
