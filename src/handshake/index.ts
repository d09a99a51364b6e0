/**
 * The handshake: identities, invites, openings (PQXDH with an encrypted sender) and safety numbers.
 * Knows the primitives only: no ratchet, no envelope and no database.
 */
export { createIdentity, fingerprint, type OwnIdentity } from './identity.ts';
export {
  createInvite,
  INVITE_LENGTH,
  type Invite,
  type InviteSecrets,
  inviteBox,
  inviteId,
  readInvite,
} from './invite.ts';
export { LATEST_TIME } from './latest-time.ts';
export {
  type Agreement,
  type AnsweredInvite,
  acceptOpening,
  hintedInvite,
  openSession,
  PREFIX_LENGTH,
  type Transcript,
} from './opening.ts';
export { numericFingerprint, safetyNumber } from './safety-number.ts';
export type { HandshakeStore, InviteFate, StoredInvite } from './store.ts';
