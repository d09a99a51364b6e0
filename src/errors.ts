/**
 * The known errors: the closed set of error codes, each with the facts that its message needs.
 * Knows no wording and no exit code: `cli/terminal/error-messages.ts` maps every code to those.
 */

/** The facts of each error, by its code. Times are unix milliseconds. */
export interface ErrorDetails {
  // the command line
  usage: { problem: string; hint?: string };
  /** Node has replaced bytes of it that are no UTF-8 by U+FFFD. `what`: such as "the argument caf?". */
  'not-utf8': { what: string };
  'bad-name': { name: string };
  'no-input': { source: string; toSend?: true };
  /** The editor has failed. `reason`: how it ended. */
  'editor-failed': { command: string; reason: string };
  /** The shell cannot run the command of `recv --exec`. `exit`: what it says, 126 or 127. */
  'cannot-run': { command: string; exit: number };
  /** The terminal cuts lines of more than `limit` bytes. */
  'cut-line': { limit: number };
  /** `to`: the contact that the file was to be sent to. */
  'missing-file': { path: string; to?: string };
  'no-home': Record<never, never>;
  'no-identity': { home: string };
  'several-identities': { names: readonly string[] };
  /** `known`: the names of the identities in the folder. */
  'identity-missing': { name: string; home: string; known?: readonly string[] };
  // bytes from outside
  /** `damage`: what seems to have happened to it on its way. `isInvite`: it was an invite. */
  corrupt: { what: string; damage?: BlockDamage; isInvite?: true };
  'unknown-version': { version: number };
  'wrong-kind': { expected: 'invite' | 'message'; found: 'invite' | 'message' | 'part' };
  /** `isLeast`: there may be more bytes than were read. */
  'too-large': { what: string; bytes: number; limit: number; isLeast?: true };
  'weak-key': { what: string };
  // contents in parts
  /** No content is awaited that a part is of. */
  'unknown-part': Record<never, never>;
  /** A part does not agree with what is known of its content. */
  'parts-contradict': { index: number };
  /** A part is too far behind the first one that is missing. */
  'part-too-far': { index: number; missing: number };
  /** So many contents of a contact are unfinished that no other is begun. */
  'too-many-incoming': { name: string; limit: number };
  /** A content is larger than is taken: see `--max-size`. `bytes`: at least so many. */
  'over-max-size': { bytes: number; limit: number };
  /** The disk would be filled. `free`: bytes that are to stay free. */
  'no-room': { path: string; free: number };
  /** Another process takes the parts of the content. */
  'taken-elsewhere': { what: string };
  /** Another machine of the identity has the partial file of the content. `host`: what people call it. */
  'collected-elsewhere': { what: string; host: string };
  /** Parts have come, and the command was given no place for their content. */
  'no-place': { what: string };
  /** The input ended before the content did. */
  'parts-missing': { what: string; missing: number; total: number | undefined };
  /** A file has changed while it was sent, or since. */
  'source-changed': { path: string };
  /** The file is on another machine of the identity. `host`: what people call it. */
  'source-elsewhere': { path: string; host: string };
  /** What was sent from standard input cannot be read again. */
  'cannot-resume': { id: number };
  // conversations
  /** `known`: the names of the contacts. `isFile`: there is a file of that name; `isList`: a list. */
  'unknown-contact': { name: string; known?: readonly string[]; isFile?: true; isInvited?: boolean; isList?: boolean };
  /** `known`: the names of the lists. `isContact`: there is a contact of that name. */
  'unknown-list': { name: string; known: readonly string[]; isContact: boolean };
  'name-taken': { name: string };
  /** `wasVerified`: the contact was verified before and is not any more. */
  'wrong-safety-number': { name: string; wasVerified: boolean };
  'not-in-outbox': { id: number };
  'no-session': { name: string };
  held: { name: string; until: Release };
  'not-for-you': Record<never, never>;
  'other-sender': { from: string };
  'gap-too-large': { missing: number; limit: number; inNewChain: boolean };
  /** `at`: when it was found. */
  fork: { reason: ForkReason; at: number };
  /** So much of a contact waits in the inbox that nothing more of theirs is taken in. */
  'inbox-full': { name: string; texts: number; bytes: number };
  'kem-missing': Record<never, never>;
  'not-begun': Record<never, never>;
  exhausted: Record<never, never>;
  'clock-ahead': { opened: number };
  // places
  /** A place fails, or does not answer. `place`: what the route is called, without credentials. */
  unreachable: { place: string; reason: string; isNew?: true };
  /** A message is encrypted, and its place cannot be reached: it waits. `reason`: why. `large`: a content in parts. */
  queued: { to: string; place: string; reason: string; large?: LargeQueued };
  /** A stream was on its way to a place that cannot be reached any more, and cannot be read again. `why`: what is wrong there. */
  'stream-lost': { to: string; why: string };
  /** A route with a command has come with the identity file from elsewhere. */
  'untrusted-route': { route: string };
  /** One of several contacts is reached by no route, and there is no folder for the envelope. */
  'no-route': { name: string };
  /** The conversation with a contact is of before there were boxes. */
  'no-boxes': { name: string };
  /** A folder has another mark than when the route was made, or none. */
  'other-place': { place: string; expected: string; found: string | undefined };
  /** A text is no route. `reason`: what is wrong with it. */
  'bad-route': { route: string; reason: string };
  /** A stream of a server does not suit. `reason`: the setting. */
  'unsuited-stream': { place: string; reason: string };
  // invites
  'bad-signature': Record<never, never>;
  'unknown-invite': Record<never, never>;
  'invite-expired': { expiredAt: number };
  /** `by`: the fingerprint of its user. */
  'invite-spent': { at: number; by: string; name: string };
  'invite-withdrawn': { at: number; name: string };
  /** There is no open invite for `name`, or none with the ID. */
  'no-open-invite': { name: string; id?: string };
  /** A reusable invite has had `limit` users. */
  'invite-used-up': { name: string; limit: number };
  'too-many-invites': { limit: number };
  'identity-changed': { name: string; known: string; offered: string };
  self: { what: 'invite' | 'message' };
  // the identity
  /** `waits`: the file that was to be written there stays in the inbox. `force`: the command has the option. */
  exists: { path: string; waits?: true; force?: true };
  /** `what`: what the file is, such as "the key file". */
  protected: { path: string; what: string };
  /** `isTaken`: there is a file of that name that is not a folder. */
  'no-folder': { path: string; isTaken: boolean };
  /** `leaves`: as with `write-failed`. */
  'cannot-create': { path: string; reason: string; leaves?: Leaving };
  'read-failed': { path: string; reason: string };
  /**
   * `isUndone`: of an identity, whether it is sure that nothing of the change is in it. `leaves`: the identity has left
   * already where it was, so that neither nothing was done, nor another place can be chosen.
   */
  'write-failed': { path: string; reason: string; isUndone?: boolean; leaves?: Leaving };
  /** `isUndone`: a change was under way, and it is sure that it was not committed. `leaves`: as of `write-failed`. */
  'database-unreachable': { path: string; reason: string; isUndone?: boolean; leaves?: Leaving };
  /** The answer to a commit was lost, and what became of it cannot be found out now. */
  'commit-unknown': { path: string };
  /** `wasThere`: it may have come there, and is not found there now. */
  moving: Leaving & { wasThere?: boolean };
  'closed-pipe': Record<never, never>;
  /** A native part, or a package, does not load in this Node. */
  'no-addon': {
    part: 'SQLite' | 'Argon2id' | 'the NATS client' | 'a package';
    why: 'missing' | 'other-node' | 'other-system' | 'disabled';
    node: string;
  };
  damaged: { path: string };
  'not-an-identity': { path: string };
  'newer-schema': { path: string; found: number; known: number };
  busy: { path: string };
  /** The file system of the folder does not lock files. */
  'no-locks': { folder: string };
  /** Another file was renamed over the one that is open, or what is there has another salt than the key that is tried. */
  replaced: { path: string };
  /** The identity keeps its old key. `isMounted`: its file is mounted by itself, so that nothing can take its name. */
  'not-rekeyed': { path: string; reason: string; isMounted?: true };
  'rolled-back': { path: string };
  /** A file was written to, and there is no mark of it on this machine; or a database is on another server than before. */
  unmarked: { path: string };
  misplaced: { path: string; name: string };
  /** `flaw`: what is odd about the passphrase that was tried. */
  'wrong-passphrase': { path: string; flaw?: PassphraseFlaw | PassphraseOddity };
  /** `isNew`: the new passphrase of a rekey is missing. */
  'no-passphrase': { path: string; isNew?: true };
  'empty-passphrase': { source: string };
  'several-lines': { source: string };
  'bad-passphrase': { source: string; flaw: PassphraseFlaw };
  'passphrase-command': { reason: string };
  'bad-key-file': { path: string; bytes: number };
  /** `mode`: in octal digits. */
  'exposed-key': { path: string; mode: string };
  /** A key file is not taken for a new lock: it belongs to another user, or others can write to its `folder`. */
  'untrusted-key': { path: string; folder?: string };
  /** The file has this key or passphrase already. */
  'same-key': { path: string; what: 'key' | 'passphrase' };
  /** The key cannot be kept for other commands. */
  'no-agent': { reason: string };
  /** The folder where keys are given out is none, belongs to somebody else, or others can get into it. */
  'exposed-agent': { folder: string; flaw: 'no-folder' | 'other-owner' | 'open' };
  interrupted: Record<never, never>;
}

