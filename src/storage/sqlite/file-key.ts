import type { Branded } from '../../primitives/index.ts';

/** 32 bytes: encrypts an identity file (docs/PROTOCOL.md §8). */
export type FileKey = Branded<'file key'>;

/** The first 16 bytes of an identity file. */
export const SALT_LENGTH = 16;

/**
 * The key of an identity file that is locked with a passphrase: Argon2id (RFC 9106 §4, the second recommended choice).
 * Takes about 80 ms and 64 MiB.
 * @param salt 16 bytes, those of the file.
 */
export async function deriveFileKey(passphrase: Uint8Array, salt: Uint8Array): Promise<FileKey> {
  // Loaded here because a command with a key file does without.
  const { hashRaw } = await import('@node-rs/argon2');
  const derived = await hashRaw(passphrase, {
    algorithm: 2, // Algorithm.Argon2id: the enums of the package exist as types only
    version: 1, // Version.V0x13
    memoryCost: 64 * 1024, // KiB
    timeCost: 3,
    parallelism: 4,
    outputLen: 32,
    salt,
  });
  const key = new Uint8Array(derived) as FileKey;
  derived.fill(0);
  return key;
}
