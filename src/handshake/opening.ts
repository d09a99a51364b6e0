/**
 * Openings: the PQXDH key agreement and the encoding of its prefix (docs/PROTOCOL.md §4).
 * Does not store sessions and does not decide whether an invite may still be used.
 */
import { PawlError } from '../errors.ts';
import {
  type Branded,
  concat,
  decapsulate,
  digest,
  encapsulate,
  equal,
  generateKeyPair,
  hkdfSha256,
  type IdentityKey,
  KEM_CIPHERTEXT_LENGTH,
  type KemCiphertext,
  type KemSecret,
  NONCE_LENGTH,
  open,
  type Random,
  Reader,
  readIdentityKey,
  readPublicKey,
  type SharedSecret,
  seal,
  sharedSecret,
  TAG_LENGTH,
  toX25519PublicKey,
  toX25519SecretKey,
  uint64,
  utf8,
  wipe,
  type X25519PublicKey,
} from '../primitives/index.ts';
import type { OwnIdentity } from './identity.ts';
import { INVITE_ID_LENGTH, type Invite, type InviteSecrets, inviteId } from './invite.ts';
import { LATEST_TIME } from './latest-time.ts';

/** 32 bytes: a digest of the whole handshake. It is the associated data of every message of the session. */
export type Transcript = Branded<'transcript'>;

/** The result of the handshake, from which the ratchet starts. */
export interface Agreement {
  readonly transcript: Transcript;
  /** When the session was opened, by the clock of the opener, in unix milliseconds. */
  readonly opened: number;
  readonly rootKey: Branded<'root key'>;
  readonly initiatorHeader: Branded<'header key'>;
  readonly responderHeader: Branded<'header key'>;
  /** The box that takes what the opener sends, and that of the other side: 16 bytes each. */
  readonly initiatorBox: Uint8Array;
  readonly responderBox: Uint8Array;
}

/** The parts of an invite of ours that are needed to accept an opening. */
export interface AnsweredInvite {
  /** All 1,321 bytes. */
  readonly bytes: Uint8Array;
  readonly secrets: InviteSecrets;
}

const HINT_LENGTH = INVITE_ID_LENGTH + TAG_LENGTH;
const SENDER_LENGTH = 32 + 8 + TAG_LENGTH;
/** The length of EK_A || ct || hint || sender, in bytes. */
export const PREFIX_LENGTH = 32 + KEM_CIPHERTEXT_LENGTH + HINT_LENGTH + SENDER_LENGTH;

// Each key below seals one plaintext only, so nonce 0 is never used twice with a key.
const NONCE = new Uint8Array(NONCE_LENGTH);
// X3DH §2.2: separates these inputs from those of a signature scheme on the same curve.
const F = new Uint8Array(32).fill(0xff);

/**
 * Opens a session with the maker of an invite. The caller has checked the expiry; `readInvite` checked the signature.
 * @param opened the current time in unix milliseconds.
 * @returns the prefix of the session's first messages, 1,208 bytes, and the agreed keys.
 */
export function openSession(
  self: OwnIdentity,
  invite: Invite,
  opened: number,
  random: Random,
): { prefix: Uint8Array; agreement: Agreement } {
  const ephemeral = generateKeyPair(random);
  const { ciphertext, secret } = encapsulate(invite.encapsulationKey, random);
  const ownSecret = toX25519SecretKey(self.seed);
  const secrets: Uint8Array[] = [secret, ownSecret, ephemeral.secretKey];
  const agreedWith = keeping(secrets);
  try {
    const dh1 = agreedWith(ownSecret, invite.prekey);
    const dh2 = agreedWith(ephemeral.secretKey, toX25519PublicKey(invite.identity));
    const dh3 = agreedWith(ephemeral.secretKey, invite.prekey);

    const hint = sealOnce(hintKey(dh2), inviteId(invite.bytes), ephemeral.publicKey);
    const sender = sealOnce(
      senderKey(dh2, dh3, secret, invite.bytes),
      concat(self.key, uint64(opened)),
      concat(ephemeral.publicKey, ciphertext, hint),
    );
    const agreement = agree(
      { inviteBytes: invite.bytes, initiator: self.key, ephemeral: ephemeral.publicKey, ciphertext, opened },
      [dh1, dh2, dh3, secret],
    );
    return { prefix: concat(ephemeral.publicKey, ciphertext, hint, sender), agreement };
  } finally {
    wipe(...secrets);
  }
}

/**
 * Decrypts the hint of an opening: the id of the invite that it answers. Takes one Diffie-Hellman operation.
 * @param prefix 1,208 bytes.
 * @returns the invite id, 16 bytes, or `undefined` when the opening is not for us.
 * @throws `weak-key` for an ephemeral key that is refused.
 */
export function hintedInvite(self: OwnIdentity, prefix: Uint8Array): Uint8Array | undefined {
  const { ephemeral, hint } = readPrefix(prefix);
  const ownSecret = toX25519SecretKey(self.seed);
  const secrets: Uint8Array[] = [ownSecret];
  try {
    return openOnce(hintKey(keeping(secrets)(ownSecret, ephemeral)), hint, ephemeral);
  } finally {
    wipe(...secrets);
  }
}

/**
 * Accepts an opening with the secrets of the invite that its hint names. The sender's identity is not authenticated
 * yet: it is once a message decrypts under the agreed keys.
 * @param prefix 1,208 bytes.
 * @throws `corrupt` when the prefix was altered.
 * @throws `weak-key` for a key that is refused.
 * @throws `self` when we opened the session ourselves.
 */
