/**
 * The store that the operations on an identity need: the interface that `storage` implements, and its records.
 * Types only. Knows no SQL; times are unix milliseconds.
 */
import type { ContentHead, Descriptor } from '../envelope/index.ts';
import type { ForkReason } from '../errors.ts';
import type { HandshakeStore, Transcript } from '../handshake/index.ts';
import type { PartRecord } from '../parts/index.ts';
import type { Route } from '../places/index.ts';
import type { IdentityKey, Random } from '../primitives/index.ts';
import type { FinishedChain, RatchetState, RatchetStore, SessionId } from '../ratchet/index.ts';

/** The store of one identity. Asynchronous, so that a store on a network would fit. */
export interface SessionStore {
  /**
   * By how many whole milliseconds the clock of the store is ahead of our own: that of a server, as it was when the last
   * unit of work began. Claims are timed by it, because the clocks of the machines that share an identity differ, and by
   * nothing else, because whose server it is could have keys and texts deleted. Without one, they are timed by our own.
   */
  readonly clockAhead?: number;
  /**
   * Runs `work` in a transaction. When the promise resolves, everything that `work` wrote is durable; when it rejects,
   * nothing is. Transactions on one identity never overlap, in this process or across processes. `work` may be run
   * again: it must have no effect except on the store, and must await nothing else.
   * @throws `busy` when other processes hold the lock for too long.
   * @throws what `work` throws.
   */
  transaction<Result>(work: (transaction: Transaction) => Promise<Result>): Promise<Result>;
  /** Runs `work` on a consistent view for reading. `work` must be short, because others may be unable to commit. */
  snapshot<Result>(work: (view: Transaction) => Promise<Result>): Promise<Result>;
}

/** Everything that can be read and written within a transaction. */
export interface Transaction
  extends HandshakeStore,
    RatchetStore,
    ContactStore,
    SessionTable,
    Boxes,
    Transfers,
    Routes,
    Lists,
    HistoryStore,
    Times {}

declare const id: unique symbol;
/** Row ids. The store assigns them, and never assigns one twice. */
export type ContactId = number & { readonly [id]: 'contact' };
export type OutboxId = number & { readonly [id]: 'outbox' };
export type InboxId = number & { readonly [id]: 'inbox' };
export type HistoryId = number & { readonly [id]: 'history' };
export type IncomingId = number & { readonly [id]: 'incoming' };
export type OutgoingId = number & { readonly [id]: 'outgoing' };

/** A peer whose identity is known under a name. */
export interface Contact {
  readonly id: ContactId;
  readonly name: string;
  readonly identity: IdentityKey;
  readonly addedAt: number;
  /** When the safety numbers were compared. */
  readonly verifiedAt: number | undefined;
  /** An invite of theirs that the next message answers. */
  readonly invite: WaitingInvite | undefined;
}

/** An invite of a contact that is not answered yet. */
export interface WaitingInvite {
  /** 1,321 bytes. */
  readonly bytes: Uint8Array;
  /** When we stored it. */
  readonly addedAt: number;
}

/** A contact with what reports need of its sessions. Contains no key but its identity, and not its invite. */
export interface ContactOverview extends Omit<Contact, 'invite'> {
  /** Whether an invite of theirs waits. */
  readonly inviteWaits: boolean;
  /** The one that was opened last first; of two that were opened at the same time, the one with the larger transcript. */
  readonly sessions: readonly SessionOverview[];
}

/** The table of contacts. */
export interface ContactStore {
  /** In the order of their names. */
  contacts(): Promise<readonly Contact[]>;
  /**
   * Passes every contact with its sessions to `visit`, in the order of the names. They are read at once, because it is
   * slow to read thousands one by one. `visit` must not use the store.
   */
  eachContact(visit: (contact: ContactOverview) => void): Promise<void>;
  contact(id: ContactId): Promise<Contact>;
  contactNamed(name: string): Promise<Contact | undefined>;
  contactOf(identity: IdentityKey): Promise<Contact | undefined>;
  addContact(contact: Pick<Contact, 'name' | 'identity' | 'addedAt' | 'invite'>): Promise<ContactId>;
  setContactInvite(contact: ContactId, invite: WaitingInvite | undefined): Promise<void>;
  /**
   * Marks a contact as verified.
   * @param at when the safety numbers were compared; `undefined` removes the mark.
   */
  setVerified(contact: ContactId, at: number | undefined): Promise<void>;
  renameContact(contact: ContactId, name: string): Promise<void>;
  /** Deletes a contact with its sessions and keys, its waiting invite, and its rows in both boxes, the lists and the history. */
  dropContact(contact: ContactId): Promise<void>;
}

