import { resolve } from 'node:path';
import Database from 'better-sqlite3-multiple-ciphers';
import type { FileKey } from './file-key.ts';

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
