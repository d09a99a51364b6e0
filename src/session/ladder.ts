/**
 * The history of a session's chains, put together from its ratchet state and its stored chains.
 * Contains no keys, and does not know how it is drawn.
 */
import type { X25519PublicKey } from '../primitives/index.ts';
import { chainFingerprint, type RatchetState } from '../ratchet/index.ts';
import type { FinishedChainRecord, MissingMessage, Origin } from './store.ts';

/** One chain of a session, without its keys. */
export interface ChainOnLadder {
  /** The root step that began the chain. */
  readonly step: number;
  readonly by: 'us' | 'them';
  /** 16 hexadecimal digits, the same on both sides; `undefined` for our previous chain, whose key is deleted. */
  readonly fingerprint: string | undefined;
  /** The number of messages in it so far. */
  readonly length: number;
  /** Whether its side still sends on it, as far as we know. */
  readonly isOpen: boolean;
  /** Messages that have not arrived and whose keys are stored. */
  readonly missing: readonly MissingMessage[];
}

/** The chains of a session in the order of their root steps. Old chains are not stored, and are left out. */
export interface Ladder {
  /** The number of root steps so far, in both directions. */
  readonly steps: number;
  readonly chains: readonly ChainOnLadder[];
  /** Which side begins the next chain. */
  readonly next: 'us' | 'them';
  /** The last root step that mixed in a KEM secret, and the root step that offered a KEM key not yet answered. */
  readonly kem: { readonly mixed: number | undefined; readonly offered: number | undefined };
}

export function ladderOf(
  role: Origin['role'],
  state: RatchetState,
  finished: readonly FinishedChainRecord[],
  missing: readonly MissingMessage[],
): Ladder {
  const { rootSteps: steps, receiving, rekeying } = state;
  // The initiator's chains begin at odd steps, the responder's at even steps.
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
      // An offer is answered by the next chain, so a pending offer was made at the last step.
      offered: rekeying.exchange.kind === 'idle' ? undefined : steps,
    },
  };
}

/** Returns the chain that we send on, or sent on last, and the chain before it. */
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
