import type { ErrorCode, ForkReason } from '../../src/errors.ts';

/** Lower-case hex. */
export type Hex = string;

/** Bytes of an envelope or invite that was named before, from one offset up to another. */
export type Slice = readonly [of: string, from: number, to: number];

/** Hex, once or so many times, or a slice. */
export type Part = Hex | readonly [hex: Hex, times: number] | Slice;

/** A byte string: hex, or parts to join. */
export type Bytes = Hex | readonly Part[];

/** What was drawn, in the order in which it was. */
export type Draws = readonly (readonly [what: string, bytes: Hex])[];

export type Content = { readonly sentAt: number } & (
  | { readonly text: string }
  | { readonly bytes: Bytes }
  | { readonly file: string; readonly bytes: Bytes }
  | { readonly descriptor: DescriptorFields }
);

/** Of a content in parts. */
export interface DescriptorFields {
  readonly name: string | null;
  /** `null`: FF×8. */
  readonly size: number | null;
  readonly partSize: number;
  readonly key: Hex;
}

/** test/vectors/pawl-1.json; its own `meta` says how it is read. */
export interface Vectors {
  readonly meta: Readonly<Record<string, unknown>>;
  readonly derivations: Derivations;
  readonly identities: readonly Identity[];
  readonly safetyNumbers: readonly { readonly of: readonly [Hex, Hex]; readonly digits: string }[];
  readonly marks: readonly Mark[];
  readonly publicKeys: Keys;
  readonly invites: {
    readonly maker: Hex;
    readonly read: readonly ({ readonly bytes: Bytes } & InviteFields)[];
    readonly refused: readonly Refused[];
  };
  readonly padding: readonly (readonly [length: number, padded: number])[];
  readonly contents: {
    readonly read: readonly ReadContent[];
    readonly refused: readonly Refused[];
    /** What an encoder refuses. */
    readonly notSent: readonly { readonly why: string; readonly code: ErrorCode; readonly content: Content }[];
  };
  readonly envelopes: {
    /** Parts. */
    readonly read: readonly {
      readonly why: string;
      readonly bytes: Bytes;
      readonly salt: Hex;
      readonly tag: Hex;
      readonly partSize: number;
    }[];
    readonly refused: readonly Refused[];
  };
  readonly armor: {
    readonly read: readonly { readonly of: string; readonly block: string }[];
    /** `find` stands once in the block of `of`, and gives way to `put`. */
    readonly refused: readonly {
      readonly why: string;
      readonly code: ErrorCode;
      readonly of: string;
      readonly find: string;
      readonly put: string;
    }[];
    readonly edited: readonly EditedBlock[];
  };
  readonly parts: {
    readonly contents: readonly InParts[];
    readonly sealed: readonly SealedInPart[];
    readonly forged: readonly ForgedPart[];
    readonly refused: readonly RefusedPart[];
    readonly received: readonly PartsReceived[];
  };
  readonly stories: readonly Story[];
}

/** A content in parts, as its descriptor says; and what is derived from its key. */
export interface InParts {
  readonly as: string;
  readonly key: Hex;
  readonly findKey: Hex;
  readonly saltKey: Hex;
  readonly size: number | null;
  readonly partSize: number;
}

/** A part as §7.1 makes it, of fields that may contradict those of others. */
export interface SealedInPart {
  readonly as: string;
  /** Its content. */
  readonly of: string;
  readonly index: number;
  readonly last: 0 | 1;
  readonly data: Bytes;
  readonly link: Hex;
  readonly r: Hex;
  readonly digest: Hex;
  /** The link of the part behind it. */
  readonly next: Hex;
  readonly salt: Hex;
  readonly tag: Hex;
  readonly partKey: Hex;
  /** Of the envelope. */
  readonly length: number;
  /** H_16 of the envelope. */
  readonly is: Hex;
}

/** A part whose plaintext breaks a rule, sealed by somebody who has the key of the content. */
export interface ForgedPart {
  readonly why: string;
  readonly code: ErrorCode;
  readonly of: string;
  readonly salt: Hex;
  readonly plaintext: Bytes;
  readonly is: Hex;
}

export interface RefusedPart extends Refused {
  readonly of: string;
}

/** What becomes of parts, one after the other, at somebody who awaits the content and has nothing of it. */
export interface PartsReceived {
  readonly tells: string;
  readonly of: string;
  readonly steps: readonly (readonly [part: string, outcome: string])[];
  readonly missing: number;
  readonly bytes: number;
  readonly complete: boolean;
}

/** A block in canonical base64 whose label or envelope is wrong. */
export interface EditedBlock {
  readonly why: string;
  readonly of: string;
  /** Each first string stands once in the block of `of` and is replaced by the second. */
  readonly edits: readonly (readonly [find: string, put: string])[];
  /** What the decoder of blocks refuses it as; absent where it accepts the block. */
  readonly block?: ErrorCode;
  /** What the decoder of envelopes refuses the accepted block's envelope as. */
  readonly envelope?: ErrorCode;
}

