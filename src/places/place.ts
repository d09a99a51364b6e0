/**
 * What is needed of a place that carries envelopes from one identity to another: boxes of them, by name.
 * Types only. Knows nothing of what is in an envelope, and not whose a box is.
 */

declare const box: unique symbol;
/** The name of a box: 26 characters of base32 (RFC 4648) in lower case without padding, for 16 bytes. See {@link boxOf}. */
export type Box = string & { readonly [box]: 'box' };

/** An envelope that lies in a box. */
export interface Entry {
  readonly box: Box;
  /** What the place calls it, up to 255 characters: no other one in the box is called so, now or later. */
  readonly name: string;
  /** In bytes. */
  readonly size: number;
  /** Changes where the bytes are changed; may be empty. By box, name, size and version, what was left is recognized. */
  readonly version: string;
}

/** An envelope that was read: bytes that may be anything. */
export interface Delivery {
  readonly entry: Entry;
  readonly bytes: Uint8Array;
}

/** An entry that the place does not let us read, or remove, and why, as a file of another user. */
export interface Refusal {
  readonly entry: Entry;
  readonly reason: string;
}

/** The most that is listed of a box at a time. */
export interface ListLimits {
  readonly entries: number;
  readonly bytes: number;
  /** Says of an entry that it was left before. It is not listed, and does not count: what comes behind it is found. */
  readonly passOver?: (entry: Entry) => boolean;
  /** Is told of a box that there may be more in it than is listed. */
  readonly onMore?: (box: Box) => void;
}

/**
 * A place that is reached. All operations throw `unreachable` where the place fails or does not answer in time, and
 * `other-place` where it is not the one that the route was made for; nothing is lost then, and all of them can be repeated.
 */
export interface Place {
  /**
   * Stores an envelope. When it resolves, the place says that the envelope is durable. Putting the same one twice is
   * putting it once, or the other side gets it twice.
   * @param name hexadecimal digits, 32 of them: of the envelope's digest, or of a part's index.
   */
  put(box: Box, name: string, envelope: Uint8Array): Promise<void>;
  /**
   * Lists what is in boxes, the oldest of each first as far as the place knows. Of each box at most `limits`, so that what
   * lies in one does not keep back another. The boxes follow each other as they are given. Leaves out what is no envelope
   * by its name or size.
   */
  list(boxes: readonly Box[], limits: ListLimits): AsyncIterable<Entry>;
  /**
   * Reads entries, in their order. Those that are gone, or not whole yet, are left out. Removes nothing. What was read is
   * good, also where the rest throws.
   */
  read(entries: readonly Entry[]): AsyncIterable<Delivery | Refusal>;
  /**
   * Removes entries for good: they are stored here. Those that are gone are no error.
   * @returns those that the place does not let us remove.
   */
  remove(entries: readonly Entry[]): Promise<readonly Refusal[]>;
  /** Resolves when something may lie in one of the boxes that was not listed last, or when the signal is aborted. */
  wait(boxes: readonly Box[], signal: AbortSignal): Promise<void>;
  /** Ends what is still under way. */
  close(): Promise<void>;
}

/** How the envelopes for a contact, and from it, are carried. Everything in it is stored in the identity file only. */
export type Route =
  /** A folder. `path` is absolute; `mark`: 32 hexadecimal digits, from its file `.pawl-place`. */
  | { readonly kind: 'dir'; readonly path: string; readonly mark: string }
  /** A command for `/bin/sh -c`. */
  | { readonly kind: 'exec'; readonly command: string }
  /** A NATS server with JetStream. `url` without credentials; `credentials`: the absolute path of a file with them. */
  | { readonly kind: 'nats'; readonly url: string; readonly credentials: string | undefined };

/** What places need of the outside world. */
export interface PlaceContext {
  /** The variables that a command or a client of a server may see. Never PAWL_PASSPHRASE. */
  readonly environment: Readonly<Record<string, string>>;
  /** Unix milliseconds. */
  readonly now: () => number;
  readonly random: (length: number) => Uint8Array;
  /** Sends a signal to every process of a group; 0 is none. @returns whether there is one. */
  readonly killGroup: (leader: number, signal: NodeJS.Signals | 0) => boolean;
  /** The most milliseconds without an answer or a byte, 30,000 unless given. */
  readonly timeLimit?: number;
}

export interface MakeOptions {
  /** Make what a server lacks: its stream. (A folder without a mark gets one in any case.) */
  readonly create: boolean;
  /** Take a stream whose settings are not the ones that `create` gives it. */
  readonly anyStream?: boolean;
}