/** How a session began. */
export type Origin =
  /**
   * We opened it with an invite of theirs. `inviteId`: 16 bytes. `prefix`: 1,208 bytes that precede every message until
   * the first answer; `undefined` afterwards.
   */
  | { readonly role: 'initiator'; readonly inviteId: Uint8Array; readonly prefix: Uint8Array | undefined }
  /** They opened it. `prefixDigest`: 16 bytes that distinguish a repeated prefix from a new opening. */
  | { readonly role: 'responder'; readonly prefixDigest: Uint8Array };

/** The boxes of a session, at whatever place its contact is reached: 16 bytes each (docs/PROTOCOL.md §4). */
export interface SessionBoxes {
  /** Takes what we send. */
  readonly outgoing: Uint8Array;
  /** Takes what they send. */
  readonly incoming: Uint8Array;
  /**
   * The box of the invite that was answered: it takes the opener's messages that have the prefix. `undefined` on the
   * opener's side once it has had an answer.
   */
  readonly invite: Uint8Array | undefined;
}

/** A session when it is created. */
export interface NewSession {
  readonly contact: ContactId;
  readonly origin: Origin;
  /** 32 bytes: the associated data of all its messages. */
  readonly transcript: Transcript;
  /** When it was opened, by the clock of the opener. */
  readonly opened: number;
  /** When we opened or accepted it, by our own clock. */
  readonly createdAt: number;
  /** `undefined` for a session of before there were boxes. */
  readonly boxes: SessionBoxes | undefined;
}

/** A stored session, without its ratchet state. */
export interface Session extends NewSession {
  readonly id: SessionId;
  /** When the peer last began a chain. */
  readonly lastDhStepAt: number | undefined;
  /** The number of messages received over other sessions of the contact since this one was last used. */
  readonly idle: number;
  /** The number of missing messages whose keys are deleted. */
  readonly lost: number;
  /**
   * Whether our file was restored since, or the peer has answered what it never sent. A held session receives, but is not
   * sent on until the peer's next new chain, because the positions that the file takes for free may have been used
   * (docs/PROTOCOL.md §8).
   */
  readonly held: boolean;
  readonly fork: ForkMark | undefined;
  /**
   * The newest session of the contact when all in the incoming box of this one was last read; `undefined` before. While
   * there is a newer one, older messages may still lie in the box.
   */
  readonly readWith: SessionId | undefined;
}

/** What it takes to know which boxes of a session are read. */
export interface RoutedSession extends Pick<Session, 'id' | 'contact' | 'createdAt' | 'readWith'> {
  /** The name of the contact. */
  readonly name: string;
  /** Whether they opened it. */
  readonly isTheirs: boolean;
  readonly boxes: Omit<SessionBoxes, 'outgoing'> | undefined;
}

/** The first contradiction in a session, or the first since an earlier one was acknowledged (docs/PROTOCOL.md §5.6). */
export interface ForkMark {
  readonly reason: ForkReason;
  readonly at: number;
  /** When its owner acknowledged it. */
  readonly acknowledgedAt: number | undefined;
}

/** What reports on all contacts need of a session. */
export interface SessionOverview extends Pick<Session, 'id' | 'createdAt' | 'lastDhStepAt' | 'held' | 'fork'> {
  /** Whether they opened it. */
  readonly isTheirs: boolean;
  /** Whether it is an opening of ours that they have not answered. */
  readonly isUnanswered: boolean;
  /** Whether a new chain of ours is due. */
  readonly isDue: boolean;
  /** The number of messages in the chain that we send on, 0 without one. */
  readonly sent: number;
  /** The messages that are missing and whose keys are stored, and when the first was found to be missing. */
  readonly missing: { readonly count: number; readonly since: number } | undefined;
}

/** A finished receiving chain, without its header key. */
export type FinishedChainRecord = Omit<FinishedChain, 'header'>;

/** The position of a skipped message key, without the key. */
export interface MissingMessage {
  readonly chain: number;
  readonly n: number;
  /** When the message was found to be missing. */
  readonly keptSince: number;
}

