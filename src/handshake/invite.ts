/**
 * Invites: their wire format, their signature and their secrets (docs/PROTOCOL.md §3).
 * Does not check expiry and does not know which invites are stored. The wire counts expiry in unix seconds; everything
 * outside of this file counts unix milliseconds.
 */
import { PawlError } from '../errors.ts';
import {
  concat,
  digest,
  ENCAPSULATION_KEY_LENGTH,
  type EncapsulationKey,
  generateKemKey,
  generateKeyPair,
  type IdentityKey,
  type KemSeed,
  type KeyPair,
  type Random,
  Reader,
  readEncapsulationKey,
  readIdentityKey,
  readPublicKey,
  sign,
  uint,
  uint64,
  utf8,
  verify,
  type X25519PublicKey,
} from '../primitives/index.ts';
import type { OwnIdentity } from './identity.ts';
import { LATEST_TIME } from './latest-time.ts';

/** The public half of an invite: what a peer needs to open a session with its maker. */
export interface Invite {
  /** All 1,321 bytes, signature included. */
  readonly bytes: Uint8Array;
  readonly reusable: boolean;
  readonly identity: IdentityKey;
  readonly prekey: X25519PublicKey;
  readonly encapsulationKey: EncapsulationKey;
  /** Unix milliseconds, a whole number of seconds. */
  readonly expiresAt: number;
}

/** The secret half of an invite, which its maker stores. */
export interface InviteSecrets {
  readonly prekey: KeyPair;
  readonly kemSeed: KemSeed;
}

export const INVITE_LENGTH = 1 + 32 + 32 + ENCAPSULATION_KEY_LENGTH + 8 + 64;
export const INVITE_ID_LENGTH = 16;

/** Of the name of a box, in bytes. */
const BOX_LENGTH = 16;
const SIGNED = utf8('pawl/1 invite');
const SIGNATURE_LENGTH = 64;
const REUSABLE = 1;
const SECOND = 1_000;

/**
 * Creates an invite with fresh secrets and signs it with the identity key of `self`.
 * @param options.expiresAt unix milliseconds; rounded down to whole seconds.
 */
export function createInvite(
  self: OwnIdentity,
  options: Pick<Invite, 'reusable' | 'expiresAt'>,
  random: Random,
): { invite: Invite; secrets: InviteSecrets } {
  const { reusable } = options;
  const expires = Math.floor(options.expiresAt / SECOND);
  const prekey = generateKeyPair(random);
  const { seed: kemSeed, encapsulationKey } = generateKemKey(random);
  const fields = concat(
    uint(reusable ? REUSABLE : 0, 1),
    self.key,
    prekey.publicKey,
    encapsulationKey,
    uint64(expires),
  );
  const bytes = concat(fields, sign(self.seed, concat(SIGNED, fields)));
  const invite = {
    bytes,
    reusable,
    identity: self.key,
    prekey: prekey.publicKey,
    encapsulationKey,
    expiresAt: expires * SECOND,
  };
  return { invite, secrets: { prekey, kemSeed } };
}

/**
 * Decodes an invite and verifies its keys and its signature. Does not compare its expiry with a clock.
 * @param bytes 1,321 bytes.
 * @throws `corrupt` for a wrong length, an unknown flag or an expiry that no `Date` can represent.
 * @throws `weak-key` for an identity key, prekey or encapsulation key that is refused.
 * @throws `bad-signature`.
 */
export function readInvite(bytes: Uint8Array): Invite {
  const reader = new Reader(bytes, () => {
    throw new PawlError('corrupt', { what: 'invite' });
  });
  const flags = reader.uint(1);
  const identity = reader.take(32);
  const prekey = reader.take(32);
  const encapsulationKey = reader.take(ENCAPSULATION_KEY_LENGTH);
  const expires = reader.uint64(LATEST_TIME / SECOND);
  const signature = reader.take(SIGNATURE_LENGTH);
  reader.end();
  if (flags > REUSABLE) throw new PawlError('corrupt', { what: 'invite' });

  const signer = readIdentityKey(identity, 'identity key of the invite');
  const fields = bytes.subarray(0, INVITE_LENGTH - SIGNATURE_LENGTH);
  if (!verify(signer, concat(SIGNED, fields), signature)) throw new PawlError('bad-signature', {});
  return {
    bytes,
    reusable: flags === REUSABLE,
    identity: signer,
    prekey: readPublicKey(prekey, 'prekey of the invite'),
    encapsulationKey: readEncapsulationKey(encapsulationKey),
    expiresAt: expires * SECOND,
  };
}

/**
 * Names the box that openings go to which answer an invite, until the opener has an answer (docs/PROTOCOL.md §4).
 * @returns 16 bytes.
 */
export function inviteBox(inviteBytes: Uint8Array): Uint8Array {
  return digest(BOX_LENGTH, utf8('pawl/1 mailbox'), inviteBytes);
}

/**
 * Names an invite in the hint of an opening (docs/PROTOCOL.md §4).
 * @returns 16 bytes.
 */
export function inviteId(inviteBytes: Uint8Array): Uint8Array {
  return digest(INVITE_ID_LENGTH, inviteBytes);
}
