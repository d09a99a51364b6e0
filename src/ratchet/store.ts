import type { ForkReason } from '../errors.ts';
import type { KeptPosition, ReceivingStep } from './decrypt.ts';
import type { FindKey } from './kdf.ts';
import type { Limits } from './parameters.ts';
import type { FinishedChain, RatchetState } from './state.ts';

declare const id: unique symbol;
/** Names one session in one store; never leaves it. A later session has a larger one. */
export type SessionId = number & { readonly [id]: 'session' };

/** A header key that a message may be sealed under: that of one of the peer's chains, or of the next one. */
export interface FindEntry {
  readonly session: SessionId;
  readonly chain: number | 'next';
  readonly find: FindKey;
}

/** A message that was accepted: its step, and its digest of 16 bytes. */
export interface Accepted {
  readonly step: ReceivingStep;
  readonly digest: Uint8Array;
}

/**
 * What the ratchet needs of a store, in its own words. The ratchet is pure and never calls it: the session asks for what
 * the next step needs, steps, and saves the difference. Every value that comes out is the caller's own copy.
 */
export interface RatchetStore {
  /**
   * The first header key kept (of one session) that `fits`, the likeliest first; the others are not read. First come the
   * chains that have not ended, of the session that received last first, and in it the current one, then the next; then
   * the finished ones, in the same order of sessions, the newest first.
   */
  findEntry(fits: (entry: FindEntry) => boolean, session?: SessionId): Promise<FindEntry | undefined>;
  ratchetState(session: SessionId): Promise<RatchetState>;
  /** A chain that `findEntry` named and that is not the current one. */
  finishedChain(session: SessionId, chain: number): Promise<FinishedChain>;
  keptPosition(session: SessionId, chain: number, n: number): Promise<KeptPosition>;
  saveSent(session: SessionId, state: RatchetState): Promise<void>;
  /**
   * Saves messages that were accepted one after the other: the last state, skipped keys gained and used, chains that
   * ended, the digests of the positions taken. Then holds the limits: skipped keys beyond the newest `keptKeys` go; a finished chain goes unless
   * it is among the last `recentChains` or has skipped keys, and beyond `keptChains` the oldest go with their keys; digests beyond the
   * newest `keptDigests` go, and those of chains that went. `at` is now, in unix milliseconds.
   */
  saveReceived(session: SessionId, accepted: readonly Accepted[], at: number, limits: Limits): Promise<void>;
  /** Drops the skipped keys of all sessions that were kept before a time in unix milliseconds. @returns how many. */
  sweepSkippedKeys(keptBefore: number): Promise<number>;
  /** Keeps the first fork seen. */
  saveFork(session: SessionId, reason: ForkReason, at: number): Promise<void>;
}
