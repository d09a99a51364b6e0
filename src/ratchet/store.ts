import type { ForkReason } from '../errors.ts';
import type { KeptPosition, ReceivingStep } from './decrypt.ts';
import type { FindKey } from './keys.ts';
import type { Limits } from './limits.ts';
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

/**
 * What the ratchet needs of a store, in its own words. The ratchet is pure and never calls it: the session asks for what
 * the next step needs, steps, and saves the difference. Every value that comes out is the caller's own copy.
 */
export interface RatchetStore {
  /**
   * Every header key kept (of one session): of the session that received last first, and in it that of the current chain,
   * the next one, and the finished ones, newest first.
   */
  findEntries(session?: SessionId): Promise<readonly FindEntry[]>;
  ratchetState(session: SessionId): Promise<RatchetState>;
  /** A chain that `findEntries` named and that is not the current one. */
  finishedChain(session: SessionId, chain: number): Promise<FinishedChain>;
  keptPosition(session: SessionId, chain: number, n: number): Promise<KeptPosition>;
  saveSent(session: SessionId, state: RatchetState): Promise<void>;
  /**
   * Saves a step: the state, skipped keys gained and used, the chain that ended, the digest of the position taken. Then
   * holds the limits: skipped keys beyond the newest `keptKeys` go; a finished chain goes unless
   * it is among the last `recentChains` or has skipped keys, and beyond `keptChains` the oldest go with their keys; digests beyond the
   * newest `keptDigests` go, and those of chains that went. `at` is now, in unix milliseconds.
   */
  saveReceived(session: SessionId, step: ReceivingStep, digest: Uint8Array, at: number, limits: Limits): Promise<void>;
  /** Drops the skipped keys of all sessions that were kept before a time in unix milliseconds. @returns how many. */
  sweepSkippedKeys(keptBefore: number): Promise<number>;
  /** Keeps the first fork seen. */
  saveFork(session: SessionId, reason: ForkReason, at: number): Promise<void>;
}
