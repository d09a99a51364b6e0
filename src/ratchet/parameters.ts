/** What a peer may cost: keys derived for one message, and keys kept. */
export interface Limits {
  /** Message keys derived for one gap, before a message in its chain and at the end of the chain before, each. */
  readonly gap: number;
  /** Skipped message keys kept of one gap, the newest ones; and of one session, whatever their gaps. */
  readonly keptKeys: number;
  /** How long a skipped message key is kept, in milliseconds. */
  readonly keptFor: number;
  /** Finished chains whose header key is kept even when none of their messages is missing. */
  readonly recentChains: number;
  /** Finished chains whose header key is kept at all; the oldest goes, with its skipped keys. */
  readonly keptChains: number;
  /** Positions of one session whose digest is kept, so that a repeated message can be told from a fork. */
  readonly keptDigests: number;
}

export const LIMITS: Limits = {
  // 2,000 keys take about 25 ms to derive: a gap no mailing list reaches, and no burden when a peer lies.
  gap: 2_000,
  keptKeys: 2_000,
  // Mail that is 30 days late is lost; a kept key is a message that a thief of the file can still read.
  keptFor: 30 * 24 * 3_600_000,
  recentChains: 5,
  // Each kept header key costs every unknown message one find tag, about 2 µs.
  keptChains: 64,
  keptDigests: 4_096,
};

/** The most that `gap` can be raised to for one command: about 15 s of work. */
export const LARGEST_GAP = 1_000_000;

/** A position is four bytes on the wire, and so is the length of a chain: the last one cannot be used. */
export const LAST_POSITION = 2 ** 32 - 2;

/** What tells pawl's ratchet from libchat's, to whose vectors it is held. */
export interface Rules {
  /** The label of the root KDF. */
  readonly domain: string;
  /** A KEM key is offered when so many root steps have been taken since a KEM secret was mixed last, */
  readonly offerAfterSteps: number;
  /** or when it was so many milliseconds ago. */
  readonly offerAfter: number;
}

export const RULES: Rules = {
  domain: 'pawl/1 root',
  // An exchange takes 1.2 KB in each message of two chains. Over ten chains that is as sparse as Apple's PQ3 is.
  offerAfterSteps: 8,
  // Those who write seldom heal within a day and an answer, and not after eight turns of weeks.
  offerAfter: 24 * 3_600_000,
};