/** The tables of sessions and their chains. */
export interface SessionTable {
  session(id: SessionId): Promise<Session>;
  /** Oldest first. */
  sessions(contact: ContactId): Promise<readonly Session[]>;
  /**
   * The sessions of every contact that has a route: in the order of the names, those of one contact oldest first. They are
   * read at once, because it is slow to read thousands one by one.
   */
  routedSessions(): Promise<readonly RoutedSession[]>;
  /** Returns the session that was opened with the prefix of this digest. */
  sessionOfPrefix(prefixDigest: Uint8Array): Promise<Session | undefined>;
  addSession(session: NewSession, state: RatchetState): Promise<SessionId>;
  /** Deletes the prefix of our opening, and the name of the invite's box, after the first answer. */
  answerSession(id: SessionId): Promise<void>;
  /** Notes that all in the incoming box of a session, if it is there, was read while another was the contact's newest. */
  setReadWith(id: SessionId, newest: SessionId): Promise<void>;
  /** Sets `idle` of the session to 0, and adds 1 to `idle` of the contact's other sessions. */
  useSession(id: SessionId): Promise<void>;
  /**
   * Holds the sessions of a contact, or without one every session: see `Session.held`. `saveReceived` releases a session
   * with the peer's next new chain.
   */
  holdSessions(contact?: ContactId): Promise<void>;
  /**
   * Marks the forks in all sessions of a contact as acknowledged, unless they are. The next fork takes their place.
   * @returns how many were not acknowledged before.
   */
  acknowledgeForks(contact: ContactId, at: number): Promise<number>;
  /** Deletes a session with all its keys. */
  dropSession(id: SessionId): Promise<void>;
  /** The stored ones, oldest first. */
  finishedChains(session: SessionId): Promise<readonly FinishedChainRecord[]>;
  /** In the order of chain and position. */
  missingMessages(session: SessionId): Promise<readonly MissingMessage[]>;
}

/** An envelope that is committed and not yet known to be written out. */
export interface OutboxEntry {
  readonly contact: ContactId;
  /** 16 bytes. */
  readonly messageId: Uint8Array;
  readonly envelope: Uint8Array;
  /** The process that writes it out. */
  readonly process: string;
  /** By the clock of claims. */
  readonly createdAt: number;
  /** The box for it, 16 bytes; `undefined` on a session without boxes. */
  readonly box: Uint8Array | undefined;
}

/** An entry of the outbox as it is listed: with the length of its envelope in place of the envelope. */
export type ListedOutboxEntry = Omit<OutboxEntry, 'envelope'> & { readonly id: OutboxId; readonly length: number };

/** A text that is committed and not yet known to be delivered, without its content. */
export interface InboxEntry {
  readonly contact: ContactId;
  /** 16 bytes. */
  readonly messageId: Uint8Array;
  readonly n: number;
  /** Whether it was decrypted with a skipped message key. */
  readonly late: boolean;
  /** What its content is. */
  readonly head: ContentHead;
  readonly receivedAt: number;
  /** The process that delivers it; `undefined` while it waits for the next command. */
  readonly process: string | undefined;
  /** Since when `process` has it, by the clock of claims. */
  readonly claimedAt: number;
}

/** An entry of the inbox as it is listed. */
export type ListedInboxEntry = InboxEntry & {
  readonly id: InboxId;
  /** How often a command was given it and failed, and when it did so last; `undefined` if it never has. */
  readonly tries: number;
  readonly triedAt: number | undefined;
};

/** A number of texts, and the sum of their lengths in bytes. */
export interface Amount {
  readonly texts: number;
  readonly bytes: number;
}

