import type { HandshakeStore, InviteFate, OwnIdentity, StoredInvite } from '../../handshake/index.ts';
import type { IdentityKey, KemSeed, X25519PublicKey, X25519SecretKey } from '../../primitives/index.ts';
import { found } from '../found.ts';
import type { Unit } from './unit.ts';

/** The CHECK constraints of the table make this union true. */
type InviteRow = {
  readonly id: Uint8Array;
  readonly contact_name: string;
  readonly created_at: number;
  readonly expires: number;
} & (
  | {
      readonly fate: 'open';
      readonly bytes: Uint8Array;
      readonly prekey_public_key: X25519PublicKey;
      readonly prekey_secret_key: X25519SecretKey;
      readonly kem_seed: KemSeed;
    }
  | { readonly fate: 'spent'; readonly spent_by: IdentityKey; readonly spent_at: number }
  | { readonly fate: 'expired' }
);

const FORGET_SECRETS = 'bytes = NULL, prekey_public_key = NULL, prekey_secret_key = NULL, kem_seed = NULL';

export function handshakeStore(unit: Unit): HandshakeStore {
  return {
    async ownIdentity() {
      return found(unit.get<OwnIdentity>('SELECT seed, public_key AS key FROM identity'), 'identity');
    },

    async invite(id) {
      const row = unit.get<InviteRow>('SELECT * FROM invites WHERE id = @id', { id });
      return row && inviteIn(row);
    },

    async invites() {
      return unit.all<InviteRow>('SELECT * FROM invites ORDER BY number').map(inviteIn);
    },

    async dropInvite(id) {
      unit.run('DELETE FROM invites WHERE id = @id', { id });
    },

    async addInvite({ id, contactName, createdAt, expires, fate }) {
      unit.run(
        `INSERT INTO invites (id, contact_name, created_at, expires,
          fate, bytes, prekey_public_key, prekey_secret_key, kem_seed, spent_by, spent_at)
        VALUES (@id, @contactName, @createdAt, @expires,
          @fate, @bytes, @prekeyPublicKey, @prekeySecretKey, @kemSeed, @spentBy, @spentAt)`,
        { id, contactName, createdAt, expires, ...columnsOf(fate) },
      );
    },

    async spendInvite(id, by, at) {
      unit.update(
        'open invite',
        `UPDATE invites SET fate = 'spent', spent_by = @by, spent_at = @at, ${FORGET_SECRETS}
        WHERE id = @id AND fate = 'open'`,
        { id, by, at },
      );
    },

    async sweepInvites(expiredBefore, forgetBefore) {
      unit.run(
        `UPDATE invites SET fate = 'expired', ${FORGET_SECRETS} WHERE fate = 'open' AND expires < @expiredBefore`,
        { expiredBefore },
      );
      unit.run(
        `DELETE FROM invites
        WHERE fate = 'spent' AND spent_at < @forgetBefore * 1000 OR fate = 'expired' AND expires < @forgetBefore`,
        { forgetBefore },
      );
    },
  };
}

function inviteIn(row: InviteRow): StoredInvite {
  const { id, contact_name: contactName, created_at: createdAt, expires } = row;
  return { id, contactName, createdAt, expires, fate: fateIn(row) };
}

function fateIn(row: InviteRow): InviteFate {
  switch (row.fate) {
    case 'open': {
      const prekey = { publicKey: row.prekey_public_key, secretKey: row.prekey_secret_key };
      return { kind: 'open', bytes: row.bytes, secrets: { prekey, kemSeed: row.kem_seed } };
    }
    case 'spent':
      return { kind: 'spent', by: row.spent_by, at: row.spent_at };
    case 'expired':
      return { kind: 'expired' };
  }
}

function columnsOf(fate: InviteFate) {
  const { bytes, secrets } = fate.kind === 'open' ? fate : { bytes: null, secrets: undefined };
  const { by, at } = fate.kind === 'spent' ? fate : { by: null, at: null };
  return {
    fate: fate.kind,
    bytes,
    prekeyPublicKey: secrets?.prekey.publicKey ?? null,
    prekeySecretKey: secrets?.prekey.secretKey ?? null,
    kemSeed: secrets?.kemSeed ?? null,
    spentBy: by,
    spentAt: at,
  };
}
