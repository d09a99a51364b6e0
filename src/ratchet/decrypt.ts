/**
 * Decrypts a message whose header has been opened (Double Ratchet §4.6; docs/PROTOCOL.md §5).
 * Knows nothing of the store: callers pass what is kept of a position, and save the step that is returned.
 */
import { type ForkReason, PawlError } from '../errors.ts';
import { concat, equal, wipe } from '../primitives/index.ts';
import { openBody } from './body.ts';
import { encodeHeader, type Header, type OpenedHeader } from './header.ts';
import { type ChainKey, chainStep, dhStep, headerKeysOf, type MessageKey } from './kdf.ts';
import { type Limits, RULES, type Rules } from './parameters.ts';
import { kemTurnOfReceiver } from './rekeying.ts';
import { type FinishedChain, type RatchetState, type Receiving, wipeReplaced, wipeState } from './state.ts';

type ReceivingChain = Extract<Receiving, { kind: 'chain' }>;

/** The chain whose header key opened the header: the current receiving chain, the next one, or a finished one. */
export type Place = 'current' | 'next' | FinishedChain;

/** What is kept of one position of one chain. */
export interface KeptPosition {
  /** The skipped message key. */
  readonly messageKey?: MessageKey;
  /** The digest of the message that was accepted at this position. */
  readonly digest?: Uint8Array;
}

export interface SkippedKey {
  readonly chain: number;
  readonly n: number;
  readonly messageKey: MessageKey;
}

/** The changes that an accepted message makes: the new state, and the differences of what is stored beside it. */
export interface ReceivingStep {
  readonly state: RatchetState;
  /** The message's position: the number of its chain, and `n` in it. */
  readonly chain: number;
  readonly n: number;
  /** Whether its key was a skipped message key, which must now be deleted. */
  readonly late: boolean;
  readonly gained: readonly SkippedKey[];
  /** The receiving chain that this message ended by beginning a new one. */
  readonly finished?: FinishedChain;
  /** The number of missing messages whose keys were not kept. They can never be read. */
  readonly lost: number;
  /** Why the new chain contradicts earlier messages. The message is accepted all the same. */
  readonly fork?: ForkReason;
}

export type Decrypted =
  | { readonly kind: 'accepted'; readonly plaintext: Uint8Array; readonly step: ReceivingStep }
  /** The same message was accepted before. */
  | { readonly kind: 'duplicate' }
  /** Its position was used or skipped, and neither key nor digest is kept. */
  | { readonly kind: 'too-late' }
  /** The messages contradict each other, because an identity file was copied or rolled back. */
  | { readonly kind: 'fork'; readonly reason: ForkReason };

/** A message whose header has authenticated. */
export interface LocatedMessage {
  readonly place: Place;
  readonly opened: OpenedHeader;
  /** nonce || ciphertext || tag. */
  readonly body: Uint8Array;
}

/** What a message is decrypted with besides the state. */
export interface DecryptionContext {
  /** What is kept of the message's position; empty where `place` is `'next'`. */
  readonly kept: KeptPosition;
  /** The session's transcript, 32 bytes. */
  readonly associatedData: Uint8Array;
  readonly limits: Limits;
  /** Unix milliseconds. */
  readonly now: number;
}

/**
 * Runs RatchetDecryptHE (Double Ratchet §4.6) after the header was opened. Never changes `state`.
 * @throws `gap-too-large` when more keys than the limit would have to be derived, `kem-missing` when a new chain does
 * not answer our KEM key, `weak-key` for a hostile ratchet or KEM key, `corrupt` for a header that no honest peer
 * makes.
 */