/** Bytes from outside that are not admitted. */
export interface Refused {
  readonly why: string;
  readonly code: ErrorCode;
  readonly bytes: Bytes;
}

export interface Derivations {
  readonly digest: readonly { readonly length: number; readonly of: Hex; readonly is: Hex }[];
  readonly keyed: readonly { readonly key: Hex; readonly personalization: string; readonly is: Hex }[];
  readonly root: readonly { readonly rootKey: Hex; readonly input: Hex; readonly is: readonly [Hex, Hex, Hex] }[];
}

export interface Identity {
  readonly seed: Hex;
  readonly identity: Hex;
  readonly x25519Secret: Hex;
  readonly x25519: Hex;
  readonly fingerprint: Hex;
}

export interface Mark {
  readonly seed: Hex;
  readonly name: string;
  readonly generation: number;
  readonly bytes: Hex;
}

/** Keys from outside, admitted or `weak-key`. */
export interface Keys {
  readonly x25519: KeyList;
  readonly identity: KeyList;
  readonly kem: KeyList;
}
interface KeyList {
  readonly admitted: readonly { readonly why: string; readonly bytes: Bytes }[];
  readonly refused: readonly { readonly why: string; readonly bytes: Bytes }[];
}

export interface InviteFields {
  readonly id: Hex;
  readonly reusable: boolean;
  readonly identity: Hex;
  readonly prekey: Hex;
  readonly expires: number;
}

export interface ReadContent {
  readonly content: Content;
  readonly length: number;
  readonly padded: number;
  /** H_16 of the padded plaintext. */
  readonly digest: Hex;
}

/** People who talk, step by step: each step is one command of one of them, or one deed of somebody in between. */
export interface Story {
  readonly name: string;
  readonly tells: string;
  /** The story at whose end this one begins, with its people. */
  readonly after?: string;
  /** Who is new, and their identity seeds. */
  readonly people: Readonly<Record<string, Hex>>;
  readonly steps: readonly Step[];
}

export type Step = Deed | ForgeStep | CopyStep | CheckStep | SessionsStep;

/** One command of one person, whose clock shows `now`, in unix milliseconds. */
export type Deed = { readonly by: string; readonly now: number } & Command;

export type Command =
  | InviteStep
  | AddStep
  | ForgetStep
  | TakeNumbersStep
  | SendStep
  | SendManyStep
  | CannotSendStep
  | LoseStep
  | ReceiveStep
  | ReceiveManyStep
  | SealStep
  | TakeStep;

export interface InviteStep {
  readonly do: 'invite';
  readonly for: string;
  readonly reusable?: true;
  /** Unix seconds. */
  readonly expires: number;
  readonly draws: Draws;
  readonly as: string;
  readonly id: Hex;
  readonly invite: Hex;
}

export interface AddStep {
  readonly do: 'add';
  readonly name: string;
  readonly invite: string;
  readonly refused?: ErrorCode;
  /** The other name that the known identity keeps. */
  readonly keeps?: string;
  /** A session was opened with this one-time invite before: nothing changes. */
  readonly answered?: true;
}

export interface ForgetStep {
  readonly do: 'forget';
  readonly name: string;
}

export interface TakeNumbersStep {
  readonly do: 'take numbers';
  readonly invite: string;
  readonly upTo: number;
}

export interface SendStep {
  readonly do: 'send';
  readonly to: string;
  readonly content: Content;
  readonly draws: Draws;
  readonly as: string;
  readonly session: Hex;
  readonly opening?: Opening;
  readonly chain?: Chain;
  readonly message: { readonly n: number; readonly pn: number; readonly messageKey: Hex; readonly id: Hex };
  /** Parts where its prefix stood in an envelope before. */
  readonly envelope: Bytes;
}

/** The same content again and again, on a chain that has begun; every message draws the same `r`. */
export interface SendManyStep {
  readonly do: 'send many';
  readonly to: string;
  readonly content: Content;
  readonly count: number;
  readonly r: Hex;
  readonly as: string;
  readonly session: Hex;
  /** The position of the first. */
  readonly n: number;
  /** H_16 of all envelopes, joined. */
  readonly digest: Hex;
}

export interface CannotSendStep {
  readonly do: 'cannot send';
  readonly to: string;
  readonly refused: ErrorCode;
}

export interface Opening {
  readonly invite: string;
  readonly opened: number;
  readonly dh1: Hex;
  readonly dh2: Hex;
  readonly dh3: Hex;
  readonly ss: Hex;
  readonly hintKey: Hex;
  readonly senderKey: Hex;
  readonly T: Hex;
  readonly SK: Hex;
  readonly HK: Hex;
  readonly NHK: Hex;
  /** The boxes of the opener, of the other side, and of the invite: 16 bytes each. */
  readonly boxA: Hex;
  readonly boxB: Hex;
  readonly inviteBox: Hex;
}

