import { createIdentity, createInvite, type Invite, type OwnIdentity } from '../../src/handshake/index.ts';
import { concat, sign, utf8 } from '../../src/primitives/index.ts';
import { repeatable } from '../ratchet/party.ts';

/** Alice opens; bob made the invite; mallory is in between. */
export const [alice, bob, mallory] = ['alice', 'bob', 'mallory'].map((name) => createIdentity(repeatable(name))) as [
  OwnIdentity,
  OwnIdentity,
  OwnIdentity,
];

/** Unix seconds. */
export const EXPIRES = 1_800_000_000_000;
/** Unix milliseconds. */
export const OPENED = 1_790_000_000_123;

/** An invite with its secrets, as its maker keeps them. */
export function inviteOf(self: OwnIdentity, seed = 'invite', reusable = false) {
  const { invite, secrets } = createInvite(self, { reusable, expiresAt: EXPIRES }, repeatable(seed));
  return { invite, answered: { bytes: invite.bytes, secrets } };
}

export interface InviteFields {
  readonly flags: Uint8Array;
  readonly identity: Uint8Array;
  readonly prekey: Uint8Array;
  readonly encapsulationKey: Uint8Array;
  readonly expires: Uint8Array;
}

/** The fields of an invite, cut where docs/PROTOCOL.md §3 says. */
export function fieldsOf({ bytes }: Invite): InviteFields {
  return {
    flags: bytes.subarray(0, 1),
    identity: bytes.subarray(1, 33),
    prekey: bytes.subarray(33, 65),
    encapsulationKey: bytes.subarray(65, 1249),
    expires: bytes.subarray(1249, 1257),
  };
}

/** An invite of any fields at all, correctly signed. */
export function signedInvite(self: OwnIdentity, fields: InviteFields): Uint8Array {
  const joined = joinedFields(fields);
  return concat(joined, sign(self.seed, concat(utf8('pawl/1 invite'), joined)));
}

export function joinedFields({ flags, identity, prekey, encapsulationKey, expires }: InviteFields): Uint8Array {
  return concat(flags, identity, prekey, encapsulationKey, expires);
}
