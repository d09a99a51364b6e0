import { deriveFileKey, SALT_LENGTH } from '../src/storage/sqlcipher.ts';

/** A process that derives the key of an identity file, and nothing else. */
void deriveFileKey(Buffer.from('correct horse battery staple'), new Uint8Array(SALT_LENGTH));
