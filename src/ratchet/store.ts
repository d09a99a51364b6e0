/**
 * The interface that the ratchet needs of a store.
 * The ratchet never calls it: the session loads what the next step needs, takes the step and saves the difference.
 */
import type { ForkReason } from '../errors.ts';
import type { KeptPosition, ReceivingStep } from './decrypt.ts';
import type { FindKey } from './kdf.ts';
import type { Limits } from './parameters.ts';
import type { FinishedChain, RatchetState } from './state.ts';

declare const id: unique symbol;
/** Identifies a session within one store. A later session has a larger number. */
export type SessionId = number & { readonly [id]: 'session' };

/** The find key of one of the peer's chains, or of the peer's next chain. */
export interface FindEntry {
  readonly session: SessionId;
  readonly chain: number | 'next';
  readonly find: FindKey;
}

/** An accepted message: its step, and its digest of 16 bytes. */
export interface Accepted {
  readonly step: ReceivingStep;
  readonly digest: Uint8Array;
}

/**
 * Stores the ratchet's data. Every value returned is a copy that the caller owns.
 */
export interface RatchetStore {
  /**
   * Finds the first entry, of all sessions or of one, that `fits` accepts. Later entries are not read. The order is
   * from the most to the least likely: first the current and the next chain of each session, then the finished chains
   * of each session, the newest first. Sessions are ordered by their last receipt, the latest first.
   */
  findEntry(fits: (entry: FindEntry) => boolean, session?: SessionId): Promise<FindEntry | undefined>;
  ratchetState(session: SessionId): Promise<RatchetState>;
  /** Loads a finished chain that `findEntry` returned. */
  finishedChain(session: SessionId, chain: number): Promise<FinishedChain>;
  keptPosition(session: SessionId, chain: number, n: number): Promise<KeptPosition>;
  saveSent(session: SessionId, state: RatchetState): Promise<void>;
  /**
   * Saves messages that were accepted one after the other: the last state, skipped message keys gained and used,
   * finished chains, and digests. Then enforces the limits. It keeps the newest `keptKeys` skipped message keys and the
   * newest `keptDigests` digests. It keeps a finished chain if it is among the last `recentChains` or has skipped
   * message keys, and of these the newest `keptChains`. The keys and digests of a deleted chain are deleted with it.
   * @param at now, in unix milliseconds.
   */
  saveReceived(session: SessionId, accepted: readonly Accepted[], at: number, limits: Limits): Promise<void>;
  /**
   * Deletes the skipped message keys of all sessions that were saved before a time.
   * @param keptBefore unix milliseconds.
   * @returns how many were deleted.
   */
  sweepSkippedKeys(keptBefore: number): Promise<number>;
  /** Saves a fork, unless one was saved before that is not acknowledged. */
  saveFork(session: SessionId, reason: ForkReason, at: number): Promise<void>;
}
