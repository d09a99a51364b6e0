/**
 * The identity file: an SQLCipher database that implements `SessionStore` (docs/PROTOCOL.md §8).
 * Knows no protocol: it stores what `session`, `handshake` and `ratchet` define.
 */
export { createIdentityFile, openIdentityFile, readSalt, restoreIdentityFile } from './identity-file.ts';
export type { IdentityStore, Standing } from './identity-store.ts';
export { loadArgon2, loadDatabase } from './native-parts.ts';
export { deriveFileKey, type FileKey, type Lock, SALT_LENGTH } from './sqlcipher.ts';
export type { SqliteStore } from './store.ts';