export type ErrorCode = keyof ErrorDetails;

/** An identity that is being moved: from where, and to where. */
export interface Leaving {
  readonly name: string;
  readonly path: string;
  readonly to: string;
}

/** A content in parts that waits: its name, its number in the outbox, how many of its parts are at the place, and of how many. */
export interface LargeQueued {
  readonly what: string;
  readonly id: number;
  readonly parts: number;
  readonly total: number | undefined;
}

/**
 * What a program on the way has done to an envelope. `cut-off`: the end of a block has not come; `no-begin`: its
 * beginning; `missing`, `added`, `altered`: characters in it; `replaced`: characters by `?`; `taken-for-text`: bytes were
 * stored in another encoding of text.
 */
export type BlockDamage = 'cut-off' | 'no-begin' | 'missing' | 'added' | 'altered' | 'replaced' | 'taken-for-text';

/**
 * Why no lock is made of a passphrase. `replaced`: bytes that are no UTF-8 were replaced on their way; `bom`: it begins with
 * the byte order mark of UTF-8; `utf-16`: with that of UTF-16; `nul`: a NUL is in it; `long`: it has more bytes than are read.
 */
export type PassphraseFlaw = 'replaced' | 'bom' | 'utf-16' | 'nul' | 'long';

/** What may be the mistake in a passphrase that does not fit: a blank at an end, or bytes that are no UTF-8. */
export type PassphraseOddity = 'blank' | 'not-utf8';

/** Which rule of docs/PROTOCOL.md §5 the messages of a peer broke. */
export type ForkReason =
  | 'two-texts-at-one-position'
  | 'two-keys-in-one-chain'
  | 'past-the-end-of-a-chain'
  | 'chain-shorter-than-received'
  | 'answer-to-an-unknown-chain'
  | 'answer-without-an-offer'
  | 'body-does-not-authenticate';

/**
 * What allows sending to a contact again after our file was restored: `answered`, the next new chain of the peer on the
 * held session; `invited`, only a new session, which an invite opens.
 */
export type Release = 'answered' | 'invited';

/**
 * An error of the closed set; everything else that is thrown is a bug in pawl. It carries no stack trace: none is ever
 * shown, and hostile input can cause millions of these errors, whose cost would mostly be the trace.
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

/** Tells whether `error` is a known error of this code. */
export function isPawlError<Code extends ErrorCode>(error: unknown, code: Code): error is PawlError<Code> {
  return error instanceof PawlError && error.code === code;
}
