import { createHmac, pbkdf2Sync } from 'node:crypto';
import { closeSync, existsSync, openSync, readSync } from 'node:fs';
import { PawlError } from '../errors.ts';
import { reasonOf } from '../files/index.ts';
import { equal, wipe } from '../primitives/index.ts';
import { type Lock, openDatabase } from './sqlcipher.ts';
import { sqliteCode } from './sqlite-errors.ts';

/** A page of SQLCipher 4 ends with its IV, 16 bytes, and the HMAC-SHA-512 of ciphertext, IV and page number. */
export const PAGE_LENGTH = 4096;
const TAG_LENGTH = 64;

/** How a journal begins once it is synced: magic, number of pages, …, length of the header, … (SQLite's file format, §3). */
const MAGIC = 'd9d505f920a163d7';
const HEADER_LENGTH = 28;

/**
 * Whether an interrupted commit waits to be undone that was not made with this key. SQLite undoes it at the first read,
 * and cuts the file to its old length before it finds out that the key does not fit; so the key is tried here first.
 * @throws `read-failed`
 */
export function isForeignHotJournal(path: string, lock: Lock): boolean {
  const journal = `${path}-journal`;
  if (!existsSync(journal) || !isHot(path, lock)) return false;
  try {
    return !fits(path, journal, lock);
  } catch (cause) {
    // Another process may have undone it by now.
    if (!existsSync(journal)) return false;
    throw new PawlError('read-failed', { path: journal, reason: reasonOf(cause) }, { cause });
  }
}

/** A journal is hot when nobody holds the lock of its writer. SQLite says so to a reader who may not undo it. */
function isHot(path: string, lock: Lock): boolean {
  const database = openDatabase(path, lock, { wait: 0, readonly: true });
  try {
    database.prepare('PRAGMA user_version').get();
    return false;
  } catch (error) {
    return sqliteCode(error) === 'SQLITE_READONLY_ROLLBACK';
  } finally {
    database.close();
  }
}

/** Tries the key on the first page that the journal would put back, or on the file where it would put back none. */
function fits(path: string, journal: string, lock: Lock): boolean {
  return reading(journal, (read) => {
    const header = read(0, HEADER_LENGTH);
    const isSynced = header.length === HEADER_LENGTH && header.toString('hex', 0, 8) === MAGIC;
    const pages = isSynced ? header.readUInt32BE(8) : 0;
    if (pages === 0) return reading(path, (read) => isAuthentic(read(0, PAGE_LENGTH), 1, lock));
    const record = read(header.readUInt32BE(20), 4 + PAGE_LENGTH);
    return record.length === 4 + PAGE_LENGTH && isAuthentic(record.subarray(4), record.readUInt32BE(0), lock);
  });
}

/** SQLCipher's own check of a page. Page 1 begins with the salt, which is not part of it. */
function isAuthentic(page: Buffer, number: number, { key, salt }: Lock): boolean {
  const macSalt = salt.map((byte) => byte ^ 0x3a);
  const macKey = pbkdf2Sync(key, macSalt, 2, 32, 'sha512');
  const sealed = page.subarray(number === 1 ? salt.length : 0, -TAG_LENGTH);
  const littleEndian = Buffer.alloc(4);
  littleEndian.writeUInt32LE(number);
  const tag = createHmac('sha512', macKey).update(sealed).update(littleEndian).digest();
  wipe(macKey);
  return equal(tag, page.subarray(-TAG_LENGTH));
}

/** Opens a file for `work`, which is given as many bytes of a place as there are, and at most `length`. */
function reading<Result>(path: string, work: (read: (position: number, length: number) => Buffer) => Result): Result {
  const file = openSync(path, 'r');
  try {
    return work((position, length) => {
      const bytes = Buffer.alloc(length);
      return bytes.subarray(0, readSync(file, bytes, 0, length, position));
    });
  } finally {
    closeSync(file);
  }
}
