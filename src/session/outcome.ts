import type { Content } from '../envelope/index.ts';
import type { ForkReason, PawlError } from '../errors.ts';
import type { Contact, InboxId } from './store.ts';

/** What a person should be told beside the text itself. */
export type Notice =
  /** Somebody used an invite of ours: until the safety numbers are compared, it is whoever had the invite. `invitedAt`: unix milliseconds. */
  | { readonly kind: 'new-contact'; readonly name: string; readonly fingerprint: string; readonly invitedAt: number }
  | { readonly kind: 'known-as'; readonly name: string; readonly invitedAs: string }
  /** A contact opened another session with an invite of ours. `invitedAt`: unix milliseconds. */
  | { readonly kind: 'new-session'; readonly invitedAt: number }
  /** Messages before this one are missing, and their keys are not kept. */
  | { readonly kind: 'lost'; readonly count: number }
  | { readonly kind: 'fork'; readonly reason: ForkReason };

/** A message as the ratchet accepted it. */
export interface AcceptedMessage {
  readonly contact: Contact;
  /** Messages before it that are missing, and whose keys are kept. */
  readonly skipped: number;
  /** 16 bytes, the same on both sides. */
  readonly id: Uint8Array;
  readonly n: number;
  readonly late: boolean;
  /** The padded content, as it is kept. */
  readonly plaintext: Uint8Array;
  readonly content: Content;
  readonly lost: number;
  readonly notices: readonly Notice[];
}

/** A text to deliver: it is committed, and waits in the inbox until it is known to be written. */
export interface Delivery {
  readonly type: 'message';
  readonly inboxId: InboxId;
  readonly from: string;
  readonly verified: boolean;
  readonly id: Uint8Array;
  readonly n: number;
  readonly late: boolean;
  /** Its process ended before the text was known to be written: it may have been delivered before. */
  readonly again: boolean;
  readonly content: Content;
  readonly notices: readonly Notice[];
}

/** What became of one envelope. `source` says where in the input it stood. */
export type Outcome =
  | Delivery
  | {
      readonly type: 'duplicate';
      readonly from: string;
      readonly id: Uint8Array;
      readonly n: number;
      readonly source: string;
    }
  /** Its opening was let in before, by a reusable invite, and its session is gone. */
  | { readonly type: 'forgotten'; readonly from: undefined; readonly source: string }
  | {
      readonly type: 'too-late';
      readonly from: string;
      readonly id: Uint8Array;
      readonly n: number;
      readonly source: string;
    }
  | { readonly type: 'refused'; readonly from: string | undefined; readonly error: PawlError; readonly source: string };
