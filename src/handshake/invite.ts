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

/** An introduction: what the other side needs to open a conversation (docs/PROTOCOL.md §3). */
export interface Invite {
  /** All 1,321 bytes, signature included. */
  readonly bytes: Uint8Array;
  readonly reusable: boolean;
  readonly identity: IdentityKey;
  readonly prekey: X25519PublicKey;
  readonly encapsulationKey: EncapsulationKey;
  /** Unix seconds. */
  readonly expires: number;
}

export interface InviteSecrets {
  readonly prekey: KeyPair;
  readonly kemSeed: KemSeed;
}

export const INVITE_LENGTH = 1 + 32 + 32 + ENCAPSULATION_KEY_LENGTH + 8 + 64;
export const INVITE_ID_LENGTH = 16;

/** The last second that a date can name, so that every expiry that is read can be shown. */
export const LATEST_EXPIRY = 8.64e12;

const SIGNED = utf8('pawl/1 invite');
const SIGNATURE_LENGTH = 64;
const REUSABLE = 1;

/** Makes an invite with fresh secrets, signed by `self`. `expires` is in unix seconds. */
export function createInvite(
  self: OwnIdentity,
  { reusable, expires }: Pick<Invite, 'reusable' | 'expires'>,
  random: Random,
): { invite: Invite; secrets: InviteSecrets } {
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
  const invite = { bytes, reusable, identity: self.key, prekey: prekey.publicKey, encapsulationKey, expires };
  return { invite, secrets: { prekey, kemSeed } };
}

/**
 * Reads an invite and checks everything about it but its age.
 * @param bytes 1,321 bytes.
 * @throws `corrupt` for a wrong length, an unknown flag or an impossible expiry; `weak-key` for an identity, prekey or
 * encapsulation key that is refused; `bad-signature`.
 */
export function readInvite(bytes: Uint8Array): Invite {
  const reader = new Reader(bytes, () => {
    throw new PawlError('corrupt', { what: 'invite' });
  });
  const flags = reader.uint(1);
  const identity = reader.take(32);
  const prekey = reader.take(32);
  const encapsulationKey = reader.take(ENCAPSULATION_KEY_LENGTH);
  const expires = reader.uint64(LATEST_EXPIRY);
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
    expires,
  };
}

/** 16 bytes: the name of an invite in the hint of an opening. */
export function inviteId(inviteBytes: Uint8Array): Uint8Array {
  return digest(INVITE_ID_LENGTH, inviteBytes);
}