export function decrypt(
  state: RatchetState,
  { place, opened: { header, digest }, body }: LocatedMessage,
  { kept, associatedData, limits, now }: DecryptionContext,
): Decrypted {
  if (kept.digest !== undefined) {
    return equal(kept.digest, digest) ? { kind: 'duplicate' } : { kind: 'fork', reason: 'two-texts-at-one-position' };
  }
  const found = messageKeyAt(state, place, header, { keptKey: kept.messageKey, limits, now });
  if (found.kind === 'fork' || found.kind === 'too-late') return found;
  const plaintext = openBody(found.messageKey, body, concat(associatedData, encodeHeader(header)));
  if (found.messageKey !== kept.messageKey) wipe(found.messageKey);
  if (plaintext === undefined) {
    if (found.kind === 'message-key') wipeRefused(found.step, state);
    // The digest has authenticated, so it is the peer's own key that made this body under another state.
    return { kind: 'fork', reason: 'body-does-not-authenticate' };
  }
  if (found.kind === 'unanswered') throw new PawlError('kem-missing', {});
  return { kind: 'accepted', plaintext, step: found.step };
}

/** Overwrites the secrets of a step that has been saved: the new state and the skipped keys. */
export function wipeStep({ state, gained }: ReceivingStep): void {
  wipeState(state);
  wipe(...gained.map(({ messageKey }) => messageKey));
}

/** Overwrites the secrets of a step that is not taken, except those it shares with the state before it. */
function wipeRefused(step: ReceivingStep, state: RatchetState): void {
  wipeReplaced(step.state, state);
  wipe(...step.gained.map(({ messageKey }) => messageKey));
}

type Found =
  | { readonly kind: 'message-key'; readonly messageKey: MessageKey; readonly step: ReceivingStep }
  /**
   * The message begins a chain that does not answer our KEM key, so there is no step. If the key opens the body, the
   * peer left the answer out; if not, the peer answers a chain that this file does not know.
   */
  | { readonly kind: 'unanswered'; readonly messageKey: MessageKey }
  | { readonly kind: 'too-late' }
  | { readonly kind: 'fork'; readonly reason: ForkReason };

/** What a message key is derived with besides the state and the header. */
export interface KeyContext {
  /** The skipped message key kept of the position. */
  readonly keptKey?: MessageKey | undefined;
  readonly limits: Limits;
  /** Unix milliseconds. */
  readonly now: number;
  readonly rules?: Pick<Rules, 'domain'>;
}

/**
 * Finds the message key of a position and the step to it, without opening the body. Tests compare it with libchat.
 * @throws `gap-too-large`, `weak-key`, `corrupt` as {@link decrypt} does.
 */
export function messageKeyAt(state: RatchetState, place: Place, header: Header, context: KeyContext): Found {
  const { keptKey, limits } = context;
  if (place === 'next') return inNewChain(state, header, context);
  const known = place === 'current' ? currentChain(state) : place;
  if (!equal(known.remote, header.dh)) return { kind: 'fork', reason: 'two-keys-in-one-chain' };
  if (place !== 'current' && header.n >= place.length) return { kind: 'fork', reason: 'past-the-end-of-a-chain' };
  if (keptKey !== undefined) {
    const step = { state, chain: known.chain, n: header.n, late: true, gained: [], lost: 0 };
    return { kind: 'message-key', messageKey: keptKey, step };
  }
  if (place !== 'current' || header.n < currentChain(state).n) return { kind: 'too-late' };
  return inChain(state, currentChain(state), header, limits);
}

function inChain(state: RatchetState, receiving: ReceivingChain, header: Header, limits: Limits): Found {
  const missing = header.n - receiving.n;
  checkGap(missing, limits, false);
  const skipped = skipTo(receiving, header.n, limits);
  const { chainKey, messageKey } = chainStep(skipped.chainKey);
  if (skipped.chainKey !== receiving.chainKey) wipe(skipped.chainKey);
  return {
    kind: 'message-key',
    messageKey,
    step: {
      state: { ...state, receiving: { ...receiving, chainKey, n: header.n + 1 } },
      chain: receiving.chain,
      n: header.n,
      late: false,
      gained: skipped.keys,
      lost: missing - skipped.keys.length,
    },
  };
}

