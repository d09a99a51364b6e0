/**
 * The Double Ratchet with header encryption: pure functions from state, input and randomness to a new state and output.
 * Knows only the primitives.
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
export {
  decodeHeader,
  encodeHeader,
  type Header,
  isSealedFor,
  type OpenedHeader,
  openHeader,
  type SealedMessage,
  sealHeader,
} from './header.ts';
export {
  type ChainKey,
  chainStep,
  type FindKey,
  type HeaderKey,
  type HeaderKeys,
  headerKeysOf,
  type MessageKey,
  type RootKey,
  rootStep,
} from './kdf.ts';
export { LARGEST_GAP, LAST_POSITION, LIMITS, type Limits, RULES, type Rules } from './parameters.ts';
export type { KemExchange, KemField, Rekeying } from './rekeying.ts';
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
