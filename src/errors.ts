/**
 * The closed set of what can go wrong, each with the facts its sentence needs. `cli/explain` gives every code its
 * sentence, hint and exit code, and does not compile while one is missing.
 */
export interface ErrorDetails {
  // the command line
  usage: { problem: string; hint?: string };
  'bad-name': { name: string };
  'no-input': { source: string; toSend?: true };
  /** `to`: to whom it was to be sent. */
  'missing-file': { path: string; to?: string };
  'no-identity': { home: string };
  'several-identities': { names: readonly string[] };
  'identity-missing': { name: string; home: string };
  // bytes from outside
  corrupt: { what: string };
  'unknown-version': { version: number };
  'wrong-kind': { expected: 'invite' | 'message'; found: 'invite' | 'message' };
  'too-large': { what: string; bytes: number; limit: number };
  'weak-key': { what: string };
  // conversations
  'unknown-contact': { name: string };
  'name-taken': { name: string };
  /** The number that was typed is not that of the contact; a contact that was verified no longer is. */
  'wrong-safety-number': { name: string; wasVerified: boolean };
  'not-in-outbox': { id: number };
  'no-session': { name: string };
  held: { name: string; until: Release };
  'not-for-you': Record<never, never>;
  'other-sender': { from: string };
  'gap-too-large': { missing: number; limit: number; inNewChain: boolean };
  fork: { reason: ForkReason };
  'kem-missing': Record<never, never>;
  'not-begun': Record<never, never>;
  exhausted: Record<never, never>;
  /** `opened`: unix milliseconds. */
  'clock-ahead': { opened: number };
  // invites
  'bad-signature': Record<never, never>;
  'unknown-invite': Record<never, never>;
  /** `expired`: unix seconds. */
  'invite-expired': { expired: number };
  /** `at`: unix milliseconds; `by`: a fingerprint. */
  'invite-spent': { at: number; by: string; name: string };
  /** A reusable invite has let in as many as it may. */
  'invite-used-up': { name: string; limit: number };
  'too-many-invites': { limit: number };
  'identity-changed': { name: string; known: string; offered: string };
  self: { what: 'invite' | 'message' };
  // the identity file
  /** `waits`: what was to be put there stays in the inbox. */
  exists: { path: string; waits?: true };
  /** `isTaken`: something else has its name. */
  'no-folder': { path: string; isTaken: boolean };
  'cannot-create': { path: string; reason: string };
  'read-failed': { path: string; reason: string };
  'write-failed': { path: string; reason: string };
  'closed-pipe': Record<never, never>;
  damaged: { path: string };
  'not-an-identity': { path: string };
  'newer-schema': { path: string; found: number; known: number };
  busy: { path: string };
  /** Another file has taken the name of the one that was open. */
  replaced: { path: string };
  /** The file still opens with the key that it had. */
  'not-rekeyed': { path: string; reason: string };
  'rolled-back': { path: string };
  misplaced: { path: string; name: string };
  'wrong-passphrase': { path: string };
  /** `isNew`: the one that is to take the place of another. */
  'no-passphrase': { path: string; isNew?: true };
  'empty-passphrase': { source: string };
  'several-lines': { source: string };
  'passphrase-command': { reason: string };
  'bad-key-file': { path: string; bytes: number };
  'exposed-key': { path: string; mode: string };
  interrupted: Record<never, never>;
}

export type ErrorCode = keyof ErrorDetails;

/** How a peer's messages contradict each other: which rule of docs/PROTOCOL.md §5 was broken. */
export type ForkReason =
  | 'two-texts-at-one-position'
  | 'two-keys-in-one-chain'
  | 'past-the-end-of-a-chain'
  | 'chain-shorter-than-received'
  | 'answer-to-an-unknown-chain'
  | 'answer-without-an-offer'
  | 'body-does-not-authenticate';

/**
 * What lets us send again on a session that is held because our file was restored: a message that answers what we sent, or
 * no message at all, so that only a session that an invite opens is sent on.
 */
export type Release = 'answered' | 'invited';

/**
 * A known error: one of the closed set. Anything else that is thrown is a bug in pawl. It has no stack trace: it is an
 * answer, nobody is shown where it came from, and hostile input makes a million of them, of which the trace is most of the cost.
 */
export class PawlError<Code extends ErrorCode = ErrorCode> extends Error {
  readonly code: Code;
  readonly detail: ErrorDetails[Code];

  constructor(code: Code, detail: ErrorDetails[Code], options?: ErrorOptions) {
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    super(code, options);
    Error.stackTraceLimit = stackTraceLimit;
    this.name = 'PawlError';
    this.code = code;
    this.detail = detail;
  }
}

/** Whether `error` is the known error `code`. */
export function isPawlError<Code extends ErrorCode>(error: unknown, code: Code): error is PawlError<Code> {
  return error instanceof PawlError && error.code === code;
}