function inNewChain(state: RatchetState, header: Header, { limits, now, rules = RULES }: KeyContext): Found {
  const { sending, receiving } = state;
  // Chains alternate: the peer has received a chain that this state never began, so our file was rolled back.
  if (sending.kind === 'due') return { kind: 'fork', reason: 'answer-to-an-unknown-chain' };
  if (receiving.kind === 'awaiting' && header.pn !== 0) throw new PawlError('corrupt', { what: 'message header' });

  // Checked before anything is derived, so that a message with a false n is refused without skipping pn keys.
  checkGap(header.n, limits, true);
  const turn = kemTurnOfReceiver(state.rekeying, header.kem, state.rootSteps, now);
  if (typeof turn === 'string') return { kind: 'fork', reason: turn };
  const end = receiving.kind === 'awaiting' ? undefined : endChain(receiving, header.pn, limits);
  const root = dhStep(
    state.rootKey,
    { secretKey: sending.self.secretKey, remote: header.dh },
    rules.domain,
    turn.secret,
  );
  const begun: RatchetState = {
    rootKey: root.rootKey,
    rootSteps: state.rootSteps + 1,
    rekeying: turn.rekeying,
    sending: { kind: 'due', remote: header.dh, previousN: sending.kind === 'chain' ? sending.n : 0 },
    receiving: { kind: 'awaiting' },
    nextSending: state.nextSending,
    nextReceiving: headerKeysOf(root.nextHeaderKey),
  };
  const first: ReceivingChain = {
    kind: 'chain',
    chain: receiving.kind === 'awaiting' ? 0 : receiving.chain + 1,
    remote: header.dh,
    chainKey: root.chainKey,
    header: state.nextReceiving,
    n: 0,
  };
  const found = inChain(begun, first, header, limits);
  wipe(root.chainKey);
  if (found.kind !== 'message-key') return found;
  const step: ReceivingStep =
    end === undefined
      ? found.step
      : {
          ...found.step,
          gained: [...end.gained, ...found.step.gained],
          lost: end.lost + found.step.lost,
          finished: end.finished,
          ...(end.fork && { fork: end.fork }),
        };
  if (!turn.isUnanswered) return { ...found, step };
  wipeRefused(step, state);
  return { kind: 'unanswered', messageKey: found.messageKey };
}

/**
 * Ends a receiving chain at the length that a new chain's header names. If more messages are missing than the limit,
 * their keys are given up: refusing the new chain would end the conversation.
 */
function endChain(
  receiving: ReceivingChain,
  pn: number,
  limits: Limits,
): Pick<ReceivingStep, 'gained' | 'lost'> & { finished: FinishedChain; fork?: ForkReason } {
  const { chain, remote, header, n } = receiving;
  if (pn < n) {
    const finished = { chain, remote, header, length: n };
    return { gained: [], lost: 0, finished, fork: 'chain-shorter-than-received' };
  }
  const finished = { chain, remote, header, length: pn };
  const missing = pn - n;
  if (missing > limits.gap) return { gained: [], lost: missing, finished };
  const { chainKey, keys } = skipTo(receiving, pn, limits);
  if (chainKey !== receiving.chainKey) wipe(chainKey);
  return { gained: keys, lost: missing - keys.length, finished };
}

function checkGap(missing: number, { gap: limit }: Limits, isNewChain: boolean): void {
  if (missing > limit) throw new PawlError('gap-too-large', { missing, limit, inNewChain: isNewChain });
}

/** Advances a chain to position `to`, and keeps the newest of the skipped message keys. */
function skipTo(from: ReceivingChain, to: number, limits: Limits): { chainKey: ChainKey; keys: SkippedKey[] } {
  const keys: SkippedKey[] = [];
  let { chainKey } = from;
  for (let n = from.n; n < to; n++) {
    const step = chainStep(chainKey);
    if (chainKey !== from.chainKey) wipe(chainKey);
    chainKey = step.chainKey;
    if (to - n <= limits.keptKeys) keys.push({ chain: from.chain, n, messageKey: step.messageKey });
    else wipe(step.messageKey);
  }
  return { chainKey, keys };
}

function currentChain(state: RatchetState): ReceivingChain {
  if (state.receiving.kind === 'awaiting') throw new PawlError('corrupt', { what: 'order of chains' });
  return state.receiving;
}
