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
