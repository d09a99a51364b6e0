/**
 * What goes wrong with a NATS server, told in words.
 * The package and the server write names of boxes into their errors: none of these texts has one, nor credentials.
 */
import { codeOf, reasonOf } from '../files/index.ts';

/** The name of the stream. */
export const STREAM = 'PAWL';

/** The server refuses a request. Codes: https://github.com/nats-io/nats-server, server/errors.json. */
export class Refused extends Error {
  readonly code: number;

  constructor(code: number, description: string) {
    super(description);
    this.name = 'Refused';
    this.code = code;
  }
}

/** The server answers something else than JetStream does. */
export class BadAnswer extends Error {
  constructor(options?: ErrorOptions) {
    super('it does not answer as JetStream does', options);
    this.name = 'BadAnswer';
  }
}

/** The answer was passed over, because it is larger than one with an envelope. */
export class TooLarge extends BadAnswer {}

/** Codes of {@link Refused}. */
export const CODES = {
  noMessage: 10_037,
  notEnabled: 10_039,
  notEnabledForServer: 10_076,
  notDeleted: 10_057,
  noStream: 10_059,
} as const;

const PLAIN: Readonly<Record<number, string>> = {
  [CODES.notEnabled]: 'JetStream is not enabled for this user',
  [CODES.notEnabledForServer]: 'JetStream is not enabled there',
  [CODES.noStream]: `there is no stream ${STREAM} (pawl route with --create makes it)`,
};

/** By the server's words, where one code stands for several. */
const FULL: readonly [RegExp, string][] = [
  [/^maximum messages per subject exceeded/, 'the box is full: too much in it was not fetched'],
  [/^maximum bytes exceeded/, `the stream ${STREAM} is full (maximum bytes exceeded)`],
];

/** By the name or the code of an error, or of one of its causes. */
const WORDS: Readonly<Record<string, string>> = {
  NoResponders: `JetStream is not enabled there, or there is no stream ${STREAM}`,
  AuthorizationError: 'it refuses the credentials, or wants some',
  UserAuthenticationExpiredError: 'the credentials have expired',
  ECONNREFUSED: 'nothing listens there',
  ECONNRESET: 'the connection was lost',
  EPIPE: 'the connection was lost',
  ENOTFOUND: 'there is no host of this name',
  EAI_AGAIN: 'the host was not found: is there a network?',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is signed by nobody who is known: NATS_CA names the file of who did',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is signed by nobody who is known: NATS_CA names the file of who did',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    'its certificate is signed by nobody who is known: NATS_CA names the file of who did',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    'its certificate is signed by nobody who is known: NATS_CA names the file of who did',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another host',
};

function* causesOf(error: unknown): Generator<Error> {
  for (let one = error; one instanceof Error; one = one.cause) yield one;
}

/** Whether an error, or what caused it, has this name. */
export function isOfName(error: unknown, name: string): boolean {
  return [...causesOf(error)].some((one) => one.name === name);
}

/** @param timeLimit the milliseconds without an answer after which one was no more awaited. */
export function wordsOf(error: unknown, timeLimit: number): string {
  for (const one of causesOf(error)) {
    if (one instanceof Refused) {
      return PLAIN[one.code] ?? FULL.find(([pattern]) => pattern.test(one.message))?.[1] ?? one.message;
    }
    if (one instanceof BadAnswer) return one.message;
    const words = WORDS[one.name] ?? WORDS[codeOf(one) ?? ''];
    if (words !== undefined) return words;
    if (one.name === 'TooSlow') return 'it answers too slowly';
    if (one.name === 'Silence' || one.name === 'TimeoutError') return `it did not answer for ${timeLimit / 1_000} s`;
    if ('operation' in one) return denied(one);
    if (/connection (?:closed|disconnected)|closed connection/i.test(one.message)) return 'the connection was lost';
    if (/does not support 'tls'/.test(one.message))
      return 'it has no TLS, without which only this machine is talked to';
  }
  return reasonOf(error);
}

function denied(error: Error): string {
  const subject = 'subject' in error ? String(error.subject) : '';
  if (subject.startsWith('pawl.')) {
    return 'operation' in error && error.operation === 'publish'
      ? 'it does not let this user put envelopes there'
      : 'it does not let this user follow';
  }
  const request = /^\$JS\.API\.([A-Z.]+)\./.exec(subject)?.[1];
  return `it does not let this user ${request === undefined ? 'hear its answers' : `ask for ${request}`}`;
}
