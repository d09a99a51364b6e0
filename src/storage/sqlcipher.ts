/**
 * Opens SQLCipher databases with a raw key, and derives that key from a passphrase (docs/PROTOCOL.md §1, §8).
 * Knows no tables and no transactions.
 */
import { resolve } from 'node:path';
import Database from 'better-sqlite3-multiple-ciphers';
import type { Branded } from '../primitives/index.ts';
import { loadArgon2 } from './native-parts.ts';

/** What encrypts an identity file. */
export interface Lock {
  readonly key: FileKey;
  /** 16 bytes. */
  readonly salt: Uint8Array;
}

const HEX = '0123456789abcdef';

/**
 * Opens an existing file in the format of SQLCipher 4. Reads nothing, so a wrong key is not noticed yet.
 * @param options.wait how long to wait for the locks of other processes, in milliseconds.
 * @throws the errors of SQLite.
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

/**
 * Encodes a raw key and its salt as SQLCipher expects it: x'…' with 96 hexadecimal digits.
 * @returns a buffer, which the caller overwrites after use; a string could not be overwritten.
 */
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
 * Derives the key of an identity file from its passphrase with Argon2id (RFC 9106 §4, second recommended option). Takes
 * about 80 ms and 64 MiB.
 * @param salt 16 bytes: the salt of the file.
 * @returns 32 bytes.
 * @throws `no-addon`.
 */
export async function deriveFileKey(passphrase: Uint8Array, salt: Uint8Array): Promise<FileKey> {
  // Loaded when needed: a command with a key file does not need it.
  const { hashRaw } = await loadArgon2();
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
