/**
 * The Double Ratchet with sealed headers: a function from state, input and randomness to a new state and output.
 * It knows the primitives and nothing else.
 */
export { openBody, sealBody } from './body.ts';
export {
  type Decrypted,
  decrypt,
  type KeptPosition,
  messageKeyAt,
  type Place,
  type ReceivingStep,
  type SkippedKey,
  wipeStep,
} from './decrypt.ts';
export { type Encrypted, encrypt, nextMessageKey } from './encrypt.ts';
export { decodeHeader, encodeHeader, type Header } from './header.ts';
export { chainStep, rootStep } from './kdf.ts';
export {
  type ChainKey,
  type FindKey,
  type HeaderKey,
  type HeaderKeys,
  headerKeysOf,
  type MessageKey,
  type RootKey,
} from './keys.ts';
export { LARGEST_GAP, LAST_POSITION, LIMITS, type Limits } from './limits.ts';
export type { KemExchange, KemField, Rekeying } from './rekeying.ts';
export { RULES, type Rules } from './rules.ts';
export { isSealedFor, type OpenedHeader, openHeader, sealHeader } from './sealed-header.ts';
export type { SealedMessage } from './sealed-message.ts';
export {
  type AgreedKeys,
  chainFingerprint,
  type FinishedChain,
  initiatorState,
  type RatchetState,
  type Receiving,
  responderState,
  type Sending,
  wipeReplaced,
  wipeState,
} from './state.ts';
export type { Accepted, FindEntry, RatchetStore, SessionId } from './store.ts';
