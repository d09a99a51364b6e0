/**
 * The limits and rules of the ratchet, with the reasons for their values.
 * Nothing here enforces them.
 */

/** Limits on the work and storage that a peer can cause. */
export interface Limits {
  /** Message keys derived for one gap. A message can have two: in its own chain, and at the end of the previous one. */
  readonly gap: number;
  /** Skipped message keys kept of one gap, and of one session. The oldest are deleted. */
  readonly keptKeys: number;
  /** How long a skipped message key is kept, in milliseconds. */
  readonly keptFor: number;
  /** The latest finished chains, whose header keys are kept even when none of their messages is missing. */
  readonly recentChains: number;
  /** The maximum number of finished chains. The oldest is deleted with its skipped message keys. */
  readonly keptChains: number;
  /** Digests kept per session, which distinguish a repeated message from a fork. */
  readonly keptDigests: number;
}

export const LIMITS: Limits = {
  // Deriving and storing 2,000 keys takes about 75 ms. Real gaps are smaller, and a hostile header costs little.
  gap: 2_000,
  keptKeys: 2_000,
  // Mail that is 30 days late will not arrive, and a thief of the file can read the messages of the kept keys.
  keptFor: 30 * 24 * 3_600_000,
  recentChains: 5,
  // Each kept header key costs one find tag, about 2 µs, for every message that none of them fits.
  keptChains: 64,
  keptDigests: 4_096,
};

/** The maximum of `gap` for one command: about 15 s of work. */
export const LARGEST_GAP = 1_000_000;

/** The last position of a chain. The length of a chain also has to fit in four bytes, so 2^32 - 1 is not used. */
export const LAST_POSITION = 2 ** 32 - 2;

/** What differs between pawl's ratchet and libchat's, whose vectors the tests use. */
export interface Rules {
  /** The label of the root KDF. */
  readonly domain: string;
  /** A KEM key is offered this many root steps after a KEM secret was last mixed, */
  readonly offerAfterSteps: number;
  /** or this many milliseconds after that, whichever comes first. */
  readonly offerAfter: number;
}

export const RULES: Rules = {
  domain: 'pawl/1 root',
  // An exchange adds 1.2 KB to each message of two chains. With one in ten chains it is as frequent as in Apple's PQ3.
  offerAfterSteps: 8,
  // In a slow conversation, eight root steps can take weeks.
  offerAfter: 24 * 3_600_000,
};