/** The tables of the outbox and the inbox. */
export interface Boxes {
  addToOutbox(entry: OutboxEntry): Promise<OutboxId>;
  /**
   * Oldest first.
   * @param newest lists only so many, the newest.
   */
  outbox(newest?: number): Promise<readonly ListedOutboxEntry[]>;
  /** Counts the envelopes of each process. `latest`: when the newest of them was made. */
  countOutbox(): Promise<ReadonlyMap<string, { readonly count: number; readonly latest: number }>>;
  /** Returns an envelope; `undefined` when it was deleted before. */
  envelope(id: OutboxId): Promise<Uint8Array | undefined>;
  dropFromOutbox(ids: readonly OutboxId[]): Promise<void>;
  /** @param content the padded content (docs/PROTOCOL.md §7). */
  addToInbox(entry: InboxEntry, content: Uint8Array): Promise<InboxId>;
  /**
   * Oldest first. Reads no content.
   * @param newest lists only so many, the newest.
   */
  inbox(newest?: number): Promise<readonly ListedInboxEntry[]>;
  countInbox(): Promise<number>;
  /** Returns an entry without its content; `undefined` when it was deleted before. */
  inboxEntry(id: InboxId): Promise<ListedInboxEntry | undefined>;
  /** Returns the padded content of an entry; `undefined` when it was deleted before. */
  inboxContent(id: InboxId): Promise<Uint8Array | undefined>;
  /**
   * Hands a text from one process to another; `undefined` is none.
   * @param at from when on `to` has it, by the clock of claims.
   * @returns whether `from` still had it.
   */
  handOver(id: InboxId, from: string | undefined, to: string | undefined, at: number): Promise<boolean>;
  /** Notes that a command was given a text, if it is there, and failed. */
  noteTry(id: InboxId, at: number): Promise<void>;
  /** Counts the texts on which a command failed at least so often, by contact, in the order of the ids. */
  countTried(least: number): Promise<readonly { readonly contact: ContactId; readonly texts: number }[]>;
  /** Counts the texts of a contact that another process delivers than this one, or none. */
  waitingOf(contact: ContactId, process: string): Promise<Amount>;
  dropFromInbox(ids: readonly InboxId[]): Promise<void>;
}

/** A content that comes in parts, and is not complete. */
export interface Incoming {
  readonly contact: ContactId;
  /** 16 bytes: of the message with its descriptor. */
  readonly messageId: Uint8Array;
  readonly n: number;
  /** Whether that was decrypted with a skipped message key. */
  readonly late: boolean;
  readonly receivedAt: number;
  readonly descriptor: Descriptor;
}

/** Where the parts of an incoming content are collected. */
export interface PartialPlace {
  /** The absolute path of the partial file. */
  readonly path: string;
  /** Its device and inode. */
  readonly inode: string;
  /** The machine that these are of; `undefined` where an older pawl has not noted it. */
  readonly host: string | undefined;
  /** The path that it gets; `undefined` while parts are missing. */
  readonly target: string | undefined;
}

/** An incoming content as it is stored, without the records of its parts. */
export interface StoredIncoming extends Incoming {
  readonly id: IncomingId;
  /** The process that takes its parts, and when it took the last ones, by the clock of claims; `undefined` while none does. */
  readonly claim: { readonly process: string; readonly at: number } | undefined;
  readonly place: PartialPlace | undefined;
  /** All parts below this index are there, and it is known without their records. */
  readonly allBelow: number;
}

/** A file that is sent in parts, as it was when it was first opened. */
export interface SourceFile {
  /** Absolute. */
  readonly path: string;
  /** Its device and inode. */
  readonly inode: string;
  /** When it was modified last, in unix nanoseconds: a decimal number. */
  readonly modified: string;
  /** The machine that it is on; `undefined` where an older pawl has not noted it. */
  readonly host: string | undefined;
}

/** A content that is sent in parts, some of which are not yet known to be written out. */
export interface Outgoing {
  readonly contact: ContactId;
  /** 16 bytes: of the message with its descriptor. */
  readonly messageId: Uint8Array;
  readonly n: number;
  readonly createdAt: number;
  /** The process that writes it out, and when it wrote the last parts, by the clock of claims. */
  readonly process: string;
  readonly advancedAt: number;
  readonly descriptor: Descriptor;
  /** The file that it is read from; `undefined` for a stream, which cannot be read again. */
  readonly source: SourceFile | undefined;
  /** How many parts are known to be written. */
  readonly parts: number;
  /** The place where those are, see `placeOf`; `undefined`: a file on a disk here. */
  readonly partsAt: string | undefined;
  /** The link of the next part: 32 bytes. */
  readonly link: Uint8Array;
  /** That of its descriptor. */
  readonly envelope: Uint8Array;
  /** The box for that, 16 bytes; `undefined` on a session without boxes. */
  readonly box: Uint8Array | undefined;
}

export type StoredOutgoing = Outgoing & { readonly id: OutgoingId };

