import type { Agreement, Invite, OwnIdentity } from '../../src/handshake/index.ts';
import {
  concat,
  digest,
  encapsulate,
  generateKeyPair,
  hkdfSha256,
  type Random,
  type SharedSecret,
  seal,
  sharedSecret,
  toX25519PublicKey,
  toX25519SecretKey,
  uint64,
  utf8,
} from '../../src/primitives/index.ts';

/** What the opener of a session puts in; `claimed` is who he says he is, and `dh1` what he can show for it. */
export interface OpeningParts {
  readonly invite: Invite;
  readonly claimed: Uint8Array;
  readonly dh1: SharedSecret;
  readonly opened: number;
  readonly random: Random;
}

const F = new Uint8Array(32).fill(0xff);
const ZERO_NONCE = new Uint8Array(12);

/** An opening as docs/PROTOCOL.md §4 spells it, by whoever and with whatever. */
export function spelledOut({ invite, claimed, dh1, opened, random }: OpeningParts) {
  const ephemeral = generateKeyPair(random);
  const { ciphertext, secret } = encapsulate(invite.encapsulationKey, random);
  const dh2 = sharedSecret(ephemeral.secretKey, toX25519PublicKey(invite.identity));
  const dh3 = sharedSecret(ephemeral.secretKey, invite.prekey);
  const sealed = (key: Uint8Array, plaintext: Uint8Array, aad: Uint8Array) => seal(key, ZERO_NONCE, plaintext, aad);

  const hintKey = hkdfSha256(concat(F, dh2), utf8('pawl/1 hint'), 32);
  const hint = sealed(hintKey, digest(16, invite.bytes), ephemeral.publicKey);
  const senderInfo = concat(utf8('pawl/1 sender'), digest(32, invite.bytes));
  const senderKey = hkdfSha256(concat(F, dh2, dh3, secret), senderInfo, 32);
  const sender = sealed(senderKey, concat(claimed, uint64(opened)), concat(ephemeral.publicKey, ciphertext, hint));

  const bound = concat(invite.bytes, claimed, ephemeral.publicKey, ciphertext, uint64(opened));
  const transcript = digest(32, utf8('pawl/1 transcript'), bound);
  const keys = hkdfSha256(concat(F, dh1, dh2, dh3, secret), concat(utf8('pawl/1 handshake'), transcript), 128);
  return {
    prefix: concat(ephemeral.publicKey, ciphertext, hint, sender),
    agreement: {
      transcript,
      opened,
      rootKey: keys.subarray(0, 32),
      initiatorHeader: keys.subarray(32, 64),
      responderHeader: keys.subarray(64, 96),
      initiatorBox: keys.subarray(96, 112),
      responderBox: keys.subarray(112),
    } as Agreement,
  };
}

/** DH of one's own identity with the prekey of an invite: what only that identity can show. */
export function dh1Of(self: OwnIdentity, invite: Invite): SharedSecret {
  return sharedSecret(toX25519SecretKey(self.seed), invite.prekey);
}
