/**
 * The stores of an identity, which implement `SessionStore` (docs/PROTOCOL.md §8): a file, which is an SQLCipher database,
 * and rows in a PostgreSQL database.
 * Knows no protocol: it stores what `session`, `handshake` and `ratchet` define.
 */
import type { AddressContext } from './postgres/address.ts';
import type { Created, PostgresDatabase } from './postgres/database.ts';

export {
  createIdentityFile,
  createIdentityFileFrom,
  type NewIdentity,
  openIdentityFile,
  readSalt,
  restoreIdentityFile,
} from './identity-file.ts';
export type { IdentityStore, Standing } from './identity-store.ts';
export { moveIdentity } from './move.ts';
export { loadArgon2, loadDatabase } from './native-parts.ts';
export { deriveFileKey, type FileKey, type Lock, SALT_LENGTH } from './sqlcipher.ts';
export type { SqliteStore } from './store.ts';
export type { Created, PostgresDatabase };

/**
 * The identities in a PostgreSQL database, whose code is loaded only here. Connects to nothing yet.
 * @param wait for how long a server that has no connection left is waited for, in milliseconds.
 * @throws see `databaseAddress`.
 */
export async function postgresAt(uri: string, context: AddressContext, wait: number): Promise<PostgresDatabase> {
  const [address, database] = await Promise.all([import('./postgres/address.ts'), import('./postgres/database.ts')]);
  return new database.PostgresDatabase(address.databaseAddress(uri, context), wait);
}
