/**
 * The tables `invites`, `ledger` and `numbers`, and our identity: `HandshakeStore` in SQL.
 * The column `expires` holds unix seconds; everything outside of this file counts unix milliseconds.
 */
import type { HandshakeStore, InviteFate, OwnIdentity, StoredInvite } from '../../handshake/index.ts';
import type { IdentityKey, KemSeed, X25519PublicKey, X25519SecretKey } from '../../primitives/index.ts';
import { mustExist, type SqlTransaction } from '../transaction.ts';

/** The CHECK constraints of the table guarantee this union. */
type InviteRow = {
  readonly id: Uint8Array;
  readonly contact_name: string;
  readonly created_at: number;
  /** Unix seconds. */
  readonly expires: number;
  readonly last_user: number | null;
  readonly numbers_after: number;
} & (
  | {
      readonly fate: 'open';
      readonly bytes: Uint8Array;
      readonly prekey_public_key: X25519PublicKey;
      readonly prekey_secret_key: X25519SecretKey;
      readonly kem_seed: KemSeed;
    }
  | { readonly fate: 'spent'; readonly spent_by: IdentityKey; readonly spent_at: number }
  | { readonly fate: 'expired'; readonly withdrawn_at: number | null }
);

/** In milliseconds. */
const SECOND = 1_000;

const FORGET_SECRETS = 'bytes = NULL, prekey_public_key = NULL, prekey_secret_key = NULL, kem_seed = NULL';

/** The ledger is for invites that have their secrets. */
const FORGET_OPENINGS = "DELETE FROM ledger WHERE invite IN (SELECT number FROM invites WHERE fate <> 'open')";

export function handshakeStore(transaction: SqlTransaction): HandshakeStore {
  return {
    async ownIdentity() {
      return mustExist(transaction.get<OwnIdentity>('SELECT seed, public_key AS key FROM identity'), 'identity');
    },

    async invite(id) {
      const row = transaction.get<InviteRow>('SELECT * FROM invites WHERE id = @id', { id });
      return row && inviteIn(row);
    },

    async invites() {
      return transaction.all<InviteRow>('SELECT * FROM invites ORDER BY number').map(inviteIn);
    },

    async dropInvite(id) {
      transaction.run('DELETE FROM invites WHERE id = @id', { id });
    },

    async addInvite({ id, contactName, createdAt, expiresAt, lastUser, numbersAfter, fate }) {
      transaction.run(
        `INSERT INTO invites (id, contact_name, created_at, expires, last_user, numbers_after,
          fate, bytes, prekey_public_key, prekey_secret_key, kem_seed, spent_by, spent_at, withdrawn_at)
        VALUES (@id, @contactName, @createdAt, @expires, @lastUser, @numbersAfter,
          @fate, @bytes, @prekeyPublicKey, @prekeySecretKey, @kemSeed, @spentBy, @spentAt, @withdrawnAt)`,
        {
          id,
          contactName,
          createdAt,
          expires: expiresAt / SECOND,
          lastUser: lastUser ?? null,
          numbersAfter,
          ...columnsOf(fate),
        },
      );
    },

    async spendInvite(id, by, at) {
      transaction.update(
        'open invite',
        `UPDATE invites SET fate = 'spent', spent_by = @by, spent_at = @at, ${FORGET_SECRETS}
        WHERE id = @id AND fate = 'open' AND last_user IS NULL`,
        { id, by, at },
      );
    },

    async withdrawInvite(id, at) {
      transaction.update(
        'open invite',
        `UPDATE invites SET fate = 'expired', withdrawn_at = @at, ${FORGET_SECRETS} WHERE id = @id AND fate = 'open'`,
        { id, at },
      );
      transaction.run(FORGET_OPENINGS);
    },

    async useInvite(id, user, prefixDigest) {
      transaction.update(
        'open invite',
        "UPDATE invites SET last_user = @user WHERE id = @id AND fate = 'open' AND last_user < @user",
        { id, user },
      );
      transaction.run(
        'INSERT INTO ledger (prefix_digest, invite) SELECT @prefixDigest, number FROM invites WHERE id = @id',
        {
          id,
          prefixDigest,
        },
      );
    },

    async renameInvites(name, newName) {
      return transaction.run(
        "UPDATE invites SET contact_name = @newName WHERE contact_name = @name AND fate = 'open' AND last_user IS NULL",
        { name, newName },
      ).changes;
    },

    async lastNumber(name) {
      return (
        transaction.get<{ readonly last: number }>('SELECT last FROM numbers WHERE name = @name', { name })?.last ?? 0
      );
    },

    async raiseNumber(name, number) {
      transaction.run(
        `INSERT INTO numbers (name, last) VALUES (@name, @number)
        ON CONFLICT DO UPDATE SET last = excluded.last WHERE excluded.last > last`,
        { name, number },
      );
    },

    async isInLedger(prefixDigest) {
      return (
        transaction.get('SELECT 1 FROM ledger WHERE prefix_digest = @prefixDigest', { prefixDigest }) !== undefined
      );
    },

    async sweepInvites(expiredBefore, forgetBefore) {
      const { changes } = transaction.run(
        `UPDATE invites SET fate = 'expired', ${FORGET_SECRETS} WHERE fate = 'open' AND expires < @expiredBefore`,
        { expiredBefore: Math.floor(expiredBefore / SECOND) },
      );
      if (changes > 0) {
        transaction.run(FORGET_OPENINGS);
      }
      transaction.run(
        `DELETE FROM invites
        WHERE fate = 'spent' AND spent_at < @forgetBefore * 1000
          OR fate = 'expired' AND coalesce(withdrawn_at, expires * 1000) < @forgetBefore * 1000`,
        { forgetBefore: Math.floor(forgetBefore / SECOND) },
      );
      return changes;
    },
  };
}

function inviteIn(row: InviteRow): StoredInvite {
  const { id, contact_name: contactName, created_at: createdAt, expires, last_user, numbers_after: numbersAfter } = row;
  const lastUser = last_user ?? undefined;
  return { id, contactName, createdAt, expiresAt: expires * SECOND, lastUser, numbersAfter, fate: fateIn(row) };
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
      return row.withdrawn_at === null ? { kind: 'expired' } : { kind: 'withdrawn', at: row.withdrawn_at };
  }
}

function columnsOf(fate: InviteFate) {
  const { bytes, secrets } = fate.kind === 'open' ? fate : { bytes: null, secrets: undefined };
  const { by, at } = fate.kind === 'spent' ? fate : { by: null, at: null };
  return {
    fate: fate.kind === 'withdrawn' ? 'expired' : fate.kind,
    withdrawnAt: fate.kind === 'withdrawn' ? fate.at : null,
    bytes,
    prekeyPublicKey: secrets?.prekey.publicKey ?? null,
    prekeySecretKey: secrets?.prekey.secretKey ?? null,
    kemSeed: secrets?.kemSeed ?? null,
    spentBy: by,
    spentAt: at,
  };
}
