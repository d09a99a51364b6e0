/**
 * The bound on every time that is read from a peer. Knows no wire format.
 */

/** The last time that a `Date` can represent, in unix milliseconds: every time that is read can be shown. */
export const LATEST_TIME = 8.64e15;
