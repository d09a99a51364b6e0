/** How two identities meet: invites, openings (PQXDH with a hidden sender), safety numbers. It knows the primitives only. */
export { createIdentity, fingerprint, type OwnIdentity } from './identity.ts';
export {
  createInvite,
  INVITE_LENGTH,
  type Invite,
  type InviteSecrets,
  inviteId,
  LATEST_EXPIRY,
  readInvite,
} from './invite.ts';
export {
  type Agreement,
  type AnsweredInvite,
  acceptOpening,
  hintedInvite,
  LATEST_TIME,
  openSession,
  PREFIX_LENGTH,
  type Transcript,
} from './opening.ts';
export { numericFingerprint, safetyNumber } from './safety-number.ts';
export type { HandshakeStore, InviteFate, StoredInvite } from './store.ts';
