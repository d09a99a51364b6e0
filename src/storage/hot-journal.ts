/**
 * Tries a key on a hot journal before SQLite plays it back (docs/PROTOCOL.md §8; SQLite's file format, §3).
 * Knows the page format of SQLCipher 4, and nothing of what the pages contain.
 */
import { createHmac, pbkdf2Sync } from 'node:crypto';
import { closeSync, existsSync, openSync, readSync } from 'node:fs';
import { PawlError } from '../errors.ts';
import { reasonOf } from '../files/index.ts';
import { equal, wipe } from '../primitives/index.ts';
import { type Lock, openDatabase } from './sqlcipher.ts';
import { sqliteCode } from './sqlite-errors.ts';

/**
 * In bytes. A page of SQLCipher 4 ends with its IV, 16 bytes, and the HMAC-SHA-512 of ciphertext, IV and page number.
 */
export const PAGE_LENGTH = 4096;
const TAG_LENGTH = 64;

/** The first bytes of a synced journal header: magic, number of pages, …, sector size at offset 20, … */
const MAGIC = 'd9d505f920a163d7';
const HEADER_LENGTH = 28;

/**
 * Tells whether there is a hot journal that was written with another key. SQLite plays a hot journal back at the first
 * read, and truncates the file to its old length before it notices that the key is wrong. So the key is tried here
 * first.
 * @param path of the file itself, and not of a link to it: the journal is beside the file.
 * @throws `read-failed`, and the errors of SQLite.
 */
export function isForeignHotJournal(path: string, lock: Lock): boolean {
  const journal = `${path}-journal`;
  if (!existsSync(journal) || !isHot(path, lock)) return false;
  try {
    return !fits(path, journal, lock);
  } catch (cause) {
    // Another process may have played it back by now.
    if (!existsSync(journal)) return false;
    throw new PawlError('read-failed', { path: journal, reason: reasonOf(cause) }, { cause });
  }
}

/** A journal is hot when no process holds its writer's lock. SQLite reports that to a connection that may not write. */
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

/** Tries the key on the first page in the journal; if the journal has no pages, on the first page of the file. */
function fits(path: string, journal: string, lock: Lock): boolean {
  return withFile(journal, (readJournal) => {
    const header = readJournal(0, HEADER_LENGTH);
    const isSynced = header.length === HEADER_LENGTH && header.toString('hex', 0, 8) === MAGIC;
    const pages = isSynced ? header.readUInt32BE(8) : 0;
    if (pages === 0) return withFile(path, (read) => isAuthentic(read(0, PAGE_LENGTH), 1, lock));
    const record = readJournal(header.readUInt32BE(20), 4 + PAGE_LENGTH);
    return record.length === 4 + PAGE_LENGTH && isAuthentic(record.subarray(4), record.readUInt32BE(0), lock);
  });
}

/** Verifies the HMAC of a page as SQLCipher does. The salt at the beginning of page 1 is not covered. */
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

/** Opens a file and runs `work` with a function that reads up to `length` bytes at a position. */
function withFile<Result>(path: string, work: (read: (position: number, length: number) => Buffer) => Result): Result {
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