/** What a root step of the sender's gave. */
export interface Chain {
  readonly step: number;
  readonly publicKey: Hex;
  readonly dh: Hex;
  /** The first of the file as it is; others as their H_16. */
  readonly offer?: Hex;
  readonly answer?: Hex;
  readonly ss?: Hex;
  readonly rootKey: Hex;
  readonly chainKey: Hex;
  readonly headerKey: Hex;
  readonly findKey: Hex;
  readonly nextHeaderKey: Hex;
}

export interface LoseStep {
  readonly do: 'lose';
  readonly to: string;
  readonly count: number;
}

export interface ReceiveStep {
  readonly do: 'receive';
  readonly envelope: string;
  /** The limit, where it is not 2,000. */
  readonly gap?: number;
  readonly accepted?: Accepted;
  readonly duplicate?: Where;
  readonly tooLate?: Where;
  /** A `duplicate` by the ledger of a reusable invite, whose session is gone. */
  readonly forgotten?: true;
  readonly refused?: ErrorCode;
  /** Of a fork. */
  readonly reason?: ForkReason;
}

/** Envelopes of a `send many`, from one to another, both included and counted from 1. */
export interface ReceiveManyStep {
  readonly do: 'receive many';
  readonly of: string;
  readonly first: number;
  readonly last: number;
  /** Of the first; the others take the positions behind it. */
  readonly accepted: Accepted;
}

/** Seals a part of a content whose descriptor was sent. */
export interface SealStep
  extends Pick<SealedInPart, 'as' | 'index' | 'last' | 'data' | 'link' | 'r' | 'length' | 'is'> {
  readonly do: 'seal';
  /** The message with the descriptor. */
  readonly of: string;
}

/** Takes a part, with what is there of its content afterwards. */
export interface TakeStep extends PartTaken {
  readonly do: 'take';
  readonly part: string;
}

export interface PartTaken {
  readonly outcome: string;
  /** Where the part is of a content that is awaited, what is there of it. */
  readonly there?: Pick<PartsReceived, 'missing' | 'bytes' | 'complete'>;
}

export interface ForgeStep {
  readonly do: 'forge';
  readonly as: string;
  readonly made: string;
  readonly envelope: Bytes;
}

export interface Where {
  readonly from: string;
  readonly n: number;
}

export interface Accepted extends Where {
  readonly session: Hex;
  readonly chain: number;
  readonly late: boolean;
  /** Messages before it that are missing, and whose keys are given up at once. */
  readonly lost: number;
  readonly content: Content;
  readonly fork?: ForkReason;
}

export interface CopyStep {
  readonly do: 'copy';
  readonly of: string;
  readonly as: string;
}

export interface CheckStep {
  readonly do: 'check';
  readonly of: string;
  readonly session: Hex;
  readonly state: State;
}

/** The sessions that a person keeps with a contact. */
export interface SessionsStep {
  readonly do: 'sessions';
  readonly of: string;
  readonly with: string;
  /** In the order in which they were made, each with its idle messages. */
  readonly sessions: readonly (readonly [session: Hex, idle: number])[];
  /** The one that is sent on. */
  readonly sends: Hex;
}

/** All that one side has of one session, in the words of docs/PROTOCOL.md §5.1. */
export interface State {
  readonly rootKey: Hex;
  readonly rootSteps: number;
  readonly lastMix: { readonly step: number; readonly at: number };
  readonly exchange: 'idle' | { readonly offered: Hex } | { readonly owed: Hex };
  readonly sending:
    | { readonly awaiting: { readonly secretKey: Hex } }
    | { readonly due: { readonly remote: Hex; readonly previousN: number } }
    | {
        readonly chain: {
          readonly secretKey: Hex;
          readonly chainKey: Hex;
          readonly headerKey: Hex;
          readonly n: number;
          readonly previousN: number;
          readonly kem: Hex | null;
        };
      };
  readonly receiving:
    | 'awaiting'
    | {
        readonly chain: {
          readonly number: number;
          readonly remote: Hex;
          readonly chainKey: Hex;
          readonly headerKey: Hex;
          readonly n: number;
        };
      };
  readonly nextSending: Hex;
  readonly nextReceiving: Hex;
  readonly finished: readonly {
    readonly number: number;
    readonly remote: Hex;
    readonly headerKey: Hex;
    readonly length: number;
  }[];
  /** By (chain, n). */
  readonly skipped: readonly (readonly [chain: number, n: number, messageKey: Hex])[];
  readonly digests: readonly (readonly [chain: number, n: number, id: Hex])[];
  readonly lost: number;
  readonly fork: ForkReason | null;
}
