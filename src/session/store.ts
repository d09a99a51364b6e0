import type { ForkReason } from '../errors.ts';
import type { HandshakeStore, Transcript } from '../handshake/index.ts';
import type { IdentityKey, Random } from '../primitives/index.ts';
import type { FinishedChain, RatchetState, RatchetStore, SessionId } from '../ratchet/index.ts';

/**
 * Where an identity lives: all that pawl knows, behind transactions. Declared here by its user; `storage` implements it.
 * Asynchronous, so that a networked store would fit.
 */
export interface SessionStore {
  /**
   * One unit of work. When the promise resolves, everything that `work` wrote is durable; when it rejects, none of it
   * is. Units of work on one identity never overlap, in this process or another. `work` may be run again, so it has no
   * effects but those on the store, and awaits nothing else.
   * @throws `busy` when others hold the identity for too long; whatever `work` throws.
   */
  transaction<Result>(work: (transaction: Transaction) => Promise<Result>): Promise<Result>;
  /** A consistent view to read from. `work` writes nothing, and is short: others may not be able to commit meanwhile. */
  snapshot<Result>(work: (view: Transaction) => Promise<Result>): Promise<Result>;
}

/** What sessions need of a store: what ratchet and handshake need, contacts, sessions, the two boxes and the history. */
export interface Transaction extends HandshakeStore, RatchetStore, ContactStore, SessionTable, Boxes, HistoryStore {}

declare const id: unique symbol;
export type ContactId = number & { readonly [id]: 'contact' };
export type OutboxId = number & { readonly [id]: 'outbox' };
export type InboxId = number & { readonly [id]: 'inbox' };
export type HistoryId = number & { readonly [id]: 'history' };

export interface Contact {
  readonly id: ContactId;
  readonly name: string;
  readonly identity: IdentityKey;
  /** Unix milliseconds. */
  readonly addedAt: number;
  /** When the safety numbers were compared, unix milliseconds. */
  readonly verifiedAt: number | undefined;
  /** An invite of theirs that the next message will answer. */
  readonly invite: WaitingInvite | undefined;
}

export interface WaitingInvite {
  /** 1,321 bytes. */
  readonly bytes: Uint8Array;
  /** When we added it, unix milliseconds. */
  readonly addedAt: number;
}

export interface ContactStore {
  /** In the order of their names. */
  contacts(): Promise<readonly Contact[]>;
  contact(id: ContactId): Promise<Contact>;
  contactNamed(name: string): Promise<Contact | undefined>;
  contactOf(identity: IdentityKey): Promise<Contact | undefined>;
  addContact(contact: Pick<Contact, 'name' | 'identity' | 'addedAt' | 'invite'>): Promise<ContactId>;
  setContactInvite(contact: ContactId, invite: WaitingInvite | undefined): Promise<void>;
  /** When the safety numbers were compared, unix milliseconds; `undefined` takes the mark away. */
  setVerified(contact: ContactId, at: number | undefined): Promise<void>;
  renameContact(contact: ContactId, name: string): Promise<void>;
  /** With all that is theirs: sessions and their keys, what is in the boxes and the history, an invite of theirs that waits. */
  dropContact(contact: ContactId): Promise<void>;
}

/** How a session began. */
export type Origin =
  /**
   * We opened it with the invite of that id, 16 bytes. The prefix of 1,208 bytes stands in front of every message until
   * the first answer.
   */
  | { readonly role: 'initiator'; readonly inviteId: Uint8Array; readonly prefix: Uint8Array | undefined }
  /** They opened it. `prefixDigest`, 16 bytes, tells a repeated prefix from a new opening. */
  | { readonly role: 'responder'; readonly prefixDigest: Uint8Array };

export interface NewSession {
  readonly contact: ContactId;
  readonly origin: Origin;
  /** 32 bytes, the associated data of all its messages. */
  readonly transcript: Transcript;
  /** When the opener says it was opened, unix milliseconds. */
  readonly opened: number;
  /** When we opened or accepted it, unix milliseconds. */
  readonly createdAt: number;
}

export interface Session extends NewSession {
  readonly id: SessionId;
  /** The last new chain of the peer's, unix milliseconds. */
  readonly lastDhStepAt: number | undefined;
  /** Messages received from the contact over other sessions since this one was last used. */
  readonly idle: number;
  /** Missing messages whose keys are gone. */
  readonly lost: number;
  /**
   * Our file was restored since: the session receives, but is not sent on until the peer's next new chain, because what
   * we sent last may not be the last that we sent.
   */
  readonly held: boolean;
  readonly fork: { readonly reason: ForkReason; readonly at: number } | undefined;
}

/** A chain of the peer's that has ended, without its header key. */
export type FinishedChainRecord = Omit<FinishedChain, 'header'>;

/** A skipped message key, without the key. */
export interface MissingMessage {
  readonly chain: number;
  readonly n: number;
  /** Unix milliseconds. */
  readonly keptSince: number;
}

