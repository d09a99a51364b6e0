/** The identity file: an encrypted SQLite database (docs/PROTOCOL.md §8) behind the store that sessions need. */
export { createIdentityFile, openIdentityFile, readSalt } from './identity-file.ts';
export { deriveFileKey, type FileKey, type Lock, SALT_LENGTH } from './sqlcipher.ts';
export type { SqliteStore } from './store.ts';