/** How far an outgoing content has come. */
export type Progress = Pick<Outgoing, 'parts' | 'partsAt' | 'link' | 'process' | 'advancedAt'>;

/** What is left to do for an outgoing content that is deleted: its parts may be at a place. */
export interface SweptOutgoing extends Pick<Outgoing, 'contact' | 'partsAt'> {
  /** That of its descriptor, 32 bytes. */
  readonly key: Uint8Array;
}

/** The tables of contents that come or go in parts. Every change counts as one: the generation rises. */
export interface Transfers {
  addIncoming(incoming: Incoming): Promise<IncomingId>;
  /** Oldest first. */
  incoming(): Promise<readonly StoredIncoming[]>;
  /**
   * In the order of the parts.
   * @param from the first index.
   * @param most how many.
   */
  receivedParts(id: IncomingId, from?: number, most?: number): Promise<readonly PartRecord[]>;
  /**
   * Adds nothing to a content that is gone: another command may have forgotten its contact. A part that is there is replaced:
   * where a disk fails at the end of a commit, that may have been done, and is done again.
   * @param allBelow all parts below it are there now.
   */
  addReceivedParts(id: IncomingId, parts: readonly PartRecord[], allBelow?: number): Promise<void>;
  /**
   * Hands an incoming content from one process to another; `undefined` is none.
   * @param at when it is, by the clock of claims.
   * @returns whether `from` still had it.
   */
  handOverIncoming(id: IncomingId, from: string | undefined, to: string | undefined, at: number): Promise<boolean>;
  /** Sets where the parts are collected. */
  setPlace(id: IncomingId, place: PartialPlace): Promise<void>;
  /** Deletes the records of the parts from an index on; where that is 0, the place as well. */
  dropReceivedParts(id: IncomingId, from?: number): Promise<void>;
  /** Deletes an incoming content. @returns whether it was there. */
  dropIncoming(id: IncomingId): Promise<boolean>;
  addOutgoing(outgoing: Outgoing): Promise<OutgoingId>;
  /** Oldest first. */
  outgoing(): Promise<readonly StoredOutgoing[]>;
  /** Notes how much is written, and who writes on. */
  advanceOutgoing(id: OutgoingId, state: Progress): Promise<void>;
  /** Deletes an outgoing content. @returns whether it was there. */
  dropOutgoing(id: OutgoingId): Promise<boolean>;
  /** Deletes what was begun before a time. @returns what was deleted, oldest first. */
  sweepOutgoing(before: number): Promise<readonly SweptOutgoing[]>;
}

/** Whom a route is for: a contact, or who comes in by an open invite for a name. */
export type RouteOwner = { readonly contact: ContactId } | { readonly inviteName: string };

/** A route as it is stored. */
export interface StoredRoute {
  readonly owner: RouteOwner;
  readonly route: Route;
  readonly setAt: number;
  /** Whether its owner has typed it on this machine: a command of a file from elsewhere is not run unasked. */
  readonly isTrusted: boolean;
}

/** An envelope that was left at its place, because it could not be taken. It is read again, after a pause that grows. */
export interface LeftEntry {
  /** 16 bytes. */
  readonly box: Uint8Array;
  /** These three are the place's own. */
  readonly name: string;
  readonly size: number;
  readonly version: string;
  /** What kept it from being taken. */
  readonly code: string;
  readonly tries: number;
  /** When it was read last. */
  readonly triedAt: number;
}

/** A box of the parts of a content that is finished, or given up. What lies in it is removed when its place is next reached. */
export interface SpentBox {
  /** 16 bytes. */
  readonly box: Uint8Array;
  /** By whose route the place is reached. */
  readonly contact: ContactId;
  readonly spentAt: number;
}

/** The tables of routes, and of what is left at places. */
export interface Routes {
  /** In no order. */
  routes(): Promise<readonly StoredRoute[]>;
  /** Replaces the route of the same owner. */
  setRoute(route: StoredRoute): Promise<void>;
  /** @returns whether there was one. */
  dropRoute(owner: RouteOwner): Promise<boolean>;
  /** Makes the routes of one name of open invites those of another. */
  renameRoute(inviteName: string, newName: string): Promise<void>;
  /** No route is trusted any more. */
  distrustRoutes(): Promise<void>;
  /** Those in a box, or without one in all of them. In no order. */
  leftEntries(box?: Uint8Array): Promise<readonly LeftEntry[]>;
  /** Adds an entry, or replaces the one of the same box and name. */
  setLeftEntry(entry: LeftEntry): Promise<void>;
  dropLeftEntry(box: Uint8Array, name: string): Promise<void>;
  /** Deletes the entries that were read last before a time. */
  sweepLeftEntries(before: number): Promise<void>;
  /** Oldest first. */
  spentBoxes(): Promise<readonly SpentBox[]>;
  /** Adds a box, or replaces the one of the same name. */
  addSpentBox(box: SpentBox): Promise<void>;
  /** It is empty. */
  dropSpentBox(box: Uint8Array): Promise<void>;
  /** Deletes those that were added before a time. */
  sweepSpentBoxes(before: number): Promise<void>;
}

