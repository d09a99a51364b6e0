/**
 * Encrypts the next message of a session (Double Ratchet §4.5; docs/PROTOCOL.md §5).
 * Knows nothing of the store, of padding or of envelopes.
 */
import { PawlError } from '../errors.ts';
import { agreeAfresh, concat, type Random, wipe } from '../primitives/index.ts';
import { hedgedNonces, sealBody } from './body.ts';
import { encodeHeader, type Header, type SealedMessage, sealHeader } from './header.ts';
import { chainStep, headerKeysOf, type MessageKey, rootStep } from './kdf.ts';
import { LAST_POSITION, RULES, type Rules } from './parameters.ts';
import { kemTurnOfSender } from './rekeying.ts';
import type { RatchetState, Sending } from './state.ts';

type SendingChain = Extract<Sending, { kind: 'chain' }>;
type SendingState = RatchetState & { readonly sending: SendingChain };

export interface Encrypted {
  readonly state: SendingState;
  readonly message: SealedMessage;
  readonly header: Header;
  /** 16 bytes, equal on both sides: the digest of the body. */
  readonly id: Uint8Array;
}

/** What a message is encrypted with besides the state and its plaintext. */
export interface EncryptionContext {
  /** The session's transcript, 32 bytes. */
  readonly associatedData: Uint8Array;
  readonly random: Random;
  /** Unix milliseconds. */
  readonly now: number;
  readonly rules?: Rules;
}

/**
 * Runs RatchetEncryptHE (Double Ratchet §4.5). Never changes `state`.
 * @param plaintext any length; `encodeContent` has padded it.
 * @throws `not-begun` for the responder before it has received a message; `exhausted` at the end of a chain;
 * `weak-key`.
 */
export function encrypt(
  state: RatchetState,
  plaintext: Uint8Array,
  { associatedData, random, now, rules = RULES }: EncryptionContext,
): Encrypted {
  const step = nextMessageKey(state, random, now, rules);
  const header = encodeHeader(step.header);
  const { nonce, salt } = hedgedNonces(step.messageKey, random, header, plaintext);
  const body = sealBody(step.messageKey, nonce, plaintext, concat(associatedData, header));
  wipe(step.messageKey);
  const { message, digest } = sealHeader(step.state.sending.header, step.header, body, { associatedData, salt });
  return { state: step.state, message, header: step.header, id: digest };
}

/**
 * Advances the sending chain by one message key, and begins a new chain if one is due. Tests compare it with libchat.
 * @throws `not-begun`, `exhausted`, `weak-key` as {@link encrypt} does.
 */
export function nextMessageKey(
  state: RatchetState,
  random: Random,
  now: number,
  rules: Rules = RULES,
): { state: SendingState; header: Header; messageKey: MessageKey } {
  const begun = beginChain(state, random, now, rules);
  const { sending } = begun;
  const { self, n, previousN: pn, kem } = sending;
  if (n > LAST_POSITION) throw new PawlError('exhausted', {});
  const { chainKey, messageKey } = chainStep(sending.chainKey);
  // A chain key of `state` is the caller's to wipe; that of a chain which begins here is in no state.
  if (state.sending.kind === 'due') wipe(sending.chainKey);
  return {
    state: { ...begun, sending: { ...sending, chainKey, n: n + 1 } },
    header: { dh: self.publicKey, n, pn, ...(kem && { kem }) },
    messageKey,
  };
}

function beginChain(state: RatchetState, random: Random, now: number, rules: Rules): SendingState {
  const { sending } = state;
  switch (sending.kind) {
    case 'chain':
      return { ...state, sending };
    case 'awaiting':
      throw new PawlError('not-begun', {});
    case 'due': {
      const { pair, secret: shared } = agreeAfresh(random, sending.remote);
      const { rekeying, secret, field } = kemTurnOfSender(state.rekeying, state.rootSteps, { random, now, rules });
      const step = rootStep(state.rootKey, shared, rules.domain, secret);
      wipe(shared);
      return {
        ...state,
        rootKey: step.rootKey,
        rootSteps: state.rootSteps + 1,
        rekeying,
        sending: {
          kind: 'chain',
          self: pair,
          chainKey: step.chainKey,
          header: state.nextSending,
          n: 0,
          previousN: sending.previousN,
          kem: field,
        },
        nextSending: headerKeysOf(step.nextHeaderKey),
      };
    }
  }
}
