/** The identity file: an encrypted SQLite database (docs/PROTOCOL.md §8) behind the store that sessions need. */
export { createIdentityFile } from './create-identity-file.ts';
export type { Lock } from './database.ts';
export { deriveFileKey, type FileKey, SALT_LENGTH } from './file-key.ts';
export { openIdentityFile, readSalt } from './identity-file.ts';
export type { SqliteStore } from './sqlite-store.ts';
