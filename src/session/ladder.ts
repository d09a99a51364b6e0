import type { X25519PublicKey } from '../primitives/index.ts';
import { chainFingerprint, type RatchetState } from '../ratchet/index.ts';
import type { FinishedChainRecord, MissingMessage, Origin } from './store.ts';

/** A chain of a session, by the root step that began it, and what is known of it without its keys. */
export interface ChainOnLadder {
  readonly step: number;
  readonly by: 'us' | 'them';
  /** 16 hex digits, the same on both sides; none of our chain before this one, whose key is gone. */
  readonly fingerprint: string | undefined;
  /** How many messages it has, or has so far. */
  readonly length: number;
  /** Whether it may grow: it is the one that its side sends on, as far as we know. */
  readonly isOpen: boolean;
  /** Messages that have not come, and whose keys are kept. */
  readonly missing: readonly MissingMessage[];
}

/** A session as the ratchet turned: step by step, now one side and now the other. Of old chains nothing is known. */
export interface Ladder {
  /** Root steps taken, in both directions. */
  readonly steps: number;
  /** Those that are known, in the order of their steps. */
  readonly chains: readonly ChainOnLadder[];
  /** Who begins the next chain. */
  readonly next: 'us' | 'them';
  /** The step that mixed a KEM secret last, and the one that offered a key which is not answered yet. */
  readonly kem: { readonly mixed: number | undefined; readonly offered: number | undefined };
}

/** Puts together what is stored of a session's chains. */
export function ladderOf(
  role: Origin['role'],
  state: RatchetState,
  finished: readonly FinishedChainRecord[],
  missing: readonly MissingMessage[],
): Ladder {
  const { rootSteps: steps, receiving, rekeying } = state;
  // The opener's chains begin at the odd steps, the other's at the even ones.
  const stepOf = (chain: number) => 2 * chain + (role === 'initiator' ? 2 : 1);
  const theirs = (chain: number, remote: X25519PublicKey, length: number, isOpen: boolean): ChainOnLadder => ({
    step: stepOf(chain),
    by: 'them',
    fingerprint: chainFingerprint(remote),
    length,
    isOpen,
    missing: missing.filter((message) => message.chain === chain),
  });
  const chains = [
    ...finished.map(({ chain, remote, length }) => theirs(chain, remote, length, false)),
    ...(receiving.kind === 'chain' ? [theirs(receiving.chain, receiving.remote, receiving.n, true)] : []),
    ...ownChains(state),
  ];
  return {
    steps,
    chains: chains.sort((a, b) => a.step - b.step),
    next: state.sending.kind === 'chain' ? 'them' : 'us',
    kem: {
      mixed: rekeying.mixed.step || undefined,
      // An offer is answered by the next chain, so the one that is pending was made by the last.
      offered: rekeying.exchange.kind === 'idle' ? undefined : steps,
    },
  };
}

/** The chain that we send on, or sent on last, and the one before it. */
function ownChains(state: RatchetState): readonly ChainOnLadder[] {
  const { sending, rootSteps } = state;
  if (sending.kind === 'awaiting') return [];
  const isOpen = sending.kind === 'chain';
  const closed = { by: 'us', fingerprint: undefined, isOpen: false, missing: [] } as const;
  const before = { ...closed, step: isOpen ? rootSteps - 2 : rootSteps - 1, length: sending.previousN };
  const chains = before.step > 0 ? [before] : [];
  if (!isOpen) return chains;
  const fingerprint = chainFingerprint(sending.self.publicKey);
  return [...chains, { ...closed, step: rootSteps, fingerprint, length: sending.n, isOpen }];
}