export function acceptOpening(
  self: OwnIdentity,
  prefix: Uint8Array,
  invite: AnsweredInvite,
): { sender: IdentityKey; agreement: Agreement } {
  const { ephemeral, ciphertext, hint, sender } = readPrefix(prefix);
  const { prekey, kemSeed } = invite.secrets;
  const secret = decapsulate(kemSeed, ciphertext);
  const ownSecret = toX25519SecretKey(self.seed);
  const secrets: Uint8Array[] = [secret, ownSecret];
  const agreedWith = keeping(secrets);
  try {
    const dh2 = agreedWith(ownSecret, ephemeral);
    const dh3 = agreedWith(prekey.secretKey, ephemeral);

    const opener = openSender(senderKey(dh2, dh3, secret, invite.bytes), sender, concat(ephemeral, ciphertext, hint));
    if (equal(opener.identity, self.key)) throw new PawlError('self', { what: 'message' });
    const dh1 = agreedWith(prekey.secretKey, toX25519PublicKey(opener.identity));
    const agreement = agree(
      { inviteBytes: invite.bytes, initiator: opener.identity, ephemeral, ciphertext, opened: opener.opened },
      [dh1, dh2, dh3, secret],
    );
    return { sender: opener.identity, agreement };
  } finally {
    wipe(...secrets);
  }
}

/** `sharedSecret`, whose results are added to `secrets`, so that they are overwritten however the work ends. */
function keeping(secrets: Uint8Array[]): typeof sharedSecret {
  return (secretKey, publicKey) => {
    const secret = sharedSecret(secretKey, publicKey);
    secrets.push(secret);
    return secret;
  };
}

/** Seals with a key that is used this once, and overwritten. */
function sealOnce(key: Uint8Array, plaintext: Uint8Array, aad: Uint8Array): Uint8Array {
  const sealed = seal(key, NONCE, plaintext, aad);
  wipe(key);
  return sealed;
}

/** Opens what `sealOnce` has sealed, and overwrites the key. */
function openOnce(key: Uint8Array, sealed: Uint8Array, aad: Uint8Array): Uint8Array | undefined {
  const plaintext = open(key, NONCE, sealed, aad);
  wipe(key);
  return plaintext;
}

/** HKDF of secrets that are joined for it, and overwritten joined. */
function derive(secrets: readonly Uint8Array[], info: Uint8Array, length: number): Uint8Array {
  const joined = concat(F, ...secrets);
  const derived = hkdfSha256(joined, info, length);
  wipe(joined);
  return derived;
}

function hintKey(dh2: SharedSecret): Uint8Array {
  return derive([dh2], utf8('pawl/1 hint'), 32);
}

function senderKey(dh2: SharedSecret, dh3: SharedSecret, secret: KemSecret, inviteBytes: Uint8Array): Uint8Array {
  return derive([dh2, dh3, secret], concat(utf8('pawl/1 sender'), digest(32, inviteBytes)), 32);
}

/** What the transcript of a session covers, in its order. */
interface TranscriptFields {
  readonly inviteBytes: Uint8Array;
  readonly initiator: IdentityKey;
  readonly ephemeral: X25519PublicKey;
  readonly ciphertext: KemCiphertext;
  /** Unix milliseconds. */
  readonly opened: number;
}

function agree(
  { inviteBytes, initiator, ephemeral, ciphertext, opened }: TranscriptFields,
  secrets: readonly [dh1: SharedSecret, dh2: SharedSecret, dh3: SharedSecret, kem: KemSecret],
): Agreement {
  const transcript = digest(
    32,
    utf8('pawl/1 transcript'),
    inviteBytes,
    initiator,
    ephemeral,
    ciphertext,
    uint64(opened),
  ) as Transcript;
  const okm = derive(secrets, concat(utf8('pawl/1 handshake'), transcript), 128);
  const agreement = {
    transcript,
    opened,
    rootKey: okm.slice(0, 32) as Agreement['rootKey'],
    initiatorHeader: okm.slice(32, 64) as Agreement['initiatorHeader'],
    responderHeader: okm.slice(64, 96) as Agreement['responderHeader'],
    initiatorBox: okm.slice(96, 112),
    responderBox: okm.slice(112),
  };
  wipe(okm);
  return agreement;
}

function readPrefix(prefix: Uint8Array) {
  const reader = new Reader(prefix, corrupt);
  const ephemeral = reader.take(32);
  const ciphertext = reader.take(KEM_CIPHERTEXT_LENGTH) as KemCiphertext;
  const hint = reader.take(HINT_LENGTH);
  const sender = reader.take(SENDER_LENGTH);
  reader.end();
  return { ephemeral: readPublicKey(ephemeral, 'ephemeral key of the opening'), ciphertext, hint, sender };
}

function openSender(key: Uint8Array, sealed: Uint8Array, aad: Uint8Array): { identity: IdentityKey; opened: number } {
  const reader = new Reader(openOnce(key, sealed, aad) ?? corrupt(), corrupt);
  const identity = reader.take(32);
  const opened = reader.uint64(LATEST_TIME);
  reader.end();
  return { identity: readIdentityKey(identity, "opener's identity key"), opened };
}

function corrupt(): never {
  throw new PawlError('corrupt', { what: 'opening' });
}
