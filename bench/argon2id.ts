/** A process that only derives the key of an identity file, to compare commands with a passphrase with. */
import { deriveFileKey, SALT_LENGTH } from '../src/storage/sqlcipher.ts';

void deriveFileKey(Buffer.from('correct horse battery staple'), new Uint8Array(SALT_LENGTH));
