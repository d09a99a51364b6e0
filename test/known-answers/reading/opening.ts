import { expect } from 'vitest';
import { acceptOpening, hintedInvite, inviteBox, inviteId, PREFIX_LENGTH } from '../../../src/handshake/index.ts';
import {
  concat,
  decapsulate,
  type KemCiphertext,
  type KemSeed,
  keyPairOf,
  NONCE_LENGTH,
  open,
  sharedSecret,
  toHex,
  toX25519PublicKey,
  toX25519SecretKey,
  uint64,
  type X25519PublicKey,
  type X25519SecretKey,
} from '../../../src/primitives/index.ts';
import { hex } from '../../primitives/hex.ts';
import type { InviteStep, Opening } from '../format.ts';
import type { Reader } from './people.ts';

const HEAD = 10;
const ZERO = new Uint8Array(NONCE_LENGTH);

/** Holds the values of an opening to what the maker of the invite computes from his secrets and the envelope. */
export function expectOpening(
  values: Opening,
  envelope: Uint8Array,
  opener: Reader,
  maker: Reader,
  made: InviteStep,
): void {
  const prefix = envelope.subarray(HEAD, HEAD + PREFIX_LENGTH);
  const [ephemeral, ct] = [prefix.subarray(0, 32), prefix.subarray(32, 1_120)];
  const [hint, sender] = [prefix.subarray(1_120, 1_152), prefix.subarray(1_152)];
  const [prekeySecret, kemSeed] = made.draws.map(([, drawn]) => hex(drawn)) as [Uint8Array, Uint8Array];
  const prekey = keyPairOf(prekeySecret as X25519SecretKey);
  const secrets = [
    sharedSecret(prekey.secretKey, toX25519PublicKey(opener.identity.key)),
    sharedSecret(toX25519SecretKey(maker.identity.seed), ephemeral as X25519PublicKey),
    sharedSecret(prekey.secretKey, ephemeral as X25519PublicKey),
    decapsulate(kemSeed as KemSeed, ct as KemCiphertext),
  ];
  expect(secrets.map(toHex)).toEqual([values.dh1, values.dh2, values.dh3, values.ss]);

  const bytes = hex(made.invite);
  expect(open(hex(values.hintKey), ZERO, hint, ephemeral)).toEqual(inviteId(bytes));
  expect(hintedInvite(maker.identity, prefix)).toEqual(inviteId(bytes));
  expect(open(hex(values.senderKey), ZERO, sender, concat(ephemeral, ct, hint))).toEqual(
    concat(opener.identity.key, uint64(values.opened)),
  );
  const accepted = acceptOpening(maker.identity, prefix, { bytes, secrets: { prekey, kemSeed: kemSeed as KemSeed } });
  const { transcript, rootKey, initiatorHeader, responderHeader, initiatorBox, responderBox, opened } =
    accepted.agreement;
  expect(accepted.sender).toEqual(opener.identity.key);
  expect(opened).toBe(values.opened);
  const agreed = [transcript, rootKey, initiatorHeader, responderHeader].map(toHex);
  expect(agreed).toEqual([values.T, values.SK, values.HK, values.NHK]);
  const boxes = [initiatorBox, responderBox, inviteBox(bytes)].map(toHex);
  expect(boxes).toEqual([values.boxA, values.boxB, values.inviteBox]);
}