/** A name under which several contacts are sent to. */
export interface ContactList {
  readonly name: string;
  /** In the order of their ids. There is no list without any. */
  readonly contacts: readonly ContactId[];
}

/** The table of lists. */
export interface Lists {
  /** In the order of their names. */
  lists(): Promise<readonly ContactList[]>;
  /** Replaces the contacts of a list, which begins with its first ones, and ends with none. */
  setList(name: string, contacts: readonly ContactId[]): Promise<void>;
}

/** The setting of a history that is on. */
export interface HistorySetting {
  /** When it was turned on. */
  readonly since: number;
  /** For how many milliseconds each text is stored; `undefined`: without limit. */
  readonly maxAge: number | undefined;
}

/**
 * What the history stores of a content: a text of up to 65,536 bytes of UTF-8; the name and length of a file; the
 * length of anything else. Lengths are in bytes.
 */
export type HistoryContent =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'file'; readonly name: string; readonly length: number }
  | { readonly kind: 'bytes'; readonly length: number };

/** A message that was sent or delivered. */
export interface HistoryEntry {
  readonly contact: ContactId;
  readonly direction: 'sent' | 'received';
  /** 16 bytes, the same on both sides. */
  readonly messageId: Uint8Array;
  readonly n: number;
  /** When it was encrypted or delivered, by our own clock. */
  readonly at: number;
  /** When it was sent, by the clock of its sender. */
  readonly sentAt: number;
  readonly content: HistoryContent;
}

/** A part of the history: of one contact or of all; `from` is included, `before` is not. */
export interface HistoryRange {
  readonly contact?: ContactId;
  readonly from?: number;
  readonly before?: number;
}

/** The table of the history, and its setting. */
export interface HistoryStore {
  /** `undefined` when the history is off, as in a new file. */
  historySetting(): Promise<HistorySetting | undefined>;
  setHistorySetting(historySetting: HistorySetting | undefined): Promise<void>;
  addToHistory(entry: HistoryEntry): Promise<void>;
  /**
   * Returns at most `limit` entries after the entry `after`, in the order in which they were added; with `newest`, the last
   * ones instead of the first.
   */
  history(
    range: HistoryRange & { readonly after?: HistoryId; readonly limit: number; readonly newest?: true },
  ): Promise<readonly (HistoryEntry & { readonly id: HistoryId })[]>;
  /** Counts entries. `first`: the earliest `at` of them. */
  countHistory(range: HistoryRange): Promise<{ readonly count: number; readonly first: number | undefined }>;
  /**
   * Deletes the entries of before a time.
   * @returns how many were deleted.
   */
  sweepHistory(before: number): Promise<number>;
}

/** The times of our own clock in all tables. */
export interface Times {
  /**
   * Corrects what was stored while our clock was far ahead: each time of our own clock that is later than `now + ahead`
   * becomes `now`, but for the times of claims. An invite of ours that was made at such a time expires as much later than `now` as it was to expire
   * after it was made. The opening times of sessions stay, because the peers have them, too.
   *
   * A transaction that stores `now` calls it first. With no such time it costs one row that is read.
   */
  correctTimes(now: number, ahead: number): Promise<void>;
}

/** The store, and the parts of the outside world that operations need: they never access them directly. */
export interface Context {
  readonly store: SessionStore;
  readonly random: Random;
  /** Unix milliseconds. */
  readonly now: () => number;
  /** The name of this process in the boxes. By it, other processes recognize rows whose process has ended. */
  readonly process: string;
  /** Tells whether the process of a name still runs; `undefined` if that cannot be known here. */
  readonly isRunning: (process: string) => boolean | undefined;
}
