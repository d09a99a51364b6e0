/**
 * The results of receiving: what became of each envelope, and the notices that go with it.
 * Knows no wording.
 */
import type { Content, ContentHead, Descriptor, WholeContent } from '../envelope/index.ts';
import type { ForkReason, PawlError } from '../errors.ts';
import type { Contact, InboxId, IncomingId } from './store.ts';

/** A fact that the user is told in addition to the text. Times are unix milliseconds. */
export type Notice =
  /** An invite of ours was used. Until the safety numbers are compared, its user may be anyone who obtained it. */
  | { readonly kind: 'new-contact'; readonly name: string; readonly fingerprint: string; readonly invitedAt: number }
  /** An invite for another name was used by a contact that we know. */
  | { readonly kind: 'known-as'; readonly name: string; readonly invitedAs: string }
  /** A contact opened another session with an invite of ours. */
  | { readonly kind: 'new-session'; readonly invitedAt: number }
  /** Messages before this one are missing, and their keys are deleted. */
  | { readonly kind: 'lost'; readonly count: number }
  | { readonly kind: 'fork'; readonly reason: ForkReason; readonly at: number };

/** A message that the ratchet accepted. */
export interface AcceptedMessage<Accepted extends Content = Content> {
  readonly contact: Contact;
  /** The number of messages before it that are missing and whose keys are stored. */
  readonly skipped: number;
  /** 16 bytes, the same on both sides. */
  readonly id: Uint8Array;
  readonly n: number;
  /** Whether it was decrypted with a skipped message key. */
  readonly late: boolean;
  /** The padded content, as it is stored. */
  readonly plaintext: Uint8Array;
  readonly content: Accepted;
  /** The number of messages before it that are missing and whose keys are deleted. */
  readonly lost: number;
  readonly notices: readonly Notice[];
}

/** A text to deliver. It is committed to the inbox, and stays there until `acknowledgeDelivered`. */
export interface Delivery {
  readonly type: 'message';
  readonly inboxId: InboxId;
  /** By the clock of claims. */
  readonly claimedAt: number;
  readonly from: string;
  readonly verified: boolean;
  readonly id: Uint8Array;
  readonly n: number;
  readonly late: boolean;
  /** Whether it may have been delivered before, by a process that ended before it acknowledged the delivery. */
  readonly again: boolean;
  readonly content: WholeContent;
  readonly notices: readonly Notice[];
}

/** A text that is accepted and that this command cannot deliver: it waits in the inbox for one that can. */
export interface Waiting {
  readonly type: 'waiting';
  readonly from: string;
  readonly head: ContentHead;
  readonly notices: readonly Notice[];
}

/** A content whose parts are to come. It is committed. */
export interface Announced {
  readonly type: 'announced';
  readonly incomingId: IncomingId;
  readonly from: string;
  readonly verified: boolean;
  readonly id: Uint8Array;
  readonly n: number;
  readonly late: boolean;
  readonly descriptor: Descriptor;
  readonly notices: readonly Notice[];
}

/** What became of one envelope. `source` is its position in the input. */
export type Outcome =
  | Delivery
  | Waiting
  | Announced
  | {
      readonly type: 'duplicate';
      readonly from: string;
      readonly id: Uint8Array;
      readonly n: number;
      readonly source: string;
    }
  /** A reusable invite accepted this opening before, and its session has been dropped since. */
  | { readonly type: 'forgotten'; readonly from: undefined; readonly source: string }
  | {
      readonly type: 'too-late';
      readonly from: string;
      readonly id: Uint8Array;
      readonly n: number;
      readonly source: string;
    }
  | { readonly type: 'refused'; readonly from: string | undefined; readonly error: PawlError; readonly source: string };

/** What the user is told beside what came in an accepted message. */
export function noticesOf({ notices, lost }: Pick<AcceptedMessage, 'notices' | 'lost'>): readonly Notice[] {
  return lost > 0 ? [...notices, { kind: 'lost', count: lost }] : notices;
}