export interface SessionTable {
  session(id: SessionId): Promise<Session>;
  /** Oldest first. */
  sessions(contact: ContactId): Promise<readonly Session[]>;
  /** The session that they opened with the prefix of this digest. */
  sessionOfPrefix(prefixDigest: Uint8Array): Promise<Session | undefined>;
  addSession(session: NewSession, state: RatchetState): Promise<SessionId>;
  /** The first answer came: the prefix of our opening goes. */
  answerSession(id: SessionId): Promise<void>;
  /** Sets the session's `idle` to 0 and adds 1 to that of the contact's others. */
  useSession(id: SessionId): Promise<void>;
  /** Holds every session there is: see `Session.held`. `saveReceived` lets one go with the peer's next new chain. */
  holdSessions(): Promise<void>;
  /** With all its keys. */
  dropSession(id: SessionId): Promise<void>;
  /** Those that are kept, oldest first. */
  finishedChains(session: SessionId): Promise<readonly FinishedChainRecord[]>;
  /** In the order of chain and position. */
  missingMessages(session: SessionId): Promise<readonly MissingMessage[]>;
}

/** An envelope that is committed and not yet known to be written. */
export interface OutboxEntry {
  readonly contact: ContactId;
  /** 16 bytes. */
  readonly messageId: Uint8Array;
  readonly envelope: Uint8Array;
  /** The process that writes it out. */
  readonly process: string;
  /** Unix milliseconds. */
  readonly createdAt: number;
}

/** A text that is accepted and not yet known to be delivered. */
export interface InboxEntry {
  readonly contact: ContactId;
  /** 16 bytes. */
  readonly messageId: Uint8Array;
  readonly n: number;
  /** Whether it came out of order, by a skipped key. */
  readonly late: boolean;
  /** The encoded content: docs/PROTOCOL.md §7. */
  readonly content: Uint8Array;
  /** Unix milliseconds. */
  readonly receivedAt: number;
  /** The process that delivers it; none where it waits for the next. */
  readonly process: string | undefined;
}

export interface Boxes {
  addToOutbox(entry: OutboxEntry): Promise<OutboxId>;
  /** Oldest first. */
  outbox(): Promise<readonly (OutboxEntry & { readonly id: OutboxId })[]>;
  dropFromOutbox(ids: readonly OutboxId[]): Promise<void>;
  addToInbox(entry: InboxEntry): Promise<InboxId>;
  /** Oldest first, without their content. */
  inbox(): Promise<readonly (Omit<InboxEntry, 'content'> & { readonly id: InboxId })[]>;
  /** Names the process that delivers a text from now on, or none, and gives the text. */
  claimInbox(id: InboxId, process: string | undefined): Promise<InboxEntry>;
  dropFromInbox(ids: readonly InboxId[]): Promise<void>;
  /** Drops a text, and gives it; `undefined` where it is gone, as those of a contact that was forgotten are. */
  takeFromInbox(id: InboxId): Promise<InboxEntry | undefined>;
}

/** That delivered and sent texts are kept. */
export interface Keeping {
  /** When that was turned on, unix milliseconds. */
  readonly since: number;
  /** For how many milliseconds each is kept; `undefined`: without end. */
  readonly keptFor: number | undefined;
}

/** What is kept of a content: a text of up to 65,536 bytes in UTF-8; of a file, of other bytes and of longer texts no more than how long they are. */
export type KeptContent =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'file'; readonly name: string; readonly length: number }
  | { readonly kind: 'bytes'; readonly length: number };

/** A message that was sealed or delivered. */
export interface HistoryEntry {
  readonly contact: ContactId;
  readonly direction: 'sent' | 'received';
  /** 16 bytes, the same on both sides. */
  readonly messageId: Uint8Array;
  readonly n: number;
  /** When it was sealed or delivered, by our own clock: unix milliseconds. */
  readonly at: number;
  /** When its sender says that it was sent, unix milliseconds. */
  readonly sentAt: number;
  readonly content: KeptContent;
}

/** What was kept of a contact, or of all, from a time on and before another, in unix milliseconds. */
export interface HistoryRange {
  readonly contact?: ContactId;
  readonly from?: number;
  readonly before?: number;
}

export interface HistoryStore {
  /** `undefined`: nothing is kept, as it is at first. */
  keeping(): Promise<Keeping | undefined>;
  setKeeping(keeping: Keeping | undefined): Promise<void>;
  addToHistory(entry: HistoryEntry): Promise<void>;
  /** In the order in which they were kept: at most `limit`, those behind `after`. */
  history(
    range: HistoryRange & { readonly after?: HistoryId; readonly limit: number },
  ): Promise<readonly (HistoryEntry & { readonly id: HistoryId })[]>;
  /** How many, and when the first of them was kept, unix milliseconds. */
  countHistory(range: HistoryRange): Promise<{ readonly count: number; readonly first: number | undefined }>;
  /** Drops what was kept before a time in unix milliseconds. @returns how many. */
  sweepHistory(keptBefore: number): Promise<number>;
}

/** What a unit of work is given: the store, and the world that it must not reach for by itself. */
export interface Context {
  readonly store: SessionStore;
  readonly random: Random;
  /** Unix milliseconds. */
  readonly now: () => number;
  /** Names this process in the boxes, so that another can tell a text in flight from one left behind. */
  readonly process: string;
  /** Whether the process of that name still runs. */
  readonly isRunning: (process: string) => boolean;
}
