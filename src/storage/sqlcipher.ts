import { resolve } from 'node:path';
import Database from 'better-sqlite3-multiple-ciphers';
import type { Branded } from '../primitives/index.ts';

export interface Lock {
  readonly key: FileKey;
  /** 16 bytes. */
  readonly salt: Uint8Array;
}

const HEX = '0123456789abcdef';

/**
 * Opens a file that exists in the format of SQLCipher 4. Nothing is read of it yet, so a wrong key does not show.
 * @param wait how long to wait for other processes, in milliseconds.
 * @throws the database's own errors.
 */
export function openDatabase(
  path: string,
  lock: Lock,
  { wait, readonly = false }: { wait: number; readonly?: boolean },
): Database.Database {
  const timeout = Math.min(Math.round(wait), 2 ** 31 - 1);
  const database = new Database(resolve(path), { fileMustExist: true, readonly, timeout });
  database.exec("PRAGMA cipher = 'sqlcipher'; PRAGMA legacy = 4");
  const literal = rawKey(lock);
  database.key(literal);
  literal.fill(0);
  return database;
}

/** SQLCipher's way to give a raw key with its salt: x'…', 96 hex digits. Never a string, which could not be wiped. */
export function rawKey({ key, salt }: Lock): Buffer {
  const literal = Buffer.from(`x'${'0'.repeat(2 * (key.length + salt.length))}'`);
  let position = 2;
  for (const bytes of [key, salt]) {
    for (const byte of bytes) {
      literal[position++] = HEX.charCodeAt(byte >> 4);
      literal[position++] = HEX.charCodeAt(byte & 15);
    }
  }
  return literal;
}

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
